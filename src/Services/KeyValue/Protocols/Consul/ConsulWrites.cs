namespace Groundwork.Services.KeyValue.Protocols.Consul;

/// <summary>What a write may do to a key: Consul's rules of compare-and-set, locks and flags.</summary>
internal static class ConsulWrites
{
    /// <summary>
    /// Sets the key whatever it is; who holds it still does. The same value and flags again change nothing.
    /// </summary>
    public static KeyEntry Set(KeyTransaction transaction, byte[] key, byte[] value, ulong flags)
    {
        var before = transaction.Read.Find(key);
        var bits = unchecked((long)flags);
        return before is not null && before.Flags == bits && before.Value.AsSpan().SequenceEqual(value)
            ? before
            : transaction.Put(key, value, before?.Lease ?? 0, before, bits) with { Session = before?.Session };
    }

    /// <summary>Sets the key if it is at that index; 0: if it is not there. Null when it is not so.</summary>
    public static KeyEntry? CompareAndSet(
        KeyTransaction transaction, byte[] key, byte[] value, ulong flags, ulong index) =>
        IsAt(transaction.Read.Find(key), index) ? Set(transaction, key, value, flags) : null;

    /// <summary>Sets the key for a session that then holds it. Null when another does, or just did.</summary>
    /// <exception cref="KeyValueRefusal">There is no such session.</exception>
    public static KeyEntry? Lock(KeyTransaction transaction, byte[] key, byte[] value, ulong flags, string session)
    {
        var holder = Session(transaction, session);
        var before = transaction.Read.Find(key);
        if (before?.Session is { } held && held != session) return null;
        if (before?.Session is null && transaction.IsDelayed(key)) return null;
        var times = (before?.LockIndex ?? 0) + (before?.Session is null ? 1 : 0);
        return transaction.Put(key, value, holder.Id, before, unchecked((long)flags), times) with { Session = session };
    }

    /// <summary>Sets the key and ends the hold of the session. Null when it does not hold it.</summary>
    public static KeyEntry? Unlock(KeyTransaction transaction, byte[] key, byte[] value, ulong flags, string session)
    {
        var before = transaction.Read.Find(key);
        return before?.Session == session && before is not null
            ? transaction.Put(key, value, lease: 0, before, unchecked((long)flags))
            : null;
    }

    /// <summary>Removes the key if it is there.</summary>
    /// <param name="index">Only if it is at that index.</param>
    /// <returns>False when it is at another.</returns>
    public static bool Delete(KeyTransaction transaction, byte[] key, ulong? index)
    {
        var before = transaction.Read.Find(key);
        if (index is { } at && !IsAt(before, at)) return false;
        if (before is not null) transaction.Remove(before);
        return true;
    }

    public static bool IsAt(KeyEntry? entry, ulong index) => unchecked((ulong)(entry?.Revision ?? 0)) == index;

    private static Leases.Lease Session(KeyTransaction transaction, string session) =>
        transaction.Read.FindSession(session)
        ?? throw new KeyValueRefusal(KeyValueRefusal.Kind.LeaseUnknown, $"invalid session \"{session}\"");
}
