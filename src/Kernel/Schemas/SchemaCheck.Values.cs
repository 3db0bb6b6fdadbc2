using System.Text.Json;
using System.Text.Json.Nodes;

namespace Groundwork.Kernel.Schemas;

/// <summary>The keywords that look at a value alone.</summary>
public sealed partial class SchemaCheck
{
    /// <summary>Values that are told where one of them was expected.</summary>
    private const int MaxTold = 8;

    /// <summary>Characters of these together.</summary>
    private const int MaxToldLength = 100;

    private bool Values(in Context at)
    {
        var valid = Type(at) & AnyValue(at);
        return at.Value switch
        {
            JsonObject members => Size(at, members) & valid,
            JsonArray items => Size(at, items) & valid,
            JsonValue value => Scalar(at, value) & valid,
            _ => valid,
        };
    }

    private bool Type(in Context at)
    {
        if (at.Node.Types is not { } types || (types & TypesOf(at.Value)) != SchemaTypes.None) return true;
        var words = types.ToString().ToLowerInvariant();
        return Fail(at, "type", $"must be of type {words}");
    }

    private SchemaTypes TypesOf(JsonNode? value)
    {
        switch (value)
        {
            case null: return SchemaTypes.Null;
            case JsonObject: return SchemaTypes.Object;
            case JsonArray: return SchemaTypes.Array;
        }
        switch (value.GetValueKind())
        {
            case JsonValueKind.True or JsonValueKind.False: return SchemaTypes.Boolean;
            case JsonValueKind.Number when value.AsValue().TryGetValue<long>(out _):
                return SchemaTypes.Number | SchemaTypes.Integer;
            case JsonValueKind.Number: return NumberTypes(value.ToJsonString());
        }
        if (!options.IsUntyped) return SchemaTypes.String;
        var text = value.GetValue<string>();
        return SchemaTypes.String | text switch
        {
            "" => SchemaTypes.Null,
            "true" or "false" => SchemaTypes.Boolean,
            _ when SchemaNumber.TryParse(text, out _) => NumberTypes(text),
            _ => SchemaTypes.None,
        };
    }

    private static SchemaTypes NumberTypes(string text) =>
        SchemaNumber.TryParse(text, out var number) && number.IsInteger
            ? SchemaTypes.Number | SchemaTypes.Integer
            : SchemaTypes.Number;

    private bool AnyValue(in Context at)
    {
        var node = at.Node;
        if (node.Enum is null && node.Const is null) return true;
        var canonical = CanonicalJson.Write(at.Value);
        Spend(canonical.Length / 16);
        var text = options.IsUntyped && at.Value is JsonValue value ? value.GetValue<string>() : null;
        var valid = true;
        if (node.Enum is { } all && !all.Contains(canonical)
            && (text is null || node.EnumTexts?.Contains(text) != true))
            valid = Fail(at, "enum", $"must be one of {all.Count} values{Told(all)}");
        if (node.Const is { } only && canonical != only && (text is null || text != node.ConstText))
            valid = Fail(at, "const", "must be one value and no other");
        return valid;
    }

    // The values, where they are few and short.
    private static string Told(IReadOnlySet<string> all)
    {
        if (all.Count > MaxTold) return "";
        var text = string.Join(", ", all);
        return text.Length > MaxToldLength ? "" : $": {text}";
    }

    private bool Size(in Context at, JsonObject members)
    {
        var (node, valid) = (at.Node, true);
        foreach (var name in node.Required ?? [])
        {
            Spend(1);
            if (!members.ContainsKey(name)) valid = Fail(at, "required", $"must have '{name}'");
        }
        if (node.DependentRequired is { } dependent) valid &= Dependent(at, members, dependent);
        return Between(
            at, members.Count, (node.MinProperties, "minProperties"), (node.MaxProperties, "maxProperties"), "members")
            && valid;
    }

    private bool Dependent(
        in Context at, JsonObject members, IReadOnlyDictionary<string, IReadOnlyList<string>> dependent)
    {
        var valid = true;
        foreach (var (name, others) in dependent)
        {
            if (!members.ContainsKey(name)) continue;
            foreach (var other in others)
            {
                Spend(1);
                if (!members.ContainsKey(other))
                    valid = Fail(at, "dependentRequired", $"must have '{other}', because it has '{name}'");
            }
        }
        return valid;
    }

