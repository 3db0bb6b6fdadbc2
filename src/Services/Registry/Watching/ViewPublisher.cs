using Groundwork.Services.Registry.Policies;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.Registry.Watching;

/// <summary>
/// Publishes the views of changed services: a small one at once, a large one at most every <see cref="Coalescing"/> or
/// so, because a view of 20,000 instances costs 20,000 steps however little changed.
/// </summary>
internal sealed partial class ViewPublisher(PolicyTable policies, TimeProvider time, ILogger logger)
{
    /// <summary>Instances up to which a view is rebuilt within the change itself, in about a microsecond.</summary>
    public const int Small = 256;

    /// <summary>
    /// How far the view of a large service may lag behind: well below what a caller's own reaction takes.
    /// </summary>
    public static readonly TimeSpan Coalescing = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// It rests nine times as long as it worked: publishing takes a tenth of a core at most, however large services
    /// are.
    /// </summary>
    private const int RestFactor = 9;

    private readonly Lock gate = new(); // Innermost lock but for the signal's.
    private readonly Signal arrived = new();
    private List<ServiceState> lagging = [];

    /// <summary>A service has changed. Called under its gate.</summary>
    public void Changed(ServiceState service)
    {
        if (service.Members.Count <= Small)
        {
            service.Publish(policies.Of(service.Key));
            return;
        }
        lock (gate) lagging.Add(service);
        arrived.Set();
    }

    /// <summary>The view with everything that has happened, for those who must see their own change.</summary>
    public ServiceView? Fresh(ServiceState service)
    {
        lock (service.Gate)
        {
            service.Publish(policies.Of(service.Key));
            return service.View;
        }
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (!await arrived.WaitAsync(Timeout.InfiniteTimeSpan, time, cancellationToken)) continue;
            List<ServiceState> batch;
            lock (gate)
            {
                batch = lagging;
                lagging = [];
            }
            var started = time.GetTimestamp();
            foreach (var service in batch) PublishOne(service);
            var rest = time.GetElapsedTime(started) * RestFactor;
            await Task.Delay(rest > Coalescing ? rest : Coalescing, time, cancellationToken);
        }
    }

    private void PublishOne(ServiceState service)
    {
        try
        {
            Fresh(service);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            LogFailure(service.Key, failure);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The view of {Service} could not be published")]
    private partial void LogFailure(ServiceKey service, Exception failure);
}
