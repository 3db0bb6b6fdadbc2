using System.Text.Json;
using System.Text.Json.Nodes;
using Groundwork.Kernel.Schemas;
using Groundwork.Wire;

namespace Groundwork.Kernel.Tests.Schemas;

/// <summary>
/// What the published suite says of formats, which count in the schemas of OpenAPI documents, but for what is listed.
/// </summary>
public sealed class FormatSuiteTests
{
    private const string Idna = "which characters go together in a name of other scripts is not looked at";

    private static readonly Dictionary<string, string> Others = new(StringComparer.Ordinal)
    {
        ["hostname.json: contains illegal char U+302E Hangul single dot tone mark"] = Idna,
        ["hostname.json: Begins with a Spacing Combining Mark"] = Idna,
        ["hostname.json: Begins with a Nonspacing Mark"] = Idna,
        ["hostname.json: Begins with an Enclosing Mark"] = Idna,
        ["hostname.json: Exceptions that are DISALLOWED, right-to-left chars"] = Idna,
        ["hostname.json: Exceptions that are DISALLOWED, left-to-right chars"] = Idna,
        ["hostname.json: MIDDLE DOT with no preceding 'l'"] = Idna,
        ["hostname.json: MIDDLE DOT with nothing preceding"] = Idna,
        ["hostname.json: MIDDLE DOT with no following 'l'"] = Idna,
        ["hostname.json: MIDDLE DOT with nothing following"] = Idna,
        ["hostname.json: Greek KERAIA not followed by Greek"] = Idna,
        ["hostname.json: Greek KERAIA not followed by anything"] = Idna,
        ["hostname.json: Hebrew GERESH not preceded by anything"] = Idna,
        ["hostname.json: Hebrew GERSHAYIM not preceded by anything"] = Idna,
        ["hostname.json: KATAKANA MIDDLE DOT with no Hiragana, Katakana, or Han"] = Idna,
        ["hostname.json: KATAKANA MIDDLE DOT with no other characters"] = Idna,
        ["hostname.json: ZERO WIDTH JOINER not preceded by Virama"] = Idna,
        ["hostname.json: ZERO WIDTH JOINER not preceded by anything"] = Idna,
        ["hostname.json: contains \"--\" in the 3rd and 4th position"] = Idna,
        ["hostname.json: invalid Punycode"] = Idna,
        ["hostname.json: Hebrew GERESH not preceded by Hebrew"] = Idna,
        ["hostname.json: Hebrew GERSHAYIM not preceded by Hebrew"] = Idna,
        ["hostname.json: Arabic-Indic digits mixed with Extended Arabic-Indic digits"] = Idna,
    };

    private static readonly string Folder =
        Path.Combine(AppContext.BaseDirectory, "Schemas", "Cases", "draft2020-12-formats");

    public static TheoryData<string> Files =>
        new(Directory.EnumerateFiles(Folder, "*.json").Select(Path.GetFileName).OfType<string>()
            .Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Files))]
    public void Formats_are_what_the_suite_says(string file)
    {
        var wrong = new List<string>();
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, file)));
        foreach (var group in document.RootElement.EnumerateArray())
        {
            var schema = Read(group.GetProperty("schema"));
            foreach (var test in group.GetProperty("tests").EnumerateArray())
            {
                var name = $"{file}: {test.GetProperty("description").GetString()}";
                var value = JsonNode.Parse(test.GetProperty("data").GetRawText());
                var isSame = SchemaCheck.Run(schema, value, SchemaCheckOptions.Typed).Count == 0
                    == test.GetProperty("valid").GetBoolean();
                if (isSame == Others.ContainsKey(name)) wrong.Add($"{name}: {value?.ToJsonString()}");
            }
        }
        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
    }

    [Fact]
    public void A_format_is_an_annotation_outside_of_OpenApi()
    {
        var faults = new List<FieldFault>();
        using var document = JsonDocument.Parse("""{"format":"ipv4"}""");
        var schema = SchemaReading.Read(document.RootElement, "schema", faults);
        Assert.NotNull(schema);
        Assert.Empty(SchemaCheck.Run(schema, "no address", SchemaCheckOptions.Typed));
        Assert.Single(SchemaCheck.Run(Read(document.RootElement), "no address", SchemaCheckOptions.Typed));
    }

    private static JsonSchema Read(JsonElement element)
    {
        var reading = new SchemaReading(element, SchemaDialect.OpenApi31);
        var node = reading.ReadAt(element, "");
        reading.Resolve();
        Assert.Empty(reading.Faults);
        return new JsonSchema(node, reading.Tracks);
    }
}
