using Groundwork.Kernel.Cluster;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.Registry.Probing;

/// <summary>
/// Probes the persistent instances of all services whose policy says so, on one node of the cluster at a time: the one
/// that holds the lease. Verdicts are in the store before anybody sees them, under the lease's fencing token, so a
/// holder that was paused cannot speak late.
/// </summary>
/// <param name="acquire">Asks for the lease.</param>
internal sealed partial class Prober(
    InstanceRegistry registry,
    ProbeStore store,
    Func<CancellationToken, Task<Outcome<HeldLease>>> acquire,
    Func<ProbeRounds> begin,
    TimeProvider time,
    ILogger logger)
{
    /// <summary>The lease's name.</summary>
    public const string LeaseName = "registry/prober";

    /// <summary>How long the others wait when the holder dies: two intervals of a usual probe.</summary>
    public static readonly TimeSpan LeaseLength = TimeSpan.FromSeconds(10);

    /// <summary>Between two attempts to get the lease.</summary>
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan RoundInterval = TimeSpan.FromMilliseconds(100);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (registry.Policies.Probed.Count > 0)
            {
                try
                {
                    await TryHoldAsync(cancellationToken);
                }
                catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
                {
                    LogFailed(failure); // Without the lease now: the next attempt, or another node, goes on.
                }
            }
            await Task.Delay(RetryInterval, time, cancellationToken);
        }
    }

    private async Task TryHoldAsync(CancellationToken cancellationToken)
    {
        var asked = await acquire(cancellationToken);
        if (!asked.TryGet(out var lease, out var fault))
        {
            if (fault.Error != ErrorCodes.LeaseHeld) LogNotAsked(fault.Detail);
            return;
        }
        await using (lease)
        {
            LogHolds();
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lease.Lost);
            await HoldAsync(lease.Token, ending.Token);
        }
    }

    private async Task HoldAsync(FencingToken token, CancellationToken ending)
    {
        var rounds = begin();
        var unwritten = new List<ProbeResult>();
        try
        {
            using var timer = new PeriodicTimer(RoundInterval, time);
            while (await timer.WaitForNextTickAsync(ending) && registry.Policies.Probed.Count > 0)
            {
                unwritten.AddRange(rounds.Round(ending));
                if (unwritten.Count > 0 && await WriteAsync(token, unwritten, ending)) unwritten.Clear();
            }
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The node stops, or the lease is lost.
        }
        catch (LeaseLostException)
        {
            LogLost();
        }
        finally
        {
            await rounds.EndAsync();
        }
    }

    /// <returns>False when the store is away: the verdicts wait for it as long as the lease lasts.</returns>
    private async Task<bool> WriteAsync(FencingToken token, List<ProbeResult> results, CancellationToken ending)
    {
        try
        {
            await store.WriteAsync(token, results, ending);
        }
        catch (StorageException fault)
        {
            LogNotAsked(fault.Fault.Detail);
            return false;
        }
        foreach (var result in results) registry.TakeProbe(result, ours: true);
        return true;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "This node probes the registry's persistent instances now")]
    private partial void LogHolds();

    [LoggerMessage(Level = LogLevel.Warning, Message = "Another node probes now; a late verdict was refused")]
    private partial void LogLost();

    [LoggerMessage(Level = LogLevel.Warning, Message = "The prober cannot reach the store: {Reason}")]
    private partial void LogNotAsked(string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Probing failed; it is begun anew")]
    private partial void LogFailed(Exception failure);
}
