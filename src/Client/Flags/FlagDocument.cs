using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Groundwork.Client.Settings;
using Groundwork.Wire;

namespace Groundwork.Client.Flags;

/// <summary>
/// Reads a setting of format <c>flags</c>, as docs/settings.md has it. Anything unknown is a fault: a condition that is
/// passed over would make its rule match everybody.
/// </summary>
internal sealed class FlagDocument
{
    private static readonly JsonDocumentOptions Options = new()
    {
        MaxDepth = SettingKeys.MaxDepth,
        AllowDuplicateProperties = false,
    };

    private readonly FlagExposures exposures;
    private readonly string name;
    private Dictionary<string, FlagVariant> variants = [];

    private FlagDocument(string name, FlagExposures exposures)
    {
        this.name = name;
        this.exposures = exposures;
    }

    /// <summary>All flags of the text.</summary>
    /// <exception cref="FormatException">It is not such a document; the message says where.</exception>
    /// <exception cref="JsonException">It is no JSON.</exception>
    public static ImmutableArray<Flag> Read(string text, FlagExposures exposures)
    {
        var isJson = text.AsSpan().TrimStart(" \t\r\n").StartsWith('{');
        using var document = isJson
            ? JsonDocument.Parse(text, Options)
            : JsonDocument.Parse(YamlSettingText.ToJson(text), Options);
        if (document.RootElement.ValueKind != JsonValueKind.Object)
            throw new FormatException("its root is not an object with the member 'flags'");
        Only(document.RootElement, "the document", "flags");
        if (!document.RootElement.TryGetProperty("flags", out var flags) || flags.ValueKind != JsonValueKind.Object)
            throw new FormatException("it has no object 'flags'");
        return [.. flags.EnumerateObject().Select(one => new FlagDocument(one.Name, exposures).Read(one.Value))];
    }

    private Flag Read(JsonElement flag)
    {
        if (!Names.IsSegment(name)) throw Wrong("its name is none");
        if (flag.ValueKind != JsonValueKind.Object) throw Wrong("it is not an object");
        Only(flag, $"flag '{name}'", "description", "enabled", "variants", "default", "off", "salt", "rules");
        var hasVariants = flag.TryGetProperty("variants", out var given);
        variants = hasVariants ? ReadVariants(given) : OnAndOff();
        var usual = flag.TryGetProperty("default", out var named) ? Variant(named)
            : hasVariants ? throw Wrong("it has variants and no 'default'") : variants["off"];
        var off = flag.TryGetProperty("off", out var ofOff) ? Variant(ofOff)
            : variants.GetValueOrDefault("off", usual);
        var salt = flag.TryGetProperty("salt", out var ofSalt) ? Text(ofSalt, "'salt'") : "";
        return new Flag(
            name, ReadEnabled(flag), usual, off, ReadRules(flag), Encoding.UTF8.GetBytes($"{name}\0{salt}\0"));
    }

