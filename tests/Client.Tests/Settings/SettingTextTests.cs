using Groundwork.Client.Settings;
using Groundwork.Client.Tests.Support;
using Microsoft.Extensions.Configuration;

namespace Groundwork.Client.Tests.Settings;

public sealed class SettingTextTests
{
    private const string Json = """
        {"Banner": {"Text": "Sale", "Percent": 15, "On": true, "Until": null}, "Regions": ["eu", "us"]}
        """;

    private const string Yaml = """
        Banner:
          Text: Sale
          Percent: 0xF
          On: true
          Until: ~
        Regions: [eu, us]
        """;

    private const string Xml = """
        <settings><Banner Percent="15"><Text>Sale</Text><On>True</On></Banner>
        <Regions>eu</Regions><Regions>us</Regions></settings>
        """;

    private const string Properties = """
        # the same again
        Banner.Text = Sale
        Banner.Percent: 15
        Banner.On=True
        Regions[0]=eu
        Regions[1]=\
            us
        """;

    [Theory]
    [InlineData("json", Json)]
    [InlineData("yaml", Yaml)]
    [InlineData("xml", Xml)]
    [InlineData("properties", Properties)]
    public void Every_format_gives_the_same_keys(string format, string text)
    {
        var keys = Read(format, text);

        Assert.Equal("Sale", keys["Banner:Text"]);
        Assert.Equal("15", keys["Banner:Percent"]);
        Assert.Equal("True", keys["Banner:On"]);
        Assert.Equal("eu", keys["Regions:0"]);
        Assert.Equal("us", keys["Regions:1"]);
    }

    [Theory]
    [InlineData("json", """
        {"Shop": {"Name": "Küche & Töpfe 👍", "Open": true, "Floor": -1, "Price": 12.50, "Ratio": 1e-3,
          "Wait": "00:01:30", "Colour": "Green", "Id": "01970000-0000-7000-8000-000000000000", "Empty": "",
          "Hours": [8, 9], "Shelves": [{"Name": "a: b", "Items": ["x", "y"]}, {"Name": "c=d", "Items": ["z", "ß"]}],
          "ByCountry": {"nl": 21, "be-fr": 6}, "Text": "one\ntwo"}}
        """)]
    [InlineData("yaml", """
        # the same
        Shop:
          Name: Küche & Töpfe 👍
          Open: true
          Floor: -1
          Price: 12.50
          Ratio: 1e-3
          Wait: 00:01:30
          Colour: Green
          Id: 01970000-0000-7000-8000-000000000000
          Empty: ""
          Hours: [8, 9]
          Shelves:
            - {Name: "a: b", Items: [x, y]}
            - Name: c=d
              Items:
                - z
                - ß
          ByCountry: {nl: 21, be-fr: 6}
          Text: |-
            one
            two
        """)]
    [InlineData("xml", """
        <root><Shop Name="Küche &amp; Töpfe 👍" Open="True" Floor="-1">
          <Price>12.50</Price><Ratio>1e-3</Ratio><Wait>00:01:30</Wait><Colour>Green</Colour>
          <Id>01970000-0000-7000-8000-000000000000</Id><Empty></Empty><Hours>8</Hours><Hours>9</Hours>
          <Shelves Name="a: b"><Items>x</Items><Items>y</Items></Shelves>
          <Shelves><Name>c=d</Name><Items>z</Items><Items>ß</Items></Shelves>
          <ByCountry nl="21"><be-fr>6</be-fr></ByCountry><Text><![CDATA[one
        two]]></Text></Shop></root>
        """)]
    [InlineData("properties", """
        Shop.Name = Küche & Töpfe \uD83D\uDC4D
        Shop.Open = True
        Shop.Floor: -1
        Shop.Price 12.50
        Shop.Ratio=1e-3
        Shop.Wait=00:01:30
        Shop.Colour=Green
        Shop.Id=01970000-0000-7000-8000-000000000000
        Shop.Empty=
        Shop.Hours[0]=8
        Shop.Hours[1]=9
        Shop.Shelves[0].Name=a\: b
        Shop.Shelves[0].Items[0]=x
        Shop.Shelves[0].Items[1]=y
        Shop.Shelves[1].Name=c\=d
        Shop.Shelves[1].Items[0]=z
        Shop.Shelves[1].Items[1]=ß
        Shop.ByCountry.nl=21
        Shop.ByCountry.be-fr=6
        Shop.Text=one\n\
            two
        """)]
    public void Every_format_binds_to_the_same_object(string format, string text)
    {
        var keys = Read(format, text);
        var shop = new ConfigurationBuilder().AddInMemoryCollection(keys).Build().GetSection("Shop").Get<Shop>()!;

        Assert.Equal(20, keys.Count);
        Assert.Equal(
            ("Küche & Töpfe 👍", true, -1, 12.50m, 0.001, TimeSpan.FromSeconds(90), ConsoleColor.Green, "", "one\ntwo"),
            (shop.Name, shop.Open, shop.Floor, shop.Price, shop.Ratio, shop.Wait, shop.Colour, shop.Empty, shop.Text));
        Assert.Equal(Guid.Parse("01970000-0000-7000-8000-000000000000"), shop.Id);
        Assert.Equal([8, 9], shop.Hours);
        Assert.Equal(
            ["a: b x y", "c=d z ß"], shop.Shelves.Select(shelf => $"{shelf.Name} {string.Join(' ', shelf.Items)}"));
        Assert.Equal((21, 6), (shop.ByCountry["nl"], shop.ByCountry["be-fr"]));
    }

