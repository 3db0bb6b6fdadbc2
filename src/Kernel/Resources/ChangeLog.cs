using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Resources;

/// <summary>
/// The one ordered log of changes of a store: commits changesets, follows what other nodes commit, and keeps the
/// snapshot that every module reads.
/// </summary>
public sealed partial class ChangeLog : IAsyncDisposable
{
    /// <summary>How often the log is read for changes of other nodes, whether or not a notification came.</summary>
    private static readonly TimeSpan PollEvery = TimeSpan.FromSeconds(1);

    private readonly IStorage storage;
    private readonly TimeProvider time;
    private readonly ILogger<ChangeLog> log;
    private readonly ChangesetPreparation preparation;
    private readonly CommitGroup group;
    private readonly SnapshotPublisher publisher;
    private readonly ResourceRows rows;
    private readonly CancellationTokenSource stopping = new();
    private readonly SemaphoreSlim news = new(0, 1);
    private Task following = Task.CompletedTask;
    private long floor;

    private ChangeLog(ChangeLogParts parts, LogHead head, Snapshot first)
    {
        storage = parts.Storage;
        time = parts.Time;
        log = parts.Logs.CreateLogger<ChangeLog>();
        Kinds = parts.Kinds;
        rows = new ResourceRows(parts.Kinds);
        publisher = new SnapshotPublisher(first, parts.Time, parts.Logs.CreateLogger<SnapshotPublisher>());
        Feed = new ChangeFeed(first.Revision);
        publisher.Subscribe(change => Feed.Append(change.After, change.Changes));
        floor = head.Floor;
        Authorizer = parts.Authorizer;
        Secrets = parts.Secrets;
        preparation = new ChangesetPreparation(parts.Kinds, parts.Authorizer, parts.Chain, parts.Time);
        group = new CommitGroup(parts.Kinds, publisher, parts.Authorizer, parts.Secrets, parts.Chain, rows, parts.Time);
        History = new History(this, storage, rows);
        Undo = new Undo(this, storage);
        Approvals = new Approvals(this);
        Compaction = new Compaction(this, storage, parts.Time);
        Retention = new Retention(this, storage, parts.Time, parts.Logs.CreateLogger<Retention>());
    }

    /// <summary>The snapshot and its subscriptions.</summary>
    public ISnapshotSource Snapshots => publisher;

    public KindCatalog Kinds { get; }

    public History History { get; }

    public Undo Undo { get; }

    public Approvals Approvals { get; }

    public Compaction Compaction { get; }

    public string StoreId => publisher.Current.StoreId;

    /// <summary>History at and below this revision is gone, but for the newest version of what lives.</summary>
    public long Floor => Interlocked.Read(ref floor);

    internal DateTimeOffset Now => time.GetUtcNow();

    internal ChangeFeed Feed { get; }

    internal Retention Retention { get; }

    internal Authorizer Authorizer { get; }

    internal SecretProtector Secrets { get; }

    /// <summary>The kernel's own tables.</summary>
    public static IReadOnlyList<Migration> Migrations => ResourceStore.Migrations;

    /// <summary>The kernel's own kinds of this part.</summary>
    public static IReadOnlyList<Kind> OwnKinds { get; } =
        [Namespaces.Kind, Resources.Approvals.PolicyKind, Resources.Approvals.ProposalKind, Resources.Retention.Kind];

    /// <summary>Loads the newest version of everything and starts to follow the log.</summary>
    public static async Task<ChangeLog> OpenAsync(ChangeLogParts parts, CancellationToken cancellationToken)
    {
        var newStoreId = Guid.CreateVersion7(parts.Time.GetUtcNow()).ToString("N");
        var translation = new ResourceRows(parts.Kinds);
        await parts.Storage.WriteAsync(
            session =>
            {
                ResourceStore.CreateHead(session, newStoreId);
                return true;
            },
            cancellationToken);
        var (head, snapshot) = await parts.Storage.ReadAsync(
            session =>
            {
                var head = ResourceStore.ReadHead(session)
                    ?? throw new InvalidDataException("The change log has no head row; the store is damaged.");
                var live = new List<Resource>();
                ResourceStore.ReadLive(session, row => live.Add(translation.ToResource(row)));
                return (head, Snapshot.Load(head.StoreId, head.Revision, live));
            },
            cancellationToken);
        var changes = new ChangeLog(parts, head, snapshot);
        parts.Storage.Attach(changes.group);
        parts.Storage.CommittedElsewhere += changes.NoteNews;
        changes.following = Task.WhenAll(
            Task.Run(changes.FollowAsync, CancellationToken.None),
            Task.Run(() => changes.Retention.RunAsync(changes.stopping.Token), CancellationToken.None));
        return changes;
    }

    /// <summary>
    /// Commits a changeset, or says why not. Authorises every change, validates it alone and against head, and answers
    /// when it is on disk and the local snapshot shows it.
    /// </summary>
    /// <returns>
    /// The commit, or a fault: of the request (<c>resource_invalid</c>, <c>forbidden</c> …), of the moment
    /// (<c>revision_conflict</c> …) or of the store (<c>storage_full</c>, <c>storage_unavailable</c>,
    /// <c>write_queue_full</c>). Nothing of a refused changeset is in the store.
    /// </returns>
    public ValueTask<Outcome<Commit>> CommitAsync(Changeset changeset, CancellationToken cancellationToken)
    {
        var prepared = preparation.Prepare(changeset);
        return prepared.TryGet(out var ready, out var fault)
            ? CommitAsync(ready, cancellationToken)
            : ValueTask.FromResult<Outcome<Commit>>(fault);
    }

