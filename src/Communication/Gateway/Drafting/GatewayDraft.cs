using System.Collections.Immutable;
using System.Text.Json;
using Groundwork.Communication.Gateway.Listening;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Communication.Gateway.Upstreams;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Communication.Gateway.Drafting;

/// <summary>
/// What would hold with some changes that are not made: the routes in force with those of the draft, and its upstreams
/// and listeners before those in force. Its routes have no steps, whose state belongs to what is in force.
/// </summary>
internal sealed class GatewayDraft
{
    /// <summary>Changes of one draft: more than a person has in mind, and few enough to be compiled at once.</summary>
    public const int MaxChanges = 100;

    private static readonly ImmutableArray<Kind> Kinds = [RouteKind.Kind, UpstreamKind.Kind, GatewayListenerKind.Kind];

    private readonly ImmutableDictionary<ResourceKey, Resource?> changes; // Null: deleted.
    private readonly ImmutableDictionary<ResourceKey, UpstreamPlan> plans;
    private readonly Snapshot head;
    private readonly UpstreamTable upstreams;

    private GatewayDraft(
        Snapshot head, UpstreamTable upstreams, RouteTable table, ImmutableDictionary<ResourceKey, Resource?> changes,
        ImmutableDictionary<ResourceKey, UpstreamPlan> plans)
    {
        this.head = head;
        this.upstreams = upstreams;
        this.changes = changes;
        this.plans = plans;
        Table = table;
    }

    public RouteTable Table { get; }

    /// <summary>What is in force, as a draft without changes.</summary>
    public static GatewayDraft InForce(Snapshot head, UpstreamTable upstreams, RouteTable table) => new(
        head, upstreams, table, ImmutableDictionary<ResourceKey, Resource?>.Empty,
        ImmutableDictionary<ResourceKey, UpstreamPlan>.Empty);

    /// <summary>The draft, or everything that is wrong with it.</summary>
    public Outcome<GatewayDraft> With(IReadOnlyList<ChangeDocument> drafted, DateTimeOffset now)
    {
        if (drafted.Count is 0 or > MaxChanges)
            return new Fault(ErrorCodes.BadRequest, $"draft must have 1 to {MaxChanges} changes.");
        var made = ImmutableDictionary.CreateBuilder<ResourceKey, Resource?>();
        var faults = new List<FieldFault>();
        foreach (var (index, change) in drafted.Index())
        {
            if (!KeyOf(change).TryGet(out var key, out var refused)) return refused;
            if (made.ContainsKey(key)) return new Fault(ErrorCodes.ChangesetDuplicateKey, $"{key} is changed twice.");
            if (change.Operation == "delete")
            {
                made[key] = null;
                continue;
            }
            var spec = change.Resource.Spec is { } given ? JsonSerializer.SerializeToUtf8Bytes(
                given, WireJson.Lenient.JsonElement) : "null"u8.ToArray();
            var kind = Kinds.First(one => one.Name == key.Kind);
            if (ResourceDraft.Make(kind, key, spec, change.Resource.Version, now).TryGet(out var one, out var fault))
                made[key] = one;
            else if (fault.Error == ErrorCodes.ResourceInvalid)
                faults.AddRange(fault.Fields.Select(field => Locate(index, field)));
            else return fault;
        }
        CheckRoutes(made, drafted, faults);
        return faults.Count > 0
            ? new Fault(ErrorCodes.ResourceInvalid, "The draft has faults.") { Fields = [.. faults] }
            : Compile(made);
    }

    public UpstreamPlan? FindUpstream(ResourceKey key) =>
        changes.TryGetValue(key, out var changed) && changed is null ? null
            : plans.GetValueOrDefault(key) ?? upstreams.Find(key);

    /// <summary>True for an upstream that the draft changes.</summary>
    public bool Changes(ResourceKey key) => changes.ContainsKey(key);

    /// <summary>The route's spec.</summary>
    public RouteSpec? SpecOf(Route route) => Find(route.Key)?.As<RouteSpec>();

    /// <summary>What holds for a listener; null when nothing is said of it.</summary>
    /// <param name="name"><c>http</c> or <c>https</c>.</param>
    public GatewayListenerSpec? Listener(string name) =>
        Find(new ResourceKey(GatewayListenerKind.Name, "", name))?.As<GatewayListenerSpec>();

    /// <summary>Reads the key of a change; node-wide kinds have none but the empty namespace.</summary>
    public static Outcome<ResourceKey> KeyOf(ChangeDocument change)
    {
        var (kind, ns) = (change.Resource.Kind, change.Resource.Namespace);
        if (change.Operation is not ("put" or "delete"))
            return new Fault(ErrorCodes.BadRequest, "operation must be put or delete.");
        if (!Kinds.Any(one => one.Name == kind))
            return new Fault(
                ErrorCodes.BadRequest,
                $"A draft has {string.Join(", ", Kinds.Select(one => one.Name))}, not '{kind}'.");
        return new ResourceKey(
            kind,
            kind == GatewayListenerKind.Name ? ns is Names.NodeWide ? "" : ns ?? "" : ns ?? Names.DefaultNamespace,
            change.Resource.Name);
    }

    private Resource? Find(ResourceKey key) => changes.TryGetValue(key, out var changed) ? changed : head.Find(key);

    // Two that want one request cannot both be saved; then the draft says nothing about what would be.
    private void CheckRoutes(
        IReadOnlyDictionary<ResourceKey, Resource?> made, IReadOnlyList<ChangeDocument> drafted,
        List<FieldFault> faults)
    {
        var routes = head.Of(RouteKind.Name).ToBuilder();
        foreach (var (key, resource) in made)
        {
            if (key.Kind != RouteKind.Name) continue;
            if (resource is null) routes.Remove(key);
            else routes[key] = resource;
        }
        var all = routes.ToImmutable();
        foreach (var (index, change) in drafted.Index())
        {
            if (!KeyOf(change).TryGet(out var key, out _) || made.GetValueOrDefault(key) is not { } resource
                || key.Kind != RouteKind.Name) continue;
            var found = new List<FieldFault>();
            RouteConflicts.Check(all, key, resource.As<RouteSpec>(), found);
            faults.AddRange(found.Select(field => Locate(index, field)));
        }
    }

    private Outcome<GatewayDraft> Compile(ImmutableDictionary<ResourceKey, Resource?>.Builder made)
    {
        var routes = new List<Route>();
        var compiled = ImmutableDictionary.CreateBuilder<ResourceKey, UpstreamPlan>();
        foreach (var (key, resource) in made)
        {
            if (resource is null) continue;
            if (key.Kind == UpstreamKind.Name && upstreams.Draft(resource) is { } plan) compiled[key] = plan;
            if (key.Kind != RouteKind.Name) continue;
            if (!Route.TryCompile(resource, StepCompiler.Empty, out var route, out var reason))
                return new Fault(ErrorCodes.ResourceInvalid, $"{key} is not understood: {reason}.");
            routes.Add(route);
        }
        var gone = made.Where(pair => pair.Key.Kind == RouteKind.Name && pair.Value is null).Select(pair => pair.Key);
        return new GatewayDraft(
            head, upstreams, Table.With([.. gone], routes), made.ToImmutable(), compiled.ToImmutable());
    }

    private static FieldFault Locate(int index, FieldFault field) =>
        field with { Path = field.Path.Length == 0 ? $"draft[{index}]" : $"draft[{index}].{field.Path}" };
}
