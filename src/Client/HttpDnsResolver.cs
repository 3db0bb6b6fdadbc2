using System.Collections.Concurrent;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Groundwork.Client.Resolving;

namespace Groundwork.Client;

/// <summary>
/// Finds the addresses of names over HTTPDNS, past local DNS and whoever tampers with it: stale ones are used while new
/// ones are fetched, the quickest come first, and when no server answers local DNS is asked. Thread-safe. Clients that
/// <see cref="CreateHandler"/> makes connect by address, with the name in the request, in SNI and in the check of the
/// certificate.
/// </summary>
public sealed class HttpDnsResolver : IAsyncDisposable
{
    /// <summary>Names whose addresses are kept; of more the oldest go.</summary>
    private const int MaxKept = 1_000;

    private readonly HttpDnsOptions options;
    private readonly HttpDnsServers servers;
    private readonly HttpDnsQuestion question;
    private readonly ConcurrentDictionary<string, Entry> kept = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, Task<Entry?>> fetching = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<Task, bool> running = new();
    private readonly CancellationTokenSource ending = new();
    private int disposed; // Interlocked.

    /// <summary>Begins with nothing known but what <see cref="HttpDnsOptions.PreResolve"/> asks for.</summary>
    /// <param name="options">At least one server and the account.</param>
    /// <exception cref="ArgumentException">There is no server.</exception>
    public HttpDnsResolver(HttpDnsOptions options)
    {
        if (options.Servers.Count == 0)
            throw new ArgumentException("At least one server must be named.", nameof(options));
        this.options = options;
        servers = new HttpDnsServers(options);
        question = new HttpDnsQuestion(options);
        NetworkChange.NetworkAddressChanged += OnNetworkChanged;
        if (options.PreResolve.Count > 0) PreResolve(options.PreResolve);
    }

    /// <summary>The addresses of a name, the best first; an address stands for itself.</summary>
    /// <exception cref="SocketException">Neither a server nor local DNS knows the name.</exception>
    public async ValueTask<HttpDnsAddresses> ResolveAsync(string host, CancellationToken cancellationToken = default)
    {
        if (IPAddress.TryParse(host, out var literal)) return new HttpDnsAddresses([literal], HttpDnsOrigin.Kept);
        if (kept.TryGetValue(host, out var known))
        {
            if (options.Time.GetElapsedTime(known.At) < known.Ttl)
                return new HttpDnsAddresses(known.Addresses, HttpDnsOrigin.Kept);
            if (options.UseStale)
            {
                _ = FetchAsync(host);
                return new HttpDnsAddresses(known.Addresses, HttpDnsOrigin.Stale);
            }
        }
        if (await WaitAsync(host, cancellationToken) is { } fetched)
            return new HttpDnsAddresses(fetched.Addresses, HttpDnsOrigin.Server);
        return new HttpDnsAddresses(await options.LocalDns(host, cancellationToken), HttpDnsOrigin.LocalDns);
    }

    /// <summary>Fetches the addresses of names that will be needed, some at a time.</summary>
    public void PreResolve(IEnumerable<string> hosts)
    {
        foreach (var some in hosts.Where(host => !IPAddress.TryParse(host, out _)).Chunk(HttpDnsQuestion.MaxHosts))
            Track(Task.Run(() => AskAsync(some)));
    }

    /// <summary>Forgets all addresses but those that do not change with the network, and fetches them anew.</summary>
    public void Forget()
    {
        var gone = kept.Keys.Except(options.KeptOverNetworks, StringComparer.OrdinalIgnoreCase).ToList();
        foreach (var host in gone) kept.TryRemove(host, out _);
        PreResolve(gone);
    }