    internal async ValueTask<Outcome<Commit>> CommitAsync(
        PreparedChangeset prepared, CancellationToken cancellationToken)
    {
        try
        {
            return prepared.Source.Also is null
                ? await storage.WriteAsync(
                    session => group.Apply(session, prepared), cancellationToken, WriteScope.Group)
                : await storage.WriteAsync(session => ApplyWithStatements(session, prepared), cancellationToken);
        }
        catch (StorageException fault)
        {
            return fault.Fault;
        }
        catch (CommitRefusedException refusal)
        {
            return refusal.Fault;
        }
        catch (Cluster.LeaseLostException lost)
        {
            return new Fault(ErrorCodes.LeaseLost, lost.Message);
        }
    }

    /// <summary>Prepares without committing, for callers that commit something else in the end.</summary>
    internal Outcome<PreparedChangeset> Prepare(Changeset changeset) => preparation.Prepare(changeset);

    private Outcome<Commit> ApplyWithStatements(ISqlSession session, PreparedChangeset prepared)
    {
        var mark = group.TakeMark();
        try
        {
            return group.Apply(session, prepared);
        }
        catch
        {
            group.BackTo(mark); // The savepoint takes the statements back.
            throw;
        }
    }

    /// <summary>The whole resource of a stored kind, in the version the snapshot has; secrets encrypted.</summary>
    public async ValueTask<Outcome<Resource>> ReadStoredAsync(Resource resource, CancellationToken cancellationToken)
    {
        if (!resource.Spec.IsEmpty) return resource;
        try
        {
            return await storage.ReadAsync(session => rows.WithSpec(session, resource), cancellationToken);
        }
        catch (StorageException fault)
        {
            return fault.Fault;
        }
    }

    /// <summary>
    /// The resource's spec with its secrets in clear. The caller has checked <see cref="Verb.ReadSecret"/>.
    /// </summary>
    public ReadOnlyMemory<byte> Open(Resource resource) =>
        resource.Kind is { } kind ? Secrets.Open(kind, resource.Key, resource.Spec) : resource.Spec;

    internal void RaiseFloor(long newFloor)
    {
        // Two nodes may tell of floors in any order; it never goes down.
        for (var known = Floor; newFloor > known; known = Floor)
            if (Interlocked.CompareExchange(ref floor, newFloor, known) == known) return;
    }

    /// <summary>Another node has committed; called by the storage, on any thread.</summary>
    private void NoteNews()
    {
        try
        {
            news.Release();
        }
        catch (SemaphoreFullException)
        {
            // Somebody has said so already.
        }
    }

    private async Task FollowAsync()
    {
        var cut = false;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await WaitForNewsAsync();
                await CatchUpAsync();
                if (cut) Reachable(log);
                cut = false;
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (StorageException fault)
            {
                // The next poll asks again; readers go on with the snapshot, whose age tells.
                if (!cut) Unreachable(log, fault.Fault.Detail);
                cut = true;
            }
            catch (Exception fault)
            {
                FollowFailed(log, fault);
            }
        }
    }

    private async Task WaitForNewsAsync()
    {
        using var wait = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
        var poll = Task.Delay(PollEvery, time, wait.Token);
        var told = news.WaitAsync(wait.Token);
        await Task.WhenAny(poll, told);
        await wait.CancelAsync();
        stopping.Token.ThrowIfCancellationRequested();
    }

    private Task<bool> CatchUpAsync() => storage.ReadAsync(
        session =>
        {
            var head = ResourceStore.ReadHead(session)
                ?? throw new InvalidDataException("The change log has no head row; the store is damaged.");
            RaiseFloor(head.Floor);
            publisher.NoteNews();
            group.CatchUp(session, head.Revision);
            return true;
        },
        stopping.Token);

    public async ValueTask DisposeAsync()
    {
        storage.CommittedElsewhere -= NoteNews;
        await stopping.CancelAsync();
        await following;
        stopping.Dispose();
        news.Dispose();
    }

    [LoggerMessage(
        LogLevel.Warning, "The database cannot be read ({Detail}); this node answers from memory and refuses writes.")]
    private static partial void Unreachable(ILogger log, string detail);

    [LoggerMessage(LogLevel.Information, "The database answers again.")]
    private static partial void Reachable(ILogger log);

    [LoggerMessage(LogLevel.Error, "Following the change log failed; it is tried again.")]
    private static partial void FollowFailed(ILogger log, Exception fault);
}

/// <summary>What the change log stands on.</summary>
public sealed record ChangeLogParts(
    IStorage Storage,
    KindCatalog Kinds,
    Authorizer Authorizer,
    SecretProtector Secrets,
    AuditChain Chain,
    TimeProvider Time,
    ILoggerFactory Logs);

/// <summary>Thrown by a changeset's own statements to refuse it: the fault is the answer, nothing is written.</summary>
public sealed class CommitRefusedException(Fault fault) : Exception(fault.ToString())
{
    public Fault Fault { get; } = fault;
}
