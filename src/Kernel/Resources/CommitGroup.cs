using System.Collections.Immutable;
using Groundwork.Kernel.Cluster;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;

namespace Groundwork.Kernel.Resources;

/// <summary>
/// The change log's part of one write transaction: catches up to head, decides each changeset against it, writes the
/// rows, and publishes one snapshot for the whole group when it is on disk. Everything here runs on the writer's
/// thread.
/// </summary>
internal sealed class CommitGroup(
    KindCatalog kinds,
    SnapshotPublisher publisher,
    Authorizer authorizer,
    SecretProtector secrets,
    AuditChain chain,
    ResourceRows rows,
    TimeProvider time) : IWriteGroupObserver
{
    /// <summary>How long a changeset's id is remembered.</summary>
    public static readonly TimeSpan RememberIdsFor = TimeSpan.FromHours(24);

    // Held by whoever turns rows into a snapshot: the writer after its commit, or the follower of other nodes' commits.
    // It keeps the two from publishing one change twice.
    private readonly Lock publishing = new();

    private readonly List<AppliedChange> applied = [];
    private readonly Dictionary<Guid, (byte[] Fingerprint, Commit Answer)> named = [];
    private Snapshot working = publisher.Current;
    private byte[] link = [];

    public void Begin(ISqlSession session)
    {
        var head = ResourceStore.ReadHead(session)
            ?? throw new InvalidDataException("The change log has no head row; the store is damaged.");
        CatchUp(session, head.Revision);
        applied.Clear();
        named.Clear();
        working = publisher.Current;
        link = head.Link;
    }

    public void Committing(ISqlSession session)
    {
        if (applied.Count > 0) ResourceStore.WriteHead(session, working.Revision, link);
    }

    public void Committed()
    {
        if (applied.Count == 0) return;
        lock (publishing) publisher.Publish(working, [.. applied]);
    }

    public void RolledBack()
    {
        // Begin starts anew; nothing of the group has been shown to anyone.
    }

    /// <summary>
    /// Takes over what has been committed up to head and is not visible here, by other nodes as a rule.
    /// </summary>
    public void CatchUp(ISqlSession session, long head)
    {
        lock (publishing)
        {
            while (publisher.Current is var current && current.Revision < head)
            {
                var batch = ResourceStore.ReadAfter(session, current.Revision, int.MaxValue, ResourceRows.BatchRows);
                if (batch.Count == 0) return;
                // The last revision may be cut by the limit: keep whole ones only.
                var last = batch[^1].Revision;
                if (batch.Count == ResourceRows.BatchRows && batch[0].Revision != last)
                    batch.RemoveAll(row => row.Revision == last);
                var changes = rows.ToChanges(batch, current);
                publisher.Publish(current.With(batch[^1].Revision, changes), changes);
            }
        }
    }

    /// <summary>Decides one changeset against head as this group has left it.</summary>
    public Outcome<Commit> Apply(ISqlSession session, PreparedChangeset changeset)
    {
        if (changeset.Fingerprint is { } fingerprint && FindNamed(session, changeset, fingerprint) is { } known)
            return known;
        if (changeset.Source.Fence is { } fence && ClusterStore.ReadToken(session, fence.Lease) != fence.Token)
        {
            return new Fault(
                ErrorCodes.LeaseLost,
                    $"The lease '{fence.Lease}' with token {fence.Token} has passed to another holder.");
        }
        if (!changeset.Approved && Approvals.Needed(working, changeset) is { } policy)
            return Propose(session, changeset, policy);
        var decided = Decide(session, changeset);
        if (!decided.TryGet(out var decision, out var fault)) return fault;
        var commit = Write(session, changeset, decision);
        if (changeset.Fingerprint is not null && !changeset.Source.DryRun) Remember(session, changeset, commit);
        return commit;
    }

    /// <summary>
    /// Undoes what <see cref="Apply"/> did to this object when the statements of the same write failed.
    /// </summary>
    public Mark TakeMark() => new(working, link, applied.Count);

    public void BackTo(Mark mark)
    {
        working = mark.Working;
        link = mark.Link;
        applied.RemoveRange(mark.Applied, applied.Count - mark.Applied);
    }

    private Outcome<Commit> Propose(ISqlSession session, PreparedChangeset changeset, string policy)
    {
        // What would be refused now is not worth a second person's time.
        var decided = Decide(session, changeset);
        if (!decided.TryGet(out var decision, out var fault)) return fault;
        if (decision.All(change => change.Effect == ChangeEffect.Unchanged)) return Write(session, changeset, decision);
        var proposal = Approvals.ToProposal(kinds, changeset, decision, policy);
        var written = Write(session, proposal, [Accept(proposal.Changes[0], before: null, ChangeEffect.Created)]);
        var commit = written with
        {
            Proposal = proposal.Changes[0].Key.Name,
            Effects = [.. decision.Select(change => (change.Prepared.Key, change.Effect))],
        };
        if (changeset.Fingerprint is not null && !changeset.Source.DryRun) Remember(session, changeset, commit);
        return commit;
    }

    private Outcome<ImmutableArray<DecidedChange>> Decide(ISqlSession session, PreparedChangeset changeset)
    {
        var decision = ImmutableArray.CreateBuilder<DecidedChange>(changeset.Changes.Length);
        foreach (var change in changeset.Changes)
        {
            var outcome = Decide(session, change);
            if (!outcome.TryGet(out var decided, out var fault)) return fault;
            decision.Add(decided);
        }
        var faults = CheckAgainstHead(session, changeset, decision);
        return faults is null ? decision.MoveToImmutable() : faults;
    }

    private Outcome<DecidedChange> Decide(ISqlSession session, PreparedChange change)
    {
        var before = working.Find(change.Key);
        if (change.Change.Expect is { } expect && expect != (before?.Revision ?? 0))
            return Conflict(change.Key, expect, before);
        if (change.IsDelete)
        {
            return before is null
                ? new Fault(ErrorCodes.ResourceNotFound, $"There is no {change.Key}.")
                : new DecidedChange(change, before, ChangeEffect.Deleted, default);
        }
        var spec = change.Spec;
        if (change.HoldsSecrets)
        {
            // Secrets that stay as they are keep their ciphertext, which a snapshot lacks for stored kinds.
            if (before is not null) before = rows.WithSpec(session, before);
            var sealedSpec = secrets.Protect(change.Kind, change.Key, spec, before);
            if (!sealedSpec.TryGet(out spec, out var fault)) return fault;
        }
        if (before is null)
        {
            if (working.Count(change.Kind.Name) >= Kind.MaxResources)
            {
                return new Fault(
                    ErrorCodes.KindFull,
                        $"There are {Kind.MaxResources} resources of kind {change.Kind.Name} already.");
            }
            return Accept(change, before, ChangeEffect.Created, spec);
        }
        return Accept(
            change, before, IsSame(change, before, spec) ? ChangeEffect.Unchanged : ChangeEffect.Updated, spec);
    }

    private static DecidedChange Accept(
        PreparedChange change, Resource? before, ChangeEffect effect, ReadOnlyMemory<byte>? spec = null) =>
        new(change, before, effect, spec ?? change.Spec);

    private static Fault Conflict(ResourceKey key, long expect, Resource? before) => new(
        ErrorCodes.RevisionConflict,
        (expect, before) switch
        {
            (0, { } there) => $"{key} exists already, at revision {there.Revision}.",
            (_, null) => $"{key} is expected at revision {expect} and does not exist.",
            (_, { } there) =>
                $"{key} is expected at revision {expect} and is at {there.Revision}, by {there.ChangedBy}.",
        })
    {
        Extensions = ImmutableDictionary<string, string>.Empty
            .Add("expected", $"{expect}").Add("actual", $"{before?.Revision ?? 0}"),
    };

    private bool IsSame(PreparedChange change, Resource before, ReadOnlyMemory<byte> spec)
    {
        if (before.Version != change.Kind.Version) return false;
        if (change.Labels is { } labels && !labels.SequenceEqual(before.Labels)) return false;
        // Ciphertexts of one secret differ; their masked forms do not.
        return change.SpecHash is { } hash
            ? hash.AsSpan().SequenceEqual(before.SpecHash.Span)
            : secrets.Mask(change.Kind, spec).Span.SequenceEqual(secrets.Mask(change.Kind, before.Spec).Span);
    }

    /// <summary>
    /// The rules between resources see the state as it would be, so that a changeset may bring both ends.
    /// </summary>
    private Fault? CheckAgainstHead(
        ISqlSession session, PreparedChangeset changeset, ImmutableArray<DecidedChange>.Builder decision)
    {
        Snapshot? tentative = null; // Most changes touch no rule that needs it.
        Snapshot After() => tentative ??= ToTentative(changeset, decision);
        var faults = new List<FieldFault>();
        foreach (var (index, change) in decision.Index())
        {
            if (change.Effect == ChangeEffect.Unchanged) continue;
            var (key, kind) = (change.Prepared.Key, change.Prepared.Kind);
            if (change.Effect == ChangeEffect.Created
                && !Namespaces.Exists(working, key.Namespace) && !Namespaces.Exists(After(), key.Namespace))
            {
                return new Fault(
                    ErrorCodes.NamespaceUnknown,
                    $"There is no namespace '{key.Namespace}'; apply a resource of kind namespace with that name "
                    + "first, or with it.");
            }
            if (key.Kind == Namespaces.KindName && change.Effect == ChangeEffect.Deleted
                && Namespaces.CheckDelete(After(), key) is { } notEmpty) return notEmpty;
            if (kind.HasRulesBetween)
            {
                var head = new HeadView(After(), resource => Open(session, resource));
                faults.AddRange(CheckBetween(head, change, decision.Count, index));
            }
            if (SecurityKinds.Concerns(key.Kind)
                && authorizer.MayGrant(
                    changeset.Source.Author, After(), key, change.Before, change.Prepared.Typed) is { } excess)
                return excess;
        }
        if (faults.Count == 0) return null;
        var subject = decision.Count == 1 ? decision[0].Prepared.Key.ToString() : "The changeset";
        return new Fault(ErrorCodes.ResourceInvalid, $"{subject} has {ChangesetPreparation.Count(faults.Count)}.")
        {
            Fields = [.. faults],
        };
    }

    private ReadOnlyMemory<byte> Open(ISqlSession session, Resource resource)
    {
        var whole = rows.WithSpec(session, resource);
        return whole.Kind is { } kind ? secrets.Open(kind, whole.Key, whole.Spec) : whole.Spec;
    }

    private static IEnumerable<FieldFault> CheckBetween(HeadView after, DecidedChange change, int changes, int index)
    {
        var own = new List<FieldFault>();
        change.Prepared.Kind.CheckAgainst(after, change.Prepared.Key, change.Prepared.Typed, own);
        return own.Select(field => ChangesetPreparation.Locate(changes, index, field));
    }

    private Snapshot ToTentative(PreparedChangeset changeset, IEnumerable<DecidedChange> decision) =>
        working.With(working.Revision, decision
            .Where(change => change.Effect != ChangeEffect.Unchanged)
            .Select((change, order) => new AppliedChange(
                working.Revision, order, change.Prepared.Key, change.Before,
                change.Prepared.IsDelete ? null : rows.Tentative(change, changeset, working.Revision),
                EndsChangeset: false)));

    private Commit Write(ISqlSession session, PreparedChangeset changeset, ImmutableArray<DecidedChange> decision)
    {
        var effects = decision.Select(change => (change.Prepared.Key, change.Effect)).ToImmutableArray();
        var effective = decision.Where(change => change.Effect != ChangeEffect.Unchanged).ToList();
        if (effective.Count == 0 || changeset.Source.DryRun) return new Commit(working.Revision, changeset.Id, effects);
        var revision = working.Revision + 1;
        var changes = new List<AppliedChange>(effective.Count);
        foreach (var change in effective)
        {
            var row = Link(rows.ToRow(change, changeset, revision, changes.Count));
            if (change.Prepared.Kind.Residency == Residency.Stored && !change.Prepared.IsDelete)
                ResourceStore.InsertContent(session, row.SpecHash, change.Spec);
            ResourceStore.Insert(session, row);
            changes.Add(new AppliedChange(
                revision, row.Order, row.Key, change.Before, change.Prepared.IsDelete
                    ? null
                    : rows.ToResource(change, row),
                EndsChangeset: changes.Count == effective.Count - 1));
        }
        changeset.Source.Also?.Invoke(session, revision);
        working = working.With(revision, changes);
        applied.AddRange(changes);
        return new Commit(revision, changeset.Id, effects);
    }

    private ChangeRow Link(ChangeRow row)
    {
        var digest = ChangeDigest.Of(row);
        Span<byte> message = stackalloc byte[ChangeDigest.MessageBytes];
        ChangeDigest.Message(row.Revision, row.Order, digest, message);
        var next = new byte[AuditChain.LinkBytes];
        chain.Link(link, message, next);
        link = next;
        return row with { Digest = digest, Link = next };
    }

    private Outcome<Commit>? FindNamed(ISqlSession session, PreparedChangeset changeset, byte[] fingerprint)
    {
        if (named.TryGetValue(changeset.Id, out var inGroup))
            return Repeat(changeset, fingerprint, inGroup.Fingerprint, inGroup.Answer);
        var notBefore = (time.GetUtcNow() - RememberIdsFor).ToUnixTimeMilliseconds();
        return ResourceStore.FindChangeset(session, changeset.Id, notBefore) is { } known
            ? Repeat(changeset, fingerprint, known.Fingerprint, CommitAnswer.Read(changeset.Id, known.Answer))
            : default(Outcome<Commit>?);
    }

    private static Outcome<Commit> Repeat(
        PreparedChangeset changeset, byte[] fingerprint, byte[] first, Commit answer) =>
        fingerprint.AsSpan().SequenceEqual(first)
            ? answer
            : new Fault(
                ErrorCodes.ChangesetIdReused, $"The id {changeset.Id} was used for other changes within 24 hours.");

    private void Remember(ISqlSession session, PreparedChangeset changeset, Commit commit)
    {
        var fingerprint = changeset.Fingerprint!; // The caller has checked it.
        named[changeset.Id] = (fingerprint, commit);
        ResourceStore.InsertChangeset(
            session, changeset.Id, new KnownChangeset(fingerprint, CommitAnswer.Write(commit)), changeset.At);
    }

    /// <summary>The state before one changeset of the group.</summary>
    public readonly record struct Mark(Snapshot Working, byte[] Link, int Applied);
}

/// <summary>A change whose effect on head is known.</summary>
/// <param name="Spec">As it goes to disk: secrets encrypted.</param>
internal sealed record DecidedChange(
    PreparedChange Prepared, Resource? Before, ChangeEffect Effect, ReadOnlyMemory<byte> Spec);