    /// <summary>
    /// A handler for <see cref="HttpClient"/> that connects to the addresses found here, one after the other. The name
    /// stays in the URL, and so in Host, in SNI and in the check of the certificate.
    /// </summary>
    public SocketsHttpHandler CreateHandler() => new()
    {
        ConnectCallback = async (context, cancellationToken) =>
        {
            var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
            var found = await ResolveAsync(host, cancellationToken);
            try
            {
                return await ConnectAsync(found.Addresses, port, cancellationToken);
            }
            catch (SocketException) when (found.Origin == HttpDnsOrigin.Stale)
            {
                // Nobody is there any more, and the new ones are on their way.
                if (await WaitAsync(host, cancellationToken) is not { } fresh) throw;
                return await ConnectAsync(fresh.Addresses, port, cancellationToken);
            }
        },
    };

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0) return;
        NetworkChange.NetworkAddressChanged -= OnNetworkChanged;
        await ending.CancelAsync();
        await Task.WhenAll(running.Keys);
        servers.Dispose();
        ending.Dispose();
    }

    private static async ValueTask<Stream> ConnectAsync(
        IReadOnlyList<IPAddress> addresses, int port, CancellationToken cancellationToken)
    {
        SocketException? last = null;
        foreach (var address in addresses)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, port), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException refused)
            {
                socket.Dispose();
                last = refused;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
        throw last ?? new SocketException((int)SocketError.HostNotFound);
    }

    /// <summary>What is fetched now; null when there is nothing, or it takes too long.</summary>
    private async Task<Entry?> WaitAsync(string host, CancellationToken cancellationToken)
    {
        using var bound = new CancellationTokenSource(options.LongestWait, options.Time);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(bound.Token, cancellationToken);
        try
        {
            return await FetchAsync(host).WaitAsync(patience.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null; // What is fetched serves the next one.
        }
    }

    /// <summary>One request for a name at a time; whoever comes meanwhile waits for the same.</summary>
    private Task<Entry?> FetchAsync(string host)
    {
        var fetch = fetching.GetOrAdd(host, static (name, self) => Task.Run(() => self.FetchOneAsync(name)), this);
        Track(fetch);
        return fetch;
    }

    private async Task<Entry?> FetchOneAsync(string host)
    {
        try
        {
            await AskAsync([host]);
            return kept.TryGetValue(host, out var entry) && options.Time.GetElapsedTime(entry.At) < Fresh(entry)
                ? entry
                : null;
        }
        finally
        {
            fetching.TryRemove(host, out _);
        }
    }

    // What has just come counts, even where it may not be kept at all.
    private static TimeSpan Fresh(Entry entry) =>
        entry.Ttl > TimeSpan.FromSeconds(1) ? entry.Ttl : TimeSpan.FromSeconds(1);

    private async Task AskAsync(IReadOnlyList<string> hosts)
    {
        try
        {
            var answer = await servers.AskAsync(question.Write(hosts), ending.Token);
            if (answer is null) return;
            foreach (var (host, (addresses, ttl)) in question.Read(answer)) await KeepAsync(host, addresses, ttl);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The resolver ends.
        }
    }

    private async Task KeepAsync(string host, List<IPAddress> addresses, TimeSpan ttl)
    {
        // IPv4 before IPv6 unless they are ranked: the more often reachable first.
        addresses.Sort(static (a, b) => a.AddressFamily.CompareTo(b.AddressFamily));
        if (options.RankPorts.TryGetValue(host, out var port) && addresses.Count > 1)
            addresses = await AddressRanking.RankAsync(addresses, port, options.Time, ending.Token);
        if (kept.Count >= MaxKept && !kept.ContainsKey(host))
            kept.TryRemove(kept.MinBy(pair => pair.Value.At).Key, out _);
        kept[host] = new Entry(addresses, options.Ttl?.Invoke(host, ttl) ?? ttl, options.Time.GetTimestamp());
    }

    private void OnNetworkChanged(object? sender, EventArgs change) => Forget();

    private void Track(Task task)
    {
        running[task] = true;
        _ = task.ContinueWith(
            static (ended, self) => ((ConcurrentDictionary<Task, bool>)self!).TryRemove(ended, out _), running,
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private sealed record Entry(IReadOnlyList<IPAddress> Addresses, TimeSpan Ttl, long At);
}
