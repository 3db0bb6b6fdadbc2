using System.Threading.Channels;
using Groundwork.Kernel.Storage;
using Groundwork.Services.Registry.Protocols.Etcd;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.KeyValue.Leases;

/// <summary>
/// Deregisters instances whose lease of etcd is over. It asks which leases there are, instead of being told which have
/// ended, so that nothing is left behind by a crash in between or by a lease that another node has ended.
/// </summary>
internal sealed partial class NamingLeases(KeyValues keys, NamingKeys naming, TimeProvider time, ILogger logger)
{
    /// <summary>Between two looks; the end of a lease on this node is looked at at once.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>The same before anybody has asked for keys: another node may have registered some.</summary>
    private static readonly TimeSpan IdleInterval = TimeSpan.FromSeconds(10);

    private readonly Channel<bool> ended = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        keys.LeasesEnded += Hurry;
        try
        {
            while (true)
            {
                var any = await LookAsync(cancellationToken);
                using var timer = time.CreateTimer(
                    // Never null: it is this.
                    static state => ((NamingLeases)state!).Hurry(), this, any ? Interval : IdleInterval,
                    Timeout.InfiniteTimeSpan);
                await ended.Reader.ReadAsync(cancellationToken);
            }
        }
        finally
        {
            keys.LeasesEnded -= Hurry;
        }
    }

    /// <summary>Looks once.</summary>
    /// <returns>True when there are instances with leases.</returns>
    internal async Task<bool> LookAsync(CancellationToken cancellationToken)
    {
        if (!naming.HasLeases()) return false;
        try
        {
            await naming.BeginAsync(cancellationToken);
            // In this order: a lease that is used was there before.
            var gone = naming.Leases().ToHashSet();
            var there = await keys.ReadAsync(reading => reading.LeaseIds(), cancellationToken);
            gone.ExceptWith(there);
            if (gone.Count == 0) return true;
            if (await naming.Writes.EndAsync(gone, cancellationToken) is { } fault) LogAway(fault.Error.Code);
        }
        catch (StorageException failure)
        {
            LogAway(failure.Fault.Error.Code);
        }
        return true;
    }

    private void Hurry() => ended.Writer.TryWrite(true);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Instances whose lease of etcd is over may still be there: the store refuses with {Code}")]
    private partial void LogAway(string code);
}
