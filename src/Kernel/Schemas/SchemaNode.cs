using System.Text.RegularExpressions;

namespace Groundwork.Kernel.Schemas;

/// <summary>The types of JSON Schema.</summary>
[Flags]
public enum SchemaTypes
{
    None = 0,
    Null = 1,
    Boolean = 2,
    Integer = 4,
    Number = 8,
    String = 16,
    Array = 32,
    Object = 64,
}

/// <summary>One schema, read: every keyword that it has, and null for those that it has not.</summary>
/// <param name="Pointer">Where it stands, as a JSON pointer from the document's root.</param>
public sealed class SchemaNode(string pointer, SchemaResource resource)
{
    public string Pointer => pointer;

    public SchemaResource Resource => resource;

    /// <summary>For the schemas <c>true</c> and <c>false</c>.</summary>
    public bool? Always { get; init; }

    public SchemaNode? Ref { get; set; }

    public SchemaNode? DynamicRef { get; set; }

    /// <summary>The anchor that is looked for in the dynamic scope; null when the reference is like any.</summary>
    public string? DynamicAnchor { get; set; }

    public SchemaTypes? Types { get; set; }

    /// <summary>The values that are allowed, in canonical form.</summary>
    public IReadOnlySet<string>? Enum { get; set; }

    /// <summary>The same as a text without types writes them.</summary>
    public IReadOnlySet<string>? EnumTexts { get; set; }

    public string? Const { get; set; }

    public string? ConstText { get; set; }

    public SchemaNumber? MultipleOf { get; set; }

    public SchemaNumber? Maximum { get; set; }

    public SchemaNumber? ExclusiveMaximum { get; set; }

    public SchemaNumber? Minimum { get; set; }

    public SchemaNumber? ExclusiveMinimum { get; set; }

    public int? MaxLength { get; set; }

    public int? MinLength { get; set; }

    public Regex? Pattern { get; set; }

    public string? PatternText { get; set; }

    public int? MaxItems { get; set; }

    public int? MinItems { get; set; }

    public bool UniqueItems { get; set; }

    public int? MaxContains { get; set; }

    public int? MinContains { get; set; }

    public int? MaxProperties { get; set; }

    public int? MinProperties { get; set; }

    public IReadOnlyList<string>? Required { get; set; }

    public IReadOnlyDictionary<string, IReadOnlyList<string>>? DependentRequired { get; set; }

    public IReadOnlyList<SchemaNode>? PrefixItems { get; set; }

    public SchemaNode? Items { get; set; }

    public SchemaNode? Contains { get; set; }

    public IReadOnlyDictionary<string, SchemaNode>? Properties { get; set; }

    public IReadOnlyList<(Regex Pattern, SchemaNode Schema)>? PatternProperties { get; set; }

    public SchemaNode? AdditionalProperties { get; set; }

    public SchemaNode? PropertyNames { get; set; }

    public IReadOnlyDictionary<string, SchemaNode>? DependentSchemas { get; set; }

    public SchemaNode? If { get; set; }

    public SchemaNode? Then { get; set; }

    public SchemaNode? Else { get; set; }

    public IReadOnlyList<SchemaNode>? AllOf { get; set; }

    public IReadOnlyList<SchemaNode>? AnyOf { get; set; }

    public IReadOnlyList<SchemaNode>? OneOf { get; set; }

    public SchemaNode? Not { get; set; }

    /// <summary>Null where formats do not count, and for one that is not known.</summary>
    public SchemaFormat? Format { get; set; }

    /// <summary>Of a member that only answers have; false where that does not count.</summary>
    public bool ReadOnly { get; set; }

    public SchemaNode? UnevaluatedItems { get; set; }

    public SchemaNode? UnevaluatedProperties { get; set; }
}

/// <summary>A schema with an identity of its own: the document, or a part of it with <c>$id</c>.</summary>
public sealed class SchemaResource(Uri @base, string pointer)
{
    public Uri Base => @base;

    public string Pointer => pointer;

    /// <summary>By name, the schemas that plain fragments lead to.</summary>
    public Dictionary<string, SchemaNode> Anchors { get; } = new(StringComparer.Ordinal);

    /// <summary>Those among them that a dynamic reference may lead to.</summary>
    public HashSet<string> DynamicAnchors { get; } = new(StringComparer.Ordinal);
}
