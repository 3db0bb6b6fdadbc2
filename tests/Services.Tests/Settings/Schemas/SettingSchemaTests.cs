using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Settings;
using Groundwork.Services.Settings.Releases;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Settings.Schemas;

public sealed class SettingSchemaTests
{
    private const string Shop = """
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "type": "object",
          "required": ["price"],
          "properties": {
            "price": {"$ref": "#/$defs/money"},
            "hosts": {"type": "array", "items": {"type": "string", "pattern": "^[a-z]+$"}, "uniqueItems": true},
            "mode": {"enum": ["fast", "safe", null]}
          },
          "additionalProperties": false,
          "$defs": {"money": {"type": "object", "properties": {"amount": {"type": "integer", "minimum": 1}}}}
        }
        """;

    [Theory]
    [InlineData("json", "{\"price\":{\"amount\":5},\"hosts\":[\"a\",\"b\"],\"mode\":null}")]
    [InlineData("yaml", "price:\n  amount: 5\nhosts: [a, b]\nmode: fast\n")]
    [InlineData("properties", "price.amount=5\nhosts[0]=a\nhosts[1]=b\nmode=safe\n")]
    [InlineData("properties", "price.amount = 5\nhosts.0 : a\n")]
    [InlineData("xml", "<app mode=\"fast\"><price><amount>5</amount></price><hosts>a</hosts><hosts>b</hosts></app>")]
    public void A_text_that_fulfils_its_schema_has_no_fault(string format, string content) =>
        Assert.Empty(Faults(format, content));

    [Theory]
    [InlineData("json", "{\n  \"price\": {\"amount\": 0}\n}", "2:13 schema.minimum: price.amount must be at least 1 (#/$defs/money/properties/amount)")]
    [InlineData("json", "[]", "1:1 schema.type: must be of type object (#)")]
    [InlineData("json", "{}", "1:1 schema.required: must have 'price' (#)")]
    [InlineData("yaml", "price:\n  amount: a lot\n", "2:3 schema.type: price.amount must be of type integer (#/$defs/money/properties/amount)")]
    [InlineData("yaml", "price: {}\nhosts:\n- a\n- B1\n", "4:3 schema.pattern: hosts[1] must match ^[a-z]+$ (#/properties/hosts/items)")]
    [InlineData("yaml", "price: {}\nhosts: [a, a]\n", "2:12 schema.uniqueItems: hosts[1] stands in the list already (#/properties/hosts)")]
    [InlineData("yaml", "price: {}\nprise: {}\n", "2:1 schema.additionalProperties: prise is not a member that is known (#)")]
    [InlineData("properties", "# the price\nprice.amount=0\n", "2:1 schema.minimum: price.amount must be at least 1 (#/$defs/money/properties/amount)")]
    [InlineData("properties", "price.amount=1\nmode=slow\n", "2:1 schema.enum: mode must be one of 3 values: \"fast\", \"safe\", null (#/properties/mode)")]
    [InlineData("xml", "<app>\n  <price><amount>x</amount></price>\n</app>", "2:11 schema.type: price.amount must be of type integer (#/$defs/money/properties/amount)")]
    public void A_text_that_breaks_its_schema_is_told_the_place_and_the_keyword(
        string format, string content, string fault) => Assert.Equal([fault], Faults(format, content));

    [Fact]
    public void What_is_wrong_with_a_secret_is_told_without_its_words()
    {
        var told = Assert.Single(Faults("json", """{"price":{"amount":1},"canary":"canary"}""", secret: true));
        Assert.Equal("1:23 schema.additionalProperties: is broken here (#)", told);
    }

    [Theory]
    [InlineData("""{"type":"text"}""", "spec.schema.type")]
    [InlineData("""{"$schema":"http://json-schema.org/draft-07/schema#"}""", "spec.schema.$schema")]
    [InlineData("""{"$ref":"https://example.com/other.json"}""", "spec.schema.$ref")]
    [InlineData("""{"$ref":"#/$defs/none"}""", "spec.schema.$ref")]
    [InlineData("""{"$ref":"file:///etc/passwd"}""", "spec.schema.$ref")]
    [InlineData("""{"pattern":"(?=a)b"}""", "spec.schema.pattern")]
    [InlineData("""{"pattern":"(a)\\1"}""", "spec.schema.pattern")]
    [InlineData("""{"pattern":"["}""", "spec.schema.pattern")]
    [InlineData("""{"minLength":-1}""", "spec.schema.minLength")]
    [InlineData("""{"properties":[]}""", "spec.schema.properties")]
    [InlineData("""{"allOf":[]}""", "spec.schema.allOf")]
    [InlineData("""{"items":[{}]}""", "spec.schema.items")]
    [InlineData("""5""", "spec.schema")]
    public void A_schema_with_a_fault_is_refused_with_its_place(string schema, string path)
    {
        var faults = new List<FieldFault>();
        SettingKind.Kind.Validate!(new SettingSpec("json", "{}", Schema: Parse(schema)), faults);
        Assert.Equal(path, Assert.Single(faults).Path);
    }

    [Fact]
    public void A_schema_goes_with_formats_that_have_a_shape()
    {
        var faults = new List<FieldFault>();
        SettingKind.Kind.Validate!(new SettingSpec("text", "{}", Schema: Parse("true")), faults);
        Assert.Equal("spec.schema", Assert.Single(faults).Path);
    }

