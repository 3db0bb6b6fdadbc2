using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry.Watching;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.Registry.Protocols.Consul;

/// <summary>
/// The catalog and its health, at once or when they change. An answer on one service has the service's own index; on
/// lists over all see <see cref="ConsulLists"/>.
/// </summary>
internal sealed class ConsulReads(
    InstanceRegistry registry,
    RegistryAccess access,
    ConsulShapes shapes,
    ConsulLists lists,
    TimeProvider time,
    CancellationToken stopping)
{
    private readonly NewerViews newer = new(registry, time);

    // Kept as long as the view is: the healthy and all are written once for all who wait for a service.
    private readonly ConditionalWeakTable<ServiceView, byte[]?[]> written = [];

    /// <summary><c>/health/service/NAME</c>.</summary>
    public Task HealthServiceAsync(HttpContext context, ConsulCall call) => OfServiceAsync(context, call, view =>
    {
        if (!call.IsPlain) return Write(call, view, shapes.HealthOf);
        var known = written.GetValue(view, static _ => new byte[]?[2]);
        // Two may write it at once, and the same.
        return known[call.Passing ? 1 : 0] ??= Write(call, view, shapes.HealthOf).Value;
    });

    /// <summary><c>/health/checks/NAME</c>.</summary>
    public Task HealthChecksAsync(HttpContext context, ConsulCall call) => OfServiceAsync(
        context, call, view => Serialize(call.Select(Entries(call, view).SelectMany(ConsulShapes.Checks))));

    /// <summary><c>/catalog/service/NAME</c>.</summary>
    public Task CatalogServiceAsync(HttpContext context, ConsulCall call) => OfServiceAsync(
        context, call, view => Write(call with { Passing = false }, view, shapes.CatalogService));

    /// <summary><c>/catalog/services</c>: names with their tags.</summary>
    public Task CatalogServicesAsync(HttpContext context, ConsulCall call) => OfAllAsync(
        context, call, ConsulListKind.Services, views =>
        {
            if (call.Filter is not null)
                return ConsulRules.Bad("A filter on names of services is not supported: filter those of one service");
            var names = new JsonObject();
            foreach (var view in views)
            {
                if (!ConsulShapes.Entries(view).Any(call.Admits)) continue;
                var tags = new JsonArray();
                foreach (var tag in ConsulLists.TagsOf(view)) tags.Add((JsonNode)tag);
                names[ProtocolNames.ToConsul(view.Key)] = tags;
            }
            return names;
        });

    /// <summary><c>/catalog/nodes</c>: the platform, and machines that somebody wrote into the catalog.</summary>
    public Task NodesAsync(HttpContext context, ConsulCall call) => OfAllAsync(
        context, call, ConsulListKind.Machines, views =>
        {
            var machines = Machines(views).Prepend(null)
                .Where(machine => call.NodeMeta.All(wanted =>
                    machine?.Meta?.GetValueOrDefault(wanted.Key) == wanted.Value));
            return Node(call.Select(machines.Select(machine => shapes.Node(machine, 1))));
        });

    /// <summary><c>/catalog/node/NAME</c>: what is on a machine; null for one that is not known.</summary>
    public Task NodeAsync(HttpContext context, ConsulCall call) => OfAllAsync(
        context, call, ConsulListKind.Everything, views =>
        {
            var name = SentPath.RouteValue(context, "name");
            var entries = On(name, views).ToArray();
            if (entries.Length == 0 && name != ConsulShapes.NodeName) return (JsonNode?)null;
            var services = new JsonObject();
            foreach (var entry in entries)
            {
                var service = ConsulShapes.Service(entry);
                if (!call.Matches(service).TryGet(out var matches, out var fault)) return fault;
                if (matches) services[KeyOf(services, entry)] = service;
            }
            var machine = entries.Length > 0 ? entries[0].Kept?.Machine : null;
            return new JsonObject { ["Node"] = shapes.Node(machine, 1), ["Services"] = services };
        });

    /// <summary><c>/health/node/NAME</c>.</summary>
    public Task HealthNodeAsync(HttpContext context, ConsulCall call) => OfAllAsync(
        context, call, ConsulListKind.Everything, views =>
        {
            var name = SentPath.RouteValue(context, "name");
            var checks = On(name, views).SelectMany(ConsulShapes.Checks);
            if (name == ConsulShapes.NodeName) checks = checks.Prepend(ConsulShapes.SerfHealth(1));
            return Node(call.Select(checks));
        });

    /// <summary><c>/health/state/STATE</c>.</summary>
    public Task HealthStateAsync(HttpContext context, ConsulCall call)
    {
        var state = SentPath.RouteValue(context, "name");
        if (state is not ("any" or "unknown" or "passing" or "warning" or "critical"))
            return ConsulCall.WriteAsync(
                context, ConsulRules.Bad("State must be any, passing, warning or critical"));
        return OfAllAsync(context, call, ConsulListKind.Everything, views => Node(call.Select(views
            .SelectMany(ConsulShapes.Entries).Where(call.Admits).SelectMany(ConsulShapes.Checks)
            .Prepend(ConsulShapes.SerfHealth(1))
            .Where(check => state == "any" || (string?)check["Status"] == state))));
    }

    /// <summary>What the agent has: everything that clients of Consul have registered with it.</summary>
    public IEnumerable<ConsulEntry> OfAgent(HttpContext context, string @namespace) =>
        Visible(context.Principal(), @namespace).SelectMany(ConsulShapes.Entries)
            .Where(entry => entry.Kept is { Machine: null });

    /// <summary>What of a machine the caller may discover.</summary>
    public IEnumerable<ConsulEntry> OnMachine(HttpContext context, string @namespace, string machine) =>
        On(machine, Visible(context.Principal(), @namespace));

    private async Task OfServiceAsync(HttpContext context, ConsulCall call, Func<ServiceView, Outcome<byte[]>> write)
    {
        var name = SentPath.RouteValue(context, "service");
        if (ProtocolNames.OfConsul(datacenter: null, call.Namespace, name).TryGet(out var key, out var fault))
            fault = access.Check(context, Verb.Discover, RegistryAccess.Target(key));
        if (fault is not null)
        {
            await ConsulCall.WriteAsync(context, fault);
            return;
        }
        if (call.Index is not { } known || newer.IsForeign(known))
        {
            var now = newer.Now(key);
            await AnswerAsync(context, write(now), now.Index);
            return;
        }
        ServiceKey[] keys = [key];
        var watcher = access.WatcherName(context);
        if (registry.Watches.Open(
            keys, $"consul: {watcher}",
            new Watcher(ConsulExtension.Name, ConsulSight.BlockingQuery, watcher, context, time)) is not { } session)
        {
            await ConsulCall.WriteTextAsync(
                context, StatusCodes.Status503ServiceUnavailable, "Too many blocking queries");
            return;
        }
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        using var atEnd = session.Changed.EndWith(ending.Token);
        try
        {
            var caller = access.Lasting(context);
            var view = await newer.WaitAsync(session, key, known, call.Wait, ending.Token);
            if (context.RequestAborted.IsCancellationRequested) return;
            if (await MayStillAsync(context, caller, key))
                // Another node may have given an index that this one does not reach.
                await AnswerAsync(context, write(view), Math.Max(known, view.Index));
            if (registry.FindService(key) is { } service) session.Sent(service, view.Index);
        }
        finally
        {
            registry.Watches.Close(session, keys);
        }
    }

    // A key may be revoked, and a role changed, while a query waits.
    private async ValueTask<bool> MayStillAsync(HttpContext context, Func<ValueTask<Principal?>> caller, ServiceKey key)
    {
        if (await caller() is { } principal
            && access.Allows(principal, Verb.Discover, RegistryAccess.Target(key))) return true;
        await ConsulCall.WriteTextAsync(context, StatusCodes.Status403Forbidden, "Permission denied");
        return false;
    }

    private async Task OfAllAsync(
        HttpContext context,
        ConsulCall call,
        ConsulListKind kind,
        Func<IReadOnlyList<ServiceView>, Outcome<JsonNode?>> write)
    {
        var principal = context.Principal();
        var index = lists.Look(kind, call.Namespace);
        if (call.Index is { } known)
        {
            var caller = access.Lasting(context);
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
            if (await lists.WaitAsync(kind, call.Namespace, known, call.Wait, ending.Token) is not { } reached)
            {
                await ConsulCall.WriteTextAsync(
                    context, StatusCodes.Status503ServiceUnavailable, "Too many blocking queries");
                return;
            }
            if (context.RequestAborted.IsCancellationRequested) return;
            if (await caller() is not { } now)
            {
                await ConsulCall.WriteTextAsync(context, StatusCodes.Status403Forbidden, "Permission denied");
                return;
            }
            (index, principal) = (reached, now);
        }
        var outcome = write([.. Visible(principal, call.Namespace)]);
        if (outcome.TryGet(out var content, out var fault)) await ConsulCall.WriteAsync(context, content, index);
        else await ConsulCall.WriteAsync(context, fault);
    }

    private static Task AnswerAsync(HttpContext context, Outcome<byte[]> outcome, long index) =>
        outcome.TryGet(out var json, out var fault)
            ? ConsulCall.WriteAsync(context, json, index)
            : ConsulCall.WriteAsync(context, fault);

    private static Outcome<byte[]> Write(ConsulCall call, ServiceView view, Func<ConsulEntry, JsonObject> write) =>
        Serialize(call.Select(Entries(call, view).Select(write)));

    private static IEnumerable<ConsulEntry> Entries(ConsulCall call, ServiceView view) =>
        ConsulShapes.Entries(view).Where(call.Admits);

    private static Outcome<byte[]> Serialize(Outcome<JsonArray> outcome) =>
        outcome.TryGet(out var list, out var fault) ? Encoding.UTF8.GetBytes(list.ToJsonString()) : fault;

    private static Outcome<JsonNode?> Node(Outcome<JsonArray> outcome) =>
        outcome.TryGet(out var list, out var fault) ? list : fault;

    private IEnumerable<ServiceView> Visible(Principal principal, string @namespace) => registry.Views
        .Where(view => view.Key.Namespace == @namespace && !view.Instances.IsEmpty
            && access.Allows(principal, Verb.Discover, RegistryAccess.Target(view.Key)))
        .OrderBy(view => view.Key, RegistryPaths.Order);

    private static IEnumerable<ConsulEntry> On(string machine, IEnumerable<ServiceView> views) =>
        views.SelectMany(ConsulShapes.Entries).Where(entry => entry.Machine == machine);

    private static ImmutableArray<ConsulMachine?> Machines(IEnumerable<ServiceView> views) =>
        [.. views.SelectMany(ConsulShapes.Entries).Select(entry => entry.Kept?.Machine).OfType<ConsulMachine>()
            .DistinctBy(machine => machine.Name).OrderBy(machine => machine.Name, StringComparer.Ordinal)];

    /// <summary>An id is unique on a machine of Consul; of other protocols two services may have the same.</summary>
    public static string KeyOf(JsonObject taken, ConsulEntry entry)
    {
        if (!taken.ContainsKey(entry.Id)) return entry.Id;
        var key = $"{ProtocolNames.ToConsul(entry.Instance.Key.Service)}/{entry.Id}";
        for (var more = 2; taken.ContainsKey(key); more++)
            key = string.Create(CultureInfo.InvariantCulture,
                $"{ProtocolNames.ToConsul(entry.Instance.Key.Service)}/{entry.Id}/{more}");
        return key;
    }
}
