using Groundwork.Kernel.Documents;

namespace Groundwork.Kernel.Tests.Documents;

public sealed class JsonReaderTests
{
    [Fact]
    public void Every_value_has_its_place_in_characters()
    {
        var document = Assert.Single(JsonReader.Read("{\n  \"naïve\": 1, \"b\": [true,\n null]\n}").Documents);
        Assert.Equal(new TextPosition(2, 3), document.Locate("naïve"));
        Assert.Equal(new TextPosition(2, 15), document.Locate("b"));
        Assert.Equal(new TextPosition(3, 2), document.Locate("b[1]"));
        Assert.Equal("""{"na\u00EFve":1,"b":[true,null]}""", document.Root!.ToJsonString());
    }

    [Theory]
    [InlineData("{\"a\":1,\n\"a\":2}", "", "key 'a' stands here a second time; the first is on line 1", 2, 1)]
    [InlineData("{\"a\":{\"b\":1,\"b\":1}}", "a", "key 'b' stands here a second time; the first is on line 1", 1, 13)]
    public void Duplicate_names_are_faults(string json, string path, string message, int line, int column)
    {
        var fault = Assert.Single(JsonReader.Read(json).Faults);
        Assert.Equal((path, message, line, column), (fault.Path, fault.Message, fault.Line, fault.Column));
    }

    [Theory]
    [InlineData("", 1)]
    [InlineData("{\n\"a\": }", 2)]
    [InlineData("{} {}", 1)]
    [InlineData("{\"a\":1,}", 1)]
    [InlineData("// no\n{}", 1)]
    public void Bad_syntax_is_a_fault_with_a_line(string json, int line)
    {
        var fault = Assert.Single(JsonReader.Read(json).Faults);
        Assert.Equal(line, fault.Line);
        Assert.DoesNotContain("LineNumber", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"a\":\"\\ud800\"}", 6)]
    [InlineData("{\"\\udc00\":1}", 2)]
    public void Half_a_surrogate_pair_is_a_fault(string json, int column)
    {
        var fault = Assert.Single(JsonReader.Read(json).Faults);
        Assert.Equal(
            ("half of a surrogate pair is no character", 1, column), (fault.Message, fault.Line, fault.Column));
    }

    [Fact]
    public void Columns_of_syntax_faults_count_characters() =>
        Assert.Equal(6, Assert.Single(JsonReader.Read("{\"é\":x}").Faults).Column);
}
