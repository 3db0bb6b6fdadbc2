using Groundwork.Communication.Gateway.Steps;
using Groundwork.Kernel.Resources;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway.Routing;

/// <summary>Keeps the route table in step with the snapshots: derives the next one and swaps it.</summary>
internal sealed partial class RouteTableView : IDisposable
{
    private readonly ILogger<RouteTableView> logger;
    private readonly StepCompiler steps;
    private readonly Action<RouteTable> left;
    private readonly IDisposable subscription;
    private RouteTable current = RouteTable.Empty; // Written on the publisher's thread alone.

    /// <param name="left">Told of a table that does not lead everywhere any more where the last one did, on the
    /// publisher's thread.</param>
    public RouteTableView(
        ISnapshotSource snapshots, StepCompiler steps, Action<RouteTable> left, ILogger<RouteTableView> logger)
    {
        this.logger = logger;
        this.steps = steps;
        this.left = left;
        subscription = snapshots.Subscribe(Apply); // Calls back at once with the current snapshot.
    }

    public RouteTable Current => Volatile.Read(ref current);

    public void Dispose() => subscription.Dispose();

    private void Apply(SnapshotChange change)
    {
        if (!change.Touches(RouteKind.Name)) return;
        var last = change.LastOf(RouteKind.Name);
        var known = change.Before is null ? RouteTable.Empty : current;
        var next = known.With([.. last.Keys], Compile(last.Values.OfType<Resource>()));
        var before = current;
        Volatile.Write(ref current, next);
        if (next.HasLeft(before)) left(next);
    }

    private List<Route> Compile(IEnumerable<Resource> resources)
    {
        var routes = new List<Route>();
        foreach (var resource in resources)
        {
            if (Route.TryCompile(resource, steps, out var route, out var reason)) routes.Add(route);
            else LogSkipped(resource.Key, reason);
        }
        return routes;
    }

    [LoggerMessage(1, LogLevel.Error, "The {Route} is not served: {Reason}")]
    private partial void LogSkipped(ResourceKey route, string reason);
}
