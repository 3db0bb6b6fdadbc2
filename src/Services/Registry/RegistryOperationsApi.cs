using System.Globalization;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry.Consumers;
using Groundwork.Services.Registry.Explaining;
using Groundwork.Services.Registry.Protocols.Sights;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Services.Registry;

/// <summary>The part of the API that people use: lists with filters, versions, history, taking a drain back.</summary>
internal sealed class RegistryOperationsApi(
    InstanceRegistry registry,
    Registrations registrations,
    ServiceHistory history,
    ConsumerBook consumers,
    InstanceExplainer explainer,
    ProtocolDocuments protocols,
    RegistryAccess access)
{
    private const string Root = Listeners.ApiRoot + "/registry";

    public void Map(IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.MapGroup(Root).WithTags("Registry");
        api.MapGet("/instances", ListInstances).RequiresPrincipal("shows the instances that it may discover")
            .Describe<InstanceList>(
                "listInstances", "A page of instances over all services, by zone, version, status or health.");
        api.MapGet("/services/{namespace}/{service}/versions", ListVersions)
            .Requires(Verb.Discover, context => RegistryAccess.Target(RegistryPaths.Service(context)))
            .ReadsQuery("group")
            .Describe<VersionList>("listVersions", "The versions of a service side by side.");
        api.MapGet("/services/{namespace}/{service}/consumers", ListConsumersAsync)
            .Requires(Verb.Discover, context => RegistryAccess.Target(RegistryPaths.Service(context)))
            .ReadsQuery("group")
            .Describe<ConsumerList>("listConsumers", "Who consumes a service, how, and with which breakers open.");
        api.MapGet("/services/{namespace}/{service}/dependencies", ListDependenciesAsync)
            .Requires(Verb.Discover, context => RegistryAccess.Target(RegistryPaths.Service(context)))
            .ReadsQuery("group")
            .Describe<DependencyList>(
                "listDependencies", "What a service consumes, of what the caller may discover.");
        api.MapGet("/services/{namespace}/{service}/protocols", ShowProtocols)
            .Requires(Verb.Discover, context => RegistryAccess.Target(RegistryPaths.Service(context)))
            .ReadsQuery("group")
            .Describe<ServiceProtocols>(
                "showServiceProtocols",
                "By which protocols a service is registered, what each of them shows of it, and who is subscribed.");
        api.MapGet("/graph", ShowGraphAsync)
            .RequiresPrincipal("shows the services that it may discover, and the calls between them")
            .Describe<ServiceGraph>(
                "showServiceGraph", "Which services call which: all, of a namespace, or around one service.");
        api.MapGet("/instances/{namespace}/{service}/{id}/explanation", ExplainAsync)
            .Requires(Verb.Discover, context => RegistryAccess.Target(RegistryPaths.Service(context)))
            .ReadsQuery("group")
            .Describe<ExplanationDocument>(
                "explainInstance", "Why an instance is, or is not, called, and what to do next.");
        api.MapPost("/instances/{namespace}/{service}/{id}/undrain", UndrainAsync)
            .Requires(Verb.Operate, context => RegistryAccess.Target(RegistryPaths.Instance(context)))
            .ReadsQuery("group").ReadsReason()
            .Describe<ServiceDocument>("undrainInstance", "Takes a drain back: the instance is called again.");
        api.MapGet("/events", ListEventsAsync).RequiresPrincipal("shows events of services that it may discover")
            .Describe<RegistryEventList>(
                "listRegistryEvents", "What happened lately, newest first; of one service as all nodes have it.");
    }

    private IResult ListInstances(HttpContext context, [AsParameters] InstanceFilter filter, int? limit, string? page)
    {
        if (!ApiRequests.Limit(limit, RegistryLimits.DefaultPageSize, RegistryLimits.MaxPageSize)
            .TryGet(out var size, out var fault)) return Problems.From(fault);
        if (filter.Check() is { } wrong) return Problems.From(wrong);
        if (!RegistryPaths.TryReadPage(page, out var after, out var afterId))
            return Problems.From(
                new Fault(ErrorCodes.BadPageToken, "The page token is not one that a list has given."));
        var principal = context.Principal();
        var found = registry.Services
            .Where(service => service.View is not null
                && filter.Admits(service.Key)
                && (after is null || RegistryPaths.Compare(service.Key, after.Value) >= 0)
                && access.Allows(principal, Verb.Discover, RegistryAccess.Target(service.Key)))
            .OrderBy(service => service.Key, RegistryPaths.Order)
            .SelectMany(service => filter.Select(service.View!)) // Not null, as filtered; a view is never taken back.
            .Where(row => after is null || row.Instance.Key.Service != after.Value
                || string.CompareOrdinal(row.Instance.Key.Id, afterId) > 0)
            .Take(size + 1) // One more than asked for tells whether there is another page.
            .ToArray();
        var items = found.Take(size)
            .Select(row => InstanceDocuments.Write(row.Instance, registry.ExpiresAt(row.Instance), row.Callable));
        var next = found.Length > size ? RegistryPaths.WritePage(found[size - 1].Instance.Key) : null;
        return TypedResults.Ok(new InstanceList([.. items], next));
    }

    private IResult ListVersions(HttpContext context)
    {
        var key = RegistryPaths.Service(context);
        if (RegistryPaths.FindMisnamed(key.Namespace, key) is { } misnamed) return Problems.From(misnamed);
        var view = registry.FindFresh(key);
        var callable = view?.Callable.Select(instance => instance.Key.Id).ToHashSet(StringComparer.Ordinal) ?? [];
        var items = (view?.Instances ?? [])
            .GroupBy(instance => instance.Version, StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => new VersionSummary(
                group.Count(),
                group.Count(instance => instance.Health.State != HealthState.Unhealthy),
                group.Count(instance => callable.Contains(instance.Key.Id)),
                group.CountBy(instance => instance.Zone ?? "-", StringComparer.Ordinal)
                    .OrderBy(zone => zone.Key, StringComparer.Ordinal)
                    .ToDictionary(zone => zone.Key, zone => zone.Value, StringComparer.Ordinal),
                group.Key));
        return TypedResults.Ok(new VersionList(
            key.Namespace, key.Group, key.Service, view?.Index ?? registry.UnknownIndex, [.. items]));
    }

    private async Task<IResult> ListConsumersAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var key = RegistryPaths.Service(context);
        if (RegistryPaths.FindMisnamed(key.Namespace, key) is { } misnamed) return Problems.From(misnamed);
        return TypedResults.Ok(
            ConsumerDocuments.Consumers(key, await consumers.OfServiceAsync(key, cancellationToken)));
    }

    private async Task<IResult> ListDependenciesAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var key = RegistryPaths.Service(context);
        if (RegistryPaths.FindMisnamed(key.Namespace, key) is { } misnamed) return Problems.From(misnamed);
        var principal = context.Principal();
        var rows = (await consumers.OfConsumerAsync(key, cancellationToken))
            .Where(row => access.Allows(principal, Verb.Discover, RegistryAccess.Target(row.Link.Service)));
        return TypedResults.Ok(ConsumerDocuments.Dependencies(key, rows));
    }

    private IResult ShowProtocols(HttpContext context)
    {
        var key = RegistryPaths.Service(context);
        return RegistryPaths.FindMisnamed(key.Namespace, key) is { } misnamed
            ? Problems.From(misnamed)
            : TypedResults.Ok(protocols.Write(key, context.Principal()));
    }

    private async Task<IResult> ShowGraphAsync(
        HttpContext context,
        string? @namespace,
        string? service,
        string? group,
        int? steps,
        int? limit,
        CancellationToken cancellationToken)
    {
        if (!ApiRequests.Limit(limit, RegistryLimits.DefaultGraphServices, RegistryLimits.MaxGraphServices)
            .TryGet(out var size, out var fault)) return Problems.From(fault);
        if (steps is < 1 or > RegistryLimits.MaxGraphSteps)
            return Problems.From(new Fault(
                ErrorCodes.BadRequest, $"'steps' is 1 to {RegistryLimits.MaxGraphSteps}, not {steps}."));
        var centre = service is null ? (ServiceKey?)null : RegistryPaths.Service(@namespace, group, service);
        var misnamed = centre is { } named
            ? RegistryPaths.FindMisnamed(named.Namespace, named)
            : RegistryPaths.FindMisnamed(@namespace);
        if (misnamed is not null) return Problems.From(misnamed);
        var principal = context.Principal();
        var graph = new CallGraph(key => access.Allows(principal, Verb.Discover, RegistryAccess.Target(key)));
        foreach (var state in registry.Services)
            if (state.View is { } view) graph.Add(view);
        foreach (var edge in await consumers.EdgesAsync(cancellationToken)) graph.Add(edge);
        if (centre is { } key) graph.KeepAround(key, steps ?? 1);
        else if (@namespace is not null) graph.KeepNamespace(@namespace);
        return TypedResults.Ok(graph.Write(registry.StoreId, registry.Numbers.Last, size));
    }

    private async Task<IResult> ExplainAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var key = RegistryPaths.Instance(context);
        if (RegistryPaths.FindMisnamed(key.Service.Namespace, key.Service) is { } misnamed)
            return Problems.From(misnamed);
        return TypedResults.Ok(await explainer.ExplainAsync(key, cancellationToken));
    }

    private IResult UndrainAsync(HttpContext context)
    {
        var key = RegistryPaths.Instance(context);
        if (!RegistryPaths.TryReadReason(context, out var why, out var fault)) return Problems.From(fault);
        if (!registrations.Undrain(key, context.Principal().Name, why).TryGet(out var view, out fault))
            return Problems.From(fault);
        context.Response.Headers[HeaderNames.Index] = view.Index.ToString(CultureInfo.InvariantCulture);
        return TypedResults.Ok(InstanceDocuments.Write(view, registry.StoreId, registry.ExpiresAt));
    }

    private async Task<IResult> ListEventsAsync(
        HttpContext context,
        string? @namespace,
        string? service,
        string? group,
        string? id,
        int? limit,
        CancellationToken cancellationToken)
    {
        if (!ApiRequests.Limit(limit, RegistryLimits.DefaultPageSize, RegistryLimits.MaxPageSize)
            .TryGet(out var size, out var fault)) return Problems.From(fault);
        var principal = context.Principal();
        if (service is null)
        {
            var all = registry.Events(key: null)
                .Where(happened => happened.Service == default
                    || ((@namespace is null || happened.Service.Namespace == @namespace)
                        && access.Allows(principal, Verb.Discover, RegistryAccess.Target(happened.Service))))
                .Take(size)
                .Select(happened => InstanceDocuments.Write(happened, registry.NodeName));
            return TypedResults.Ok(new RegistryEventList([.. all]));
        }
        var key = RegistryPaths.Service(@namespace, group, service);
        if (RegistryPaths.FindMisnamed(@namespace, key) is { } misnamed) return Problems.From(misnamed);
        if (!access.Allows(principal, Verb.Discover, RegistryAccess.Target(key)))
            return TypedResults.Ok(new RegistryEventList([]));
        var items = (await history.ReadAsync(key, cancellationToken))
            .Where(stored => id is null || stored.Event.Id == id)
            .Take(size)
            .Select(stored => InstanceDocuments.Write(stored.Event, stored.Node));
        return TypedResults.Ok(new RegistryEventList([.. items]));
    }
}
