using Groundwork.Kernel.Storage;
using Groundwork.Wire;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Cluster;

/// <summary>
/// Named leases: one holder in the cluster, by the database's clock. What is done under a lease carries its fencing
/// token, and the store refuses an older one in the same transaction, so a holder that was paused cannot write late.
/// </summary>
public sealed class Leases(IStorage storage, string holder, TimeProvider time, ILoggerFactory logs)
{
    private readonly ILogger<HeldLease> log = logs.CreateLogger<HeldLease>();

    /// <summary>Takes a lease and keeps it until disposed.</summary>
    /// <param name="name">Such as <c>compaction</c> or <c>prober/default/catalog/1</c>.</param>
    /// <param name="length">At least a second; how long others wait when this process dies.</param>
    /// <returns>The lease, or <c>lease_held</c> by another, or <c>storage_unavailable</c>.</returns>
    public async Task<Outcome<HeldLease>> TryAcquireAsync(
        string name, TimeSpan length, CancellationToken cancellationToken)
    {
        if (length < TimeSpan.FromSeconds(1))
            throw new ArgumentOutOfRangeException(nameof(length), length, "A lease is a second or longer.");
        try
        {
            var asked = time.GetTimestamp();
            var token = await storage.WriteAsync(
                session =>
                    ClusterStore.Acquire(session, name, holder, (long)length.TotalMilliseconds), cancellationToken);
            return token is { } number
                ? HeldLease.Keep(storage, new FencingToken(name, number), holder, length, asked, time, log)
                : new Fault(ErrorCodes.LeaseHeld, $"The lease '{name}' is held by another.");
        }
        catch (StorageException fault)
        {
            return fault.Fault;
        }
    }

    /// <summary>All leases that were ever taken, and the database's time.</summary>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    internal Task<(IReadOnlyList<LeaseRow> Leases, long Now)> ReadAsync(CancellationToken cancellationToken) =>
        storage.ReadAsync(
            session => ((IReadOnlyList<LeaseRow>)ClusterStore.ReadLeases(session), session.ReadClock()),
            cancellationToken);

    /// <summary>
    /// Refuses a module's write whose lease has passed on: call it first inside the write. Throws, so that the write's
    /// savepoint is rolled back.
    /// </summary>
    /// <exception cref="LeaseLostException">The token is not the one in force.</exception>
    public static void Check(ISqlSession session, FencingToken token)
    {
        if (ClusterStore.ReadToken(session, token.Lease) != token.Token) throw new LeaseLostException(token);
    }
}

/// <summary>A write came under a fencing token that is no longer in force.</summary>
public sealed class LeaseLostException(FencingToken token)
    : Exception($"The lease '{token.Lease}' with token {token.Token} has passed to another holder.")
{
    public FencingToken Token { get; } = token;
}

/// <summary>A lease that this process holds and renews.</summary>
public sealed partial class HeldLease : IAsyncDisposable
{
    private readonly IStorage storage;
    private readonly string holder;
    private readonly TimeSpan length;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly CancellationTokenSource lost = new();
    private readonly CancellationTokenSource stopping = new();
    private readonly PeriodicTimer timer;
    private readonly Task renewing;
    private Task<bool> attempt = Task.FromResult(true); // The last renewal that was asked for; the loop's.
    private long renewedAt;

    private HeldLease(
        IStorage storage, FencingToken token, string holder, TimeSpan length, long asked, TimeProvider time,
            ILogger log)
    {
        this.storage = storage;
        this.holder = holder;
        this.length = length;
        this.time = time;
        this.log = log;
        Token = token;
        renewedAt = asked;
        timer = new PeriodicTimer(length / 4, time);
        renewing = Task.Run(RenewLoopAsync, CancellationToken.None);
    }

    public FencingToken Token { get; }

    /// <summary>Cancelled when the lease has gone, or has surely run out while it could not be renewed.</summary>
    public CancellationToken Lost => lost.Token;

    internal static HeldLease Keep(
        IStorage storage, FencingToken token, string holder, TimeSpan length, long asked, TimeProvider time,
            ILogger log) =>
        new(storage, token, holder, length, asked, time, log);

    private async Task RenewLoopAsync()
    {
        try
        {
            while (await timer.WaitForNextTickAsync(stopping.Token))
            {
                if (await RenewAsync()) continue;
                LeaseLost(log, Token.Lease, Token.Token);
                await lost.CancelAsync();
                return;
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }

    /// <summary>
    /// False when the lease is gone, or has surely run out: a write may wait for the database for longer than a short
    /// lease lasts, and the holder must be told at its end and not at the write's.
    /// </summary>
    private async Task<bool> RenewAsync()
    {
        var asked = time.GetTimestamp();
        var left = length - time.GetElapsedTime(renewedAt, asked);
        attempt = storage.WriteAsync(
            session => ClusterStore.Renew(session, Token, holder, (long)length.TotalMilliseconds), stopping.Token);
        try
        {
            // Late already, after a pause: whether another has taken the lease, the database tells.
            var kept = await attempt.WaitAsync(left > TimeSpan.Zero ? left : length, time, stopping.Token);
            if (kept) renewedAt = asked;
            return kept;
        }
        catch (TimeoutException)
        {
            return false;
        }
        catch (StorageException fault)
        {
            NotRenewed(log, Token.Lease, fault.Fault.Detail);
            return time.GetElapsedTime(renewedAt) < length;
        }
    }

    /// <summary>Gives the lease back, so that others need not wait for it.</summary>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await renewing;
        timer.Dispose();
        try
        {
            await ((Task)attempt).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // It may outlast the loop.
            // Also when it is lost: a renewal that came late may have extended it.
            await storage.WriteAsync(
                session =>
                {
                    ClusterStore.Release(session, Token, holder);
                    return true;
                },
                CancellationToken.None);
        }
        catch (StorageException fault)
        {
            NotRenewed(log, Token.Lease, fault.Fault.Detail); // It runs out by itself.
        }
        lost.Dispose();
        stopping.Dispose();
    }

    [LoggerMessage(LogLevel.Warning, "The lease '{Lease}' with token {Token} is lost; its work goes on elsewhere.")]
    private static partial void LeaseLost(ILogger log, string lease, long token);

    [LoggerMessage(LogLevel.Warning, "The lease '{Lease}' could not be written ({Detail}).")]
    private static partial void NotRenewed(ILogger log, string lease, string detail);
}
