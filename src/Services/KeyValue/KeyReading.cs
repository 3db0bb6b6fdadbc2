using Groundwork.Kernel.Storage;
using Groundwork.Services.KeyValue.Leases;

namespace Groundwork.Services.KeyValue;

/// <summary>
/// The table as one transaction sees it. In a <see cref="KeyTransaction"/> what has been written so far is seen.
/// </summary>
internal sealed class KeyReading(ISqlSession session) : IKeyRows
{
    public KeyHead Head { get; } = RowStore.ReadHead(session);

    public KeyEntry? Find(byte[] key) =>
        RowStore.List(session, KeyRange.One(key), null, 1) is [var found] ? found : null;

    /// <summary>The keys of a range in their order.</summary>
    /// <param name="revision">As of then; null for now.</param>
    /// <param name="limit">At most so many; null for all that an answer may have.</param>
    /// <exception cref="KeyValueRefusal">There is more than one answer may have.</exception>
    public List<KeyEntry> List(KeyRange range, long? revision = null, int? limit = null)
    {
        if (range.IsEmpty) return [];
        if (!range.IsSingle && RowStore.CountBytes(session, range, revision) > KeyValueLimits.MaxAnswerBytes
            && limit is null or > 1)
            throw new KeyValueRefusal(
                KeyValueRefusal.Kind.TooLarge, $"values of over {KeyValueLimits.MaxAnswerBytes} bytes");
        var found = RowStore.List(session, range, revision, limit ?? KeyValueLimits.MaxRowsPerAnswer + 1);
        return found.Count <= KeyValueLimits.MaxRowsPerAnswer
            ? found
            : throw new KeyValueRefusal(
                KeyValueRefusal.Kind.TooLarge, $"more than {KeyValueLimits.MaxRowsPerAnswer} keys");
    }

    public long Count(KeyRange range, long? revision = null) =>
        range.IsEmpty ? 0 : RowStore.Count(session, range, revision);

    /// <summary>The revision that last changed something there; never lower than it was, and at least 1.</summary>
    public long IndexOf(KeyRange range) =>
        // A removal that is no longer known was at or below the last of those.
        Math.Max(1, Math.Max(RowStore.LastChange(session, range), Head.Forgotten));

    /// <summary>The changes there from a revision on, whole revisions only; true when there may be more.</summary>
    public (List<KeyChange> Changes, bool More) Changes(KeyRange range, long from, int limit) =>
        range.IsEmpty ? ([], false) : RowStore.Changes(session, range, from, limit);

    /// <summary>The key as it was before a revision changed it; null when it was not, or nobody knows.</summary>
    public KeyEntry? Before(byte[] key, long revision) => RowStore.Before(session, key, revision);

    /// <summary>Bytes of all values that are there now.</summary>
    public long Bytes() => RowStore.CountBytes(session, KeyRange.All, revision: null);

    public Lease? FindLease(long id) => LeaseStore.Find(session, id);

    public Lease? FindSession(string id) => LeaseStore.FindSession(session, id);

    public List<Lease> Leases() => LeaseStore.List(session, sessions: false);

    /// <summary>The ids of all leases of etcd.</summary>
    public HashSet<long> LeaseIds() => LeaseStore.Ids(session);

    public List<Lease> Sessions() => LeaseStore.List(session, sessions: true);

    public List<KeyEntry> KeysOf(Lease lease) => RowStore.OfLease(session, lease.Id);

    /// <summary>Milliseconds until the lease ends; null when it does not end by itself.</summary>
    public long? Remaining(Lease lease) =>
        lease.ExpiresAt == Lease.Never ? null : Math.Max(0, lease.ExpiresAt - session.ReadClock());
}

/// <summary>Why the table does not do what it was asked; its protocols say so in their own words.</summary>
internal sealed class KeyValueRefusal(KeyValueRefusal.Kind why, string detail) : Exception(detail)
{
    public enum Kind
    {
        /// <summary>An answer, a key or a value is larger than is allowed.</summary>
        TooLarge,

        /// <summary>There is no such lease or session.</summary>
        LeaseUnknown,

        /// <summary>There are as many leases as there may be.</summary>
        LeasesFull,
    }

    public Kind Why { get; } = why;
}
