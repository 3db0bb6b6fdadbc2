using Groundwork.Communication.Gateway.Explaining;
using Groundwork.Communication.Gateway.Recording;
using Groundwork.Kernel.Resources;
using Groundwork.Wire.Contracts;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Drafting;

/// <summary>
/// Tries the requests that a node remembers with a draft. Only heads are looked at, and none is sent anywhere; there
/// are as many as the ring holds, which is bounded.
/// </summary>
internal static class DraftReplay
{
    /// <summary>Requests, and ways from one place to another, that are told.</summary>
    private const int MaxTold = 100;

    public static ReplayAnswer Run(
        string node, long revision, IEnumerable<RecordedRequest> requests, GatewayDraft before, GatewayDraft after,
        HeadLimits limits, int maxHops, Func<ResourceKey, bool> mayRead)
    {
        var (heads, unread) = (0, 0);
        var moved = new List<ReplayedRequest>();
        var head = new RequestHead(limits);
        foreach (var request in requests)
        {
            head.Clear();
            head.Append(request.Head);
            if (request.Head.Length == 0 || head.Parse() != HeadProgress.Complete)
            {
                unread++;
                continue;
            }
            heads++;
            var from = RequestTrial.PlaceOf(request, head, before, maxHops, mayRead);
            var to = RequestTrial.PlaceOf(request, head, after, maxHops, mayRead, after);
            if (from != to) moved.Add(new ReplayedRequest(RequestExplainer.Summarize(request), from, to));
        }
        head.Release();
        var moves = moved.GroupBy(one => (one.From, one.To))
            .Select(group => new ReplayMove(group.Count(), group.Key.From, group.Key.To))
            .OrderByDescending(move => move.Count).Take(MaxTold);
        return new ReplayAnswer(
            node, revision, heads, unread, moved.Count, [.. moves], [.. moved.Take(MaxTold)]);
    }
}
