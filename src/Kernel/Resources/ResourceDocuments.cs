using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Kernel.Resources;

/// <summary>
/// Translates between resources and what crosses the wire. Secrets leave masked, unless opened for a reader who may.
/// </summary>
public sealed class ResourceDocuments(KindCatalog kinds, SecretProtector secrets)
{
    public ResourceDocument ToDocument(Resource resource, bool reveal = false)
    {
        var spec = resource.Spec;
        if (!spec.IsEmpty)
        {
            spec = reveal && resource.Kind is { } kind
                ? secrets.Open(kind, resource.Key, spec)
                : secrets.Mask(resource.Kind, spec);
        }
        return new ResourceDocument(
            resource.Key.Kind,
            resource.Key.Name,
            resource.Key.Namespace,
            resource.Version,
            resource.Labels.IsEmpty ? null : resource.Labels,
            spec.IsEmpty ? null : Parse(spec),
            resource.Revision,
            resource.ChangedBy,
            resource.ChangedAt);
    }

    public HistoryEntry ToEntry(Version version) => new(
        version.Revision,
        version.Operation == ChangeOperation.Put ? "put" : "delete",
        version.Resource is { } resource
            ? ToDocument(resource)
            : new ResourceDocument(version.Key.Kind, version.Key.Name, version.Key.Namespace),
        version.Author,
        version.Reason,
        version.At,
        version.Prior);

    public ChangesetDocument ToDocument(ImmutableArray<Version> changeset) => new(
        changeset[0].Revision,
        changeset[0].ChangesetId,
        changeset[0].Author,
        changeset[0].Reason,
        changeset[0].At,
        [.. changeset.Select(ToEntry)]);

    public WatchEvent ToEvent(AppliedChange change, string storeId) => new(
        new WatchToken(storeId, change.Revision, change.Order).ToString(),
        change.Revision,
        change.After is null ? "delete" : "put",
        change.After is { } resource
            ? ToDocument(resource)
            : new ResourceDocument(change.Key.Kind, change.Key.Name, change.Key.Namespace),
        change.EndsChangeset);

    public static ChangesetAnswer ToAnswer(Commit commit) => new(
        commit.Revision,
        commit.Id,
        [.. commit.Effects.Select(effect => new ChangeResult(
            effect.Key.Kind,
            effect.Key.Namespace,
            effect.Key.Name,
            effect.Effect.ToString().ToLowerInvariant(),
            effect.Effect == ChangeEffect.Unchanged || commit.Proposal is not null ? null : commit.Revision))],
        commit.Proposal);

    public ProposalDocument ToDocument(
        string name, ProposalSpec spec, IReadOnlyList<int>? outdated = null) => new(
        name,
        spec.State,
        spec.Author,
        spec.Reason,
        spec.ProposedAt,
        [.. spec.Changes.Select(change => new ChangeDocument(
            change.Operation,
            new ResourceDocument(change.Kind, change.Name, change.Namespace, null, change.Labels, change.Spec),
            change.Expect))],
        spec.DecidedBy,
        spec.DecidedAt,
        spec.DecisionReason,
        spec.Policy,
        outdated);

    public KindDocument ToDocument(Kind kind) => new(
        kind.Name,
        kind.Module,
        kind.Version,
        kind.Residency.ToString().ToLowerInvariant(),
        kind.Namespaced,
        kind.MaxSpecBytes,
        kind.Summary,
        kind.WrittenByKernel);

    /// <summary>The change that a document asks for; a namespaced kind without one goes to <c>default</c>.</summary>
    public Outcome<Change> ToChange(ChangeDocument document)
    {
        var key = ToKey(document.Resource);
        // The JSON reader passes over bytes inside texts that are no UTF-8.
        if (document.Resource.Spec is { } given && !Utf8.IsValid(JsonMarshal.GetRawUtf8Value(given)))
            return new Fault(ErrorCodes.BadRequest, $"The spec of {key} has bytes that are not UTF-8.");
        return document.Operation switch
        {
            "put" => new Change(
                ChangeOperation.Put,
                key,
                document.Resource.Spec is { } spec
                    ? JsonMarshal.GetRawUtf8Value(spec).ToArray() // As written: it may be no text, which is told later.
                    : "{}"u8.ToArray(),
                document.Resource.Version,
                document.Resource.Labels?.ToImmutableSortedDictionary(StringComparer.Ordinal),
                document.Expect),
            "delete" => Change.Delete(key, document.Expect),
            _ => new Fault(ErrorCodes.BadRequest, $"An operation is 'put' or 'delete', not '{document.Operation}'."),
        };
    }

    private ResourceKey ToKey(ResourceDocument document)
    {
        var namespaced = kinds.Find(document.Kind)?.Namespaced ?? true;
        var ns = document.Namespace is { Length: > 0 } given && given != Names.NodeWide ? given : null;
        return new ResourceKey(document.Kind, ns ?? (namespaced ? Names.DefaultNamespace : ""), document.Name);
    }

    internal static JsonElement Parse(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
