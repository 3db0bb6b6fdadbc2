namespace Groundwork.Services.Registry;

/// <summary>
/// This node's end of the store-wide sequence. A number is handed out from memory and is the store's as soon as it is
/// written; when another node was quicker, the store answers with a higher one (see
/// <see cref="Storing.RegistryStore"/>). Restarts and other nodes begin above what the store has reserved, so no number
/// is ever handed out below one that somebody has seen.
/// </summary>
internal sealed class Numbers
{
    private long last;

    public long Last => Volatile.Read(ref last);

    public long Next() => Interlocked.Increment(ref last);

    /// <summary>Sees a number of the store, or of another node.</summary>
    public void Raise(long seen)
    {
        var known = Volatile.Read(ref last);
        while (known < seen)
        {
            var before = Interlocked.CompareExchange(ref last, seen, known);
            if (before == known) return;
            known = before;
        }
    }
}
