using Groundwork.Kernel.Hosting.Streaming;
using Groundwork.Services.Registry.Storing;

namespace Groundwork.Services.Registry.Watching;

/// <summary>Waits for a service to change, for blocking queries of our own and of others.</summary>
internal sealed class NewerViews(InstanceRegistry registry, TimeProvider time)
{
    /// <summary>
    /// A blocking query is woken again so soon after its time is up: the first waking may have met it at work.
    /// </summary>
    private static readonly TimeSpan AlarmAgain = TimeSpan.FromSeconds(1);

    /// <summary>True for an index beyond what any node may have handed out: it is of another store.</summary>
    public bool IsForeign(long index) => index > registry.Numbers.Last + 2 * RegistryStore.Reserve;

    /// <summary>The service with everything that has happened.</summary>
    public ServiceView Now(ServiceKey key) => registry.FindFresh(key) ?? Unknown(key);

    /// <summary>
    /// A service that never was. Without a reason for being empty: whoever has a list of it keeps that.
    /// </summary>
    public ServiceView Unknown(ServiceKey key) => new(key, registry.UnknownIndex, [], [], Protection: false);

    /// <summary>
    /// The service once its index is above the known one, or as it is when patience is over or the query ends. The
    /// index is then not below the known one, which another node may have given.
    /// </summary>
    /// <param name="session">
    /// Of that service, opened before this is called and ended with <paramref name="ending"/>.
    /// </param>
    public async Task<ServiceView> WaitAsync(
        WatchSession session, ServiceKey key, long known, TimeSpan patience, CancellationToken ending)
    {
        var started = time.GetTimestamp();
        await using var alarm = time.CreateTimer(
            static wait => ((StreamWait?)wait)?.Remind(), session.Changed, Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
        while (true)
        {
            var view = Now(key);
            if (view.Index > known) return view;
            var left = patience - time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero || ending.IsCancellationRequested)
            {
                if (view.Index == known || registry.FindService(key) is not { View: not null } service) return view;
                registry.RaiseAbove(service, known);
                return registry.FindFresh(key) ?? view;
            }
            alarm.Change(left, AlarmAgain);
            await session.Changed.WaitAsync();
        }
    }
}