    private bool Size(in Context at, JsonArray items)
    {
        var node = at.Node;
        var valid = Between(at, items.Count, (node.MinItems, "minItems"), (node.MaxItems, "maxItems"), "items");
        if (!node.UniqueItems) return valid;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var index = 0; index < items.Count; index++)
        {
            var canonical = CanonicalJson.Write(items[index]);
            Spend(1 + (canonical.Length / 16));
            if (seen.Add(canonical)) continue;
            return Fail(node, at.Faults, at.Place.Item(index), "uniqueItems", "stands in the list already");
        }
        return valid;
    }

    private bool Scalar(in Context at, JsonValue value)
    {
        var kind = value.GetValueKind();
        // Most numbers have a type alone: their digits are written for those that have more.
        if (kind == JsonValueKind.Number) return !HasNumberRules(at.Node) || Number(at, value.ToJsonString());
        if (kind != JsonValueKind.String) return true;
        var text = value.GetValue<string>();
        // A text without types is a number where it reads as one, and text all the same.
        var valid = !options.IsUntyped || !SchemaNumber.TryParse(text, out _) || Number(at, text);
        return Text(at, text) && valid;
    }

    private bool Text(in Context at, string text)
    {
        var (node, valid) = (at.Node, true);
        if (node.MinLength is not null || node.MaxLength is not null || node.Format?.IsText is not null)
        {
            Spend(text.Length / 64);
            var length = text.EnumerateRunes().Count();
            valid = Between(
                at, length, (node.MinLength, "minLength"), (node.MaxLength, "maxLength"), "characters");
        }
        if (node.Format is { IsText: { } isText } format && !isText(text))
            valid = Fail(at, "format", $"must be of the format {format.Name}");
        if (node.Pattern is not { } pattern) return valid;
        Spend(1 + (text.Length / 16));
        return pattern.IsMatch(text) ? valid : Fail(at, "pattern", $"must match {node.PatternText}");
    }

    private bool Number(in Context at, string text)
    {
        var node = at.Node;
        if (!HasNumberRules(node)) return true;
        if (!SchemaNumber.TryParse(text, out var number))
            return Fail(
                at, "number", $"has more than {SchemaNumber.MaxDigits} digits, which is more than can be checked");
        var valid = true;
        if (node.Format is { Least: { } from, Most: { } to } format
            && (number.CompareTo(from) < 0 || number.CompareTo(to) > 0))
            valid = Fail(at, "format", $"must be of the format {format.Name}: {from} to {to}");
        if (node.MultipleOf is { } divisor && !number.IsMultipleOf(divisor))
            valid = Fail(at, "multipleOf", $"must be a multiple of {divisor}");
        if (node.Maximum is { } most && number.CompareTo(most) > 0)
            valid = Fail(at, "maximum", $"must be at most {most}");
        if (node.ExclusiveMaximum is { } below && number.CompareTo(below) >= 0)
            valid = Fail(at, "exclusiveMaximum", $"must be less than {below}");
        if (node.Minimum is { } least && number.CompareTo(least) < 0)
            valid = Fail(at, "minimum", $"must be at least {least}");
        if (node.ExclusiveMinimum is { } above && number.CompareTo(above) <= 0)
            valid = Fail(at, "exclusiveMinimum", $"must be more than {above}");
        return valid;
    }

    private static bool HasNumberRules(SchemaNode node) =>
        node.MultipleOf is not null || node.Maximum is not null || node.ExclusiveMaximum is not null
        || node.Minimum is not null || node.ExclusiveMinimum is not null || node.Format?.Most is not null;

    private bool Between(
        in Context at, int count, (int? Limit, string Keyword) least, (int? Limit, string Keyword) most, string what)
    {
        if (count < least.Limit) return Fail(at, least.Keyword, $"has {count} {what}, and must have {least.Limit}");
        return !(count > most.Limit) || Fail(at, most.Keyword, $"has {count} {what}, and may have {most.Limit}");
    }
}
