using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Services.Registry;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway.Upstreams;

/// <summary>
/// The addresses of a name, looked up again and again by one task. When a look-up fails, those of the last one stay.
/// Over HTTPS the name itself is the only address, since the certificate is for it; it is looked up when connected.
/// </summary>
internal sealed partial class DnsAddresses : IDisposable
{
    /// <summary>Addresses of one name that are called.</summary>
    private const int MaxAddresses = 256;

    /// <summary>The longest a look-up may take: resolvers give up sooner.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly UpstreamName name;
    private readonly UpstreamSpec spec;
    private readonly ServiceKey own;
    private readonly UpstreamParts parts;
    private readonly CancellationTokenSource stop = new();
    private readonly Task loop;
    private Tuple<Membership?, bool> current = new(null, false); // Written by the loop alone.

    public DnsAddresses(UpstreamName name, UpstreamSpec spec, ServiceKey own, UpstreamParts parts)
    {
        this.name = name;
        this.spec = spec;
        this.own = own;
        this.parts = parts;
        loop = Task.Run(() => RunAsync(stop.Token));
    }

    /// <summary>Null before the first answer; true when all that it gave is forbidden.</summary>
    public (Membership? Membership, bool Forbidden) Current => Volatile.Read(ref current) is var (now, forbidden)
        ? (now, forbidden)
        : default;

    public void Dispose()
    {
        // The loop sees it at its next wait; nobody waits for it, since a look-up cannot be broken off everywhere.
        stop.Cancel();
        _ = loop.ContinueWith(static (_, source) => ((CancellationTokenSource)source!).Dispose(), stop,
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            for (; ; )
            {
                await LookUpAsync(cancellationToken);
                await Task.Delay(TimeSpan.FromSeconds(name.RefreshSeconds), parts.Time, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The upstream has been changed or deleted.
        }
    }

    private async Task LookUpAsync(CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            Take(await parts.LookUp(name.Name, patience.Token));
        }
        catch (Exception fault) when (fault is SocketException or ArgumentException
            || (fault is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            LogFailed(parts.Logger, own.Service, name.Name, fault.Message);
        }
    }

    private void Take(IPAddress[] found)
    {
        var allowed = found.Where(IsAllowed).Select(address => address.ToString()).Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal).Take(MaxAddresses).ToList();
        IEnumerable<(string Host, string Id)> hosts = spec.Scheme == "https" && allowed.Count > 0
            ? [(name.Name, name.Name)]
            : allowed.Select(host => (host, host));
        var before = Volatile.Read(ref current).Item1;
        var port = name.Port.ToString(CultureInfo.InvariantCulture);
        ImmutableArray<Instance> instances =
        [
            .. hosts.Select(host =>
                new Instance(new InstanceKey(own, $"{host.Id}:{port}"), host.Host, name.Port)
                {
                    Scheme = spec.Scheme,
                }),
        ];
        var forbidden = found.Length > 0 && instances.IsEmpty;
        if (forbidden) LogForbidden(parts.Logger, own.Service, name.Name);
        var keys = instances.Select(one => one.Key);
        if (before is not null && before.Instances.Select(one => one.Key).SequenceEqual(keys)) return;
        Volatile.Write(ref current, new(
            new Membership(
                new object(), (before?.Index ?? 0) + 1, instances, ImmutableDictionary<string, int>.Empty, false,
                (spec.Scheme, name.Port) is ("http", 80) or ("https", 443) ? name.Name : $"{name.Name}:{port}"),
            forbidden));
    }

    private bool IsAllowed(IPAddress address) =>
        (spec.AllowLoopback || !IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address))
        && parts.Explain(address, name.Port) is null;

    [LoggerMessage(1, LogLevel.Warning, "The upstream {Upstream} keeps its addresses, as {Name} is not found: {Why}")]
    private static partial void LogFailed(ILogger logger, string upstream, string name, string why);

    [LoggerMessage(2, LogLevel.Warning, "The upstream {Upstream} has nobody to call: all of {Name} is forbidden")]
    private static partial void LogForbidden(ILogger logger, string upstream, string name);
}
