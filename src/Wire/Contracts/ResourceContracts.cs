using System.Text.Json;

namespace Groundwork.Wire.Contracts;

/// <summary>A resource as the API, the CLI and <c>apply -f</c> files write it.</summary>
/// <param name="Kind">The kind's name, such as <c>route</c>.</param>
/// <param name="Name">Segments joined by <c>/</c>.</param>
/// <param name="Namespace">Empty for node-wide kinds, <c>default</c> when not given.</param>
/// <param name="Version">Version of the kind's schema that <paramref name="Spec"/> is written in; the newest when not
/// given.</param>
/// <param name="Labels">At most 32, each key and value at most 128 characters.</param>
/// <param name="Spec">The kind's own document. Secrets are shown as <c>{"secret":"sha256:…"}</c>.</param>
/// <param name="Revision">The change that made it so; ignored on write.</param>
/// <param name="ChangedBy">Principal of that change; ignored on write.</param>
/// <param name="ChangedAt">Time of that change, UTC; ignored on write.</param>
public sealed record ResourceDocument(
    string Kind,
    string Name,
    string? Namespace = null,
    int? Version = null,
    IReadOnlyDictionary<string, string>? Labels = null,
    JsonElement? Spec = null,
    long? Revision = null,
    string? ChangedBy = null,
    DateTimeOffset? ChangedAt = null);

/// <summary>A page of a list, all of it read at one revision.</summary>
/// <param name="Revision">The revision of the snapshot that the list was read from.</param>
/// <param name="Items">In order of namespace and name.</param>
/// <param name="NextPage">Pass as <c>page</c> to go on at the same revision; null at the end.</param>
public sealed record ResourceList(long Revision, IReadOnlyList<ResourceDocument> Items, string? NextPage = null);

/// <summary>One change of a changeset.</summary>
/// <param name="Operation"><c>put</c> or <c>delete</c>.</param>
/// <param name="Resource">For <c>delete</c>, only kind, namespace and name count.</param>
/// <param name="Expect">Revision the resource must be at; 0: it must not exist; null: any.</param>
public sealed record ChangeDocument(string Operation, ResourceDocument Resource, long? Expect = null);

/// <summary>Changes that take effect together or not at all.</summary>
/// <param name="Changes">1 to 1,000, each of another resource.</param>
/// <param name="Reason">Why, at most 512 characters.</param>
/// <param name="Id">Changeset id; a repeat within 24 h gets the first answer. <c>Idempotency-Key</c> is the
/// same.</param>
/// <param name="DryRun">Validate against head and answer what would change, without changing it.</param>
public sealed record ChangesetRequest(
    IReadOnlyList<ChangeDocument> Changes, string? Reason = null, Guid? Id = null, bool DryRun = false);

/// <summary>The answer to a changeset.</summary>
/// <param name="Revision">The revision it made; the current one when nothing changed or on a dry run.</param>
/// <param name="Id">The changeset's id.</param>
/// <param name="Changes">What happened to each: <c>created</c>, <c>updated</c>, <c>deleted</c> or
/// <c>unchanged</c>.</param>
/// <param name="Proposal">Name of the proposal that waits for a second person; null when committed.</param>
public sealed record ChangesetAnswer(
    long Revision, Guid Id, IReadOnlyList<ChangeResult> Changes, string? Proposal = null);

/// <summary>What happened to one resource of a changeset.</summary>
public sealed record ChangeResult(string Kind, string Namespace, string Name, string Result, long? Revision = null);

/// <summary>A committed changeset in the timeline.</summary>
public sealed record ChangesetDocument(
    long Revision,
    Guid Id,
    string Author,
    string Reason,
    DateTimeOffset At,
    IReadOnlyList<HistoryEntry> Changes);

