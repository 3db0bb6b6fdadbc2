using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Groundwork.Kernel.Resources;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway.Certificates;

/// <summary>Gives the spec of a resource with its secrets in clear.</summary>
internal delegate ValueTask<ReadOnlyMemory<byte>> OpenSpec(Resource resource, CancellationToken cancellationToken);

/// <summary>
/// The certificates in force, kept in step with the snapshots. One that cannot be loaded leaves the last good one of
/// its name in place; where keys are somewhere else, as on a node that follows another, they are asked for until they
/// come.
/// </summary>
internal sealed partial class CertificateTable : IDisposable
{
    /// <summary>When a certificate is about to expire, an operator has a fortnight.</summary>
    private static readonly TimeSpan Warning = TimeSpan.FromDays(14);

    /// <summary>Between two attempts to get keys that did not come.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    private readonly OpenSpec open;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Lock gate = new(); // Held to change current and wanted.
    private readonly Dictionary<ResourceKey, Resource> wanted = []; // Not loaded yet; under the gate.
    private readonly HashSet<Resource> told = []; // Of those that wait; under the gate.
    private readonly CancellationTokenSource stopping = new();
    private readonly ITimer retry;
    private readonly IDisposable subscription;
    private ImmutableDictionary<ResourceKey, ServedCertificate> current =
        ImmutableDictionary<ResourceKey, ServedCertificate>.Empty; // Written under the gate.

    public CertificateTable(ISnapshotSource snapshots, OpenSpec open, TimeProvider time, ILogger logger)
    {
        this.open = open;
        this.time = time;
        this.logger = logger;
        retry = time.CreateTimer(static self => ((CertificateTable)self!).Retry(), this, RetryAfter, RetryAfter);
        subscription = snapshots.Subscribe(Apply); // Calls back at once with the current snapshot.
    }

    /// <summary>Told after a change, on whatever thread made it. Set before the first change is expected.</summary>
    public Action? Changed { get; set; }

    public ImmutableDictionary<ResourceKey, ServedCertificate> Current => Volatile.Read(ref current);

    public ServedCertificate? Find(ResourceKey key) => Current.GetValueOrDefault(key);

    public void Dispose()
    {
        subscription.Dispose();
        retry.Dispose();
        stopping.Cancel();
        stopping.Dispose();
    }

    private void Apply(SnapshotChange change)
    {
        if (!change.Touches(CertificateKind.Name)) return;
        var last = change.LastOf(CertificateKind.Name);
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
            Volatile.Write(ref current, current.Remove(key));
        }
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

    // Where the key is at hand all of it happens at once.
    private void Start(Resource resource)
    {
        var loading = LoadAsync(resource);
        if (!loading.IsCompletedSuccessfully) _ = loading;
    }

    private async Task LoadAsync(Resource resource)
    {
        try
        {
            var spec = resource.As<CertificateSpec>();
            var key = spec.PrivateKey;
            var waited = false;
            if (key == HiddenKeyJson.Hidden)
            {
                var opening = open(resource, stopping.Token);
                waited = !opening.IsCompleted;
                key = JsonSerializer.Deserialize(
                    (await opening).Span, CertificateJson.Default.CertificateSpec)?.PrivateKey;
                if (key == HiddenKeyJson.Hidden)
                    throw new CryptographicException("This node may not read its private key.");
            }
            Take(resource, ServedCertificate.Load(resource.Key, spec.Chain, key));
            if (waited) Changed?.Invoke();
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The gateway stops.
        }
        catch (Exception fault) when (fault is HttpRequestException or OperationCanceledException)
        {
            // Asked for every few seconds, and told once.
            bool isNews;
            lock (gate) isNews = told.Add(resource);
            if (isNews) LogWaiting(resource.Key, fault.Message);
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException or JsonException
            or InvalidDataException)
        {
            GiveUp(resource);
            LogKept(resource.Key, fault.Message);
        }
    }

    private void Take(Resource resource, ServedCertificate loaded)
    {
        lock (gate)
        {
            if (!GiveUp(resource)) return;
            Volatile.Write(ref current, current.SetItem(resource.Key, loaded));
        }
        if (loaded.NotAfter - time.GetUtcNow().UtcDateTime < Warning) LogExpires(resource.Key, loaded.NotAfter);
    }

    // False when a newer one has come, or none is wanted any more.
    private bool GiveUp(Resource resource)
    {
        lock (gate)
        {
            told.Remove(resource);
            return wanted.TryGetValue(resource.Key, out var asked) && ReferenceEquals(asked, resource)
                && wanted.Remove(resource.Key);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "The {Certificate} waits for its private key: {Why}")]
    private partial void LogWaiting(ResourceKey certificate, string why);

    [LoggerMessage(2, LogLevel.Error, "The {Certificate} cannot be used, the last good one stays: {Why}")]
    private partial void LogKept(ResourceKey certificate, string why);

    [LoggerMessage(3, LogLevel.Warning, "The {Certificate} expires on {NotAfter} UTC")]
    private partial void LogExpires(ResourceKey certificate, DateTime notAfter);
}
