namespace Groundwork.Kernel.Security;

/// <summary>
/// Slows guessing at one name: after a few wrong passwords each further one is answered only when a growing delay has
/// passed. A delay and no lock, and a short one, because anybody can fail in somebody's name; a password that was right
/// a moment ago is remembered and not held up. Names that nobody has are slowed alike. Thread-safe.
/// </summary>
internal sealed class PasswordBackoff(TimeProvider time)
{
    /// <summary>
    /// Wrong passwords without a delay: people mistype, and programs try an old password once or twice.
    /// </summary>
    public const int FreeFailures = 5;

    /// <summary>
    /// Names remembered, about 150 bytes each; beyond, those are forgotten that are not being held up.
    /// </summary>
    public const int MaxNames = 10_000;

    /// <summary>The delay after the first failure that has one; each further one doubles it.</summary>
    public static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(1);

    /// <summary>The longest: 2,880 guesses a day, and an operator under attack waits half a minute.</summary>
    public static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(30);

    /// <summary>After so long without a wrong password a name starts anew.</summary>
    public static readonly TimeSpan ForgetAfter = TimeSpan.FromMinutes(15);

    private readonly Lock gate = new();
    private readonly Dictionary<string, Failures> names = new(StringComparer.Ordinal); // Under the gate.

    /// <summary>How long the name is held up still; zero when it is not.</summary>
    public TimeSpan Delay(string name)
    {
        lock (gate)
        {
            if (!names.TryGetValue(name, out var failures)) return TimeSpan.Zero;
            var left = DelayAfter(failures.Count) - time.GetElapsedTime(failures.LastAt);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    public void Note(string name, bool isRight)
    {
        lock (gate)
        {
            if (isRight)
            {
                names.Remove(name);
                return;
            }
            var count = names.TryGetValue(name, out var before) && time.GetElapsedTime(before.LastAt) < ForgetAfter
                ? before.Count
                : 0;
            if (count == 0 && names.Count >= MaxNames) Forget();
            names[name] = new Failures(count + 1, time.GetTimestamp());
        }
    }

    // Whoever fills the table with invented names must not thereby free the one that is being guessed at.
    private void Forget()
    {
        foreach (var (name, failures) in names)
            if (DelayAfter(failures.Count) <= time.GetElapsedTime(failures.LastAt)) names.Remove(name);
        if (names.Count >= MaxNames) names.Clear();
    }

    private static TimeSpan DelayAfter(int failures)
    {
        if (failures < FreeFailures) return TimeSpan.Zero;
        var doublings = Math.Min(failures - FreeFailures, 10); // Far beyond the longest delay, far below an overflow.
        var delay = FirstDelay * (1 << doublings);
        return delay < MaxDelay ? delay : MaxDelay;
    }

    private readonly record struct Failures(int Count, long LastAt);
}
