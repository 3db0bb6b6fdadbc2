using Groundwork.Services.KeyValue.Protocols.Etcd.Messages;

namespace Groundwork.Services.KeyValue.Protocols.Etcd;

/// <summary>Reads a range: as of a revision, filtered, sorted and cut, in that order.</summary>
internal static class EtcdRange
{
    /// <exception cref="Kernel.Hosting.Rpc.GrpcException">The request is not well formed.</exception>
    public static void Check(RangeRequest request)
    {
        if (request.Key.IsEmpty) throw EtcdErrors.EmptyKey;
        if (!Enum.IsDefined(request.SortOrder) || !Enum.IsDefined(request.SortTarget))
            throw EtcdErrors.InvalidSortOption;
    }

    /// <param name="current">The revision now, with what a transaction has written so far.</param>
    /// <exception cref="Kernel.Hosting.Rpc.GrpcException">The revision is not one to read at.</exception>
    public static RangeResponse Answer(IKeyRows reading, RangeRequest request, long current)
    {
        if (request.Revision > current) throw EtcdErrors.FutureRevision;
        if (request.Revision > 0 && request.Revision < reading.Head.Compacted) throw EtcdErrors.Compacted;
        long? at = request.Revision > 0 ? request.Revision : null;
        var range = EtcdKeys.Range(request.Key, request.RangeEnd);
        var answer = new RangeResponse { Header = new ResponseHeader { Revision = current } };
        if (request.CountOnly)
        {
            answer.Count = reading.Count(range, at);
            return answer;
        }
        var isWhole = IsFiltered(request) || IsSorted(request) || request.Limit <= 0;
        var found = reading.List(
            range, at, isWhole ? null : (int)Math.Min(request.Limit + 1, KeyValueLimits.MaxRowsPerAnswer));
        // All there are, whatever is then left of them.
        answer.Count = !isWhole && found.Count > request.Limit ? reading.Count(range, at) : found.Count;
        IEnumerable<KeyEntry> kept = IsFiltered(request) ? found.Where(entry => Passes(entry, request)) : found;
        if (IsSorted(request)) kept = Sort(kept, request);
        var list = kept.ToList();
        if (request.Limit > 0 && list.Count > request.Limit)
        {
            answer.More = true;
            list.RemoveRange((int)request.Limit, list.Count - (int)request.Limit);
        }
        answer.Kvs.AddRange(list.Select(entry => EtcdKeys.Write(entry, !request.KeysOnly)));
        return answer;
    }

    private static bool IsFiltered(RangeRequest request) =>
        (request.MinModRevision | request.MaxModRevision | request.MinCreateRevision | request.MaxCreateRevision) != 0;

    private static bool Passes(KeyEntry entry, RangeRequest request) =>
        (request.MinModRevision == 0 || entry.Revision >= request.MinModRevision)
        && (request.MaxModRevision == 0 || entry.Revision <= request.MaxModRevision)
        && (request.MinCreateRevision == 0 || entry.Created >= request.MinCreateRevision)
        && (request.MaxCreateRevision == 0 || entry.Created <= request.MaxCreateRevision);

    // They come in the order of keys. Another target without an order means the ascending one.
    private static bool IsSorted(RangeRequest request) =>
        request.SortTarget != RangeRequest.Types.SortTarget.Key
        || request.SortOrder == RangeRequest.Types.SortOrder.Descend;

    private static IEnumerable<KeyEntry> Sort(IEnumerable<KeyEntry> entries, RangeRequest request)
    {
        Comparison<KeyEntry> compare = request.SortTarget switch
        {
            RangeRequest.Types.SortTarget.Version => (one, other) => one.Version.CompareTo(other.Version),
            RangeRequest.Types.SortTarget.Create => (one, other) => one.Created.CompareTo(other.Created),
            RangeRequest.Types.SortTarget.Mod => (one, other) => one.Revision.CompareTo(other.Revision),
            RangeRequest.Types.SortTarget.Value => (one, other) =>
                one.Value.AsSpan().SequenceCompareTo(other.Value),
            _ => (one, other) => one.Key.AsSpan().SequenceCompareTo(other.Key),
        };
        var order = Comparer<KeyEntry>.Create(compare);
        return request.SortOrder == RangeRequest.Types.SortOrder.Descend
            ? entries.OrderDescending(order)
            : entries.Order(order);
    }
}
