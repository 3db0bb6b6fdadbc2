using System.Collections.Immutable;

namespace Groundwork.Host.Up;

/// <summary>
/// Runs all services: each starts when what it depends on is healthy, and stops after what depends on it has stopped.
/// </summary>
internal sealed class Supervisor : IDisposable
{
    private readonly ImmutableArray<RunningService> services;
    private readonly CancellationTokenSource killing = new();

    /// <param name="services">In start order, with the replicas of each.</param>
    public Supervisor(IEnumerable<(ServiceDefinition Service, ImmutableArray<Replica> Replicas)> services) =>
        this.services = [.. services.Select(entry => new RunningService(entry.Service, entry.Replicas))];

    public IEnumerable<Replica> Replicas => services.SelectMany(service => service.Replicas);

    /// <summary>Completes when every service that is not optional has a healthy replica.</summary>
    public Task Healthy =>
        Task.WhenAll(services.Where(service => !service.Definition.Optional).Select(service => service.Healthy));

    public void Start()
    {
        foreach (var service in services) service.Run = RunAsync(service);
    }

    /// <summary>Stops the services in reverse order: all that depend on one have ended before it is told.</summary>
    public async Task StopAsync()
    {
        foreach (var service in services.Reverse())
        {
            var dependents = services
                .Where(other => other.Definition.DependsOn.Contains(service.Definition.Name, StringComparer.Ordinal))
                .Select(other => other.Stopped);
            // In reverse start order, so the dependents' own tasks are there already.
            service.Stopped = StopAsync(service, Task.WhenAll(dependents));
        }
        await Task.WhenAll(services.Select(service => service.Stopped));
    }

    /// <summary>
    /// Ends all that still run at once, with SIGKILL; whoever waits in <see cref="StopAsync()"/> is answered.
    /// </summary>
    public void Kill()
    {
        killing.Cancel();
        foreach (var service in services) service.Stopping.Cancel();
    }

    public void Dispose()
    {
        killing.Dispose();
        foreach (var service in services) service.Stopping.Dispose();
    }

    private async Task RunAsync(RunningService service)
    {
        var needed = services.Where(other => !other.Definition.Optional
            && service.Definition.DependsOn.Contains(other.Definition.Name, StringComparer.Ordinal));
        await Task.WhenAll(needed.Select(other => other.Healthy))
            .WaitAsync(service.Stopping.Token)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(service.Replicas.Select(replica => replica.RunAsync(service.Stopping.Token, killing.Token)));
    }

    private static async Task StopAsync(RunningService service, Task dependentsStopped)
    {
        await dependentsStopped;
        await service.Stopping.CancelAsync();
        await service.Run;
    }

    /// <summary>A service and the tasks of its life. Touched by the thread that calls the supervisor.</summary>
    private sealed class RunningService(ServiceDefinition definition, ImmutableArray<Replica> replicas)
    {
        public ServiceDefinition Definition { get; } = definition;

        public ImmutableArray<Replica> Replicas { get; } = replicas;

        /// <summary>Completes when one replica is healthy: callers have somebody to call.</summary>
        public Task Healthy { get; } = Task.WhenAny(replicas.Select(replica => replica.Healthy));

        public CancellationTokenSource Stopping { get; } = new();

        public Task Run { get; set; } = Task.CompletedTask;

        public Task Stopped { get; set; } = Task.CompletedTask;
    }
}
