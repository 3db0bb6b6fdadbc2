using System.Collections.Immutable;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using Groundwork.Kernel.Security;
using Groundwork.Wire;

namespace Groundwork.Kernel.Resources;

/// <summary>The spec of an <c>approval-policy</c>: which changes need a second person.</summary>
public sealed record ApprovalPolicySpec(
    [Description("Kinds it covers; * for all.")]
    IReadOnlyList<string> Kinds,
    [Description("Namespaces it covers; * for all, node-wide kinds included.")]
    IReadOnlyList<string> Namespaces,
    [Description("Names it covers: exact, prefix*, or * (default) for all.")]
    IReadOnlyList<string>? Names = null,
    [Description("Why, for those who are asked to wait.")]
    string? Description = null);

/// <summary>
/// The spec of a <c>proposal</c>: a changeset that waits, or waited, for a second person. Written by the log alone.
/// </summary>
public sealed record ProposalSpec(
    [Description("proposed, released or refused.")]
    [AllowedValues("proposed", "released", "refused")]
    string State,
    [Description("Who wants it.")]
    string Author,
    [Description("Why.")]
    string Reason,
    [Description("Name of the policy that asked for it.")]
    string Policy,
    [Description("When it was proposed.")]
    DateTimeOffset ProposedAt,
    [Description("What would change.")]
    IReadOnlyList<ProposedChange> Changes,
    [Description("Who released or refused it.")]
    string? DecidedBy = null,
    [Description("When that was.")]
    DateTimeOffset? DecidedAt = null,
    [Description("Why it was decided so.")]
    string? DecisionReason = null);

/// <summary>A change that waits; its spec has its secrets encrypted.</summary>
public sealed record ProposedChange(
    [Description("What happens to the resource.")]
    [AllowedValues("put", "delete")]
    string Operation,
    [Description("Its kind.")]
    string Kind,
    [Description("Its namespace; empty for node-wide kinds.")]
    string Namespace,
    [Description("Its name.")]
    string Name,
    [Description("The revision it was written against; 0 for a new one.")]
    long Expect,
    [Description("Its spec, secrets encrypted.")]
    JsonElement? Spec = null,
    [Description("Its labels; those in place when not given.")]
    IReadOnlyDictionary<string, string>? Labels = null);

/// <summary>
/// Four eyes, once for every kind: a changeset that touches what a policy covers becomes a proposal, and takes effect
/// when somebody else approves it. All steps are changes of the proposal, so the history shows them.
/// </summary>
public sealed class Approvals
{
    public const string PolicyKindName = "approval-policy";

    public const string ProposalKindName = "proposal";

    private const string Proposed = "proposed";
    private const string Released = "released";
    private const string Refused = "refused";

    /// <summary>
    /// The label of a proposal that repeats its state, so that those that wait are found without reading them all.
    /// </summary>
    private const string StateLabel = "state";

    /// <summary>What a proposal's state may be.</summary>
    internal static readonly ImmutableArray<string> States = [Proposed, Released, Refused];

    private readonly ChangeLog changes;

    internal Approvals(ChangeLog changes) => this.changes = changes;

    public static Kind<ApprovalPolicySpec> PolicyKind { get; } =
        new(PolicyKindName, ApprovalsJson.Default.ApprovalPolicySpec)
        {
            Module = "kernel",
            Summary = "Which changes need the approval of a second person.",
            Namespaced = false,
            Validate = static (spec, faults) =>
            {
                if (spec.Kinds.Count == 0) faults.Add(new FieldFault("spec.kinds", "names 1 kind or more, or *"));
                if (spec.Namespaces.Count == 0)
                    faults.Add(new FieldFault("spec.namespaces", "names 1 namespace or more, or *"));
            },
        };

    public static Kind<ProposalSpec> ProposalKind { get; } = new(ProposalKindName, ApprovalsJson.Default.ProposalSpec)
    {
        Module = "kernel",
        Summary = "A changeset that waits, or waited, for a second person.",
        Namespaced = false,
        Residency = Residency.Stored,
        WrittenByKernel = true,
    };

    /// <summary>The name of the first policy that covers something of the changeset, or null.</summary>
    internal static string? Needed(Snapshot head, PreparedChangeset changeset)
    {
        var policies = head.Of(PolicyKindName);
        if (policies.IsEmpty || changeset.Source.Author.IsSystem) return null;
        foreach (var policy in policies.Values)
        {
            var spec = policy.As<ApprovalPolicySpec>();
            foreach (var change in changeset.Changes)
                if (Covers(spec, change.Key)) return policy.Key.Name;
        }
        return null;
    }

