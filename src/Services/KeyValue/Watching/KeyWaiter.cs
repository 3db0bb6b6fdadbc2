using System.Threading.Channels;

namespace Groundwork.Services.KeyValue.Watching;

/// <summary>
/// Somebody who waits for changes in a range. Woken any number of times between two waits, the next returns at once,
/// once. One waits at a time.
/// </summary>
internal sealed class KeyWaiter(KeyRange range, bool ofSessions, Action<KeyWaiter> leave) : IDisposable
{
    private readonly Channel<bool> woken = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private bool left;

    public KeyRange Range => range;

    public bool OfSessions => ofSessions;

    /// <summary>What it is found by, when it is a single key.</summary>
    public string Name { get; } = KeyRange.Text(range.From);

    public void Wake() => woken.Writer.TryWrite(true);

    /// <summary>Ends when something happened, or by the token.</summary>
    public ValueTask<bool> WaitAsync(CancellationToken cancellationToken) =>
        woken.Reader.ReadAsync(cancellationToken);

    public void Dispose()
    {
        if (left) return;
        left = true;
        leave(this);
    }
}
