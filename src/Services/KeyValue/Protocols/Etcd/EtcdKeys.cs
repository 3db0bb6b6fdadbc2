using Google.Protobuf;
using Groundwork.Services.KeyValue.Protocols.Etcd.Messages;

namespace Groundwork.Services.KeyValue.Protocols.Etcd;

/// <summary>Keys and ranges as etcd says them.</summary>
internal static class EtcdKeys
{
    /// <summary>As the end of a range: there is none.</summary>
    private static readonly ByteString NoEnd = ByteString.CopyFrom(0);

    public static KeyRange Range(ByteString key, ByteString end) => end.IsEmpty ? KeyRange.One(key.ToByteArray())
        : end == NoEnd ? KeyRange.StartingAt(key.ToByteArray())
        : KeyRange.Between(key.ToByteArray(), end.ToByteArray());

    public static Messages.KeyValue Write(KeyEntry entry, bool withValue = true) => new()
    {
        Key = UnsafeByteOperations.UnsafeWrap(entry.Key),
        Value = withValue ? UnsafeByteOperations.UnsafeWrap(entry.Value) : ByteString.Empty,
        CreateRevision = entry.Created,
        ModRevision = entry.Revision,
        Version = entry.Version,
        Lease = entry.Lease,
    };
}
