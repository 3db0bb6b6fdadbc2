using System.Security.Cryptography;
using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.Settings.Protocols.Spring.Bus;

/// <summary>The buses in force.</summary>
internal sealed partial class ConfigBuses : IAsyncDisposable
{
    private readonly Node node;
    private readonly AddressGuard guard;
    private readonly ILogger logger;
    private readonly IDisposable subscription;
    private readonly List<Task> endings = []; // The publisher's thread alone.
    private readonly string origin;
    private IReadOnlyList<BusConnection> buses = [];

    public ConfigBuses(Node node)
    {
        this.node = node;
        logger = node.Logs.CreateLogger<ConfigBuses>();
        origin = $"groundwork:{node.Name}:{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}";
        guard = new AddressGuard(
            () => node.Listeners.Addresses.Values.SelectMany(addresses => addresses),
            node.Configuration.LinkLocalUpstreams);
        node.Health.Add("config-buses", Explain);
        subscription = node.Snapshots.Subscribe(Apply);
    }

    /// <summary>The names of the buses.</summary>
    public IEnumerable<string> Names => Volatile.Read(ref buses).Select(bus => bus.Name);

    /// <summary>Tells the applications of a destination to read again; returns at once.</summary>
    /// <param name="destination">As callers write it, such as <c>orders</c> or <c>orders:8080</c>; null: all.</param>
    /// <param name="isFor">Which buses.</param>
    public void Publish(string? destination, Func<string, bool> isFor)
    {
        var now = node.Time.GetUtcNow();
        var news = new RefreshEvent(
            Guid.CreateVersion7(now).ToString(), now.ToUnixTimeMilliseconds(), origin,
            RefreshEvent.DestinationOf(destination));
        foreach (var bus in Volatile.Read(ref buses))
            if (isFor(bus.Name)) bus.Publish(news);
    }

    public async ValueTask DisposeAsync()
    {
        subscription.Dispose();
        foreach (var bus in Volatile.Read(ref buses)) await bus.DisposeAsync();
        await Task.WhenAll(endings);
    }

    private void Apply(SnapshotChange change)
    {
        if (!change.Touches(ConfigBusKind.Name)) return;
        var before = Volatile.Read(ref buses).ToDictionary(bus => bus.Name, StringComparer.Ordinal);
        var next = new List<BusConnection>();
        foreach (var (key, resource) in change.After.Of(ConfigBusKind.Name))
        {
            if (before.TryGetValue(key.Name, out var running) && running.Revision == resource.Revision)
            {
                before.Remove(key.Name);
                next.Add(running);
                continue;
            }
            next.Add(new BusConnection(
                key.Name, resource.Revision, resource.As<ConfigBusSpec>(), PasswordOf(resource), guard, node.Time,
                logger));
        }
        Volatile.Write(ref buses, next);
        endings.RemoveAll(ending => ending.IsCompletedSuccessfully);
        foreach (var gone in before.Values) endings.Add(Task.Run(() => gone.DisposeAsync().AsTask()));
    }

    private string? PasswordOf(Resource resource)
    {
        if (node.OpenSecrets is not { } open) return null;
        try
        {
            using var document = JsonDocument.Parse(open(resource));
            return document.RootElement.TryGetProperty("password", out var password)
                && password.ValueKind == JsonValueKind.String ? password.GetString() : null;
        }
        catch (Exception failure) when (failure is FormatException or JsonException or CryptographicException)
        {
            LogNotUnderstood(resource.Key.Name, failure.Message);
            return null;
        }
    }

    private string? Explain()
    {
        var failing = Volatile.Read(ref buses).Where(bus => bus.Failure is not null).ToList();
        return failing.Count == 0 ? null : string.Join("; ", failing.Select(one => $"{one.Name}: {one.Failure}"));
    }

    [LoggerMessage(1, LogLevel.Error, "The password of the bus {Bus} cannot be opened: {Why}")]
    private partial void LogNotUnderstood(string bus, string why);
}
