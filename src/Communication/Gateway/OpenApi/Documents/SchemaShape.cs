using System.Collections.Immutable;
using Groundwork.Kernel.Schemas;

namespace Groundwork.Communication.Gateway.OpenApi.Documents;

/// <summary>What can be told of a schema without a value: how a text in a query, a field or a form is cut up.</summary>
internal static class SchemaShape
{
    /// <summary>What one text can be.</summary>
    public const SchemaTypes Texts =
        SchemaTypes.Boolean | SchemaTypes.Integer | SchemaTypes.Number | SchemaTypes.String;

    private const SchemaTypes All = Texts | SchemaTypes.Null | SchemaTypes.Array | SchemaTypes.Object;

    /// <summary>Schemas within schemas that are looked at.</summary>
    private const int MaxDepth = 8;

    /// <summary>The types that a value may have, as far as the schema says so.</summary>
    public static SchemaTypes TypesOf(JsonSchema schema) => TypesOf(schema.Root, MaxDepth);

    /// <summary>The members that a schema names, and whether each is a list.</summary>
    public static ImmutableDictionary<string, bool> MembersOf(JsonSchema schema)
    {
        var members = ImmutableDictionary.CreateBuilder<string, bool>(StringComparer.Ordinal);
        AddMembers(schema.Root, members, MaxDepth);
        return members.ToImmutable();
    }

    /// <summary>True where members have names that the schema does not say.</summary>
    public static bool IsOpen(JsonSchema schema) => IsOpen(schema.Root, MaxDepth);

    private static SchemaTypes TypesOf(SchemaNode node, int left)
    {
        if (left == 0) return All;
        var types = node.Types ?? All;
        if (types.HasFlag(SchemaTypes.Number)) types |= SchemaTypes.Integer;
        if (node.Ref is { } target) types &= TypesOf(target, left - 1);
        foreach (var one in node.AllOf ?? []) types &= TypesOf(one, left - 1);
        foreach (var branches in (IReadOnlyList<SchemaNode>?[])[node.AnyOf, node.OneOf])
        {
            if (branches is null) continue;
            var any = SchemaTypes.None;
            foreach (var one in branches) any |= TypesOf(one, left - 1);
            types &= any;
        }
        // Without a word about its type, a schema with items means lists, and one with properties objects.
        if (types == All && node.Items is not null) return SchemaTypes.Array;
        return types == All && node.Properties is not null ? SchemaTypes.Object : types;
    }

    private static void AddMembers(SchemaNode node, ImmutableDictionary<string, bool>.Builder members, int left)
    {
        if (left == 0) return;
        foreach (var (name, schema) in node.Properties ?? ImmutableDictionary<string, SchemaNode>.Empty)
            members[name] = (TypesOf(schema, MaxDepth) & (Texts | SchemaTypes.Array)) == SchemaTypes.Array;
        if (node.Ref is { } target) AddMembers(target, members, left - 1);
        foreach (var branches in (IReadOnlyList<SchemaNode>?[])[node.AllOf, node.AnyOf, node.OneOf])
            foreach (var one in branches ?? []) AddMembers(one, members, left - 1);
    }

    private static bool IsOpen(SchemaNode node, int left)
    {
        if (left == 0 || node.AdditionalProperties is { Always: not false }) return true;
        return node.PatternProperties is not null
            || (node.Ref is { } target && IsOpen(target, left - 1))
            || (node.AllOf ?? []).Any(one => IsOpen(one, left - 1));
    }
}
