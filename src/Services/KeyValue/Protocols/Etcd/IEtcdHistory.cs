using Groundwork.Kernel.Security;
using Groundwork.Services.KeyValue.Protocols.Etcd.Messages;
using Groundwork.Services.KeyValue.Watching;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.KeyValue.Protocols.Etcd;

/// <summary>Where a watch reads what has changed: the table of keys, or the registry.</summary>
internal interface IEtcdHistory
{
    /// <summary>
    /// True where each node has revisions of its own: one that is still to come may have come on another, and whoever
    /// has heard of it there is to list anew.
    /// </summary>
    bool IsOfOneNode { get; }

    Task<KeyHead> HeadAsync(CancellationToken cancellationToken);

    /// <summary>From here on changes in the range wake the waiter. Null when as many wait as may.</summary>
    /// <param name="by">Whose call it is.</param>
    KeyWaiter? Enter(KeyRange range, HttpContext by, Principal caller);

    /// <summary>The changes of the range from a revision on, whole revisions.</summary>
    /// <param name="before">With what was there before.</param>
    Task<EtcdBatch> ReadAsync(KeyRange range, long from, bool before, CancellationToken cancellationToken);

    /// <summary>Whether somebody may watch the range.</summary>
    bool Allows(Principal principal, KeyRange range);

    /// <summary>Whether somebody who may watch the range may see this of it.</summary>
    bool Allows(Principal principal, Event happened);
}

/// <param name="UpTo">No change in the range up to this revision is left out.</param>
internal sealed record EtcdBatch(KeyHead Head, Event[] Events, long UpTo, bool More);
