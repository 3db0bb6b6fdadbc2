using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Groundwork.Host.Api;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Output;
using Groundwork.Services.Registry;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Host.Verbs;

/// <summary><c>service</c>: <c>list</c>, <c>instances</c>, <c>versions</c> and <c>events</c>.</summary>
internal static class ServiceVerbs
{
    /// <summary>Items per request; the API's own bound.</summary>
    private const int PageSize = 1000;

    internal static readonly Argument<string?> OptionalService = new("service")
    {
        Description = RegistryName.ServiceArgument.Description, Arity = ArgumentArity.ZeroOrOne,
    };

    internal static readonly Option<string?> OnlyNamespace = new("--namespace", "-n")
    {
        Description = "Only this namespace", HelpName = "NAMESPACE",
    };

    private static readonly Option<string?> Zone = new("--zone")
    {
        Description = "Only in this zone", HelpName = "ZONE",
    };

    private static readonly Option<string?> Version = new("--version")
    {
        Description = "Only of this version of the service's code", HelpName = "VERSION",
    };

    private static readonly Option<string?> Status = new("--status")
    {
        Description = "starting, up, draining, out-of-service or down", HelpName = "STATUS",
    };

    private static readonly Option<string?> Health = new("--health")
    {
        Description = "healthy, suspect or unhealthy", HelpName = "HEALTH",
    };

    private static readonly Option<string?> Id = new("--id")
    {
        Description = "Only of this instance", HelpName = "ID",
    };

    public static Command Create() =>
        new Verb("service", "Look at services: who is there, in which version, and why.", "service list", run: null)
        {
            new Verb("list", "List the services with their counts.", "service list -n shop", ListAsync)
            {
                OnlyNamespace, SharedOptions.Limit,
            },
            new Verb("instances", "List instances, of one service or of all.",
                "service instances catalog --zone east", InstancesAsync)
            {
                OptionalService, OnlyNamespace, Zone, Version, Status, Health, SharedOptions.Limit,
            },
            new Verb("versions", "Show the versions of a service side by side.", "service versions catalog",
                VersionsAsync)
            {
                RegistryName.ServiceArgument,
            },
            new Verb("events", "Show what happened to a service, newest first.", "service events catalog", EventsAsync)
            {
                RegistryName.ServiceArgument, Id, SharedOptions.Limit,
            },
            ConsumerVerbs.CreateConsumers(),
            ConsumerVerbs.CreateDependencies(),
            ConsumerVerbs.CreateGraph(),
        };

    private static async Task<int> ListAsync(Call call)
    {
        using var connection = call.Connect();
        var services = new List<ServiceSummary>();
        var items = await PagesAsync(
            call, connection, page => ApiPaths.With(
                "registry/services", ("namespace", call.Get(OnlyNamespace)), ("limit", page.Size),
                ("page", page.Token)),
            answer =>
            {
                var list = answer.Read(WireJson.Lenient.ServiceList);
                services.AddRange(list.Items);
                return list.NextPage;
            });
        call.Answer.Print(new JsonObject { ["items"] = items }, () => services.Aggregate(
            new Table("NAMESPACE", "SERVICE", "INSTANCES", "HEALTHY", "CALLABLE", "NOTES", "INDEX"),
            (table, service) => table.Add(
                service.Namespace, Named(service.Group, service.Service), Text(service.Instances),
                Text(service.Healthy), Text(service.Callable),
                service.Maintenance ? "maintenance" : service.Protection ? "protected" : "", Text(service.Index))));
        return ExitCodes.Ok;
    }

