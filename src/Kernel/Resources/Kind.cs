using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Groundwork.Kernel.Documents;
using Groundwork.Wire;

namespace Groundwork.Kernel.Resources;

/// <summary>Where the specs of a kind live.</summary>
public enum Residency
{
    /// <summary>In memory on every node, part of each snapshot.</summary>
    Resident,

    /// <summary>In the database, read by query; key, labels, revision and hash are in memory.</summary>
    Stored,
}

/// <summary>
/// A type of resource: its name, the schema of its spec, its limits and its rules. Modules declare theirs before the
/// store opens.
/// </summary>
public abstract class Kind
{
    /// <summary>Bytes of a resident spec; all nodes hold all of them.</summary>
    public const int MaxResidentSpecBytes = 64 * 1024;

    /// <summary>Bytes of a stored spec.</summary>
    public const int MaxStoredSpecBytes = 1024 * 1024;

    /// <summary>Resources of one kind; each costs about a kilobyte of memory on every node.</summary>
    public const int MaxResources = 100_000;

    private protected Kind(string name)
    {
        if (!Names.IsNamespace(name)) throw new ArgumentException($"'{name}' is not a kind's name.", nameof(name));
        Name = name;
    }

    /// <summary>Lower-case words joined by hyphens, singular.</summary>
    public string Name { get; }

    /// <summary>The module that declares it.</summary>
    public required string Module { get; init; }

    /// <summary>One sentence for people: what a resource of this kind is.</summary>
    public required string Summary { get; init; }

    /// <summary>Version of the spec's schema that is written; older ones are converted on read.</summary>
    public int Version { get; init; } = 1;

    public Residency Residency { get; init; } = Residency.Resident;

    /// <summary>False for node-wide kinds, whose namespace is empty.</summary>
    public bool Namespaced { get; init; } = true;

    /// <summary>
    /// True for records of the kernel's own doings: readable like any resource, refused when others write them.
    /// </summary>
    public bool WrittenByKernel { get; init; }

    /// <summary>
    /// Up-converters: the entry at index <c>v - 1</c> turns a spec of version <c>v</c> into one of version <c>v +
    /// 1</c>.
    /// </summary>
    public IReadOnlyList<Func<JsonObject, JsonObject>> Converters { get; init; } = [];

    /// <summary>
    /// Tells the version of a spec that is written without saying one, so that files of an older version stay usable.
    /// Null: the current version.
    /// </summary>
    public Func<JsonElement, int>? VersionOf { get; init; }

    /// <summary>
    /// JSON paths of fields that are secret, such as <c>passwordHash</c> or <c>upstream.token</c>: text, encrypted
    /// before it reaches the log and masked on the way out.
    /// </summary>
    public IReadOnlyList<string> SecretFields { get; init; } = [];

    /// <summary>Fields of the spec that hold JSON of any shape: lists in them may have nulls.</summary>
    public IReadOnlyList<string> FreeFields { get; init; } = [];

    /// <summary>
    /// For a kind whose <see cref="SecretFields"/> are secret in some specs only, such as a setting that says so of
    /// itself: tells by the spec, with its secrets in clear or encrypted. Null: always.
    /// </summary>
    public Func<JsonElement, bool>? SecretWhen { get; init; }

    /// <summary>Whether <see cref="SecretFields"/> apply to this spec.</summary>
    public bool HoldsSecrets(JsonElement spec) =>
        SecretFields.Count > 0 && spec.ValueKind == JsonValueKind.Object && (SecretWhen?.Invoke(spec) ?? true);

    /// <summary>The same of a spec as UTF-8 JSON, which is only read where the kind's specs differ in it.</summary>
    internal bool HoldsSecrets(ReadOnlyMemory<byte> spec)
    {
        if (!HasSecrets || spec.IsEmpty) return false;
        if (SecretWhen is null) return true;
        using var document = JsonDocument.Parse(spec);
        return HoldsSecrets(document.RootElement);
    }

    /// <summary>True when specs of this kind may hold secrets.</summary>
    public bool HasSecrets => SecretFields.Count > 0;

    public int MaxSpecBytes => Residency == Residency.Resident ? MaxResidentSpecBytes : MaxStoredSpecBytes;

    /// <summary>The spec's CLR type.</summary>
    public abstract Type SpecType { get; }

    public abstract JsonTypeInfo SpecTypeInfo { get; }

    /// <summary>
    /// Reads a spec, refusing unknown members, and applies the kind's own rules. Faults have paths below <c>spec</c>.
    /// </summary>
    internal abstract object? Check(ResourceKey key, ReadOnlyMemory<byte> spec, ICollection<FieldFault> faults);

