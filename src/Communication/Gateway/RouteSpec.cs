using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Groundwork.Communication.Gateway;

/// <summary>Says which requests of the outside go to which service.</summary>
public sealed record RouteSpec(
    [Description("Which requests it takes.")]
    MatchSpec Match,
    [Description("[namespace/][group@@]service; of the route's own namespace unless it names another.")]
    string? Service = null,
    [Description(
        "Of routes with the same host, path and number of conditions the higher one goes first; -1,000 to 1,000.")]
    [Range(-RouteKind.MaxPriority, RouteKind.MaxPriority)]
    int Priority = 0,
    [Description("An upstream instead of a service: [namespace/]name.")]
    string? Upstream = null,
    [Description("Several targets instead of one.")]
    SplitSpec? Split = null,
    [Description("Requests that go elsewhere than the others; the first of at most 16 rules that holds.")]
    [Length(1, DeliveryRules.MaxCanaries)]
    IReadOnlyList<CanarySpec>? Canary = null,
    [Description("Sends the client elsewhere, instead of to a service.")]
    RedirectSpec? Redirect = null,
    [Description("Answers without a service.")]
    AnswerSpec? Respond = null,
    [Description("What becomes of the request on its way.")]
    RequestChange? Request = null,
    [Description("What becomes of the answer on its way back.")]
    ResponseChange? Response = null,
    [Description("How long the route waits for its service.")]
    RouteTimeouts? Timeouts = null,
    [Description("Who may pass; anybody when not given.")]
    AccessSpec? Access = null,
    [Description("How many requests may pass, all together or of each caller; at most 8.")]
    [Length(1, Limits.LimitRules.MaxLimits)]
    IReadOnlyList<LimitSpec>? Limits = null,
    [Description("What happens when the service fails, and how much the requests matter.")]
    RouteResilience? Resilience = null,
    [Description("What is written down of its requests.")]
    ObserveSpec? Observe = null,
    [Description("Copies of requests that go elsewhere, too.")]
    MirrorSpec? Mirror = null,
    [Description("Faults that are put in on purpose.")]
    InjectSpec? Inject = null,
    [Description("Which pages of other origins may call it from a browser.")]
    CorsSpec? Cors = null,
    [Description("Has answers compressed.")]
    CompressSpec? Compress = null,
    [Description("Has answers kept and given again.")]
    CacheSpec? Cache = null,
    [Description("Whose pages may show what it gives.")]
    RefererSpec? Referers = null,
    [Description("Answers with files, instead of a service.")]
    FilesSpec? Files = null,
    [Description("Answers with the answers of several services in one, instead of one service.")]
    ComposeSpec? Compose = null,
    [Description("Has requests looked through for attacks on the service.")]
    InspectSpec? Inspect = null,
    [Description("Holds requests to the OpenAPI document of the service.")]
    OpenApiSpec? OpenApi = null,
    [Description("Gives only what an address leads to that is signed and has not expired.")]
    SignedUrlSpec? SignedUrls = null,
    [Description("True: answers carry Groundwork-Revision, the revision in force.")]
    bool ExposeRevision = false) : Steps.IPolicies;

/// <summary>How long a route waits for its service.</summary>
public sealed record RouteTimeouts(
    [Description("For a connection, 10 to 30,000.")]
    [Range(10, 30_000)]
    int ConnectMs = 1_000,
    [Description(
        "From the end of the request to the head of the answer, and for each piece of the request's body to be "
        + "taken; 10 to 3,600,000.")]
    [Range(10, 3_600_000)]
    int ResponseHeadMs = 3_000,
    [Description(
        "Between two pieces of the answer's body; 1,000 to 86,400,000. Streams of events send something more "
        + "often.")]
    [Range(1_000, 86_400_000)]
    int IdleMs = 120_000,
    [Description("One try, to the head of its answer, 10 to 3,600,000; no limit of its own when not given.")]
    [Range(10, 3_600_000)]
    int? TryMs = null,
    [Description("All of it, to the last byte of the answer, 10 to 86,400,000; instances are told what is left. No "
        + "limit when not given.")]
    [Range(10, 86_400_000)]
    int? TotalMs = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RouteSpec))]
internal sealed partial class RouteJson : JsonSerializerContext;
