using Groundwork.Services.Settings.Texts;

namespace Groundwork.Services.Tests.Settings.Texts;

/// <summary>Keys taken from one text into another: the result to the letter.</summary>
public sealed class KeyedTextTests
{
    [Fact]
    public void Yaml_keeps_comments_order_and_style_around_what_is_taken()
    {
        const string target = """
            # the database
            db:
              host: here   # not there
              "port": 5432
              options: {ssl: true, timeout: 3}
            # lists
            list:
              - a
              - b
              - name: c
                value: 1
            old: gone
            text: |
              one
              two
            tail: 'it''s'
            """ + "\n";
        const string source = """
            db: {host: there, port: 5433, user: u, options: {ssl: false, pool: 'x, y'}}
            list: [a, B, {name: c, value: 2}, d]
            text: short
            deep: {er: {est: yes}}
            tail: "it's"
            """;
        Assert.Equal(
            """
            # the database
            db:
              host: there   # not there
              "port": 5433
              options: {ssl: false, timeout: 3, pool: 'x, y'}
              user: u
            # lists
            list:
              - a
              - B
              - name: c
                value: 2
              - d
            text: short
            tail: 'it''s'
            deep:
              er:
                est: yes
            """ + "\n",
            Taken("yaml", target, source, "db:host", "DB:port", "db:user", "db:options:ssl", "db:options:pool", "old",
                "list:1", "list:2:value", "list:3", "text", "deep:er:est"));
    }

    [Fact]
    public void Json_keeps_its_layout()
    {
        const string target = """
            {
                "a": { "x": 1, "y": [1, 2] },
                "b": "old",
                "c": {
                    "only": 1.50
                }
            }
            """;
        const string source = """
            {"a":{"x":2,"y":[1,2,3],"z":"ü\u00e9"},"c":{"only":1.5,"more":{"deep":[true,null]}}}
            """;
        Assert.Equal(
            """
            {
                "a": { "x": 2, "y": [1, 2, 3], "z": "ü\u00e9" },
                "c": {
                    "only": 1.50,
                    "more": {
                        "deep": [
                            true,
                            null
                        ]
                    }
                }
            }
            """,
            Taken("json", target, source, "a:x", "a:y:2", "a:z", "b", "c:more:deep:0", "c:more:deep:1"));
    }

    [Fact]
    public void Properties_are_taken_line_by_line()
    {
        const string target = "# head\r\na.b = 1\r\n! odd\r\nlist[0]: x\r\nlong = a\\\r\n    b\r\ngone=1\r\nlone\r\n";
        const string source = "a.b=two\\u00e9\nlong=c\\\n  d\nnew.key = v\nlone=3\nlist[0]=x\n";
        Assert.Equal(
            "# head\r\na.b = two\\u00e9\r\n! odd\r\nlist[0]: x\r\nlong = c\\\n  d\r\nlone=3\r\nnew.key = v\n",
            Taken("properties", target, source, "a:b", "long", "gone", "lone", "new:key"));
    }

    [Fact]
    public void Xml_is_taken_node_by_node()
    {
        const string target = """
            <?xml version="1.0" encoding="utf-8"?>
            <!-- head -->
            <c>
              <db host="here" old="1">
                <!-- mine -->
                <port>1</port>
              </db>
              <item>a</item>
              <item>b</item>
              <gone><deep>x</deep></gone>
            </c>
            """;
        const string source = """
            <c><db host="the&lt;re" user="u"><port>2</port><pool max="3">p</pool></db><item>a</item>
            <item>B</item><item>c</item></c>
            """;
        Assert.Equal(
            """
            <?xml version="1.0" encoding="utf-8"?>
            <!-- head -->
            <c>
              <db host="the&lt;re" user="u">
                <!-- mine -->
                <port>2</port>
                <pool max="3">p</pool>
              </db>
              <item>a</item>
              <item>B</item>
              <item>c</item>
            </c>
            """,
            Taken("xml", target, source, "db:host", "db:old", "db:user", "db:port", "db:pool:max", "db:pool", "item:1",
                "item:2", "gone:deep"));
    }

    [Theory]
    [InlineData("yaml", "list: [a, b, c]\n", "x: 1\n", "list:0")]
    [InlineData("yaml", "a: 1\n", "a: {b: 2}\n", "a:b")]
    [InlineData("yaml", "list: [a]\n", "list: [a, b, c]\n", "list:2")]
    [InlineData("json", """{"list":[1,2]}""", """{}""", "list:0")]
    public void What_the_format_cannot_express_is_refused(string format, string target, string source, string key) =>
        Assert.Null(Take(format, target, source, key));

    [Theory]
    [InlineData("a: &x {k: 1}\nb: *x # lost\n", "a: {k: 2}\nb: {k: 1}\n", "a:k")]
    [InlineData("a: &x {k: 1} # lost\nb: *x\n", "b: {k: 2}\n", "b:k")]
    public void Where_an_anchor_is_in_the_way_the_text_is_written_anew_and_says_so(
        string target, string source, string key)
    {
        var edited = Take("yaml", target, source, key);
        Assert.NotNull(edited);
        Assert.True(edited.CommentsLost);
    }

    [Theory]
    [InlineData("yaml", "- a\n")]
    [InlineData("yaml", "a: 1\nA: 2\n")]
    [InlineData("json", "[1]")]
    [InlineData("text", "a=1")]
    [InlineData("toml", "a=1")]
    [InlineData("flags", "flags: {}")]
    public void A_text_without_keys_has_none(string format, string content) =>
        Assert.Null(KeyedText.Read(format, content));

    [Fact]
    public void An_empty_text_takes_keys_too()
    {
        Assert.Equal("a: 1\n", Taken("yaml", "", "a: 1\n", "a"));
        Assert.Equal("{\"a\": 1}", Taken("json", "{}", """{"a":1}""", "a").Replace("\n", "", StringComparison.Ordinal)
            .Replace("  ", "", StringComparison.Ordinal));
        Assert.Equal("a=1\n", Taken("properties", "", "a=1", "a"));
    }

    private static string Taken(string format, string target, string source, params string[] keys)
    {
        var edited = Take(format, target, source, keys);
        Assert.NotNull(edited);
        Assert.False(edited.CommentsLost);
        return edited.Content;
    }

    private static EditedText? Take(string format, string target, string source, params string[] keys) =>
        KeyedText.Read(format, target)!.Take(
            KeyedText.Read(format, source)!, keys.ToHashSet(StringComparer.OrdinalIgnoreCase)); // Both have keys.
}
