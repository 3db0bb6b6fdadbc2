using System.Runtime.CompilerServices;
using Groundwork.Kernel.Security;
using Groundwork.Wire;

namespace Groundwork.Kernel.Resources;

/// <summary>What to watch. Empty fields select everything.</summary>
public sealed record WatchFilter(string Kind = "", string? Namespace = null, string Prefix = "")
{
    public bool Selects(ResourceKey key) =>
        (Kind.Length == 0 || key.Kind == Kind)
        && (Namespace is null || key.Namespace == Namespace)
        && key.Name.StartsWith(Prefix, StringComparison.Ordinal);
}

/// <summary>Names a place in the log of one store: <c>storeId.revision.order</c>.</summary>
public readonly record struct WatchToken(string StoreId, long Revision, int Order)
{
    public static bool TryParse(string? text, out WatchToken token)
    {
        token = default;
        var parts = text?.Split('.');
        if (parts is not [{ Length: > 0 } store, var revision, var order]) return false;
        if (!long.TryParse(revision, out var number) || number < 0 || !int.TryParse(order, out var place) || place < 0)
            return false;
        token = new WatchToken(store, number, place);
        return true;
    }

    public override string ToString() => $"{StoreId}.{Revision}.{Order}";
}

/// <summary>
/// A step of a watch: changes to deliver, or none and the place reached, so that the reader's token stays fresh.
/// </summary>
public sealed record WatchStep(WatchToken Token, IReadOnlyList<AppliedChange> Changes);

/// <summary>
/// Follows the log for one reader: every change it may see, once, in order. The reader's pace is its own; a position is
/// all that is kept for it.
/// </summary>
public sealed class Watch(ChangeLog changes, TimeProvider time)
{
    /// <summary>Changes handed over in one step.</summary>
    private const int StepChanges = 256;

    /// <summary>
    /// A reader without news learns its place so often; proxies close connections that are silent for a minute.
    /// </summary>
    public static readonly TimeSpan ProgressEvery = TimeSpan.FromSeconds(15);

    /// <summary>
    /// The changes after a token, filtered by what the principal may read, asked anew when roles change. The first step
    /// comes at once, with or without changes, so that the reader knows that it is heard.
    /// </summary>
    /// <returns>
    /// Ends with a fault: <c>watch_store_changed</c> for a token of another store, <c>revision_compacted</c> when the
    /// place is below the floor, <c>revision_unknown</c> when it is above head, <c>storage_unavailable</c>.
    /// </returns>
    public IAsyncEnumerable<Outcome<WatchStep>> FollowAsync(
        Principal principal, WatchFilter filter, WatchToken after, CancellationToken cancellationToken) =>
        FollowAsync(LastingCaller.Of(principal, changes.Authorizer, time), filter, after, cancellationToken);

    /// <summary>The same for a caller whose credential may end meanwhile: then with <c>unauthenticated</c>.</summary>
    internal async IAsyncEnumerable<Outcome<WatchStep>> FollowAsync(
        LastingCaller caller,
        WatchFilter filter,
        WatchToken after,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (Check(after) is { } refused)
        {
            yield return refused;
            yield break;
        }
        var position = new Position(after.Revision, after.Order);
        var batch = new List<AppliedChange>(StepChanges);
        long? told = null;
        while (!cancellationToken.IsCancellationRequested)
        {
            var next = changes.Feed.Next(filter.Kind);
            batch.Clear();
            if (!changes.Feed.TryRead(position, StepChanges, batch, out var readTo))
            {
                var older = await ReadOlderAsync(position, cancellationToken);
                if (!older.TryGet(out var stored, out var fault))
                {
                    yield return fault;
                    yield break;
                }
                batch.AddRange(stored.Changes);
                readTo = stored.ReadTo;
            }
            // Asked with what is about to be delivered at hand: a credential that has ended is sent nothing more.
            var asked = await caller.AskAsync();
            if (!asked.TryGet(out var principal, out var ended))
            {
                yield return ended;
                yield break;
            }
            var more = batch.Count == StepChanges;
            var seen = batch.Where(change => Sees(principal, filter, change)).ToList();
            position = readTo;
            if (seen.Count > 0 || told is null || time.GetElapsedTime(told.Value) >= ProgressEvery)
            {
                told = time.GetTimestamp();
                yield return Step(position, seen);
            }
            if (!more) await WaitAsync(next, ProgressEvery - time.GetElapsedTime(told.Value), cancellationToken);
        }
    }

    private WatchStep Step(Position position, IReadOnlyList<AppliedChange> seen) =>
        new(new WatchToken(changes.StoreId, position.Revision, position.Order), seen);

    private bool Sees(Principal principal, WatchFilter filter, AppliedChange change) =>
        filter.Selects(change.Key) && changes.Authorizer.Allows(principal, Verb.Read, change.Key);

    private Fault? Check(WatchToken after)
    {
        if (after.StoreId != changes.StoreId)
        {
            return new Fault(
                ErrorCodes.WatchStoreChanged,
                $"The token is of store {after.StoreId}, this is {changes.StoreId}; list again and watch from there.");
        }
        if (after.Revision > changes.Snapshots.Current.Revision)
        {
            return new Fault(
                ErrorCodes.RevisionUnknown,
                $"There is no revision {after.Revision} yet; the newest is {changes.Snapshots.Current.Revision}.");
        }
        return after.Revision < changes.Floor ? History.Compacted(after.Revision, changes.Floor) : null;
    }

    /// <summary>What the feed no longer holds, from the database; below the floor there is nothing to give.</summary>
    private async Task<Outcome<(IReadOnlyList<AppliedChange> Changes, Position ReadTo)>> ReadOlderAsync(
        Position position, CancellationToken cancellationToken)
    {
        var stored = await changes.History.AfterAsync(position, StepChanges, cancellationToken);
        // Asked after the read: a compaction in between has taken contents that the read may have missed.
        return position.Revision < changes.Floor ? History.Compacted(position.Revision, changes.Floor) : stored;
    }

    /// <summary>Until there is news, or it is time to tell the reader where it stands.</summary>
    private async Task WaitAsync(Task next, TimeSpan patience, CancellationToken cancellationToken)
    {
        if (patience <= TimeSpan.Zero) return;
        try
        {
            await next.WaitAsync(patience, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // The loop looks at the clock itself.
        }
        catch (OperationCanceledException)
        {
            // The loop ends on the token.
        }
    }
}