    // Each of these would take for ever, or the process with it, without its bound.
    [Theory]
    [InlineData("""{"$ref":"#"}""", "1", "schema.depth")]
    [InlineData("""{"$defs":{"a":{"anyOf":[{"$ref":"#/$defs/b"},{"$ref":"#/$defs/b"}]},"b":{"allOf":[{"$ref":"#/$defs/a"}]}},"$ref":"#/$defs/a"}""", "1", "schema.depth")]
    [InlineData("""{"$defs":{"x":{"properties":{"n":{"oneOf":[{"$ref":"#/$defs/x"},{"$ref":"#/$defs/x"},{"$ref":"#/$defs/x"}]}}}},"$ref":"#/$defs/x"}""", "deep", "schema.cost")]
    [InlineData("""{"multipleOf":3}""", "1e1000000000", "schema.number")]
    public void A_check_ends_within_its_bounds(string schema, string content, string code)
    {
        if (content == "deep")
            content = string.Concat(Enumerable.Repeat("""{"n":""", 60)) + "1" + new string('}', 60);
        var faults = new List<FieldFault>();
        SettingKind.Kind.Validate!(new SettingSpec("json", content, Schema: Parse(schema)), faults);
        Assert.StartsWith(code, Assert.Single(faults).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pattern_that_makes_other_engines_backtrack_takes_linear_time()
    {
        var faults = new List<FieldFault>();
        var content = $"\"{new string('a', 50_000)}!\"";
        SettingKind.Kind.Validate!(
            new SettingSpec("json", content, Schema: Parse("""{"pattern":"^(a+)+$"}""")), faults);
        Assert.StartsWith("schema.pattern", Assert.Single(faults).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Keys_of_any_depth_in_properties_are_within_bounds()
    {
        var content = string.Concat(Enumerable.Repeat("a.", 100_000)) + "b=1";
        Assert.Contains(Faults("properties", content), fault => fault.Contains("schema.required"));
    }

    [Fact]
    public async Task A_published_text_is_held_to_the_schema_that_stays_with_the_setting()
    {
        await using var open = await OpenSettings.StartAsync();
        await open.PutAsync("g/a", new SettingSpec("yaml", "price: {amount: 1}", Schema: Parse(Shop)));
        await open.MustPublishAsync("g/a", "price: {amount: 2}");
        using var answer = await open.PublishAsync("g/a", "price:\n  amount: 0\n");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        var problem = await open.ProblemAsync(answer);
        Assert.Equal("setting_schema", problem.Code);
        var field = Assert.Single(problem.Fields ?? []);
        Assert.Equal(("", 2, 3), (field.Path, field.Line, field.Column));
        using var syntax = await open.PublishAsync("g/a", "price: [");
        Assert.Equal("setting_syntax", (await open.ProblemAsync(syntax)).Code);
        Assert.Equal("price: {amount: 2}", Assert.Single((await open.SnapshotAsync()).Settings).Content);
    }

    [Fact]
    public async Task A_gray_release_is_held_to_the_schema_of_its_setting()
    {
        await using var open = await OpenSettings.StartAsync();
        await open.PutAsync("g/a", new SettingSpec("yaml", "price: {amount: 1}", Schema: Parse(Shop)));
        using var refused = await open.Local.PutAsJsonAsync(
            "/groundwork/v1/resources/gray-release/default/r",
            new { spec = new GrayReleaseSpec("g/a", "price: {amount: 0}", new GrayReceivers(Percent: 1)) });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        var field = Assert.Single((await open.ProblemAsync(refused)).Fields ?? []);
        Assert.Equal("spec.content", field.Path);
        Assert.StartsWith("schema.minimum", field.Message, StringComparison.Ordinal);

        // What became wrong by a later schema is found when it would become the setting's.
        await open.CommitAsync(Change.Put(
            GrayReleaseKind.Kind, "default", "r",
            new GrayReleaseSpec("g/a", "price: {amount: 7}", new GrayReceivers(Percent: 1))));
        await open.PutAsync("g/a", new SettingSpec(
            "yaml", "price: {amount: 1}", Schema: Parse("""{"properties":{"price":{"properties":{"amount":{"maximum":5}}}}}""")));
        using var promoted = await open.Local.PostAsync("/groundwork/v1/gray-releases/default/r/promote", null);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, promoted.StatusCode);
    }

    [Fact]
    public async Task A_new_schema_is_held_against_a_secret_that_stays_masked()
    {
        await using var open = await OpenSettings.StartAsync();
        await open.PutAsync("g/a", new SettingSpec("json", "{\"token\":1}", Secret: true));
        var shown = await open.MustGetAsync("resources/setting/default/g/a", WireJson.Strict.ResourceDocument);
        using var refused = await PutAsync("""{"properties":{"token":{"type":"string"}}}""");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        Assert.StartsWith(
            "schema.type: is broken here", Assert.Single((await open.ProblemAsync(refused)).Fields ?? []).Message,
            StringComparison.Ordinal);
        using var taken = await PutAsync("""{"properties":{"token":{"type":"integer"}}}""");
        Assert.Equal(HttpStatusCode.OK, taken.StatusCode);

        Task<HttpResponseMessage> PutAsync(string schema) => open.Local.PutAsJsonAsync(
            "/groundwork/v1/resources/setting/default/g/a",
            new
            {
                spec = new
                {
                    format = "json", content = shown.Spec?.GetProperty("content"), secret = true, schema = Parse(schema),
                },
            });
    }

    private static IEnumerable<string> Faults(string format, string content, bool secret = false)
    {
        var faults = new List<FieldFault>();
        SettingKind.Kind.Validate!(new SettingSpec(format, content, secret, Schema: Parse(Shop)), faults);
        return faults.Select(fault => $"{fault.Line}:{fault.Column} {fault.Message}");
    }

    private static JsonElement Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