    private static bool Covers(ApprovalPolicySpec policy, ResourceKey key) =>
        Matches(policy.Kinds, key.Kind)
        && Matches(policy.Namespaces, key.Namespace)
        && (policy.Names is null || Matches(policy.Names, key.Name));

    private static bool Matches(IReadOnlyList<string> patterns, string text)
    {
        foreach (var pattern in patterns)
        {
            if (pattern == "*" || pattern == text) return true;
            if (pattern.EndsWith('*')
                && text.StartsWith(pattern.AsSpan(0, pattern.Length - 1), StringComparison.Ordinal)) return true;
        }
        return false;
    }

    internal static PreparedChangeset ToProposal(
        KindCatalog kinds, PreparedChangeset changeset, ImmutableArray<DecidedChange> decision, string policy)
    {
        var waiting = decision
            .Where(change => change.Effect != ChangeEffect.Unchanged)
            .Select(change => new ProposedChange(
                change.Prepared.IsDelete ? "delete" : "put",
                change.Prepared.Key.Kind,
                change.Prepared.Key.Namespace,
                change.Prepared.Key.Name,
                change.Before?.Revision ?? 0,
                change.Prepared.IsDelete ? null : ToElement(change.Spec),
                change.Prepared.Labels))
            .ToList();
        var spec = new ProposalSpec(
            Proposed, changeset.Source.Author.Name, changeset.Source.Reason, policy, changeset.At, waiting);
        return changeset with { Changes = [Prepare(kinds, changeset.Id.ToString("N"), spec, expect: 0)] };
    }

    /// <summary>Releases a proposal: its changes and its new state in one changeset, by the approver.</summary>
    public async ValueTask<Outcome<Commit>> ApproveAsync(
        Principal approver, string name, string reason, CancellationToken cancellationToken)
    {
        var found = await OpenAsync(approver, name, cancellationToken);
        if (!found.TryGet(out var open, out var fault)) return fault;
        if (open.Spec.Author == approver.Name)
            return new Fault(ErrorCodes.ApprovalByAuthor, $"{approver.Name} proposed it; another person approves it.");
        var prepared = changes.Prepare(new Changeset(
            Principal.System("approval"), [.. open.Spec.Changes.Select(ToChange)]));
        if (!prepared.TryGet(out var ready, out fault)) return fault;
        var decided = Decided(open.Spec, Released, approver, reason, ready.At);
        return await changes.CommitAsync(
            ready with
            {
                Source = ready.Source with
                {
                    Author = approver,
                    Reason = $"approves '{open.Spec.Reason}' of {open.Spec.Author}" + (
                        reason.Length > 0 ? $": {reason}" : ""),
                },
                Changes = ready.Changes.Add(Prepare(changes.Kinds, name, decided, open.Revision)),
                Approved = true,
            },
            cancellationToken);
    }

    /// <summary>Closes a proposal without effect. Its author may do so too.</summary>
    public async ValueTask<Outcome<Commit>> RefuseAsync(
        Principal principal, string name, string reason, CancellationToken cancellationToken)
    {
        var found = await OpenAsync(principal, name, cancellationToken);
        if (!found.TryGet(out var open, out var fault)) return fault;
        var at = changes.Now;
        var change = Prepare(changes.Kinds, name, Decided(open.Spec, Refused, principal, reason, at), open.Revision);
        var source = new Changeset(
            principal, [change.Change]) { Reason = $"refuses '{open.Spec.Reason}' of {open.Spec.Author}" };
        return await changes.CommitAsync(
            new PreparedChangeset(
                source, Guid.CreateVersion7(at), at, null, [change]) { Approved = true }, cancellationToken);
    }

    /// <summary>A proposal's spec with its changes' secrets masked.</summary>
    public async ValueTask<Outcome<(ProposalSpec Spec, long Revision)>> ReadAsync(
        string name, CancellationToken cancellationToken)
    {
        if (changes.Snapshots.Current.Find(ProposalKindName, "", name) is not { } resource)
            return new Fault(ErrorCodes.ApprovalNotFound, $"There is no proposal '{name}'.");
        var stored = await changes.ReadStoredAsync(resource, cancellationToken);
        if (!stored.TryGet(out var whole, out var fault)) return fault;
        var spec = whole.As<ProposalSpec>();
        return (spec with { Changes = [.. spec.Changes.Select(Mask)] }, resource.Revision);
    }

