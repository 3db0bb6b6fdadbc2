using System.Collections.Concurrent;
using System.Net.Sockets;
using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Communication.Gateway.Timing;
using Groundwork.Kernel.Hosting;
using Groundwork.Services.Registry;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway.Layer4;

/// <summary>What connections of TCP routes need.</summary>
internal sealed record TcpParts(
    InstanceChooser Chooser, GuardedConnector Connector, IRegistryView Registry, GatewayCounters Counters,
    Deadlines Deadlines, TimeProvider Time);

/// <summary>Serves the connections of TCP routes, and knows which are open.</summary>
internal sealed partial class TcpServer(TcpParts parts, ILogger<TcpServer> logger)
{
    private readonly ConcurrentDictionary<TcpConnection, Task> open = new();

    public int Open => open.Count;

    public void Serve(Socket socket, TcpPort port)
    {
        var connection = new TcpConnection(socket, port, parts);
        var serving = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        open[connection] = serving.Task;
        _ = ServeAsync(connection, serving);
    }

    /// <summary>Waits for those that are open, then cuts them.</summary>
    public async Task DrainAsync(CancellationToken patience)
    {
        await Task.WhenAny(
            Task.WhenAll(open.Values), Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, patience));
    }

    public Task CutAsync()
    {
        foreach (var connection in open.Keys) connection.Abort();
        return Task.WhenAll(open.Values);
    }

    private async Task ServeAsync(TcpConnection connection, TaskCompletionSource serving)
    {
        try
        {
            await Task.Yield(); // The accepting loop goes on.
            await connection.ServeAsync();
        }
        catch (Exception fault)
        {
            LogFailure(fault);
        }
        finally
        {
            open.TryRemove(connection, out _);
            serving.SetResult();
        }
    }

    [LoggerMessage(1, LogLevel.Error, "A connection of a TCP route failed inside the platform")]
    private partial void LogFailure(Exception fault);
}
