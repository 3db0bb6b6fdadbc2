using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry.Protocols.Sights;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.Registry.Protocols.Eureka;

/// <summary>
/// Who fetches applications on this node. Eureka has no subscriptions: its clients ask every thirty seconds, and one
/// that has not asked for two minutes is not there any more. Any thread.
/// </summary>
internal sealed class EurekaFetchers(TimeProvider time)
{
    /// <summary>Four fetches that are missing.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(2);

    /// <summary>Clients that are remembered: about 2 MB. More are answered, and not shown here.</summary>
    public const int MaxFetchers = 10_000;

    /// <summary>Between two looks for those that have gone, when there is no room.</summary>
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<Fetcher, Seen> all = new();
    private int count; // Interlocked: the dictionary's own count takes all its locks.
    private long sweptAt; // Any thread.

    public int Count => Volatile.Read(ref count);

    /// <summary>A client has fetched an application; null: all that it may discover.</summary>
    public void Note(HttpContext context, ServiceKey? application)
    {
        var client = EurekaWrites.ClientOf(context.Request);
        if (client.Length > RegistryLimits.MaxClientLength) client = client[..RegistryLimits.MaxClientLength];
        var address = context.Connection.RemoteIpAddress;
        var principal = context.Principal();
        var fetcher = new Fetcher(client, address, principal.Name, application);
        if (!all.TryGetValue(fetcher, out var seen))
        {
            if (Count >= MaxFetchers && !Sweep()) return;
            seen = new Seen();
            if (all.TryAdd(fetcher, seen)) Interlocked.Increment(ref count);
        }
        seen.Take(principal, time.GetTimestamp());
    }

    /// <summary>Those that have fetched the service within their life, who asked last first.</summary>
    /// <param name="maySee">Whoever fetches all is shown what it may discover.</param>
    public ImmutableArray<Subscriber> Of(ServiceKey service, Func<Principal, ServiceKey, bool> maySee)
    {
        var (now, utc) = (time.GetTimestamp(), time.GetUtcNow());
        return
        [
            .. all.Where(pair => pair.Key.Application is null || pair.Key.Application == service)
                .Select(pair => (pair.Key, pair.Value, Age: time.GetElapsedTime(pair.Value.At, now)))
                .Where(one => one.Age < Life && one.Value.Principal is { } principal && maySee(principal, service))
                .OrderBy(one => one.Age)
                .Select(one => new Subscriber(
                    one.Key.Application is null ? "fetch" : "fetch-application",
                    ProtocolCalls.Clean(one.Key.Client), one.Key.Name, AddressOf(one.Key), utc - one.Age)),
        ];
    }

    private bool Sweep()
    {
        var now = time.GetTimestamp();
        var last = Volatile.Read(ref sweptAt);
        if (last != 0 && time.GetElapsedTime(last, now) < SweepInterval) return false;
        if (Interlocked.CompareExchange(ref sweptAt, now, last) != last) return false;
        foreach (var pair in all)
        {
            if (time.GetElapsedTime(pair.Value.At, now) < Life || !all.TryRemove(pair)) continue;
            Interlocked.Decrement(ref count);
        }
        return Count < MaxFetchers;
    }

    private static string? AddressOf(Fetcher fetcher) =>
        (fetcher.Address is { IsIPv4MappedToIPv6: true } mapped ? mapped.MapToIPv4() : fetcher.Address)?.ToString();

    /// <param name="Client">At most <see cref="RegistryLimits.MaxClientLength"/> characters of anything.</param>
    private readonly record struct Fetcher(string Client, IPAddress? Address, string Name, ServiceKey? Application);

    /// <summary>When it fetched last, and as whom.</summary>
    private sealed class Seen
    {
        private Principal? principal;
        private long at;

        public Principal? Principal => Volatile.Read(ref principal);

        public long At => Volatile.Read(ref at);

        public void Take(Principal by, long now)
        {
            Volatile.Write(ref at, now);
            Volatile.Write(ref principal, by);
        }
    }
}
