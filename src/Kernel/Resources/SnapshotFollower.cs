using System.Collections.Immutable;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Resources;

/// <summary>
/// The resources of another node, for a process without a database: its snapshot, its watch, and a copy on disk to
/// start from while that node is away. Serves what it has, and says how old it is.
/// </summary>
public sealed partial class SnapshotFollower : IAsyncDisposable
{
    /// <summary>The longest pause between two attempts to reach the node.</summary>
    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(5);

    /// <summary>The node sends progress every 15 s; a stream that is silent for longer is dead.</summary>
    private static readonly TimeSpan MaxSilence = 3 * Watch.ProgressEvery;

    /// <summary>A stream without changes brings progress in time for this; what is younger has no age.</summary>
    private static readonly TimeSpan FreshFor = Watch.ProgressEvery + TimeSpan.FromSeconds(5);

    private readonly HttpClient api;
    private readonly KindCatalog kinds;
    private readonly FollowerCopy copy;
    private readonly TimeProvider time;
    private readonly ILogger<SnapshotFollower> log;
    private readonly SnapshotPublisher publisher;
    private readonly CancellationTokenSource stopping = new();
    private readonly TaskCompletionSource loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task following = Task.CompletedTask;

    // Of the loop alone.
    private readonly List<WatchEvent> open = [];
    private WatchToken token;
    private bool isLoadNeeded = true;

    private SnapshotFollower(
        HttpClient api, KindCatalog kinds, FollowerCopy copy, Snapshot first, TimeProvider time, ILoggerFactory logs)
    {
        this.api = api;
        this.kinds = kinds;
        this.copy = copy;
        this.time = time;
        log = logs.CreateLogger<SnapshotFollower>();
        publisher = new SnapshotPublisher(first, time, logs.CreateLogger<SnapshotPublisher>(), FreshFor);
    }

    public ISnapshotSource Snapshots => publisher;

    /// <summary>
    /// Starts from the copy on disk, or waits for the node when there is none.
    /// </summary>
    /// <param name="api">Its base address is the node's API and it carries the access key.</param>
    /// <param name="copyPath">File of the copy; 0600, written after changes.</param>
    /// <param name="patience">How long to wait for the first snapshot when there is no copy.</param>
    /// <returns>The follower, or <c>storage_unavailable</c> when there is neither node nor copy.</returns>
    public static async Task<Outcome<SnapshotFollower>> StartAsync(
        HttpClient api,
        KindCatalog kinds,
        string copyPath,
        TimeSpan patience,
        TimeProvider time,
        ILoggerFactory logs,
        CancellationToken cancellationToken)
    {
        var onDisk = new FollowerCopy(copyPath, logs.CreateLogger<FollowerCopy>());
        var stored = onDisk.Read() is { } documents ? ToSnapshot(kinds, documents.Head, documents.Resources) : null;
        var follower = new SnapshotFollower(api, kinds, onDisk, stored ?? Snapshot.Empty("", 0), time, logs);
        follower.following = Task.Run(follower.FollowAsync, CancellationToken.None);
        if (stored is not null) return follower;
        try
        {
            await follower.loaded.Task.WaitAsync(patience, time, cancellationToken);
            return follower;
        }
        catch (TimeoutException)
        {
            await follower.DisposeAsync();
            return new Fault(
                ErrorCodes.StorageUnavailable,
                $"The followed node {api.BaseAddress} did not answer within {patience.TotalSeconds:0} s and there is "
                + "no copy of it here.");
        }
    }

