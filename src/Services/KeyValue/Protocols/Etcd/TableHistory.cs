using Google.Protobuf;
using Groundwork.Kernel.Security;
using Groundwork.Services.KeyValue.Protocols.Etcd.Messages;
using Groundwork.Services.KeyValue.Watching;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.KeyValue.Protocols.Etcd;

/// <summary>What has changed in the table of keys.</summary>
internal sealed class TableHistory(KeyValues keys, KeyAccess access) : IEtcdHistory
{
    public bool IsOfOneNode => false;

    public Task<KeyHead> HeadAsync(CancellationToken cancellationToken) =>
        keys.ReadAsync(reading => reading.Head, cancellationToken);

    public KeyWaiter? Enter(KeyRange range, HttpContext by, Principal caller) => keys.Feed.Enter(range);

    public Task<EtcdBatch> ReadAsync(KeyRange range, long from, bool before, CancellationToken cancellationToken) =>
        keys.ReadInTurnAsync(
            reading =>
            {
                var (changes, more) = reading.Changes(range, from, KeyValueLimits.WatchBatch);
                var last = more ? changes[^1].Entry.Revision : Math.Max(reading.Head.Revision, from - 1);
                return new EtcdBatch(
                    reading.Head, [.. changes.Select(change => Write(reading, change, before))], last, more);
            },
            cancellationToken);

    public bool Allows(Principal principal, KeyRange range) =>
        access.Allows(principal, Verb.Read, KeyAccess.Target(range));

    public bool Allows(Principal principal, Event happened) => true;

    private static Event Write(KeyReading reading, KeyChange change, bool before) => new()
    {
        Type = change.IsRemoval ? Event.Types.EventType.Delete : Event.Types.EventType.Put,
        Kv = change.IsRemoval
            ? new Messages.KeyValue
            {
                Key = UnsafeByteOperations.UnsafeWrap(change.Entry.Key),
                ModRevision = change.Entry.Revision,
            }
            : EtcdKeys.Write(change.Entry),
        PrevKv = before && reading.Before(change.Entry.Key, change.Entry.Revision) is { } known
            ? EtcdKeys.Write(known)
            : null,
    };
}
