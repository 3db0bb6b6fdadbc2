using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Groundwork.Wire;

namespace Groundwork.Services.Settings.Formats;

/// <summary>Checks one flag: its variants, what it serves to whom, and its bounds.</summary>
/// <param name="path">Of the flag in the document.</param>
internal sealed class FlagCheck(FlagsCheck document, string name, string path)
{
    /// <summary>Variants of one flag; a person chooses among them, and more is a setting of its own.</summary>
    public const int MaxVariants = 32;

    /// <summary>Characters of a variant's name; it stands in every report of exposures.</summary>
    public const int MaxVariantName = 64;

    /// <summary>Characters of one variant's value as JSON; larger ones belong into a setting of their own.</summary>
    public const int MaxVariantLength = 16 * 1024;

    /// <summary>Rules are tried in order with every evaluation.</summary>
    public const int MaxRules = 64;

    /// <summary>User keys of one rule; more people are a label.</summary>
    public const int MaxUsers = 10_000;

    /// <summary>Labels of one rule; a reader has at most as many.</summary>
    public const int MaxLabels = 32;

    /// <summary>Values of one label.</summary>
    public const int MaxLabelValues = 256;

    /// <summary>Characters of a label, of one of its values and of a salt: as of resources' labels.</summary>
    public const int MaxLabelLength = 128;

    /// <summary>Characters of a user key.</summary>
    public const int MaxUserLength = 256;

    // What a flag without variants has.
    private static readonly string[] OnAndOff = ["on", "off"];

    private IReadOnlyCollection<string> variants = OnAndOff;

    public void Check(JsonNode? node)
    {
        if (!Names.IsSegment(name))
            document.Add(
                path, $"'{name}' is not a flag's name: 1 to {Names.MaxSegmentLength} of A-Z a-z 0-9 . _ : @ -");
        if (node is not JsonObject flag)
        {
            document.Add(path, $"flag '{name}' must be an object");
            return;
        }
        document.Only(flag, path, ["description", "enabled", "variants", "default", "off", "salt", "rules"]);
        Text(flag, path, "description", SettingKind.MaxDescription);
        Text(flag, path, "salt", MaxLabelLength);
        if (flag.ContainsKey("enabled") && !IsA(flag["enabled"], JsonValueKind.True, JsonValueKind.False))
            document.Add($"{path}.enabled", "'enabled' must be true or false");
        var whole = !flag.ContainsKey("variants") || CheckVariants(flag["variants"]);
        if (whole) CheckServed(flag);
        CheckRules(flag, whole);
    }

    /// <summary>True when the names are known, so that what names them can be checked.</summary>
    private bool CheckVariants(JsonNode? node)
    {
        var place = $"{path}.variants";
        if (node is not JsonObject { Count: > 0 } values)
        {
            document.Add(place, "'variants' must be an object: name of the variant, and its value");
            return false;
        }
        if (values.Count > MaxVariants)
            document.Add(place, $"has {values.Count} variants, {MaxVariants} are allowed");
        var first = TypeOf(values.First().Value);
        foreach (var (variant, value) in values)
        {
            var here = $"{place}.{variant}";
            if (!Names.IsSegment(variant) || variant.Length > MaxVariantName)
                document.Add(
                    here, $"'{variant}' is not a variant's name: 1 to {MaxVariantName} of A-Z a-z 0-9 . _ : @ -");
            var type = TypeOf(value);
            if (type is null)
                document.Add(here, $"variant '{variant}' must be true, false, text, a number or an object");
            else if (first is not null && type != first)
                document.Add(here, $"variant '{variant}' is {type} and the first is {first}; variants are of one type");
            if (value?.ToJsonString().Length > MaxVariantLength)
                document.Add(here, $"variant '{variant}' is longer than {MaxVariantLength} characters as JSON");
        }
        variants = [.. values.Select(one => one.Key)];
        return true;
    }

    private void CheckServed(JsonObject flag)
    {
        if (flag.ContainsKey("default")) Variant(flag["default"], $"{path}.default", "'default'");
        else if (flag.ContainsKey("variants")) document.Add(path, $"flag '{name}' has variants and no 'default'");
        if (flag.ContainsKey("off")) Variant(flag["off"], $"{path}.off", "'off'");
    }

