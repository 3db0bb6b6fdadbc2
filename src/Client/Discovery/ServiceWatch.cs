using System.Collections.Immutable;
using System.Text.Json;
using Groundwork.Client.Platform;
using Groundwork.Wire;
using Microsoft.Extensions.Logging;

namespace Groundwork.Client.Discovery;

/// <summary>Keeps the directory's lists the platform's, over one connection for all services. One task.</summary>
internal sealed partial class ServiceWatch(
    GroundworkOptions options, PlatformConnection platform, ServiceDirectory directory, ILogger log)
{
    private static readonly TimeSpan OpenLimit = TimeSpan.FromSeconds(5);

    /// <summary>Names that join together, as when a service starts, are one new connection.</summary>
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// Characters of names in the query: a request line over 8 KiB is refused, so more means the whole namespace.
    /// </summary>
    private const int MaxQueryLength = 6000;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(15));
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var joined = directory.Joined; // Taken before the names, so that none is missed.
                var names = directory.Watched;
                if (names.IsEmpty)
                {
                    await joined.WaitAsync(cancellationToken);
                    await Task.Delay(Gathering, options.Time, cancellationToken);
                    continue;
                }
                if (await WatchAsync(names, joined, backoff, cancellationToken)) continue;
                await Task.Delay(backoff.Next(), options.Time, cancellationToken);
                await directory.RefreshAsync(cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault)
            {
                // A bug must not end the loop, or lists would grow old for ever.
                LogLoop(fault);
                await Task.Delay(backoff.Next(), options.Time, cancellationToken)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    // True: another name has joined, so the watch is opened anew at once. False: it ended or broke.
    private async Task<bool> WatchAsync(
        ImmutableArray<string> names, Task joined, Backoff backoff, CancellationToken cancellationToken)
    {
        using var rejoin = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var reading = ReadAsync(names, backoff, rejoin.Token);
        if (await Task.WhenAny(reading, joined) == joined)
        {
            // The lists in place stay in use for the moment between the two connections.
            await Task.Delay(Gathering, options.Time, cancellationToken);
            await rejoin.CancelAsync();
        }
        try
        {
            await reading;
            return false;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return true;
        }
    }

    private async Task ReadAsync(ImmutableArray<string> names, Backoff backoff, CancellationToken cancellationToken)
    {
        var opened = await platform.WatchAsync(Path(names), OpenLimit, cancellationToken);
        if (!opened.TryGet(out var stream, out var refused))
        {
            LogRefused(refused);
            return;
        }
        using (stream)
        {
            try
            {
                await foreach (var item in stream.ReadAsync(cancellationToken))
                {
                    backoff.Reset();
                    if (item.Type != "service") continue;
                    var document = JsonSerializer.Deserialize(item.Content, WireJson.Lenient.ServiceDocument);
                    if (document is not null) directory.Take(document);
                }
            }
            catch (Exception fault) when (fault is IOException or HttpRequestException or JsonException)
            {
                LogBroken(fault.Message);
            }
        }
    }

    private string Path(ImmutableArray<string> names)
    {
        var prefix = options.Group == "default" ? "" : options.Group + "@@";
        var query = string.Concat(names.Select(name => $"&service={Uri.EscapeDataString(prefix + name)}"));
        return $"/registry/watch?namespace={options.Namespace}" + (query.Length <= MaxQueryLength ? query : "");
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The watch of services was refused: {Fault}")]
    private partial void LogRefused(Fault fault);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The watch of services broke off: {Reason}")]
    private partial void LogBroken(string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The watch of services failed; starts again")]
    private partial void LogLoop(Exception fault);
}
