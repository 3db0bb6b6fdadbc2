using System.Collections.Immutable;
using System.Text.Json;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;

namespace Groundwork.Kernel.Resources;

public enum ChangeOperation { Put, Delete }

/// <summary>One change that somebody wants.</summary>
/// <param name="Spec">UTF-8 JSON as the author wrote it, secrets in clear; empty for a delete.</param>
/// <param name="Version">Schema version of the spec; null: the kind's current one.</param>
/// <param name="Labels">Null keeps the labels in place.</param>
/// <param name="Expect">Revision the resource must be at; 0: it must not exist; null: any.</param>
public sealed record Change(
    ChangeOperation Operation,
    ResourceKey Key,
    ReadOnlyMemory<byte> Spec = default,
    int? Version = null,
    ImmutableSortedDictionary<string, string>? Labels = null,
    long? Expect = null)
{
    /// <summary>
    /// True when the API itself expects the revision that it has read, so that a repeat by the same id may expect
    /// another.
    /// </summary>
    public bool ExpectIsImplied { get; init; }

    public static Change Put<TSpec>(Kind<TSpec> kind, string @namespace, string name, TSpec spec, long? expect = null)
        where TSpec : class =>
        new(
            ChangeOperation.Put,
            new ResourceKey(kind.Name, @namespace, name),
            JsonSerializer.SerializeToUtf8Bytes(spec, kind.SpecTypeInfo),
            Expect: expect);

    public static Change Delete(ResourceKey key, long? expect = null) =>
        new(ChangeOperation.Delete, key, Expect: expect);
}

/// <summary>Changes that take effect together or not at all.</summary>
public sealed record Changeset(Principal Author, ImmutableArray<Change> Changes)
{
    /// <summary>Why, for the history.</summary>
    public string Reason { get; init; } = "";

    /// <summary>The caller's id; a repeat within 24 h gets the first answer. Null: the log makes one.</summary>
    public Guid? Id { get; init; }

    /// <summary>Validate against head and say what would change.</summary>
    public bool DryRun { get; init; }

    /// <summary>
    /// A module's own statements, in the same transaction, given the changeset's revision. May run more than once
    /// (see <see cref="IStorage.WriteAsync"/>); throws to refuse the changeset.
    /// </summary>
    public Action<ISqlSession, long>? Also { get; init; }

    /// <summary>
    /// The lease under whose protection the author acts; a lost one refuses the changeset with <c>lease_lost</c>.
    /// </summary>
    public Cluster.FencingToken? Fence { get; init; }
}

public enum ChangeEffect { Created, Updated, Deleted, Unchanged }

/// <summary>What a changeset did, or would do.</summary>
/// <param name="Revision">The revision it made; that of head when nothing changed or on a dry run.</param>
/// <param name="Proposal">The proposal it became instead, when a policy asks for a second person.</param>
public sealed record Commit(
    long Revision, Guid Id, ImmutableArray<(ResourceKey Key, ChangeEffect Effect)> Effects, string? Proposal = null);
