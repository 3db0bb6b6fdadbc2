using System.Collections.Immutable;
using Groundwork.Wire;

namespace Groundwork.Services.Registry.Protocols.Eureka;

/// <summary>
/// Which services are the applications that Eureka shows: those of the namespace <c>default</c>, by their names without
/// regard to case. Two of one name are refused, unless clients of Eureka have registered into one of them alone: a
/// stranger's service must not hide theirs.
/// </summary>
internal sealed class EurekaApplications(InstanceRegistry registry)
{
    /// <summary>Every application with instances, in order of name.</summary>
    public ImmutableArray<ServiceView> All()
    {
        var views = registry.Views
            .Where(view => view.Key.Namespace == Names.DefaultNamespace && !view.Instances.IsEmpty)
            .GroupBy(view => ProtocolNames.ToEureka(view.Key), StringComparer.Ordinal)
            .Select(group => Choose([.. group]))
            .OfType<ServiceView>()
            .OrderBy(view => ProtocolNames.ToEureka(view.Key), StringComparer.Ordinal);
        return [.. views];
    }

    /// <summary>The application of that name; null when none has instances.</summary>
    /// <returns>Or the fault of a name that is none, or that is that of several.</returns>
    public Outcome<ServiceView?> Find(string app)
    {
        if (!ProtocolNames.OfEureka(app).TryGet(out var written, out var fault)) return fault;
        var found = Candidates(written);
        if (found.Length == 0) return (ServiceView?)null;
        return Choose(found) is { } one ? one : Ambiguous(app, found);
    }

    /// <summary>An instance of an application, whatever the case of its name; null when there is none.</summary>
    public InstanceKey? FindInstance(string app, string id)
    {
        if (!ProtocolNames.OfEureka(app).TryGet(out var written, out _)) return null;
        var found = registry.ByName.KeysOf(written.ToFullName())
            .Select(service => new InstanceKey(service, InstanceIds.Of(id)))
            .Where(key => registry.FindInstance(key) is not null)
            .ToArray();
        // Of two, the one that a client of Eureka has registered: nobody else renews here.
        return found.Length <= 1
            ? found.Cast<InstanceKey?>().FirstOrDefault()
            : found.Cast<InstanceKey?>().FirstOrDefault(key => IsOurs(registry.FindInstance(key!.Value)?.Instance));
    }

    /// <summary>
    /// The service that an instance registers into: the one that it or others of that name are in already; else it is
    /// spelled as the client's virtual address, because Java's clients write the name in upper case.
    /// </summary>
    public Outcome<ServiceKey> ForRegistration(string app, string vip, string id)
    {
        if (!ProtocolNames.OfEureka(app).TryGet(out var written, out var fault)) return fault;
        if (FindInstance(app, id) is { } known) return known.Service;
        var found = Candidates(written);
        if (found.Length > 0)
            return Choose(found) is { } one ? one.Key : Ambiguous(app, found);
        if (registry.ByName.KeysOf(written.ToFullName()) is [var remembered, ..]) return remembered;
        return vip.Equals(app, StringComparison.OrdinalIgnoreCase)
            && ProtocolNames.OfEureka(vip).TryGet(out var spelled, out _) ? spelled : written;
    }

    /// <summary>
    /// What a caller may be granted who names an application that is not there: as it is written, and in lower case, in
    /// which services are mostly registered.
    /// </summary>
    public static IEnumerable<ServiceKey> Spellings(string app)
    {
        if (ProtocolNames.OfEureka(app).TryGet(out var written, out _)) yield return written;
        if (ProtocolNames.OfEureka(app.ToLowerInvariant()).TryGet(out var lower, out _)) yield return lower;
    }

    private ServiceView[] Candidates(ServiceKey written) =>
        [.. registry.ByName.KeysOf(written.ToFullName()).Select(registry.FindFresh).OfType<ServiceView>()
            .Where(view => !view.Instances.IsEmpty)];

    private static ServiceView? Choose(ServiceView[] views)
    {
        if (views.Length == 1) return views[0];
        var ours = views.Where(view => view.Instances.Any(IsOurs)).Take(2).ToArray();
        return ours.Length == 1 ? ours[0] : null;
    }

    private static bool IsOurs(Instance? instance) => instance?.Extensions.ContainsKey(EurekaExtension.Name) == true;

    private static Fault Ambiguous(string app, ServiceView[] found) => new(
        ErrorCodes.NameInvalid,
        $"'{app}' is {string.Join(" and ", found.Select(view => view.Key))}: register under one spelling.");
}