    [Theory]
    [InlineData("text")]
    [InlineData("toml")]
    [InlineData("a-format-of-tomorrow")]
    public void Text_without_structure_is_one_value_under_its_dataId(string format) =>
        Assert.Equal("hello = world", Assert.Single(Read(format, "hello = world", "Banner:Text")).Value);

    [Theory]
    [InlineData("yes")]
    [InlineData("no")]
    [InlineData("on")]
    [InlineData("off")]
    public void Yaml_words_that_are_booleans_only_in_version_1_1_stay_text(string word) =>
        Assert.Equal(word, Read("yaml", $"key: {word}")["key"]);

    [Fact]
    public void Quoted_yaml_is_text() => Assert.Equal("true", Read("yaml", "key: 'true'")["key"]);

    [Fact]
    public void Yaml_aliases_repeat_their_anchor()
    {
        var keys = Read("yaml", "a: &x {n: 1}\nb: *x\nc: [*x, 2]");

        Assert.Equal("1", keys["b:n"]);
        Assert.Equal("1", keys["c:0:n"]);
        Assert.Equal("2", keys["c:1"]);
    }

    [Fact]
    public void A_dot_of_a_properties_name_can_be_kept() =>
        Assert.Equal("Warning", Read(
            "properties", @"Logging.LogLevel.Microsoft\.AspNetCore=Warning")["Logging:LogLevel:Microsoft.AspNetCore"]);

    [Theory]
    [InlineData("json", "{\"a\":1,\"A\":2}", "key 'A' stands twice")]
    [InlineData("json", "{\"a\":", "")]
    [InlineData("json", "[1]", "root is not an object")]
    [InlineData("yaml", "a: 1\na: 2", "stands twice")]
    [InlineData("yaml", "- 1", "root is not a mapping")]
    [InlineData("yaml", "a: 1\n---\nb: 2", "more than one document")]
    [InlineData("yaml", "a: *nowhere", "")]
    [InlineData("yaml", "a: [", "")]
    [InlineData("xml", "<a><b></a>", "")]
    [InlineData("xml", "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "DTD")]
    [InlineData("properties", "a=1\na=2", "stands twice")]
    [InlineData("properties", "a=\\u12", "hexadecimal")]
    public void A_text_that_cannot_be_read_is_a_fault_that_names_the_setting(string format, string text, string says)
    {
        var outcome = SettingText.Read(PlatformStub.Setting("orders", "main", format, text, 1));

        Assert.NotNull(outcome.Fault);
        Assert.Equal("setting_syntax", outcome.Fault.Error.Code);
        Assert.StartsWith("orders/main: ", outcome.Fault.Detail, StringComparison.Ordinal);
        Assert.Contains(says, outcome.Fault.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Yaml_that_repeats_itself_without_end_is_a_fault()
    {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + string.Concat(
            Enumerable.Range(1, 9)
                .Select(i => $"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]\n"));

        var outcome = SettingText.Read(PlatformStub.Setting("orders", "main", "yaml", bomb, 1));

        Assert.Contains("aliases repeat", outcome.Fault?.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("json", "[")]
    [InlineData("yaml", "[")]
    public void Nesting_is_limited(string format, string open)
    {
        var text = format == "json"
            ? "{\"a\":" + new string(open[0], 100) + new string(']', 100) + "}"
            : "a: " + new string(open[0], 100) + new string(']', 100);

        Assert.NotNull(SettingText.Read(PlatformStub.Setting("orders", "main", format, text, 1)).Fault);
    }

    private static Dictionary<string, string?> Read(string format, string text, string dataId = "main")
    {
        var outcome = SettingText.Read(PlatformStub.Setting("orders", dataId, format, text, 1));
        Assert.Null(outcome.Fault);
        return outcome.Value.ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.OrdinalIgnoreCase);
    }

    private sealed class Shop
    {
        public string Name { get; set; } = "";

        public bool Open { get; set; }

        public int Floor { get; set; }

        public decimal Price { get; set; }

        public double Ratio { get; set; }

        public TimeSpan Wait { get; set; }

        public ConsoleColor Colour { get; set; }

        public Guid Id { get; set; }

        public string Empty { get; set; } = "?";

        public string Text { get; set; } = "";

        public List<int> Hours { get; set; } = [];

        public List<Shelf> Shelves { get; set; } = [];

        public Dictionary<string, int> ByCountry { get; set; } = [];
    }

    private sealed class Shelf
    {
        public string Name { get; set; } = "";

        public string[] Items { get; set; } = [];
    }
}