    /// <summary>
    /// Proposals, those that wait first and then newest first; of one state when given. One without the label was
    /// written before there was one, and is read to know.
    /// </summary>
    internal static IEnumerable<Resource> Find(Snapshot head, string? state) => head
        .Of(ProposalKindName).Values
        .Where(one => state is null || !one.Labels.TryGetValue(StateLabel, out var known) || known == state)
        .OrderByDescending(one => one.Labels.TryGetValue(StateLabel, out var known) && known == Proposed)
        .ThenByDescending(one => one.Revision);

    /// <summary>Indices of the changes whose resource was changed since; null when there are none.</summary>
    internal static IReadOnlyList<int>? Outdated(Snapshot head, ProposalSpec spec)
    {
        if (spec.State != Proposed) return null;
        var outdated = spec.Changes.Index()
            .Where(change => RevisionOf(change.Item) != change.Item.Expect)
            .Select(change => change.Index)
            .ToList();
        return outdated.Count > 0 ? outdated : null;

        long RevisionOf(ProposedChange change) =>
            head.Find(change.Kind, change.Namespace, change.Name)?.Revision ?? 0;
    }

    private async ValueTask<Outcome<(ProposalSpec Spec, long Revision)>> OpenAsync(
        Principal principal, string name, CancellationToken cancellationToken)
    {
        if (changes.Snapshots.Current.Find(ProposalKindName, "", name) is not { } resource)
            return new Fault(ErrorCodes.ApprovalNotFound, $"There is no proposal '{name}'.");
        var stored = await changes.ReadStoredAsync(resource, cancellationToken);
        if (!stored.TryGet(out var whole, out var fault)) return fault;
        var spec = whole.As<ProposalSpec>();
        if (spec.State != Proposed)
            return new Fault(
                ErrorCodes.ApprovalClosed, $"The proposal was {spec.State} by {spec.DecidedBy} at {spec.DecidedAt:u}.");
        foreach (var change in spec.Changes)
        {
            var key = new ResourceKey(change.Kind, change.Namespace, change.Name);
            if (spec.Author != principal.Name
                && changes.Authorizer.Authorize(principal, Verb.Approve, key) is { } refused)
                return refused;
        }
        return (spec, resource.Revision);
    }

    private ProposedChange Mask(ProposedChange change)
    {
        if (change.Spec is not { } spec) return change;
        var bytes = JsonSerializer.SerializeToUtf8Bytes(spec, ApprovalsJson.Default.JsonElement);
        return change with { Spec = ToElement(changes.Secrets.Mask(changes.Kinds.Find(change.Kind), bytes)) };
    }

    /// <summary>
    /// The change as its author wanted it: on the version it was written against, secrets in clear again.
    /// </summary>
    private Change ToChange(ProposedChange change)
    {
        var key = new ResourceKey(change.Kind, change.Namespace, change.Name);
        if (change.Operation == "delete") return Change.Delete(key, change.Expect);
        var kind = changes.Kinds.Find(change.Kind);
        // Puts have one.
        var spec = JsonSerializer.SerializeToUtf8Bytes(change.Spec!.Value, ApprovalsJson.Default.JsonElement);
        return new Change(
            ChangeOperation.Put,
            key,
            kind is null ? spec : changes.Secrets.Open(kind, key, spec),
            Labels: change.Labels?.ToImmutableSortedDictionary(StringComparer.Ordinal),
            Expect: change.Expect);
    }

    private static ProposalSpec Decided(
        ProposalSpec spec, string state, Principal by, string reason, DateTimeOffset at) =>
        spec with { State = state, DecidedBy = by.Name, DecidedAt = at,
            DecisionReason = reason.Length > 0 ? reason : null };

    private static PreparedChange Prepare(KindCatalog kinds, string name, ProposalSpec spec, long expect)
    {
        var kind = kinds.Find(ProposalKindName)
            ?? throw new InvalidOperationException("The kind proposal is always loaded.");
        var bytes = JsonSerializer.SerializeToUtf8Bytes(spec, ApprovalsJson.Default.ProposalSpec);
        return new PreparedChange
        {
            Change = new Change(
                ChangeOperation.Put, new ResourceKey(ProposalKindName, "", name), bytes, kind.Version, Expect: expect),
            Kind = kind,
            Spec = bytes,
            Typed = spec,
            Labels = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal)
                .Add(StateLabel, spec.State),
        };
    }

    private static JsonElement ToElement(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy =
        JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ApprovalPolicySpec))]
[JsonSerializable(typeof(ProposalSpec))]
internal sealed partial class ApprovalsJson : JsonSerializerContext;
