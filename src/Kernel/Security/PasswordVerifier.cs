using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;

namespace Groundwork.Kernel.Security;

/// <summary>
/// Verifies passwords of operators: two at a time, since each takes about a tenth of a second of a core; the result is
/// kept for a minute, since some protocols send the password on every call.
/// </summary>
public sealed class PasswordVerifier : IDisposable
{
    /// <summary>
    /// Verifications at a time. Beyond them callers are asked to come back, so that nobody can fill the cores.
    /// </summary>
    public const int MaxAtOnce = 2;

    /// <summary>Results kept; two at a time make about 2,000 in a minute.</summary>
    public const int MaxCached = 4_096;

    /// <summary>How long a result is kept. A changed password is another key, so it counts at once.</summary>
    public static readonly TimeSpan CacheFor = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly Authorizer authorizer;
    private readonly SecretProtector secrets;
    private readonly TimeProvider time;
    private readonly byte[] cacheKey;
    private readonly SemaphoreSlim slots = new(MaxAtOnce, MaxAtOnce);
    private readonly ConcurrentDictionary<string, (bool IsRight, long At)> results = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Task<bool>> running = new(StringComparer.Ordinal); // Under its own lock.

    private readonly PasswordBackoff backoff;

    // Verified in place of the hash of an operator that does not exist, so that the time says nothing about names.
    private readonly string decoy = PasswordHash.CreateDecoy();

    internal PasswordVerifier(Authorizer authorizer, SecretProtector secrets, RootKey root, TimeProvider time)
    {
        this.authorizer = authorizer;
        this.secrets = secrets;
        this.time = time;
        cacheKey = root.PasswordCacheKey();
        backoff = new PasswordBackoff(time);
    }

    /// <summary>Verifications that were really computed.</summary>
    internal int Computed { get; private set; } // Under running.

    /// <summary>
    /// The operator, or <c>sign_in_failed</c> whatever is wrong (name, password, disabled), or
    /// <c>too_many_sign_ins</c>.
    /// </summary>
    internal async ValueTask<Outcome<OperatorEntry>> VerifyAsync(string name, string password)
    {
        var failed =
            new Fault(ErrorCodes.SignInFailed, "The name or the password is wrong, or the operator is disabled.");
        if (password.Length > PasswordHash.MaxPasswordLength) return failed;
        var known = authorizer.View.Operators.GetValueOrDefault(name);
        var key = KeyOf(name, known?.PasswordDigest ?? "", password);
        if (!results.TryGetValue(key, out var cached) || time.GetElapsedTime(cached.At) >= CacheFor)
        {
            if (backoff.Delay(name) is { Ticks: > 0 } delay)
            {
                return new Fault(
                    ErrorCodes.TooManySignIns, "Too many wrong passwords came for this name; try again shortly.")
                {
                    RetryAfter = delay,
                };
            }
            if (!TryStart(key, name, known, password, out var verification))
            {
                return new Fault(
                    ErrorCodes.TooManySignIns, $"{MaxAtOnce} passwords are being verified; try again shortly.")
                {
                    RetryAfter = RetryAfter,
                };
            }
            cached.IsRight = await verification;
        }
        return known is { Disabled: false } && cached.IsRight ? known : failed;
    }

    public void Dispose() => slots.Dispose();

    /// <summary>
    /// The verification under way for the same name and password, or a new one; false when there are too many.
    /// </summary>
    private bool TryStart(
        string key, string name, OperatorEntry? known, string password,
        [NotNullWhen(true)] out Task<bool>? verification)
    {
        lock (running)
        {
            if (running.TryGetValue(key, out verification)) return true;
            if (!slots.Wait(0)) return false;
            Computed++;
            // A thread of its own: two of the pool's, which has as many as there are cores, would stall everybody else.
            verification = Task.Factory.StartNew(
                () => Verify(key, name, known, password),
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default);
            running.Add(key, verification);
            return true;
        }
    }

    private bool Verify(string key, string name, OperatorEntry? known, string password)
    {
        try
        {
            var isRight = PasswordHash.Verify(known is null ? decoy : HashOf(known), password) && known is not null;
            Keep(key, isRight);
            backoff.Note(name, isRight);
            return isRight;
        }
        finally
        {
            lock (running) running.Remove(key);
            slots.Release();
        }
    }

    private void Keep(string key, bool isRight)
    {
        if (results.Count >= MaxCached)
        {
            foreach (var (old, result) in results)
                if (time.GetElapsedTime(result.At) >= CacheFor) results.TryRemove(old, out _);
            if (results.Count >= MaxCached) results.Clear();
        }
        results[key] = (isRight, time.GetTimestamp());
    }

    private string HashOf(OperatorEntry known)
    {
        var resource = known.Resource;
        var spec = SpecConversion.Upgrade(SecurityKinds.Operator, resource.Version, resource.Spec);
        var opened = secrets.Open(SecurityKinds.Operator, resource.Key, spec);
        using var document = JsonDocument.Parse(opened);
        return document.RootElement.GetProperty("passwordHash") is { ValueKind: JsonValueKind.String } hash
            ? hash.GetString()! // Its kind has just been looked at.
            : ""; // A follower is sent no hash: nothing verifies there.
    }

    /// <summary>Keyed, so that a dump of memory gives no digest of a password that could be guessed at.</summary>
    private string KeyOf(string name, string passwordDigest, string password)
    {
        Span<byte> mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(cacheKey, Encoding.UTF8.GetBytes($"{name}\0{passwordDigest}\0{password}"), mac);
        return Convert.ToBase64String(mac);
    }
}