    /// <summary>True when <see cref="CheckAgainst"/> looks at anything.</summary>
    internal abstract bool HasRulesBetween { get; }

    /// <summary>The rules that need the other resources; runs inside the commit, against head.</summary>
    internal abstract void CheckAgainst(HeadView head, ResourceKey key, object? spec, ICollection<FieldFault> faults);

    /// <summary>Reads a stored spec of the current version, passing over unknown members.</summary>
    internal abstract object Read(ReadOnlyMemory<byte> spec);
}

/// <summary>A kind whose spec is a <typeparamref name="TSpec"/>, with source-generated JSON.</summary>
/// <param name="name">The kind's name.</param>
/// <param name="json">Serialization of the spec, from a context that is camelCase.</param>
public sealed class Kind<TSpec>(string name, JsonTypeInfo<TSpec> json) : Kind(name)
    where TSpec : class
{
    private readonly JsonTypeInfo<TSpec> strict = SpecJson.With(json, strict: true);
    private readonly JsonTypeInfo<TSpec> lenient = SpecJson.With(json, strict: false);

    /// <summary>Rules of one spec alone. Add a fault for everything wrong, not only the first.</summary>
    public Action<TSpec, ICollection<FieldFault>>? Validate { get; init; }

    /// <summary>Rules that need the resource's own key, such as its namespace; only of a spec without faults.</summary>
    public Action<ResourceKey, TSpec, ICollection<FieldFault>>? ValidateNamed { get; init; }

    /// <summary>
    /// Rules that need other resources, such as "the role exists". Runs under the writer lock: look up, do not search.
    /// </summary>
    public Action<Snapshot, ResourceKey, TSpec?, ICollection<FieldFault>>? ValidateAgainst { get; init; }

    /// <summary>
    /// Rules that need the specs of stored kinds, which the snapshot leaves out. Runs under the writer lock: read few.
    /// </summary>
    public Action<HeadView, ResourceKey, TSpec?, ICollection<FieldFault>>? ValidateAgainstStored { get; init; }

    public override Type SpecType => typeof(TSpec);

    public override JsonTypeInfo SpecTypeInfo => strict;

    internal override object? Check(ResourceKey key, ReadOnlyMemory<byte> spec, ICollection<FieldFault> faults)
    {
        TSpec? value;
        try
        {
            value = JsonSerializer.Deserialize(spec.Span, strict);
        }
        catch (JsonException fault)
        {
            faults.Add(JsonFaults.ToField(fault, "spec"));
            return null;
        }
        if (value is null)
        {
            faults.Add(new FieldFault("spec", "must be an object, not null"));
            return null;
        }
        if (NullInList(spec) is { } empty)
        {
            faults.Add(empty);
            return null;
        }
        Validate?.Invoke(value, faults);
        if (faults.Count == 0) ValidateNamed?.Invoke(key, value, faults);
        return value;
    }

    /// <summary>
    /// The serializer holds to what may be null everywhere but inside lists; no list of ours has null.
    /// </summary>
    private FieldFault? NullInList(ReadOnlyMemory<byte> spec)
    {
        if (spec.Span.IndexOf("null"u8) < 0) return null;
        using var document = JsonDocument.Parse(spec);
        foreach (var member in document.RootElement.EnumerateObject())
        {
            if (FreeFields.Contains(member.Name)) continue;
            if (NullInList(member.Value, $"spec.{member.Name}") is { } empty) return empty;
        }
        return null;
    }

    private static FieldFault? NullInList(JsonElement element, string path)
    {
        if (element.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in element.EnumerateObject())
                if (NullInList(member.Value, $"{path}.{member.Name}") is { } below) return below;
        }
        else if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (var (index, item) in element.EnumerateArray().Index())
            {
                if (item.ValueKind == JsonValueKind.Null)
                    return new FieldFault($"{path}[{index}]", "must not be null");
                if (NullInList(item, $"{path}[{index}]") is { } below) return below;
            }
        }
        return null;
    }

    internal override bool HasRulesBetween => ValidateAgainst is not null || ValidateAgainstStored is not null;

    internal override void CheckAgainst(
        HeadView head, ResourceKey key, object? spec, ICollection<FieldFault> faults)
    {
        ValidateAgainst?.Invoke(head.Snapshot, key, (TSpec?)spec, faults);
        ValidateAgainstStored?.Invoke(head, key, (TSpec?)spec, faults);
    }

    internal override object Read(ReadOnlyMemory<byte> spec) =>
        JsonSerializer.Deserialize(spec.Span, lenient)
        ?? throw new InvalidDataException($"A stored spec of kind {Name} is null.");
}
