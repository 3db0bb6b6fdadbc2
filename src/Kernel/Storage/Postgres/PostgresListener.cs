using Microsoft.Extensions.Logging;
using Npgsql;

namespace Groundwork.Kernel.Storage.Postgres;

/// <summary>
/// Hears on a connection of its own that another node committed. One task; it reconnects for ever and needs nobody.
/// </summary>
internal sealed partial class PostgresListener : IAsyncDisposable
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LastBackoff = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource stopping = new();
    private readonly string connectionString;
    private readonly string ownId;
    private readonly Action heard;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly Task loop;

    /// <param name="ownId">What this node's own notifications carry; they are passed over.</param>
    public PostgresListener(PostgresOptions options, string ownId, Action heard, TimeProvider time, ILogger log)
    {
        this.ownId = ownId;
        this.heard = heard;
        this.time = time;
        this.log = log;
        connectionString = new NpgsqlConnectionStringBuilder(options.ConnectionString)
        {
            Pooling = false,
            Timeout = 3,
            KeepAlive = 5, // Seconds: a connection that died in silence is found by then.
            ApplicationName = "groundwork-listener",
        }.ConnectionString;
        loop = Task.Run(ListenForEverAsync);
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await stopping.CancelAsync();
        }
        catch (AggregateException exception) when (exception.InnerException is ObjectDisposedException)
        {
            // Npgsql's own callback finds its connection disposed when it broke in this very moment. We are cancelled
            // all the same.
            LogCancelRace(log, exception);
        }

        await loop;
    }

    private async Task ListenForEverAsync()
    {
        var backoff = FirstBackoff;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(() => backoff = FirstBackoff);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // Whatever ends a connection: the loop goes on, and says so.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                LogLost(log, exception);
                Tell(); // Something may have been said meanwhile.
            }

            try
            {
                await Task.Delay(backoff, time, stopping.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            backoff = backoff * 2 < LastBackoff ? backoff * 2 : LastBackoff;
        }
    }

    private async Task ListenAsync(Action connected)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(stopping.Token);
        connection.Notification += (_, notification) =>
        {
            if (notification.Payload != ownId) Tell();
        };
        await using (var listen = new NpgsqlCommand($"LISTEN {PostgresWriter.Channel}", connection))
            await listen.ExecuteNonQueryAsync(stopping.Token);
        connected();
        Tell(); // What was said before we listened.
        while (true) await connection.WaitAsync(stopping.Token);
    }

    private void Tell()
    {
        try
        {
            heard();
        }
#pragma warning disable CA1031 // A hearer's bug must not end the listening.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogHearerFailed(log, exception);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The listening connection broke while it was told to stop.")]
    private static partial void LogCancelRace(ILogger log, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The connection that hears of other nodes' commits is lost.")]
    private static partial void LogLost(ILogger log, Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "A hearer of other nodes' commits failed.")]
    private static partial void LogHearerFailed(ILogger log, Exception exception);
}
