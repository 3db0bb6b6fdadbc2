using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Services.Registry.Protocols;
using Groundwork.Services.Registry.Protocols.Sights;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.Registry.Following;

/// <summary>
/// The registry of another node, followed: watches all of its services, keeps a copy on disk, and serves what it has
/// while the node is away, saying how old that is. Outcomes of calls are gathered and sent to the followed node.
/// </summary>
public sealed partial class RegistryFollower : IRegistryView, IAsyncDisposable
{
    /// <summary>Three keep-alives of the watch: a connection that says nothing for longer is dead.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(45);

    /// <summary>Between two attempts to connect: a follower is one of few, and its callers feel every second.</summary>
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<ServiceKey, ServiceView> views = new();
    private readonly HttpClient client;
    private readonly FollowerCopy? copy;
    private readonly OutcomeSender outcomes;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly CancellationTokenSource ending = new();
    private readonly List<Task> loops = [];
    private string? storeId; // Belongs to the watch loop.
    private bool connected; // Written by the watch loop, read anywhere.
    private int disposed; // Interlocked.
    private long lastNews; // Written by the watch loop, read anywhere.

    /// <param name="client">
    /// With the followed node's API as its base address (such as <c>https://core:7400</c>), the credential, and no
    /// time-out of its own. The caller disposes it.
    /// </param>
    /// <param name="copyPath">Where the copy on disk is; null: none.</param>
    public RegistryFollower(HttpClient client, string? copyPath, TimeProvider time, ILogger logger)
    {
        this.client = client;
        this.time = time;
        this.logger = logger;
        copy = copyPath is null ? null : new FollowerCopy(copyPath, time, logger);
        outcomes = new OutcomeSender(client, time, logger);
        lastNews = time.GetTimestamp();
        ByName = new ServiceNames(() => views.Select(view => view.Key));
    }

    public TimeSpan Staleness => Volatile.Read(ref connected)
        ? TimeSpan.Zero
        : time.GetElapsedTime(Volatile.Read(ref lastNews));

    public ServiceView? Find(ServiceKey key) => views.GetValueOrDefault(key);

    public IEnumerable<ServiceView> Views => views.Values;

    public ServiceNames ByName { get; }

    /// <summary>Nobody asks here: the API is with the store.</summary>
    public ProtocolSights Sights { get; } = new();

    public void ReportOutcome(InstanceKey instance, CallOutcome outcome) => outcomes.Add(instance, outcome);

    /// <summary>Loads the copy and begins to follow. Does not wait for the node.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (copy is not null)
            foreach (var document in await copy.LoadAsync(cancellationToken)) Take(document);
        loops.Add(Task.Run(() => RunAsync("watch", WatchAsync), cancellationToken));
        loops.Add(Task.Run(() => RunAsync("outcomes", outcomes.RunAsync), cancellationToken));
        if (copy is not null)
            loops.Add(Task.Run(() => RunAsync(
                "copy", token => copy.RunAsync(() => views.Values, () => storeId, token)), cancellationToken));
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0) return;
        await ending.CancelAsync();
        await Task.WhenAll(loops);
        ending.Dispose();
    }

    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await ReadAsync(cancellationToken);
                LogEnded();
            }
            catch (Exception failure) when (
                failure is HttpRequestException or IOException or JsonException or TimeoutException)
            {
                LogAway(failure.Message);
            }
            if (connected) Volatile.Write(ref lastNews, time.GetTimestamp());
            Volatile.Write(ref connected, false);
            await Task.Delay(RetryInterval, time, cancellationToken);
        }
    }

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        using var watchdog = new CancellationTokenSource(Silence, time);
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, watchdog.Token);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, Listeners.ApiRoot + "/registry/watch");
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
            using var response = await client.SendAsync(
                request, HttpCompletionOption.ResponseHeadersRead, silence.Token);
            response.EnsureSuccessStatusCode();
            await using var body = new HeardStream(
                await response.Content.ReadAsStreamAsync(silence.Token),
                () => watchdog.CancelAfter(Silence));
            Volatile.Write(ref connected, true);
            LogFollowing();
            await foreach (var item in SseParser.Create(body, ReadEvent).EnumerateAsync(silence.Token))
            {
                // In the edge profile this goes on upon a thread of the sockets, which is there for the gateway alone.
                await Task.Yield();
                if (item.Data is { } document) Take(document);
            }
        }
        catch (OperationCanceledException silent) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"The node has said nothing for {Silence.TotalSeconds:0} s.", silent);
        }
    }

    private static ServiceDocument? ReadEvent(string kind, ReadOnlySpan<byte> content) => kind == "service"
        ? JsonSerializer.Deserialize(content, WireJson.Lenient.ServiceDocument)
        : null;

    private void Take(ServiceDocument document)
    {
        if (storeId is not null && storeId != document.StoreId)
        {
            // Another store's indexes say nothing about ours. Its services come one by one; ours stay until they do.
            LogStoreChanged(storeId, document.StoreId);
            foreach (var (key, known) in views) views[key] = known with { Index = 0 };
        }
        storeId = document.StoreId;
        var next = InstanceDocuments.ReadView(document);
        // An empty list is believed only with a reason: a node that has just lost its memory has none.
        if (next.Instances.IsEmpty && next.EmptyReason is null && views.ContainsKey(next.Key)) return;
        views.AddOrUpdate(next.Key, next, (_, known) => known.Index > next.Index ? known : next);
        ByName.Add(next.Key);
        copy?.Changed();
    }

    private async Task RunAsync(string loop, Func<CancellationToken, Task> run)
    {
        try
        {
            await run(ending.Token);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The follower stops.
        }
        catch (Exception failure)
        {
            LogLoopEnded(loop, failure);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Following the registry of another node")]
    private partial void LogFollowing();

    [LoggerMessage(Level = LogLevel.Information, Message = "The followed node closed the watch; connecting again")]
    private partial void LogEnded();

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "The followed registry is away, what is known stays in use: {Reason}")]
    private partial void LogAway(string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The followed node has another store: {Before}, now {After}")]
    private partial void LogStoreChanged(string before, string after);

    [LoggerMessage(
        Level = LogLevel.Critical, Message = "The follower's loop for {Loop} ended by itself; restart the node")]
    private partial void LogLoopEnded(string loop, Exception failure);
}
