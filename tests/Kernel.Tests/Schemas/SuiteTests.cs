using System.Text.Json;
using System.Text.Json.Nodes;
using Groundwork.Kernel.Schemas;
using Groundwork.Wire;

namespace Groundwork.Kernel.Tests.Schemas;

/// <summary>The published test suite of JSON Schema, draft 2020-12, but for what is listed here.</summary>
public sealed class SuiteTests
{
    private const string Metaschema = "refers to the metaschema, which is another document";
    private const string Remote = "refers to another document, which is refused";

    /// <summary>
    /// Groups that are left out, by file and description; each must be refused with a fault of the schema. Of the
    /// suite's files these are not here at all: <c>refRemote</c> and <c>vocabulary</c>, because all of it needs other
    /// documents; of the optional ones <c>format</c> and <c>format-assertion</c> (a format is an annotation),
    /// <c>cross-draft</c> (another document), <c>dependencies-compatibility</c> (a keyword of older drafts) and
    /// <c>dynamicRef</c> (another document).
    /// </summary>
    private static readonly Dictionary<string, string> Refused = new(StringComparer.Ordinal)
    {
        ["defs.json: validate definition against metaschema"] = Metaschema,
        ["dynamicRef.json: strict-tree schema, guards against misspelled properties"] = Remote,
        ["dynamicRef.json: tests for implementation dynamic anchor and reference link"] = Remote,
        ["dynamicRef.json: $ref and $dynamicAnchor are independent of order - $defs first"] = Remote,
        ["dynamicRef.json: $ref and $dynamicAnchor are independent of order - $ref first"] = Remote,
        ["dynamicRef.json: $ref to $dynamicRef finds detached $dynamicAnchor"] = Remote,
        ["ref.json: remote ref, containing refs itself"] = Metaschema,
    };

    private static readonly string Folder =
        Path.Combine(AppContext.BaseDirectory, "Schemas", "Cases", "draft2020-12");

    public static TheoryData<string> Files => new(Directory
        .EnumerateFiles(Folder, "*.json", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(Folder, file))
        .Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Files))]
    public void The_check_says_what_the_suite_says(string file)
    {
        var wrong = new List<string>();
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, file)));
        foreach (var group in document.RootElement.EnumerateArray())
        {
            var name = $"{file}: {group.GetProperty("description").GetString()}";
            var faults = new List<FieldFault>();
            var schema = SchemaReading.Read(group.GetProperty("schema"), "schema", faults);
            if (Refused.ContainsKey(name))
            {
                if (schema is not null) wrong.Add($"{name}: is read, and listed as refused");
                continue;
            }
            if (schema is null)
            {
                wrong.Add($"{name}: {string.Join("; ", faults)}");
                continue;
            }
            foreach (var test in group.GetProperty("tests").EnumerateArray())
            {
                var value = JsonNode.Parse(test.GetProperty("data").GetRawText());
                var told = SchemaCheck.Run(schema, value, SchemaCheckOptions.Typed);
                if (told.Count == 0 != test.GetProperty("valid").GetBoolean())
                    wrong.Add($"{name}: {test.GetProperty("description").GetString()}: {string.Join("; ", told)}");
            }
        }
        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
    }

    [Fact]
    public void Every_group_that_is_left_out_is_there()
    {
        var groups = Files.Select(file => file.Data).SelectMany(file =>
        {
            using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, file)));
            return document.RootElement.EnumerateArray()
                .Select(group => $"{file}: {group.GetProperty("description").GetString()}").ToList();
        }).ToHashSet(StringComparer.Ordinal);
        Assert.Empty(Refused.Keys.Except(groups));
    }
}
