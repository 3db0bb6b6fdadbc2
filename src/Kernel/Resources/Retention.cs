using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Resources;

/// <summary>
/// The spec of the one resource <c>retention history</c>. Without it the history is kept for ever.
/// </summary>
public sealed record RetentionSpec(
    [Description(
        "Days for which every version can be read, watched from and rolled back to; 1 to 36,500. Older versions lose "
        + "their content, but for the newest of each resource. The rows that the audit vouches for stay.")]
    [Range(1, 36_500)]
    int HistoryDays);

/// <summary>
/// Compacts what is older than the retention says, every hour and on every node: a second one finds nothing to do,
/// because the floor is looked at under the writer's lock.
/// </summary>
internal sealed partial class Retention(ChangeLog changes, IStorage storage, TimeProvider time, ILogger log)
{
    public const string KindName = "retention";

    /// <summary>The only one there is.</summary>
    private const string Name = "history";

    private const int MaxDays = 36_500;

    private static readonly TimeSpan Every = TimeSpan.FromHours(1);

    public static Kind<RetentionSpec> Kind { get; } = new(KindName, RetentionJson.Default.RetentionSpec)
    {
        Module = "kernel",
        Summary = "How long the history is kept; without it for ever.",
        Namespaced = false,
        Validate = static (spec, faults) =>
        {
            if (spec.HistoryDays is < 1 or > MaxDays)
                faults.Add(new FieldFault("spec.historyDays", $"must be 1 to {MaxDays}"));
        },
        ValidateAgainst = static (_, key, spec, faults) =>
        {
            if (spec is not null && key.Name != Name) faults.Add(new FieldFault("name", $"must be {Name}"));
        },
    };

    /// <summary>The loop of a running node; ends with the token.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Every, time);
        while (true)
        {
            try
            {
                if (!await timer.WaitForNextTickAsync(cancellationToken)) return;
                await SweepAsync(cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                Failed(log, failure); // The next hour tries again; nothing waits for it.
            }
        }
    }

    /// <summary>Compacts once, as far as the retention in force allows.</summary>
    internal async Task SweepAsync(CancellationToken cancellationToken)
    {
        var snapshot = changes.Snapshots.Current;
        if (snapshot.Find(KindName, "", Name)?.As<RetentionSpec>() is not { } kept) return;
        var until = (time.GetUtcNow() - TimeSpan.FromDays(kept.HistoryDays)).ToUnixTimeMilliseconds();
        var floor = await storage.ReadAsync(
            session => ResourceStore.LastAt(session, changes.Floor, snapshot.Revision, until), cancellationToken);
        if (floor <= changes.Floor) return;
        var compacted = await changes.Compaction.RunAsync(floor, cancellationToken);
        if (compacted.TryGet(out var done, out var fault)) Compacted(log, done.Floor, kept.HistoryDays, done.Dropped);
        else Refused(log, fault.ToString());
    }

    [LoggerMessage(
        LogLevel.Information,
        "History up to revision {Floor}, which is older than {Days} days, was compacted: {Dropped} versions.")]
    private static partial void Compacted(ILogger log, long floor, int days, long dropped);

    [LoggerMessage(LogLevel.Warning, "History was not compacted ({Reason}); it is tried again in an hour.")]
    private static partial void Refused(ILogger log, string reason);

    [LoggerMessage(LogLevel.Error, "Compacting the history failed; it is tried again in an hour.")]
    private static partial void Failed(ILogger log, Exception failure);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RetentionSpec))]
internal sealed partial class RetentionJson : JsonSerializerContext;
