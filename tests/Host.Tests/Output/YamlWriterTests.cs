using System.Text.Json.Nodes;
using Groundwork.Host.Output;
using Groundwork.Kernel.Documents;
using Groundwork.Tests.Support;

namespace Groundwork.Host.Tests.Output;

public sealed class YamlWriterTests
{
    [Fact]
    public void A_resource_reads_well() => Assert.Equal(
        """
        kind: setting
        name: catalog/app.yaml
        labels:
          team: "on"
        spec:
          content: |
            a: 1
              b: 2

            c: 3
          empty: []
          list:
            - x
            - "12"
            - - 1
              - 2
            - k: w
              v: null
          none: {}
          price: 0.10
          text: "yes: it is"

        """,
        YamlWriter.Write(JsonNode.Parse(
            """
            {"kind":"setting","name":"catalog/app.yaml","labels":{"team":"on"},"spec":{"content":"a: 1\n  b: 2\n\nc: 3\n",
             "empty":[],"list":["x","12",[1,2],{"k":"w","v":null}],"none":{},"price":0.10,"text":"yes: it is"}}
            """)),
        ignoreLineEndingDifferences: true);

    [Theory]
    [InlineData("")]
    [InlineData("true")]
    [InlineData("~")]
    [InlineData("No")]
    [InlineData("1e3")]
    [InlineData("0x1F")]
    [InlineData("2026-01-01")]
    [InlineData("12:30")]
    [InlineData(" lead")]
    [InlineData("trail ")]
    [InlineData("a: b")]
    [InlineData("a #b")]
    [InlineData("- a")]
    [InlineData("key:")]
    [InlineData("&x")]
    [InlineData("*x")]
    [InlineData("!x")]
    [InlineData("{a}")]
    [InlineData("[a")]
    [InlineData("\"q\"")]
    [InlineData("'q'")]
    [InlineData("---")]
    [InlineData("...")]
    [InlineData("a\n")]
    [InlineData("a\n\n")]
    [InlineData("\n")]
    [InlineData("\na")]
    [InlineData("  a\nb")]
    [InlineData("a\n   \nb")]
    [InlineData("a\n\tb\n")]
    [InlineData("a\r\nb")]
    [InlineData("tab\there")]
    [InlineData("nul\0")]
    [InlineData("bell\a")]
    [InlineData("\u0085\u2028\ufeff")]
    [InlineData("héllo 世界 😀")]
    [InlineData("😀\nline\n")]
    [InlineData("%YAML")]
    [InlineData("@at")]
    [InlineData("`tick")]
    [InlineData("?")]
    [InlineData("? a")]
    [InlineData("<<")]
    [InlineData("=")]
    [InlineData("a\\b")]
    [InlineData("# not a comment\nb\n")]
    public void Text_comes_back_as_it_was(string text)
    {
        RoundTrip(JsonValue.Create(text));
        RoundTrip(new JsonObject { ["k"] = text });
        RoundTrip(new JsonObject { [text] = 1 });
        RoundTrip(new JsonArray(text, new JsonArray(text), new JsonObject { ["a"] = new JsonObject { ["b"] = text } }));
    }

    [Fact]
    public void Any_document_comes_back_as_it_was()
    {
        var random = LongRun.Random();
        for (var round = 0; round < LongRun.Count(500, 50_000); round++) RoundTrip(Document(random, 0));
    }

    private static JsonNode? Document(Random random, int depth) => random.Next(depth > 4 ? 5 : 8) switch
    {
        0 => null,
        1 => random.Next(2) == 0,
        2 => random.NextInt64(),
        3 or 4 => JsonValue.Create(Text(random)),
        5 => random.NextDouble() * 1e6,
        6 => new JsonArray([.. Enumerable.Range(0, random.Next(4)).Select(_ => Document(random, depth + 1))]),
        _ => new JsonObject(Enumerable.Range(0, random.Next(4))
            .Select(_ => Text(random)).Distinct(StringComparer.Ordinal)
            .Select(name => KeyValuePair.Create(name, Document(random, depth + 1)))),
    };

    private static string Text(Random random)
    {
        const string Alphabet = "ab0 1\n\t:#-?*&!|>'\"%@`{}[],~.=/\\é世\r\0";
        return string.Concat(Enumerable.Range(0, random.Next(9)).Select(_ => Alphabet[random.Next(Alphabet.Length)]));
    }

    private static void RoundTrip(JsonNode? document)
    {
        var yaml = YamlWriter.Write(document);
        var reading = YamlReader.Read(yaml);
        Assert.True(reading.Succeeded, $"{string.Join('\n', reading.Faults)}\nin:\n{yaml}");
        // An empty plain document is left out by the reader; the writer writes null as such.
        var read = Assert.Single(reading.Documents).Root;
        Assert.True(JsonNode.DeepEquals(
            document, read), $"{document?.ToJsonString()}\nbecame {read?.ToJsonString()}\nin:\n{yaml}");
    }
}