    private async Task FollowAsync()
    {
        var pause = TimeSpan.FromMilliseconds(100);
        var isAway = false;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                if (isLoadNeeded) await LoadAsync();
                await WatchAsync(() =>
                {
                    if (isAway) Reached(log, api.BaseAddress);
                    isAway = false;
                    pause = TimeSpan.FromMilliseconds(100);
                });
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault) when (
                fault is HttpRequestException or IOException or OperationCanceledException or JsonException)
            {
                if (!isAway) Away(log, api.BaseAddress, fault.Message);
                isAway = true;
            }
            publisher.NoteAway();
            if (!await PauseAsync(pause)) return;
            pause = TimeSpan.FromTicks(Math.Min(MaxPause.Ticks, pause.Ticks * 2));
        }
    }

    private async Task<bool> PauseAsync(TimeSpan pause)
    {
        try
        {
            // Jitter, so that a hundred edge boxes do not come back in one instant.
            await Task.Delay(pause * (0.5 + Random.Shared.NextDouble()), time, stopping.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task LoadAsync()
    {
        using var response = await api.GetAsync(
            "groundwork/v1/snapshot", HttpCompletionOption.ResponseHeadersRead, stopping.Token);
        response.EnsureSuccessStatusCode();
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(stopping.Token));
        var head = JsonSerializer.Deserialize(await LineAsync(reader) ?? "null", WireJson.Lenient.SnapshotHead)
            ?? throw new IOException("The snapshot is empty.");
        var documents = new List<ResourceDocument>();
        while (await LineAsync(reader) is { } line)
        {
            documents.Add(JsonSerializer.Deserialize(line, WireJson.Lenient.ResourceDocument)
                ?? throw new IOException("A line of the snapshot is null."));
        }
        // In the edge profile what was awaited goes on upon a thread of the sockets, which is not there for this.
        await Task.Yield();
        publisher.Reload(ToSnapshot(kinds, head, documents));
        token = new WatchToken(head.StoreId, head.Revision, int.MaxValue);
        open.Clear();
        isLoadNeeded = false;
        copy.Write(head, documents);
        loaded.TrySetResult();
        Loaded(log, head.Revision, documents.Count);
    }

    private ValueTask<string?> LineAsync(StreamReader reader) => reader.ReadLineAsync(stopping.Token);

    private async Task WatchAsync(Action heard)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
        silence.CancelAfter(MaxSilence);
        using var response = await api.GetAsync(
            $"groundwork/v1/watch?token={token}", HttpCompletionOption.ResponseHeadersRead, silence.Token);
        if (!response.IsSuccessStatusCode)
        {
            isLoadNeeded = true;
            response.EnsureSuccessStatusCode();
        }
        var stream = await response.Content.ReadAsStreamAsync(silence.Token);
        await foreach (var item in SseParser.Create(stream).EnumerateAsync(silence.Token))
        {
            await Task.Yield(); // Off the sockets' thread, as above: to publish runs what every module makes of it.
            silence.CancelAfter(MaxSilence);
            heard();
            publisher.NoteNews();
            if (item.EventType == "problem")
            {
                isLoadNeeded = true;
                return;
            }
            Take(item);
        }
    }

    private void Take(SseItem<string> item)
    {
        if (item.EventType == "change")
        {
            var news = JsonSerializer.Deserialize(item.Data, WireJson.Lenient.WatchEvent)
                ?? throw new JsonException("A change is null.");
            open.Add(news);
            if (!news.EndsChangeset) return;
        }
        var reached = WatchToken.TryParse(item.EventId, out var parsed) ? parsed : token;
        PublishOpen(Math.Max(reached.Revision, publisher.Current.Revision));
        token = reached;
    }

    /// <summary>Shows what belongs together in one step.</summary>
    private void PublishOpen(long revision)
    {
        var before = publisher.Current;
        var changes = open.ConvertAll(news =>
        {
            var after = news.Operation == "put" ? ToResource(kinds, news.Resource) : null;
            var key = new ResourceKey(news.Resource.Kind, news.Resource.Namespace ?? "", news.Resource.Name);
            var order = WatchToken.TryParse(news.Token, out var place) ? place.Order : 0;
            return new AppliedChange(news.Revision, order, key, before.Find(key), after, news.EndsChangeset);
        });
        open.Clear();
        if (revision == before.Revision) return;
        var next = before.With(revision, changes);
        publisher.Publish(next, changes);
        if (changes.Count > 0) copy.Write(next);
    }

    private static Snapshot ToSnapshot(KindCatalog kinds, SnapshotHead head, IEnumerable<ResourceDocument> documents) =>
        Snapshot.Load(head.StoreId, head.Revision, documents.Select(document => ToResource(kinds, document)));

    private static Resource ToResource(KindCatalog kinds, ResourceDocument document) => new()
    {
        Key = new ResourceKey(document.Kind, document.Namespace ?? "", document.Name),
        Version = document.Version ?? 1,
        Labels = document.Labels?.ToImmutableSortedDictionary(StringComparer.Ordinal) ?? Labels.None,
        Spec = document.Spec is { } spec
            ? JsonSerializer.SerializeToUtf8Bytes(spec, WireJson.Lenient.JsonElement)
            : default(ReadOnlyMemory<byte>),
        SpecHash = default,
        Revision = document.Revision ?? 0,
        ChangedBy = document.ChangedBy ?? "",
        ChangedAt = document.ChangedAt ?? default,
        Kind = kinds.Find(document.Kind),
    };

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await following;
        copy.Dispose();
        stopping.Dispose();
    }

    [LoggerMessage(LogLevel.Warning, "The followed node {Address} is away ({Reason}); going on with what is here.")]
    private static partial void Away(ILogger log, Uri? address, string reason);

    [LoggerMessage(LogLevel.Information, "The followed node {Address} answers again.")]
    private static partial void Reached(ILogger log, Uri? address);

    [LoggerMessage(LogLevel.Information, "Loaded revision {Revision} of the followed node: {Count} resources.")]
    private static partial void Loaded(ILogger log, long revision, int count);
}
