using Groundwork.Kernel.Storage;
using Groundwork.Services.KeyValue.Leases;

namespace Groundwork.Services.KeyValue;

/// <summary>
/// Changes of the table that happen together, at one revision, under the store's writer lock. Made anew for each run of
/// a write; whoever throws has changed nothing.
/// </summary>
internal sealed class KeyTransaction(ISqlSession session)
{
    private int changes;
    private long sessionChanges;
    private long? clock;

    /// <summary>What is there, with what was written here so far.</summary>
    public KeyReading Read { get; } = new(session);

    /// <summary>The revision of the table with these changes: one more as soon as there is one.</summary>
    public long Revision => changes > 0 ? Read.Head.Revision + 1 : Read.Head.Revision;

    /// <summary>True when a lease has ended here.</summary>
    public bool EndedLeases { get; private set; }

    /// <summary>As the revision, of what happens to sessions.</summary>
    public long SessionIndex => Read.Head.Sessions + sessionChanges;

    /// <summary>The database's clock, asked once.</summary>
    public long Now => clock ??= session.ReadClock();

    /// <summary>Writes a key.</summary>
    /// <param name="lease">The lease that it then ends with; 0 for none.</param>
    /// <returns>The key as it is now.</returns>
    public KeyEntry Put(
        byte[] key, byte[] value, long lease, KeyEntry? before, long? flags = null, long? lockIndex = null)
    {
        if (key.Length > KeyValueLimits.MaxKeyBytes)
            throw new KeyValueRefusal(
                KeyValueRefusal.Kind.TooLarge,
                $"a key of {key.Length} bytes; {KeyValueLimits.MaxKeyBytes} are allowed");
        if (value.Length > KeyValueLimits.MaxValueBytes)
            throw new KeyValueRefusal(
                KeyValueRefusal.Kind.TooLarge,
                $"a value of {value.Length} bytes; {KeyValueLimits.MaxValueBytes} are allowed");
        var revision = Read.Head.Revision + 1;
        var entry = new KeyEntry(
            key, value, before?.Created ?? revision, revision, (before?.Version ?? 0) + 1, lease,
            flags ?? before?.Flags ?? 0, lockIndex ?? before?.LockIndex ?? 0, null);
        RowStore.Put(session, entry, changes++);
        return entry;
    }

    /// <summary>Removes a key that is there.</summary>
    public void Remove(KeyEntry entry) => RowStore.Remove(session, entry.Key, Read.Head.Revision + 1, changes++);

    /// <summary>Removes all keys of a range.</summary>
    /// <returns>Them, as they were.</returns>
    public List<KeyEntry> Remove(KeyRange range)
    {
        var found = Read.List(range);
        foreach (var entry in found) Remove(entry);
        return found;
    }

    /// <summary>Begins a lease. Its id must not be taken.</summary>
    public Lease Grant(Lease wanted)
    {
        if (LeaseStore.Count(session) >= KeyValueLimits.MaxLeases)
            throw new KeyValueRefusal(KeyValueRefusal.Kind.LeasesFull, $"{KeyValueLimits.MaxLeases} leases are there");
        // Until now there was none to look after, and nobody looked.
        if (LeaseStore.Sweep(session).NextEnd is null) LeaseStore.SetSwept(session, Now);
        if (wanted.Session is not null) sessionChanges++;
        var lease = wanted with { ExpiresAt = wanted.EndFrom(Now), Index = wanted.Session is null ? 0 : SessionIndex };
        LeaseStore.Put(session, lease);
        return lease;
    }

    /// <summary>Gives a lease its whole time again.</summary>
    public Lease Renew(Lease lease)
    {
        var renewed = lease with { ExpiresAt = lease.EndFrom(Now) };
        LeaseStore.SetEnd(session, renewed);
        return renewed;
    }

    /// <summary>
    /// Ends a lease, and with it the keys that it holds; a session that releases leaves them, held by nobody. Who held
    /// keys by a session cannot be followed at once: the lock's delay gives its last holder time to notice.
    /// </summary>
    public void Revoke(Lease lease)
    {
        foreach (var entry in Read.KeysOf(lease))
        {
            if (lease is { Session: not null, DeletesKeys: false }) Put(entry.Key, entry.Value, lease: 0, entry);
            else Remove(entry);
            if (lease.LockDelay > TimeSpan.Zero)
                LeaseStore.Delay(session, entry.Key, Now + (long)lease.LockDelay.TotalMilliseconds);
        }
        if (lease.Session is not null) sessionChanges++;
        LeaseStore.Remove(session, lease.Id);
        EndedLeases = true;
    }

    /// <summary>True while nobody may acquire the key because a session that held it has just ended.</summary>
    public bool IsDelayed(byte[] key) => LeaseStore.DelayOf(session, key) is { } until && until > Now;

    /// <summary>Nothing before the revision can be read from now on.</summary>
    public void Compact(long revision) => RowStore.Compact(session, revision, Now);

    /// <summary>Writes where the table stands now. Last.</summary>
    public void Finish()
    {
        if (changes > 0 || sessionChanges > 0) RowStore.WriteHead(session, Revision, SessionIndex);
    }
}
