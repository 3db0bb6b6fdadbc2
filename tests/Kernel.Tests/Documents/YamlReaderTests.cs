using System.Text;
using System.Text.Json.Nodes;
using Groundwork.Kernel.Documents;

namespace Groundwork.Kernel.Tests.Documents;

public sealed class YamlReaderTests
{
    [Theory]
    [InlineData("yes", "\"yes\"")]
    [InlineData("on", "\"on\"")]
    [InlineData("No", "\"No\"")]
    [InlineData("true", "true")]
    [InlineData("False", "false")]
    [InlineData("~", "null")]
    [InlineData("Null", "null")]
    [InlineData("'true'", "\"true\"")]
    [InlineData("\"12\"", "\"12\"")]
    [InlineData("007", "7")]
    [InlineData("+12", "12")]
    [InlineData("-0", "-0")]
    [InlineData("0o17", "15")]
    [InlineData("0xFF", "255")]
    [InlineData("1_000", "\"1_000\"")]
    [InlineData("0.10", "0.10")]
    [InlineData(".5", "0.5")]
    [InlineData("5.", "5")]
    [InlineData("1e3", "1e3")]
    [InlineData("1:30", "\"1:30\"")]
    [InlineData("2026-01-01", "\"2026-01-01\"")]
    [InlineData("123456789012345678901234567890", "123456789012345678901234567890")]
    [InlineData("!!str 12", "\"12\"")]
    [InlineData("!!int '12'", "12")]
    [InlineData("\"\\ud83d\\ude00\"", "\"😀\"")]
    public void Scalars_follow_the_core_schema(string yaml, string json)
    {
        var document = Assert.Single(Read($"value: {yaml}\n").Documents);
        Assert.True(JsonNode.DeepEquals(
            JsonNode.Parse($$"""{"value":{{json}}}"""), document.Root), document.Root?.ToJsonString());
    }

    [Fact]
    public void Digits_are_kept_as_written() =>
        Assert.Equal("""{"a":0.10,"b":1e3}""", Read("a: 0.10\nb: 1e3\n").Documents[0].Root!.ToJsonString());

    [Fact]
    public void Several_documents_are_read_and_empty_ones_left_out()
    {
        var reading = Read("---\na: 1\n---\n---\n# only a comment\n---\nb: 2\n...\n");
        Assert.Equal(
            ["""{"a":1}""", """{"b":2}"""], reading.Documents.Select(document => document.Root!.ToJsonString()));
    }

    [Fact]
    public void Every_value_has_its_place()
    {
        var document = Read("kind: route\nspec:\n  hosts:\n    - a\n    - b\n").Documents[0];
        Assert.Equal(new TextPosition(5, 7), document.Locate("spec.hosts[1]"));
        Assert.Equal(new TextPosition(3, 3), document.Locate("spec.hosts"));
        Assert.Equal(new TextPosition(2, 1), document.Locate("spec.missing.deeper"));
        Assert.Equal(new TextPosition(1, 1), document.Locate("nowhere"));
    }

    [Theory]
    [InlineData("a: 1\nb: 2\na: 3\n", "", "key 'a' stands here a second time; the first is on line 1", 3, 1)]
    [InlineData("s:\n  x: 1\n  x: 2\n", "s", "key 'x' stands here a second time; the first is on line 2", 3, 3)]
    [InlineData(
        "a: &x {b: 1}\nc:\n  <<: *x\n", "c.<<", "merge keys are not part of YAML 1.2; write the members out", 3, 3)]
    [InlineData("a: *nobody\n", "a", "alias *nobody names no anchor", 1, 4)]
    [InlineData("a: &x [*x]\n", "a[0]", "alias *x stands inside the value that it names", 1, 8)]
    [InlineData("a: !!binary aGk=\n", "a", "tag tag:yaml.org,2002:binary is not supported; write plain YAML", 1, 4)]
    [InlineData("a: !x hi\n", "a", "tag !x is not supported; write plain YAML", 1, 4)]
    [InlineData("%YAML 1.1\n---\na: yes\n", "", "another version of YAML than 1.2 is declared", 1, 1)]
    [InlineData("a: 1\nb\0: {{{", "", "a character that YAML does not allow", 2, 2)]
    [InlineData("a:\n\tb: 1\n", "", "while scanning a mapping, found invalid tab as indentation", 2, 1)]
    [InlineData("a: .inf\n", "a", "'.inf' is a number that JSON cannot hold; quote it if it is text", 1, 4)]
    public void Faults_have_path_line_and_column(string yaml, string path, string message, int line, int column)
    {
        var fault = Assert.Single(Read(yaml).Faults);
        Assert.Equal((path, message, line, column), (fault.Path, fault.Message, fault.Line, fault.Column));
    }

    [Theory]
    [InlineData("a: [1, 2\n")]
    [InlineData("a: b: c\n")]
    [InlineData("a:\n\tb: 1\n")]
    [InlineData("? [a]\n: 1\n")]
    [InlineData("a: \"unclosed\n")]
    public void Bad_syntax_is_one_fault_with_a_line(string yaml)
    {
        var reading = Read(yaml);
        Assert.Empty(reading.Documents);
        Assert.InRange(Assert.Single(reading.Faults).Line!.Value, 1, 3);
    }

    [Fact]
    public void All_faults_are_told_at_once() =>
        Assert.Equal([2, 3, 4], Read("a: 1\na: 2\nb: *x\nc: .nan\n").Faults.Select(fault => fault.Line!.Value));

    [Fact]
    public void Faults_stop_at_their_bound()
    {
        var text = string.Concat(Enumerable.Repeat("a: 1\n", YamlReader.MaxFaults + 20));
        Assert.Equal(YamlReader.MaxFaults + 1, Read(text).Faults.Length);
    }

    [Fact]
    public void A_billion_laughs_end_at_the_bound()
    {
        var text = new StringBuilder("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for (var level = 1; level < 12; level++)
            text.Append($"a{level}: &a{level} [{string.Join(',', Enumerable.Repeat($"*a{level - 1}", 10))}]\n");
        Assert.Contains("aliases written out", Assert.Single(Read(text.ToString()).Faults)
            .Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nesting_ends_at_the_bound() =>
        Assert.Contains(
            "nested deeper",
            Assert.Single(Read(new string('[', 5000) + new string(']', 5000)).Faults).Message,
            StringComparison.Ordinal);

    [Fact]
    public void A_chain_of_aliases_is_as_deep_as_its_links_together()
    {
        var text = new StringBuilder("- &a0 x\n");
        for (var link = 1; link < 80; link++)
            text.Append($"- &a{link} {new string('[', 50)}*a{link - 1}{new string(']', 50)}\n");
        Assert.Contains("aliases written out", Assert.Single(Read(text.ToString()).Faults)
            .Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_alias_is_a_copy() =>
        Assert.Equal("""{"a":{"x":1},"b":{"x":1}}""", Read("a: &n {x: 1}\nb: *n\n").Documents[0].Root!.ToJsonString());

    private static TextReading Read(string text) => YamlReader.Read(text);
}
