using System.CommandLine;
using System.Globalization;
using Groundwork.Host.Api;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Output;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Host.Verbs;

/// <summary><c>gateway</c>: <c>state</c>, <c>purge</c> and <c>prefetch</c>.</summary>
internal static class GatewayVerbs
{
    private static readonly Option<string?> OnlyRoute = new("--route")
    {
        Description = "Only of this route: namespace/name", HelpName = "ROUTE",
    };

    private static readonly Option<string?> OnlyUpstream = new("--upstream")
    {
        Description = "Only of this service or upstream: namespace/name", HelpName = "NAME",
    };

    private static readonly Option<string?> RouteName = new("--route")
    {
        Description = "Only what this route keeps", HelpName = "NAME",
    };

    private static readonly Option<string?> Host = new("--host")
    {
        Description = "Only of this host", HelpName = "HOST",
    };

    private static readonly Option<string?> Path = new("--path")
    {
        Description = "Only this path, whatever its query", HelpName = "PATH",
    };

    private static readonly Option<string?> Prefix = new("--prefix")
    {
        Description = "Only paths that begin so", HelpName = "PATH",
    };

    private static readonly Option<string?> Tag = new("--tag")
    {
        Description = "Only answers with this tag", HelpName = "TAG",
    };

    private static readonly Argument<string> Route = new("route") { Description = "Name of the route" };

    private static readonly Argument<string[]> Paths = new("paths")
    {
        Description = "Paths with their queries", Arity = ArgumentArity.OneOrMore,
    };

    private static readonly Option<string> OfHost = new("--host")
    {
        Description = "A host of the route", HelpName = "HOST", Required = true,
    };

    private static readonly Option<bool> Plain = new("--plain")
    {
        Description = "For clients without TLS (default: with it)",
    };

    public static Command Create() =>
        new Verb("gateway", "Look at what a gateway holds back, and at what it keeps of answers.", "gateway state",
            run: null)
        {
            new Verb("state", "Show breakers, limits, places, retry budgets and the cache of a node's gateway.",
                "gateway state --route default/catalog", StateAsync)
            {
                OnlyRoute, OnlyUpstream, SharedOptions.Limit,
            },
            new Verb("purge", "Have every gateway forget kept answers; all that is said must hold.",
                "gateway purge --tag summer", PurgeAsync)
            {
                RouteName, Host, Path, Prefix, Tag, SharedOptions.Namespace, SharedOptions.Reason,
            },
            new Verb("prefetch", "Have a node's gateway fetch and keep what a route answers.",
                "gateway prefetch catalog /api/1 /api/2 --host shop.example", PrefetchAsync)
            {
                Route, Paths, OfHost, Plain, SharedOptions.Namespace,
            },
        };

    private static async Task<int> StateAsync(Call call)
    {
        using var connection = call.Connect();
        var answer = await connection.GetAsync(
            ApiPaths.With(
                "gateway/state", ("route", call.Get(OnlyRoute)), ("upstream", call.Get(OnlyUpstream)),
                ("limit", call.Get(SharedOptions.Limit))),
            call.Cancellation);
        var state = answer.Read(WireJson.Lenient.GatewayState);
        if (!call.Answer.IsTable)
        {
            call.Answer.Print(answer.Document, "");
            return ExitCodes.Ok;
        }
        var output = call.Terminal.Out;
        output.WriteLine(call.Terminal.Bold(Summarize(state)));
        output.WriteLine();
        Upstreams(state).Print(output);
        if (state.Limits.Count > 0)
        {
            output.WriteLine();
            Limits(state).Print(output);
        }
        if (state.Cache.Routes.Count > 0)
        {
            output.WriteLine();
            Cached(state).Print(output);
        }
        return ExitCodes.Ok;
    }

    private static string Summarize(GatewayState state)
    {
        var text = $"the node {state.Node}: {Number(state.Cache.Answers)} answers are kept, "
            + $"{Number(state.Cache.Bytes)} of {Number(state.Cache.MaxBytes)} bytes";
        if (state.Process is not { } process) return text;
        var refused = process.Guard.Sum(one => one.Refused);
        return $"{text}; {Number(process.UnderWay)} of {Number(process.MaxUnderWay)} requests under way, "
            + $"{Number(refused)} refused for too much load{(process.Draining ? "; it is draining" : "")}";
    }