    private static async Task<int> InstancesAsync(Call call)
    {
        var service = call.Get(OptionalService) is { } typed ? RegistryName.Service(typed) : (ServiceKey?)null;
        using var connection = call.Connect();
        var instances = new List<InstanceDocument>();
        var items = await PagesAsync(
            call, connection, page => ApiPaths.With(
                "registry/instances", ("namespace", service?.Namespace ?? call.Get(OnlyNamespace)),
                ("service", service is { } key ? RegistryName.InQuery(key) : null), ("group", service?.Group),
                ("zone", call.Get(Zone)), ("version", call.Get(Version)), ("status", call.Get(Status)),
                ("health", call.Get(Health)), ("limit", page.Size), ("page", page.Token)),
            answer =>
            {
                var list = answer.Read(WireJson.Lenient.InstanceList);
                instances.AddRange(list.Items);
                return list.NextPage;
            });
        call.Answer.Print(new JsonObject { ["items"] = items }, () => instances.Aggregate(
            new Table(
                "NAMESPACE", "SERVICE", "ID", "ADDRESS", "VERSION", "ZONE", "STATUS", "WEIGHT", "HEALTH", "CALLED",
                "EXPIRES", "WHY"),
            (table, instance) => table.Add(
                instance.Namespace, Named(instance.Group, instance.Service), instance.Id,
                $"{instance.Host}:{Text(instance.Port)}", instance.Version, instance.Zone, instance.Status,
                Text(instance.Weight), instance.Health?.State, instance.Callable == true ? "yes" : "no",
                ReadVerbs.Text(instance.ExpiresAt), Why(instance))));
        return ExitCodes.Ok;
    }

    private static async Task<int> VersionsAsync(Call call)
    {
        var key = RegistryName.Service(call);
        using var connection = call.Connect();
        var answer = await connection.GetAsync(RegistryName.Path(key, "/versions"), call.Cancellation);
        var versions = answer.Read(WireJson.Lenient.VersionList);
        call.Answer.Print(answer.Document, () => versions.Items.Aggregate(
            new Table("VERSION", "INSTANCES", "HEALTHY", "CALLABLE", "ZONES"),
            (table, version) => table.Add(
                version.Version ?? "-", Text(version.Instances), Text(version.Healthy), Text(version.Callable),
                string.Join(' ', version.Zones.Select(zone => $"{zone.Key}:{Text(zone.Value)}")))));
        return ExitCodes.Ok;
    }

    private static async Task<int> EventsAsync(Call call)
    {
        var key = RegistryName.Service(call);
        using var connection = call.Connect();
        var path = ApiPaths.With(
            "registry/events", ("namespace", key.Namespace), ("service", RegistryName.InQuery(key)),
            ("id", call.Get(Id)), ("limit", call.Get(SharedOptions.Limit)));
        var answer = await connection.GetAsync(path, call.Cancellation);
        var events = answer.Read(WireJson.Lenient.RegistryEventList);
        call.Answer.Print(answer.Document, () => events.Items.Aggregate(
            new Table("AT", "EVENT", "ID", "BY", "NODE", "REASON"),
            (table, happened) => table.Add(
                ReadVerbs.Text(happened.At), happened.Event, happened.Id, happened.Principal, happened.Node,
                happened.Reason)));
        return ExitCodes.Ok;
    }

    /// <summary>Follows the pages up to the limit; returns the items as they came.</summary>
    private static async Task<JsonArray> PagesAsync(
        Call call,
        ApiConnection connection,
        Func<(int Size, string? Token), string> path,
        Func<ApiAnswer, string?> take)
    {
        var wanted = call.Get(SharedOptions.Limit);
        if (wanted < 1) throw VerbFailure.Usage("--limit must be 1 or more");
        var items = new JsonArray();
        for (string? page = null; ;)
        {
            var answer = await connection.GetAsync(
                path((Math.Min(PageSize, wanted - items.Count), page)), call.Cancellation);
            foreach (var item in answer.Document?["items"]?.AsArray() ?? []) items.Add(item?.DeepClone());
            page = take(answer);
            if (page is null || items.Count >= wanted) return items;
        }
    }

    /// <summary>What keeps traffic from it, or what the operator has said; else what the registry believes.</summary>
    private static string Why(InstanceDocument instance) => instance switch
    {
        { Override: { } over } => $"{over.Source} by {over.By}: {over.Reason ?? "no reason given"}",
        _ => instance.Health?.Reason ?? "",
    };

    internal static string Named(string? group, string service) =>
        group is null or ServiceKey.DefaultGroup ? service : $"{group}{ServiceKey.GroupSeparator}{service}";

    internal static string Text(long? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "";
}
