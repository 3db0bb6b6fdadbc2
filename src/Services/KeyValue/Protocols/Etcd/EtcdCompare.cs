using Groundwork.Services.KeyValue.Protocols.Etcd.Messages;
using Result = Groundwork.Services.KeyValue.Protocols.Etcd.Messages.Compare.Types.CompareResult;
using Target = Groundwork.Services.KeyValue.Protocols.Etcd.Messages.Compare.Types.CompareTarget;

namespace Groundwork.Services.KeyValue.Protocols.Etcd;

/// <summary>One condition of a transaction: it holds when it holds for every key of its range.</summary>
internal static class EtcdCompare
{
    private static readonly KeyEntry Absent = new([], [], 0, 0, 0, 0, 0, 0, null);

    public static bool Holds(IKeyRows reading, Compare compare)
    {
        var found = reading.List(EtcdKeys.Range(compare.Key, compare.RangeEnd));
        // What is not there has no value, and zero for everything else.
        return found.Count == 0
            ? compare.Target != Target.Value && Holds(Absent, compare)
            : found.TrueForAll(entry => Holds(entry, compare));
    }

    private static bool Holds(KeyEntry entry, Compare compare)
    {
        var difference = compare.Target switch
        {
            Target.Version => entry.Version.CompareTo(compare.Version),
            Target.Create => entry.Created.CompareTo(compare.CreateRevision),
            Target.Mod => entry.Revision.CompareTo(compare.ModRevision),
            Target.Lease => entry.Lease.CompareTo(compare.Lease),
            _ => entry.Value.AsSpan().SequenceCompareTo(compare.Value.Span),
        };
        return compare.Result switch
        {
            Result.Equal => difference == 0,
            Result.NotEqual => difference != 0,
            Result.Greater => difference > 0,
            Result.Less => difference < 0,
            _ => true,
        };
    }
}