    private bool ReadEnabled(JsonElement flag) => !flag.TryGetProperty("enabled", out var enabled)
        || enabled.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw Wrong("'enabled' is neither true nor false"),
        };

    private Dictionary<string, FlagVariant> ReadVariants(JsonElement given)
    {
        if (given.ValueKind != JsonValueKind.Object) throw Wrong("'variants' is not an object");
        var read = given.EnumerateObject().ToDictionary(
            one => one.Name, one => new FlagVariant(one.Name, one.Value.Clone(), exposures.Of(name, one.Name)),
            StringComparer.Ordinal);
        return read.Count > 0 ? read : throw Wrong("it has no variant");
    }

    private Dictionary<string, FlagVariant> OnAndOff()
    {
        FlagVariant Make(string variant, bool value) =>
            new(variant, JsonSerializer.SerializeToElement(value), exposures.Of(name, variant));

        return new Dictionary<string, FlagVariant>(StringComparer.Ordinal)
        {
            ["on"] = Make("on", true),
            ["off"] = Make("off", false),
        };
    }

    private ImmutableArray<FlagRule> ReadRules(JsonElement flag)
    {
        if (!flag.TryGetProperty("rules", out var rules)) return [];
        if (rules.ValueKind != JsonValueKind.Array) throw Wrong("'rules' is not a list");
        return [.. rules.EnumerateArray().Select(ReadRule)];
    }

    private FlagRule ReadRule(JsonElement rule)
    {
        if (rule.ValueKind != JsonValueKind.Object) throw Wrong("a rule is not an object");
        Only(rule, $"a rule of flag '{name}'", "name", "users", "labels", "percent", "serve");
        if (!rule.TryGetProperty("name", out var own)) throw Wrong("a rule has no 'name'");
        if (!rule.TryGetProperty("serve", out var serve)) throw Wrong("a rule has no 'serve'");
        var hasWeights = serve.ValueKind == JsonValueKind.Object;
        return new FlagRule(
            Text(own, "a rule's 'name'"),
            rule.TryGetProperty("users", out var users) ? Texts(users, "'users'") : null,
            rule.TryGetProperty("labels", out var labels) ? ReadLabels(labels) : [],
            rule.TryGetProperty("percent", out var percent) ? Hundredths(percent, "'percent'") : FlagRule.Whole,
            hasWeights ? ReadWeights(serve) : [(FlagRule.Whole, Variant(serve))],
            hasWeights);
    }

    private ImmutableArray<KeyValuePair<string, FrozenSet<string>>> ReadLabels(JsonElement labels)
    {
        if (labels.ValueKind != JsonValueKind.Object) throw Wrong("'labels' is not an object");
        return
        [
            .. labels.EnumerateObject().Select(label => KeyValuePair.Create(
                label.Name,
                label.Value.ValueKind == JsonValueKind.Array
                    ? Texts(label.Value, $"label '{label.Name}'")
                    : new[] { Text(label.Value, $"label '{label.Name}'") }.ToFrozenSet(StringComparer.Ordinal))),
        ];
    }

    // Laid end to end in the order of the variants' names; these are ASCII, so their order is that of their bytes.
    private ImmutableArray<(int End, FlagVariant Variant)> ReadWeights(JsonElement serve)
    {
        var line = ImmutableArray.CreateBuilder<(int, FlagVariant)>();
        var end = 0;
        foreach (var weight in serve.EnumerateObject().OrderBy(one => one.Name, StringComparer.Ordinal))
        {
            end += Hundredths(weight.Value, "a weight");
            line.Add((end, Variant(weight.Name)));
        }
        return end == FlagRule.Whole ? line.ToImmutable() : throw Wrong("the weights of a rule do not sum to 100");
    }

    private FlagVariant Variant(JsonElement of) => Variant(Text(of, "a variant"));

    private FlagVariant Variant(string of) =>
        variants.TryGetValue(of, out var variant) ? variant : throw Wrong($"'{of}' is none of its variants");

    private FrozenSet<string> Texts(JsonElement list, string what) => list.ValueKind == JsonValueKind.Array
        ? list.EnumerateArray().Select(item => Text(item, what)).ToFrozenSet(StringComparer.Ordinal)
        : throw Wrong($"{what} is not a list of text");

    private string Text(JsonElement of, string what) => of.ValueKind == JsonValueKind.String
        ? of.GetString()! // It is text.
        : throw Wrong($"{what} is not text");

    private int Hundredths(JsonElement of, string what) =>
        of.ValueKind == JsonValueKind.Number && of.TryGetDecimal(out var number)
        && number is >= 0 and <= 100 && number * 100 == decimal.Truncate(number * 100)
            ? (int)(number * 100)
            : throw Wrong($"{what} is not 0 to 100 with at most two decimals");

    private FormatException Wrong(string what) => new($"flag '{name}': {what}");

    private static void Only(JsonElement of, string where, params ReadOnlySpan<string> known)
    {
        foreach (var member in of.EnumerateObject())
            if (!known.Contains(member.Name))
                throw new FormatException($"{where} has a member '{member.Name}' that this client does not know");
    }
}