    private static Table Upstreams(GatewayState state) => state.Upstreams.Aggregate(
        new Table("UPSTREAM", "INSTANCES", "OUT", "BREAKER", "SINCE", "ERRORS", "NEXT PROBE", "PLACES", "RETRIES LEFT")
        {
            Empty = "no route leads to a service or an upstream",
        },
        (table, one) => table.Add(
            one.Name, Number(one.InstanceCount), Number(one.OutCount), one.Breaker?.State ?? "-",
            ReadVerbs.Text(one.Breaker?.Since),
            one.Breaker is { ErrorPercent: { } percent } breaker
                ? string.Create(CultureInfo.InvariantCulture, $"{percent}% of {breaker.Calls}")
                : "",
            ReadVerbs.Text(one.Breaker?.NextProbe),
            one.Places is { } places
                ? $"{places.UnderWay}/{places.Limit}" + (places.Waiting > 0 ? $" +{places.Waiting}" : "")
                : "-",
            Number(one.Budget.Left)));

    private static Table Limits(GatewayState state) => state.Limits.Aggregate(
        new Table("LIMIT OF", "NAME", "KIND", "CALLERS", "ALLOWED", "REFUSED", "FROM OTHERS", "HOTTEST"),
        (table, one) => table.Add(
            one.Owner, one.Name, one.Kind, Number(one.Keys), Number(one.Allowed), Number(one.Refused),
            Number(one.FromOthers),
            string.Join(", ", one.Hottest.Select(caller =>
                $"{string.Join(' ', caller.Key.Select(Text))} {caller.Left}/{caller.Quota}".TrimStart()))));

    private static string Text(GatewayLimitKeyPart part) =>
        part.Value ?? (part.Digest is { } digest ? $"{part.By}#{digest}" : $"no {part.By}");

    private static Table Cached(GatewayState state) => state.Cache.Routes.Aggregate(
        new Table("CACHE OF", "HITS", "STALE", "WAITED", "MISSES", "RATIO", "ANSWERS", "BYTES", "ASKED FOR MOST"),
        (table, one) => table.Add(
            one.Route, Number(one.Hits), Number(one.Stale), Number(one.Collapsed), Number(one.Misses),
            one.HitRatio.ToString("0.00", CultureInfo.InvariantCulture), Number(one.Answers), Number(one.AnswerBytes),
            one.TopOrigin.Count > 0 ? $"{one.TopOrigin[0].Address} ({one.TopOrigin[0].Requests})" : ""));

    private static async Task<int> PurgeAsync(Call call)
    {
        var request = new PurgeRequest(
            call.Get(RouteName), call.Get(Host), call.Get(Path), call.Get(Prefix), call.Get(Tag));
        if (request == new PurgeRequest())
            throw VerbFailure.Usage("say what is to be forgotten: --route, --host, --path, --prefix or --tag");
        using var connection = call.Connect();
        var answer = await connection.SendAsync(
            ApiRequest.Post($"gateway/purges/{Namespace(call)}", request, WireJson.Strict.PurgeRequest) with
            {
                Reason = call.Get(SharedOptions.Reason),
            },
            call.Cancellation);
        var commit = answer.Read(WireJson.Lenient.ChangesetAnswer);
        call.Answer.Print(answer.Document, commit.Proposal is { } proposal
            ? $"the purge waits for approval: {proposal}"
            : $"purged at revision {commit.Revision}");
        return ExitCodes.Ok;
    }

    /// <summary>Exit code 1 when some of it was not answered as the route's.</summary>
    private static async Task<int> PrefetchAsync(Call call)
    {
        using var connection = call.Connect();
        var answer = await connection.SendAsync(
            ApiRequest.Post(
                $"gateway/prefetches/{Namespace(call)}/{ApiPaths.Name(call.Required(Route))}",
                new PrefetchRequest(call.Required(OfHost), call.Required(Paths), !call.Get(Plain)),
                WireJson.Strict.PrefetchRequest),
            call.Cancellation);
        var fetched = answer.Read(WireJson.Lenient.PrefetchAnswer);
        call.Answer.Print(answer.Document, () => fetched.Paths.Aggregate(
            new Table("PATH", "STATUS", "CACHE"),
            (table, one) => table.Add(
                one.Path, one.Status == 0 ? "not of the route" : Number(one.Status), one.CacheStatus)));
        return fetched.Paths.All(one => one.Status is >= 200 and < 400) ? ExitCodes.Ok : ExitCodes.Fault;
    }

    private static string Namespace(Call call) =>
        ResourceName.Checked(call.Get(SharedOptions.Namespace)) ?? Names.DefaultNamespace;

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
