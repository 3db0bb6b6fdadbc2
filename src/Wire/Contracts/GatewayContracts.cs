namespace Groundwork.Wire.Contracts;

/// <summary>What a route takes and where it sends it, and which others want the same requests.</summary>
/// <param name="Summary">One sentence.</param>
/// <param name="Takes">Which requests, in words.</param>
/// <param name="Targets">Where they go: services, upstreams, or the gateway's own answer.</param>
/// <param name="OverlapCount">How many other routes want some of its requests.</param>
/// <param name="Overlaps">Those that the caller may read, at most 100, those to look at first.</param>
public sealed record RouteExplanation(
    string Namespace,
    string Name,
    string Summary,
    string Takes,
    IReadOnlyList<string> Targets,
    int OverlapCount,
    IReadOnlyList<RouteOverlap> Overlaps);

/// <summary>Another route that wants some of the same requests.</summary>
/// <param name="Relation">For programs: <c>covers</c> (takes all of this route's), <c>covered</c> (this route takes all
/// of its), <c>even</c> (only the names decide), <c>before</c> or <c>after</c>.</param>
/// <param name="Takes">Which requests it takes, in words.</param>
/// <param name="Text">For people.</param>
public sealed record RouteOverlap(string Namespace, string Name, string Relation, string Takes, string Text);
