using Google.Protobuf;
using Groundwork.Kernel.Security;
using Groundwork.Services.KeyValue.Protocols.Etcd.Messages;
using Groundwork.Services.KeyValue.Watching;
using Groundwork.Services.Registry.Protocols.Etcd;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.KeyValue.Protocols.Etcd;

/// <summary>What has changed of the registry's instances, as keys below <c>services/</c>.</summary>
internal sealed class NamingHistory(NamingKeys keys) : IEtcdHistory
{
    public bool IsOfOneNode => true;

    public async Task<KeyHead> HeadAsync(CancellationToken cancellationToken)
    {
        await keys.BeginAsync(cancellationToken);
        return Head(keys.Look(""));
    }

    public KeyWaiter? Enter(KeyRange range, HttpContext by, Principal caller)
    {
        IDisposable? watch = null;
        var waiter = new KeyWaiter(range, ofSessions: false, _ => watch?.Dispose());
        watch = keys.Watch(NamingRows.ServiceOf(range), waiter.Wake, by, caller.Name);
        return watch is null ? null : waiter;
    }

    public Task<EtcdBatch> ReadAsync(KeyRange range, long from, bool before, CancellationToken cancellationToken)
    {
        var (now, changes, more) = keys.Changes(NamingRows.ServiceOf(range), from, KeyValueLimits.WatchBatch);
        var last = more ? changes[^1].Revision : Math.Max(now.Revision, from - 1);
        var events = changes.Where(change => range.Contains(change.Key)).Select(change => Write(change, before));
        return Task.FromResult(new EtcdBatch(Head(now), [.. events], last, more));
    }

    public bool Allows(Principal principal, KeyRange range) => NamingRows.ServiceOf(range) is { } service
        ? keys.MayDiscover(principal, service)
        : principal.Name != Principal.Anonymous.Name || !principal.Roles.IsDefaultOrEmpty;

    public bool Allows(Principal principal, Event happened) =>
        NamingRows.ServiceOf(KeyRange.One(happened.Kv.Key.ToByteArray())) is { } service
        && keys.MayDiscover(principal, service);

    private static KeyHead Head(NamingMoment now) =>
        new(now.Revision, now.Floor, now.Floor, Forgotten: 0, Sessions: 0);

    private static Event Write(NamingChange change, bool before) => new()
    {
        Type = change.After is null ? Event.Types.EventType.Delete : Event.Types.EventType.Put,
        Kv = change.After is { } after
            ? EtcdKeys.Write(NamingRows.Entry(after))
            : new Messages.KeyValue
            {
                Key = UnsafeByteOperations.UnsafeWrap(change.Key), ModRevision = change.Revision,
            },
        PrevKv = before && change.Before is { } was ? EtcdKeys.Write(NamingRows.Entry(was)) : null,
    };
}
