using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Groundwork.Kernel.Resources;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Hosting.Secrets;

/// <summary>
/// The resources of one kind, compiled with their secrets, in step with the snapshots. Where secrets are somewhere
/// else, as on a node that follows another, they are asked for until they come; meanwhile the last one of that name
/// stays, unless they are refused. They are kept in memory alone.
/// </summary>
/// <remarks>Whoever keeps what it derives from the table sees by the table's identity that it has changed.</remarks>
public sealed partial class SecretTable<T> : IDisposable
    where T : class
{
    /// <summary>Between two attempts to get secrets that did not come.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    private readonly SecretKind<T> kind;
    private readonly OpenSpec open;
    private readonly ILogger logger;
    private readonly Lock gate = new(); // Held to change current and wanted.
    private readonly Dictionary<ResourceKey, Resource> wanted = []; // Not loaded yet; under the gate.
    private readonly HashSet<Resource> told = []; // Of those that wait; under the gate.
    private readonly CancellationTokenSource stopping = new();
    private readonly ITimer retry;
    private readonly IDisposable subscription;
    private ImmutableDictionary<ResourceKey, T> current =
        ImmutableDictionary<ResourceKey, T>.Empty; // Written under the gate.

    /// <param name="open">See <see cref="SecretSource.Of"/>.</param>
    /// <param name="time">The clock by which secrets that did not come are asked for again.</param>
    public SecretTable(
        ISnapshotSource snapshots, SecretKind<T> kind, OpenSpec open, TimeProvider time, ILogger logger)
    {
        this.kind = kind;
        this.open = open;
        this.logger = logger;
        retry = time.CreateTimer(static self => ((SecretTable<T>)self!).Retry(), this, RetryAfter, RetryAfter);
        subscription = snapshots.Subscribe(Apply); // Calls back at once with the current snapshot.
    }

    /// <summary>Told after a change, on whatever thread made it. Set before the first change is expected.</summary>
    public Action? Changed { get; set; }

    public ImmutableDictionary<ResourceKey, T> Current => Volatile.Read(ref current);

    public void Dispose()
    {
        subscription.Dispose();
        retry.Dispose();
        stopping.Cancel();
        stopping.Dispose();
        foreach (var one in Current.Values) kind.Left?.Invoke(one);
    }

    private void Apply(SnapshotChange change)
    {
        if (!change.Touches(kind.Name)) return;
        var last = change.LastOf(kind.Name);
        if (change.Before is null)
            foreach (var key in Current.Keys)
                if (!last.ContainsKey(key)) Remove(key);
        foreach (var (key, resource) in last)
        {
            if (resource is null) Remove(key);
            else Want(resource);
        }
        Changed?.Invoke();
    }

    private void Remove(ResourceKey key)
    {
        lock (gate)
        {
            if (wanted.Remove(key, out var resource)) told.Remove(resource);
        }
        Put(key, null);
    }

    private void Want(Resource resource)
    {
        lock (gate)
        {
            if (wanted.TryGetValue(resource.Key, out var before)) told.Remove(before);
            wanted[resource.Key] = resource;
        }
        Start(resource);
    }

    private void Retry()
    {
        Resource[] left;
        lock (gate) left = [.. wanted.Values];
        foreach (var resource in left) Start(resource);
    }

    // Where the secrets are at hand all of it happens at once.
    private void Start(Resource resource)
    {
        var loading = LoadAsync(resource);
        if (!loading.IsCompletedSuccessfully) _ = loading;
    }

    private async Task LoadAsync(Resource resource)
    {
        try
        {
            var (spec, waited) = (resource.Spec, false);
            if (kind.HasSecret(resource))
            {
                var opening = open(resource, stopping.Token);
                waited = !opening.IsCompleted;
                spec = await opening;
            }
            var compiled = kind.Compile(resource, spec);
            if (Done(resource)) Put(resource.Key, compiled);
            else if (compiled is not null) kind.Left?.Invoke(compiled);
            if (waited) Changed?.Invoke();
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The owner stops.
        }
        catch (Exception fault) when (fault is HttpRequestException or OperationCanceledException)
        {
            // Asked for every few seconds, and told once.
            bool isNews;
            lock (gate) isNews = wanted.ContainsValue(resource) && told.Add(resource);
            if (isNews) LogWaiting(resource.Key, fault.Message);
            if (fault is HttpRequestException { StatusCode: HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized })
                Distrust(resource);
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException or JsonException
            or FormatException or InvalidDataException)
        {
            var isWanted = Done(resource);
            LogUnusable(resource.Key, fault.Message);
            if (isWanted && !kind.KeepsLastGood) Put(resource.Key, null);
        }
    }

    // Who may not know the new secret has no business with the old one.
    private void Distrust(Resource resource)
    {
        if (kind.KeepsLastGood) return;
        bool isWanted;
        lock (gate) isWanted = wanted.ContainsValue(resource);
        if (!isWanted) return;
        Put(resource.Key, null);
        Changed?.Invoke();
    }

    private void Put(ResourceKey key, T? compiled)
    {
        T? before;
        lock (gate)
        {
            before = current.GetValueOrDefault(key);
            Volatile.Write(ref current, compiled is null ? current.Remove(key) : current.SetItem(key, compiled));
        }
        if (before is not null) kind.Left?.Invoke(before);
    }

    // False when a newer one has come, or none is wanted any more.
    private bool Done(Resource resource)
    {
        lock (gate)
        {
            told.Remove(resource);
            return wanted.TryGetValue(resource.Key, out var asked) && ReferenceEquals(asked, resource)
                && wanted.Remove(resource.Key);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "The {Resource} waits for its secrets: {Why}")]
    private partial void LogWaiting(ResourceKey resource, string why);

    [LoggerMessage(2, LogLevel.Error, "The {Resource} cannot be used as it stands: {Why}")]
    private partial void LogUnusable(ResourceKey resource, string why);
}
