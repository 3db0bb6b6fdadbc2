using System.Globalization;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Storage;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Security;

/// <summary>
/// Writes down where the chains stand: every 1,000 links, every hour, and at a clean stop. Rows cut off the end of a
/// chain leave a chain that verifies; only a checkpoint tells.
/// </summary>
public sealed partial class AuditCheckpoints
{
    /// <summary>Changes and events between two checkpoints.</summary>
    public const int EveryLinks = 1_000;

    /// <summary>Time between two checkpoints, when anything happened.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromHours(1);

    /// <summary>The event that tells of each checkpoint inside the database, so that a cut file is found too.</summary>
    internal const string Action = "checkpoint";

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly IStorage storage;
    private readonly AuditCheckpointFileStore file;
    private readonly AuditLog audit;
    private readonly byte[] key;
    private readonly string node;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly SemaphoreSlim writing = new(1, 1);
    private AuditCheckpoint? last; // Under writing.
    private long eventsAtLast; // Of the loop alone.

    internal AuditCheckpoints(
        IStorage storage,
        AuditCheckpointFileStore file,
        AuditLog audit,
        RootKey root,
        string node,
        TimeProvider time,
        ILogger logger)
    {
        this.storage = storage;
        this.file = file;
        this.audit = audit;
        this.node = node;
        this.time = time;
        this.logger = logger;
        key = root.CheckpointKey();
    }

    /// <summary>Writes a checkpoint of what is on disk now; none when nothing happened since the last.</summary>
    public async Task WriteAsync(CancellationToken cancellationToken)
    {
        await writing.WaitAsync(cancellationToken);
        try
        {
            var (head, end, known) = await storage.ReadAsync(
                session => (
                    ResourceStore.ReadHead(session), AuditStore.ReadEnd(session),
                    last is null ? AuditStore.FindLast(session, Action, node) : null),
                cancellationToken);
            if (head is null || (head.Revision == 0 && end.Sequence == 0)) return;
            last ??= file.Read().Checkpoints.LastOrDefault(line => line.Node == node);
            // The event of a checkpoint comes after it, so one more event than at the last is no news.
            if (last is not null && last.Revision == head.Revision && end.Sequence <= last.EventSequence + 1) return;
            var number = Math.Max(last?.Number ?? 0, NumberOf(known?.Target)) + 1;
            var checkpoint = new AuditCheckpoint(
                number, node, time.GetUtcNow().ToUnixTimeMilliseconds(), head.StoreId, head.Revision,
                Convert.ToHexStringLower(head.Link), end.Sequence, Convert.ToHexStringLower(end.Link),
                last?.Mac ?? "", "").Signed(key);
            file.Append(checkpoint);
            last = checkpoint;
            audit.Append(new AuditEvent(
                "system:audit", Action, TargetOf(number), AuditLog.Ok,
                Detail: string.Create(CultureInfo.InvariantCulture, $"revision {head.Revision}")));
        }
        finally
        {
            writing.Release();
        }
    }

    /// <summary>The loop of a running node; ends with the token.</summary>
    internal async Task RunAsync(ISnapshotSource snapshots, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(LookEvery, time);
        var writtenAt = time.GetTimestamp();
        var revision = snapshots.Current.Revision;
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            var links = snapshots.Current.Revision - revision + audit.Written - eventsAtLast;
            if (links < EveryLinks && time.GetElapsedTime(writtenAt) < Every) continue;
            try
            {
                await WriteAsync(cancellationToken);
                writtenAt = time.GetTimestamp();
                revision = snapshots.Current.Revision;
                eventsAtLast = audit.Written;
            }
            catch (Exception failure) when (failure is StorageException or IOException or UnauthorizedAccessException)
            {
                LogFailed(file.Path, failure.Message);
            }
        }
    }

    internal static string TargetOf(long number) => string.Create(CultureInfo.InvariantCulture, $"checkpoint {number}");

    internal static long NumberOf(string? target) =>
        target is not null && long.TryParse(
            target.AsSpan(target.IndexOf(' ', StringComparison.Ordinal) + 1), NumberStyles.None,
            CultureInfo.InvariantCulture,
            out var number)
            ? number
            : 0;

    [LoggerMessage(LogLevel.Error, "No audit checkpoint could be written to {Path}: {Reason}")]
    private partial void LogFailed(string path, string reason);
}
