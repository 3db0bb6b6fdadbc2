using System.Diagnostics.CodeAnalysis;

namespace Groundwork.Client.Discovery;

/// <summary>
/// A call's place at an instance, from the choice to the end of the answer's body: what is still being sent is load
/// too. Given back once, by whoever comes first: the body's end, its disposal, or the collector where a caller did
/// neither.
/// </summary>
internal sealed class CallPlace(ServiceTarget target, bool isTrial, ChoiceReason reason) : IDisposable
{
    private int onTrial = isTrial ? 1 : 0; // Interlocked.
    private int open = 1; // Interlocked.
    private IDisposable? attached;
    private Forgotten? forgotten;

    public ServiceTarget Target => target;

    /// <summary>Why it is this instance.</summary>
    public ChoiceReason Reason => reason;

    /// <summary>
    /// Has something disposed of with the place, such as the call's place in a bulkhead; false when it is over already.
    /// </summary>
    public bool TryAttach(IDisposable with)
    {
        Volatile.Write(ref attached, with);
        // Who comes to dispose meanwhile has seen it, or it is still here and not theirs.
        return Volatile.Read(ref open) != 0 || Interlocked.Exchange(ref attached, null) is null;
    }

    /// <summary>
    /// From now on a caller has it, who may forget it. Not from the beginning: most places end with the try itself, and
    /// an object that the collector must ask costs a call more than all else that is made for it.
    /// </summary>
    public void HandOn() => forgotten = new Forgotten(this);

    /// <summary>The call goes out; <see cref="Heard"/> follows.</summary>
    public void Asked() => target.Asked();

    /// <summary>
    /// An answer has begun, or will not. A trial is over with that, however long the body then takes.
    /// </summary>
    /// <param name="answeredAt">Timestamp; null: there is no answer.</param>
    public void Heard(long? answeredAt)
    {
        target.Heard(answeredAt);
        EndTrial();
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref open, 0) == 0) return;
        if (forgotten is { } watch) GC.SuppressFinalize(watch);
        EndTrial();
        target.End();
        Interlocked.Exchange(ref attached, null)?.Dispose();
    }

    private void EndTrial()
    {
        if (Interlocked.Exchange(ref onTrial, 0) != 0) target.EndTrial();
    }

    // Known to the place alone, so that it goes when nobody has that any more.
    [SuppressMessage("Design", "MA0055", Justification = "A forgotten answer must not be load for ever.")]
    private sealed class Forgotten(CallPlace place)
    {
        ~Forgotten() => place.Dispose();
    }
}