/// <summary>One version of one resource.</summary>
/// <param name="Revision">The changeset's revision.</param>
/// <param name="Operation"><c>put</c> or <c>delete</c>.</param>
/// <param name="Resource">The resource as of that revision; its spec is null for a delete or when compacted.</param>
/// <param name="Prior">Revision of the version before it, which may be a delete; null for the first.</param>
public sealed record HistoryEntry(
    long Revision,
    string Operation,
    ResourceDocument Resource,
    string Author,
    string Reason,
    DateTimeOffset At,
    long? Prior = null);

/// <summary>A page of history, newest first.</summary>
public sealed record HistoryList(long Floor, IReadOnlyList<HistoryEntry> Items, string? NextPage = null);

/// <summary>
/// A page of the timeline over all kinds, newest first. With <c>specs=false</c> the resources come without their specs.
/// </summary>
public sealed record ChangesetList(
    long Revision, long Floor, IReadOnlyList<ChangesetDocument> Items, string? NextPage = null);

/// <summary>How a resource differs between two revisions.</summary>
/// <param name="From">Older revision.</param>
/// <param name="To">Newer revision.</param>
/// <param name="Lines">One per changed value, by JSON path.</param>
public sealed record ResourceDiff(
    string Kind, string Namespace, string Name, long From, long To, IReadOnlyList<DiffLine> Lines);

/// <summary>
/// One changed value; <paramref name="Before"/> is null where it was added, <paramref name="After"/> where removed.
/// </summary>
public sealed record DiffLine(string Path, JsonElement? Before = null, JsonElement? After = null);

/// <summary>One event of a watch; server-sent event <c>change</c>, whose id is the watch token.</summary>
/// <param name="Token">Resume after this event with <c>?token=</c> or <c>Last-Event-ID</c>.</param>
/// <param name="Revision">The changeset's revision.</param>
/// <param name="Operation"><c>put</c> or <c>delete</c>.</param>
/// <param name="EndsChangeset">
/// True for the last change of its changeset. Who may not see that one gets a <c>progress</c> event in its place.
/// </param>
public sealed record WatchEvent(
    string Token, long Revision, string Operation, ResourceDocument Resource, bool EndsChangeset);

/// <summary>A kind, as listed by the API.</summary>
/// <param name="Residency"><c>resident</c> or <c>stored</c>.</param>
/// <param name="ReadOnly">True for records of the platform's own doings: nobody else writes them.</param>
/// <param name="Schema">JSON Schema (draft 2020-12) of the spec; only of one kind, not in the list.
/// <c>x-groundwork-secret</c> marks a field that is shown masked: <c>always</c>, or <c>sometimes</c> where the spec
/// says so of itself.</param>
public sealed record KindDocument(
    string Name,
    string Module,
    int Version,
    string Residency,
    bool Namespaced,
    int MaxSpecBytes,
    string Summary,
    bool ReadOnly = false,
    JsonElement? Schema = null);

/// <summary>A changeset that waits, or waited, for a second person.</summary>
/// <param name="State"><c>proposed</c>, <c>released</c> or <c>refused</c>.</param>
/// <param name="Policy">Name of the approval policy that asked for it.</param>
/// <param name="Outdated">Indices of the changes whose resource was changed by somebody since: it cannot be released
/// any more. Null when there are none, or when it does not wait.</param>
public sealed record ProposalDocument(
    string Name,
    string State,
    string Author,
    string Reason,
    DateTimeOffset ProposedAt,
    IReadOnlyList<ChangeDocument> Changes,
    string? DecidedBy = null,
    DateTimeOffset? DecidedAt = null,
    string? DecisionReason = null,
    string? Policy = null,
    IReadOnlyList<int>? Outdated = null);

/// <summary>The answer to a compaction.</summary>
/// <param name="Floor">History at and below it is gone, but for the newest version of what lives.</param>
/// <param name="Dropped">Versions that lost their content.</param>
public sealed record CompactionAnswer(long Floor, long Dropped);

/// <summary>The first line of a snapshot; the resources follow, one a line.</summary>
public sealed record SnapshotHead(string StoreId, long Revision);
