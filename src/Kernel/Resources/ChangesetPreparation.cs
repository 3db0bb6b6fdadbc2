using System.Buffers;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Groundwork.Kernel.Documents;
using Groundwork.Kernel.Security;
using Groundwork.Wire;

namespace Groundwork.Kernel.Resources;

/// <summary>
/// The part of a commit that needs no lock: who may, is it well formed, do its kinds' own rules hold.
/// </summary>
internal sealed class ChangesetPreparation(
    KindCatalog kinds, Authorizer authorizer, AuditChain chain, TimeProvider time)
{
    /// <summary>Changes of one changeset; bounds the time that the writer's lock is held.</summary>
    public const int MaxChanges = 1_000;

    /// <summary>Bytes of all specs of one changeset, for the same reason.</summary>
    public const int MaxBytes = 8 * 1024 * 1024;

    /// <summary>Characters of a reason.</summary>
    public const int MaxReasonLength = 512;

    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 32 };

    public Outcome<PreparedChangeset> Prepare(Changeset changeset)
    {
        if (CheckShape(changeset) is { } shape) return shape;
        var prepared = ImmutableArray.CreateBuilder<PreparedChange>(changeset.Changes.Length);
        var faults = new List<FieldFault>();
        var keys = changeset.Changes.Length > 1 ? new HashSet<ResourceKey>() : null;
        Fault? single = null;
        foreach (var (index, change) in changeset.Changes.Index())
        {
            if (keys?.Add(change.Key) == false)
                return new Fault(ErrorCodes.ChangesetDuplicateKey, $"{change.Key} is changed twice.");
            var outcome = Prepare(changeset.Author, change);
            if (outcome.TryGet(out var one, out var fault))
            {
                prepared.Add(one);
                continue;
            }
            if (fault.Error != ErrorCodes.ResourceInvalid) return fault;
            single ??= fault;
            faults.AddRange(fault.Fields.Select(field => Locate(changeset.Changes.Length, index, field)));
        }
        if (single is not null) return single with { Fields = [.. faults] };
        var at = time.GetUtcNow();
        return new PreparedChangeset(
            changeset,
            changeset.Id ?? Guid.CreateVersion7(at),
            at,
            changeset.Id is null ? null : Fingerprint(changeset),
            prepared.MoveToImmutable());
    }

    /// <summary>In a changeset of several, a field's path starts with the change's place in it.</summary>
    internal static FieldFault Locate(int changes, int index, FieldFault field) =>
        changes == 1 ? field : field with { Path = $"changes[{index}].{field.Path}" };

    private static Fault? CheckShape(Changeset changeset)
    {
        if (changeset.Changes.IsDefaultOrEmpty)
            return new Fault(ErrorCodes.ChangesetEmpty, "A changeset has 1 change or more.");
        if (changeset.Changes.Length > MaxChanges)
        {
            return new Fault(
                ErrorCodes.ChangesetTooLarge, $"It has {changeset.Changes.Length} changes, {MaxChanges} are allowed.");
        }
        var bytes = 0L;
        foreach (var change in changeset.Changes) bytes += change.Spec.Length;
        if (bytes > MaxBytes)
            return new Fault(ErrorCodes.ChangesetTooLarge, $"Its specs are {bytes} bytes, {MaxBytes} are allowed.");
        return changeset.Reason.Length > MaxReasonLength
            ? new Fault(ErrorCodes.BadRequest,
                $"The reason has {changeset.Reason.Length} characters, {MaxReasonLength} are allowed.")
            : null;
    }

    private Outcome<PreparedChange> Prepare(Principal author, Change change)
    {
        var kind = kinds.Find(change.Key.Kind);
        if (kind is null) return new Fault(ErrorCodes.KindUnknown, $"There is no kind '{change.Key.Kind}' here.");
        if (CheckKey(kind, change.Key) is { } misnamed) return misnamed;
        if (kind.WrittenByKernel)
            return new Fault(ErrorCodes.Forbidden, $"Resources of kind {kind.Name} are written by the platform alone.");
        var verb = change.Operation == ChangeOperation.Put ? Verb.Write : Verb.Delete;
        if (authorizer.Authorize(author, verb, change.Key) is { } refused) return refused;
        if (change.Operation == ChangeOperation.Delete) return new PreparedChange { Change = change, Kind = kind };
        if (change.Spec.Length > kind.MaxSpecBytes)
        {
            return new Fault(
                ErrorCodes.ResourceTooLarge,
                $"{change.Key} has a spec of {change.Spec.Length} bytes, {kind.MaxSpecBytes} are allowed.");
        }
        return PrepareSpec(kind, change);
    }

    internal static Outcome<PreparedChange> PrepareSpec(Kind kind, Change change)
    {
        var faults = new List<FieldFault>();
        var spec = Normalize(kind, change, faults);
        object? typed = null;
        if (faults.Count == 0) typed = kind.Check(change.Key, spec, faults);
        if (change.Labels is { } labels) Labels.Check(labels, faults);
        if (faults.Count > 0)
            return new Fault(
                ErrorCodes.ResourceInvalid, $"{change.Key} has {Count(faults.Count)}.") { Fields = [.. faults] };
        var holdsSecrets = kind.HoldsSecrets(spec);
        return new PreparedChange
        {
            Change = change,
            Kind = kind,
            Spec = spec,
            Typed = typed,
            HoldsSecrets = holdsSecrets,
            SpecHash = holdsSecrets ? null : SHA256.HashData(spec.Span),
            Labels = change.Labels,
        };
    }

    internal static string Count(int faults) => faults == 1 ? "1 fault" : $"{faults} faults";

    internal static Fault? CheckKey(Kind kind, ResourceKey key)
    {
        if (kind.Namespaced && key.Namespace.Length == 0)
        {
            return new Fault(
                ErrorCodes.NamespaceInvalid,
                $"Kind {kind.Name} lives in namespaces; name one, such as {Names.DefaultNamespace}.");
        }
        if (kind.Namespaced && !Names.IsNamespace(key.Namespace)) return Namespaces.Misnamed(key.Namespace);
        if (!kind.Namespaced && key.Namespace.Length > 0)
        {
            return new Fault(
                ErrorCodes.NamespaceInvalid,
                    $"Kind {kind.Name} is node-wide and takes no namespace, not '{key.Namespace}'.");
        }
        return Names.IsName(key.Name)
            ? null
            : new Fault(
                ErrorCodes.NameInvalid,
                $"'{key.Name}' is not a name: segments of 1 to {Names.MaxSegmentLength} of A-Z a-z 0-9 . _ : @ - "
                + "joined by "
                + $"'/', at most {Names.MaxNameLength} in all.");
    }

    /// <summary>Compact JSON in the current version, so that equal documents are equal bytes.</summary>
    private static ReadOnlyMemory<byte> Normalize(Kind kind, Change change, List<FieldFault> faults)
    {
        if (change.Version is { } said && (said < 1 || said > kind.Version))
        {
            faults.Add(new FieldFault("version", $"must be 1 to {kind.Version}, not {said}"));
            return default;
        }
        try
        {
            using var document = JsonDocument.Parse(change.Spec, Strict);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                faults.Add(new FieldFault("spec", "must be an object"));
                return default;
            }
            var buffer = new ArrayBufferWriter<byte>(change.Spec.Length);
            using (var writer = new Utf8JsonWriter(buffer, Compact)) document.RootElement.WriteTo(writer);
            var version = change.Version ?? kind.VersionOf?.Invoke(document.RootElement) ?? kind.Version;
            return version == kind.Version
                ? buffer.WrittenMemory
                : SpecConversion.Upgrade(kind, version, buffer.WrittenMemory);
        }
        catch (JsonException fault)
        {
            faults.Add(JsonFaults.ToField(fault, "spec"));
            return default;
        }
        catch (InvalidOperationException)
        {
            // Thrown for text that is not valid UTF-16, such as a lone surrogate escape.
            faults.Add(new FieldFault("spec", "has text that is not valid Unicode"));
            return default;
        }
    }

    /// <summary>
    /// What makes two changesets of one id the same. Keyed, because it is kept: from a plain hash of a spec a short
    /// secret in it could be guessed. An expectation that the API has added is not the caller's.
    /// </summary>
    private byte[] Fingerprint(Changeset changeset)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(changeset.Author.Name);
        foreach (var change in changeset.Changes)
        {
            var (kind, ns, name) = change.Key;
            var expect = change.ExpectIsImplied ? null : change.Expect;
            Append($"{change.Operation}\n{kind}\n{ns}\n{name}\n{change.Version}\n{expect}");
            Append(change.Labels is null ? "-" : Labels.Write(change.Labels));
            hash.AppendData(SHA256.HashData(change.Spec.Span));
        }
        var fingerprint = new byte[AuditChain.LinkBytes];
        chain.Link([], [.. "changeset-fingerprint"u8, .. hash.GetHashAndReset()], fingerprint);
        return fingerprint;

        void Append(string text) => hash.AppendData(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }
}
