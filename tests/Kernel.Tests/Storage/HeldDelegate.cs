namespace Groundwork.Kernel.Tests.Storage;

/// <summary>
/// Holds a delegate inside the store until the test lets it go, at the latest when the test ends, red or green.
/// </summary>
internal sealed class HeldDelegate : IDisposable
{
    private readonly ManualResetEventSlim entered = new();
    private readonly ManualResetEventSlim released = new();

    /// <summary>Called by the delegate: says that it is there, and waits.</summary>
    public void Hold()
    {
        entered.Set();
        released.Wait();
    }

    public void WaitUntilHeld(CancellationToken cancellationToken) => entered.Wait(cancellationToken);

    public void Release() => released.Set();

    // The events are not disposed: the delegate may be about to look at them.
    public void Dispose() => Release();
}
