using Groundwork.Kernel.Storage;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.KeyValue.Leases;

/// <summary>
/// Ends leases that nobody renews, by the database's clock, so that it does not matter which node does it, nor what its
/// own clock says. When nobody has looked for a while, nobody could renew either: then every lease gets its whole time
/// again instead.
/// </summary>
internal sealed partial class LeaseSweep(KeyValues keys, TimeProvider time, ILogger logger)
{
    /// <summary>Between two looks.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    /// <summary>While there are leases, somebody writes this often that he has looked.</summary>
    private static readonly TimeSpan SweptEvery = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Without a look for this long, all nodes were away or stood still: longer than a busy store delays one, shorter
    /// than the shortest session.
    /// </summary>
    private static readonly TimeSpan MaxGap = TimeSpan.FromSeconds(5);

    /// <summary>Leases that end in one transaction.</summary>
    private const int MaxPerRound = 100;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var away = false;
        while (true)
        {
            try
            {
                while (await RoundAsync(cancellationToken))
                    cancellationToken.ThrowIfCancellationRequested();
                away = false;
            }
            catch (StorageException failure)
            {
                if (!away) LogAway(failure.Fault.Error.Code);
                away = true;
            }
            await Task.Delay(Interval, time, cancellationToken);
        }
    }

    /// <summary>Looks once.</summary>
    /// <returns>True when more may be over.</returns>
    internal async Task<bool> RoundAsync(CancellationToken cancellationToken)
    {
        var isDue = await keys.Storage.ReadAsync(
            session => LeaseStore.Sweep(session) is var (swept, next) && next is { } end
                && session.ReadClock() is var now
                && (end <= now || now - swept >= (long)SweptEvery.TotalMilliseconds),
            cancellationToken);
        if (!isDue) return false;
        var (ended, extended) = await keys.WriteSweepAsync(Sweep, cancellationToken);
        if (extended > 0) LogExtended(extended);
        return ended == MaxPerRound;
    }

    private static (int Ended, int Extended) Sweep(ISqlSession session, KeyTransaction transaction)
    {
        var now = transaction.Now;
        var (swept, _) = LeaseStore.Sweep(session);
        LeaseStore.SetSwept(session, now);
        if (now - swept >= (long)MaxGap.TotalMilliseconds) return (0, LeaseStore.ExtendAll(session, now));
        var due = LeaseStore.Due(session, now, MaxPerRound);
        foreach (var lease in due) transaction.Revoke(lease);
        LeaseStore.ForgetDelays(session, now);
        return (due.Count, 0);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Leases are not looked after: the store refuses with {Code}")]
    private partial void LogAway(string code);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Nobody looked after leases for a while, so nobody could renew; {Count} got their whole time again")]
    private partial void LogExtended(int count);
}
