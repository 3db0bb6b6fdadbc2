using Groundwork.Client.Registration;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Groundwork.Client;

/// <summary>
/// Ties the client to the host's life. The host's phases give the order of a clean stop: <see cref="StoppingAsync"/>
/// drains while the server still accepts, the server stops and finishes its requests in the phase between, and
/// <see cref="StoppedAsync"/> leaves the registry.
/// </summary>
internal sealed partial class ClientLifecycle(ClientParts parts, IServer? server, ILoggerFactory loggers)
    : IHostedLifecycleService, IAsyncDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly ILogger log = loggers.CreateLogger("Groundwork.Client");
    private readonly List<Task> loops = [];
    private bool isDisposed;

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        parts.Log.Attach(log);
        loops.Add(parts.Settings.RunAsync(stop.Token));
        loops.Add(parts.Receipts.RunAsync(stop.Token));
        loops.Add(parts.Watch.RunAsync(stop.Token));
        loops.Add(parts.Outcomes.RunAsync(stop.Token));
        if (parts.Disk is { } disk) loops.Add(disk.RunAsync(stop.Token));
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// All servers listen by now, so the addresses are the real ones, also where port 0 was asked for.
    /// </summary>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        var listening = server?.Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
        var address = AdvertisedAddress.From(listening, parts.Options, parts.Platform.Address);
        // Who listens on nothing reads settings too, and has to be told from others of its name.
        parts.Reader.SetId(
            address is null ? $"{Environment.MachineName}:{Environment.ProcessId}" : $"{address.Host}:{address.Port}");
        if (!parts.Options.Register) return Task.CompletedTask;
        if (address is not null) loops.Add(parts.Registration.RunAsync(address, stop.Token));
        else LogNoAddress(parts.Options.ServiceName);
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken) =>
        UnlessLateAsync(parts.Registration.DrainAsync, cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        await stop.CancelAsync();
        await Task.WhenAll(loops);
        // With its own short limit and not the host's, which may be used up by slow requests: to leave is worth it even
        // then.
        await parts.Registration.LeaveAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        if (isDisposed) return;
        isDisposed = true;
        // A host whose start failed is disposed without a stop.
        await stop.CancelAsync();
        await Task.WhenAll(loops);
        stop.Dispose();
        parts.Dispose();
    }

    private async Task UnlessLateAsync(Func<CancellationToken, Task> step, CancellationToken cancellationToken)
    {
        try
        {
            await step(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            LogLate();
        }
    }

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "{Service} listens on no TCP address and none is configured, so it does not register")]
    private partial void LogNoAddress(string service);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The host's time for stopping is over before the drain was")]
    private partial void LogLate();
}
