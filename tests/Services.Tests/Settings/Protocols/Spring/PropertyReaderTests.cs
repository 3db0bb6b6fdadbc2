using Groundwork.Services.Settings.Protocols.Spring;
using Groundwork.Wire;

namespace Groundwork.Services.Tests.Settings.Protocols.Spring;

public sealed class PropertyReaderTests
{
    [Fact]
    public void Yaml_is_flat_as_Spring_has_it()
    {
        var one = Assert.Single(Read("yaml", """
            server:
              port: 8080
              ssl: true
            hosts:
              - a
              - name: b
                "[x.y]": 1
            empty: {}
            none:
            nothing: []
            text: "8080"
            half: 0.10
            yes: no
            """));
        Assert.Equal(
            [
                "server.port=8080", "server.ssl=true", "hosts[0]='a'", "hosts[1].name='b'", "hosts[1][x.y]=1",
                "empty=''", "none=''", "nothing=''", "text='8080'", "half=0.10", "yes='no'",
            ],
            one.Properties.Select(Shown));
    }

    [Fact]
    public void Json_and_properties_give_the_same_keys()
    {
        Assert.Equal(
            ["a.b=1", "a.c[0]='x'", "a.d=false", "a.e=''"],
            Assert.Single(Read("json", """{"a":{"b":1,"c":["x"],"d":false,"e":null}}""")).Properties.Select(Shown));
        Assert.Equal(
            ["a.b='1'", "a.c[0]='x y'", "a.d='é'"],
            Assert.Single(Read("properties", "# c\na.b = 1\na.c[0]: x \\\n  y\na.d=\\u00e9\n")).Properties
                .Select(Shown));
    }

    [Fact]
    public void Every_value_knows_its_place()
    {
        var yaml = Assert.Single(Read("yaml", "a:\n  b: 1\n")).Properties[0].Value;
        Assert.Equal((2, 3), (yaml.Line, yaml.Column));
        var properties = Assert.Single(Read("properties", "\n# x\na=1\nb=2\n")).Properties;
        Assert.Equal([3, 4], properties.Select(one => one.Value.Line));
    }

    [Fact]
    public void Later_documents_count_first_and_those_of_other_profiles_not_at_all()
    {
        const string Text = """
            a: 1
            ---
            spring.config.activate.on-profile: dev, test
            a: 2
            ---
            spring: {config: {activate: {on-profile: "!dev"}}}
            a: 3
            """;
        Assert.Equal(["2", "1"], Read("yaml", Text, "dev").Select(AOf));
        Assert.Equal(["3", "1"], Read("yaml", Text, "default").Select(AOf));
        Assert.EndsWith("(document #1)", Read("yaml", Text, "dev")[0].Name, StringComparison.Ordinal);

        static string AOf(PropertySource source) => source.Properties.Single(one => one.Key == "a").Value.Text;
    }

    [Theory]
    [InlineData("yaml", "a: [")]
    [InlineData("yaml", "a: 1\na: 2")]
    [InlineData("yaml", "a: &x 1\nb: {<<: *x}")]
    [InlineData("json", "{\"a\":1,}")]
    [InlineData("properties", "a=\\u00g0")]
    [InlineData("yaml", "spring.config.activate.on-profile: a & b")]
    public void What_cannot_be_read_is_a_fault_with_the_file(string format, string text)
    {
        var fault = PropertyReader.Read("the-file", format, text, ["default"]).Fault;
        Assert.Equal(ErrorCodes.SettingSyntax, fault?.Error);
        Assert.StartsWith("the-file cannot be read: ", fault?.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_counts_whole_from_where_it_counts_first()
    {
        var merged = Merge(("b", "l: [x]\nm: 1"), ("a", "l: [y, z]\nm: 2\nn: 3"));
        Assert.Equal(["m=1", "n=3", "l[0]='x'"], merged.All.Select(Shown));
    }

    [Fact]
    public void Placeholders_are_put_in_and_circles_end()
    {
        var merged = Merge(("a", """
            host: h
            url: "http://${host}:${port:80}/${path:${host}}"
            unknown: "${nobody}"
            one: "${two}"
            two: "${one}"
            open: "${host"
            """)).Resolved().All.ToDictionary(one => one.Key, one => one.Value.Text);
        Assert.Equal("http://h:80/h", merged["url"]);
        Assert.Equal("${nobody}", merged["unknown"]);
        Assert.Equal("${host", merged["open"]);
        Assert.StartsWith("${", merged["one"], StringComparison.Ordinal);
    }

    [Fact]
    public void Placeholders_that_multiply_end_at_a_bound()
    {
        var lines = Enumerable.Range(0, 15)
            .Select(at => $"k{at}: '{string.Concat(Enumerable.Repeat($"${{k{at + 1}}}", 10))}'")
            .Append("k15: xxxxxxxxxx");
        var merged = Merge(("a", string.Join('\n', lines)));
        Assert.True(merged.Resolve("${k0}").Length <= 4 * 1024 * 1024);
    }

    [Fact]
    public void Merged_properties_become_files()
    {
        var merged = Merge(("a", "a: {b: [1, {c: 'true'}], d: \"x: y\"}\nn: 'no'\n"));
        Assert.Equal("""{"a":{"d":"x: y","b":[1,{"c":"true"}]},"n":"no"}""", MergedText.ToJson(merged));
        Assert.Equal("a.d: x: y\nn: no\na.b[0]: 1\na.b[1].c: true", MergedText.ToProperties(merged));
        var yaml = MergedText.ToYaml(merged);
        Assert.Contains("c: \"true\"", yaml, StringComparison.Ordinal);
        Assert.Contains("\"n\": \"no\"", yaml, StringComparison.Ordinal);
        Assert.Equal(
            merged.All.Select(Shown).Order(),
            Assert.Single(Read("yaml", yaml)).Properties.Select(Shown).Order());
    }

    [Fact]
    public void A_value_in_the_way_keeps_the_rest_of_a_key_as_one_name() => Assert.Equal(
        """{"log":{"org":"info","org.x":"debug"}}""",
        MergedText.ToJson(Merge(("a", "log.org: info\nlog.org.x: debug\n"))));

    private static MergedProperties Merge(params (string Name, string Yaml)[] files) => MergedProperties.Of(
        new SpringEnvironment(
            SpringQuery.Read("app", "default", null).Value, null, null,
            [.. files.SelectMany(file => PropertyReader.Read(file.Name, "yaml", file.Yaml, ["default"]).Value)]));

    private static List<PropertySource> Read(string format, string text, params string[] profiles) =>
        PropertyReader.Read("file", format, text, profiles).Value;

    private static string Shown(KeyValuePair<string, PropertyValue> one) =>
        one.Value.IsText ? $"{one.Key}='{one.Value.Text}'" : $"{one.Key}={one.Value.Text}";
}