    private void CheckRules(JsonObject flag, bool variantsKnown)
    {
        if (!flag.ContainsKey("rules")) return;
        var place = $"{path}.rules";
        if (flag["rules"] is not JsonArray rules)
        {
            document.Add(place, "'rules' must be a list");
            return;
        }
        if (rules.Count > MaxRules) document.Add(place, $"has {rules.Count} rules, {MaxRules} are allowed");
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var index = 0; index < rules.Count; index++)
            CheckRule(rules[index], $"{place}[{index}]", names, variantsKnown);
    }

    private void CheckRule(JsonNode? node, string place, HashSet<string> names, bool variantsKnown)
    {
        if (node is not JsonObject rule)
        {
            document.Add(place, "a rule must be an object");
            return;
        }
        document.Only(rule, place, ["name", "users", "labels", "percent", "serve"]);
        if (TextOf(rule["name"]) is not { } own || !Names.IsSegment(own))
            document.Add(rule.ContainsKey("name") ? $"{place}.name" : place,
                $"a rule has a 'name': 1 to {Names.MaxSegmentLength} of A-Z a-z 0-9 . _ : @ -");
        else if (!names.Add(own)) document.Add($"{place}.name", $"flag '{name}' has a rule '{own}' already");
        if (rule.ContainsKey("users"))
            Texts(rule["users"], $"{place}.users", "'users'", MaxUsers, MaxUserLength);
        if (rule.ContainsKey("labels")) CheckLabels(rule["labels"], $"{place}.labels");
        if (rule.ContainsKey("percent") && Hundredths(rule["percent"]) is null)
            document.Add($"{place}.percent", "'percent' must be 0 to 100 with at most two decimals");
        if (!rule.ContainsKey("serve")) document.Add(place, "a rule has a 'serve': a variant, or weights of variants");
        else if (variantsKnown) CheckServe(rule["serve"], $"{place}.serve");
    }

    private void CheckLabels(JsonNode? node, string place)
    {
        if (node is not JsonObject { Count: > 0 } labels)
        {
            document.Add(place, "'labels' must be an object: name of the label, and its value or a list of them");
            return;
        }
        if (labels.Count > MaxLabels) document.Add(place, $"has {labels.Count} labels, {MaxLabels} are allowed");
        foreach (var (label, value) in labels)
        {
            var here = $"{place}.{label}";
            if (label.Length is 0 or > MaxLabelLength)
                document.Add(here, $"a label's name has 1 to {MaxLabelLength} characters");
            if (value is JsonArray) Texts(value, here, $"label '{label}'", MaxLabelValues, MaxLabelLength);
            else if (TextOf(value) is not { Length: <= MaxLabelLength })
                document.Add(
                    here, $"label '{label}' must be text of at most {MaxLabelLength} characters, or a list of it");
        }
    }

    private void CheckServe(JsonNode? node, string place)
    {
        if (node is not JsonObject weights)
        {
            Variant(node, place, "'serve'");
            return;
        }
        var sum = 0;
        foreach (var (variant, weight) in weights)
        {
            var here = $"{place}.{variant}";
            if (!variants.Contains(variant)) document.Add(here, Unknown("'serve'", variant));
            if (Hundredths(weight) is { } share) sum += share;
            else
            {
                document.Add(here, "a weight must be 0 to 100 with at most two decimals");
                return;
            }
        }
        if (sum != 10_000)
            document.Add(place, string.Create(
                CultureInfo.InvariantCulture, $"the weights sum to {sum / 100m:0.##}, and must to 100"));
    }

    private void Variant(JsonNode? node, string place, string what)
    {
        if (TextOf(node) is not { } variant) document.Add(place, $"{what} must be the name of a variant, as text");
        else if (!variants.Contains(variant)) document.Add(place, Unknown(what, variant));
    }

    private string Unknown(string what, string variant) =>
        $"{what} names '{variant}', which is no variant of '{name}'; there are {string.Join(", ", variants)}";

    private void Texts(JsonNode? node, string place, string what, int most, int longest)
    {
        if (node is not JsonArray { Count: > 0 } items)
        {
            document.Add(place, $"{what} must be a list of text with 1 item or more");
            return;
        }
        if (items.Count > most) document.Add(place, $"{what} has {items.Count} items, {most} are allowed");
        for (var index = 0; index < items.Count; index++)
            if (TextOf(items[index]) is not { } text || text.Length == 0 || text.Length > longest)
                document.Add($"{place}[{index}]", $"{what} takes text of 1 to {longest} characters; quote numbers");
    }

    private void Text(JsonObject of, string at, string member, int longest)
    {
        if (!of.ContainsKey(member)) return;
        if (TextOf(of[member]) is not { } text || text.Length > longest)
            document.Add($"{at}.{member}", $"'{member}' must be text of at most {longest} characters");
        else if (member == "salt" && text.Any(char.IsControl))
            document.Add($"{at}.{member}", "'salt' must be without control characters");
    }

    /// <summary>Hundredths of a percent; null unless it is 0 to 100 with at most two decimals.</summary>
    private static int? Hundredths(JsonNode? node) =>
        IsA(node, JsonValueKind.Number)
        && decimal.TryParse(
            node!.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) // It is a number.
        && number is >= 0 and <= 100 && number * 100 == decimal.Truncate(number * 100)
            ? (int)(number * 100)
            : null;

    private static string? TypeOf(JsonNode? node) => node switch
    {
        JsonObject => "an object",
        JsonValue when IsA(node, JsonValueKind.True, JsonValueKind.False) => "a boolean",
        JsonValue when IsA(node, JsonValueKind.String) => "text",
        JsonValue when IsA(node, JsonValueKind.Number) => "a number",
        _ => null,
    };

    private static string? TextOf(JsonNode? node) =>
        node is not null && IsA(node, JsonValueKind.String) ? node.GetValue<string>() : null;

    private static bool IsA(JsonNode? node, params ReadOnlySpan<JsonValueKind> kinds) =>
        node is not null && kinds.Contains(node.GetValueKind());
}
