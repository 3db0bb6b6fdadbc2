using Groundwork.Communication.Gateway;

namespace Groundwork.Communication.Tests.Gateway.OpenApi;

/// <summary>What the versions and styles of OpenAPI make of a schema and of a parameter.</summary>
public sealed class OpenApiSchemaTests
{
    private static readonly OpenApiSpec Block = new("shop", "block");

    [Theory]
    [InlineData("3.0.3", """{"type":"string","nullable":true}""", "null", null)]
    [InlineData("3.1.0", """{"type":"string","nullable":true}""", "null", "body must be of type string")]
    [InlineData("3.1.0", """{"type":["string","null"]}""", "null", null)]
    [InlineData("3.0.3", """{"minimum":1,"exclusiveMinimum":true}""", "1", "body must be more than 1")]
    [InlineData("3.0.3", """{"minimum":1,"exclusiveMinimum":false}""", "1", null)]
    [InlineData("3.0.3", """{"maximum":1,"exclusiveMaximum":true}""", "1", "body must be less than 1")]
    [InlineData("3.1.0", """{"exclusiveMinimum":1}""", "1", "body must be more than 1")]
    [InlineData("3.0.3", """{"$ref":"#/components/schemas/a","maximum":1}""", "2", null)]
    [InlineData("3.1.0", """{"$ref":"#/components/schemas/a","maximum":1}""", "2", "body must be at most 1")]
    [InlineData("3.1.0", """{"$ref":"#/components/schemas/b"}""", "{}", null)]
    [InlineData("3.1.0", """{"$ref":"#/components/schemas/b"}""", """{"id":1}""", "body/id must not be sent: it is read-only")]
    [InlineData("3.1.0", """{"$ref":"#/components/schemas/c"}""", "{}", "body must have 'name'")]
    [InlineData("3.1.0", """{"type":"integer","format":"int64"}""", "9223372036854775807", null)]
    [InlineData(
        "3.1.0", """{"type":"integer","format":"int64"}""", "9223372036854775808",
        "body must be of the format int64: -9223372036854775808 to 9223372036854775807")]
    [InlineData("3.1.0", """{"const":1.10}""", "1.1", null)]
    [InlineData("3.1.0", """{"const":12345678901234567890}""", "12345678901234567891", "body must be one value and no other")]
    public async Task Each_version_has_its_schemas(string version, string schema, string body, string? fault)
    {
        const string components = """
            ,"components":{"schemas":{"a":{"type":"integer"},
            "b":{"required":["id"],"properties":{"id":{"$ref":"#/components/schemas/id"}}},
            "c":{"required":["id","name"],"allOf":[{"$ref":"#/components/schemas/b"}]},
            "id":{"type":"integer","readOnly":true}}}
            """;
        await using var instance = await WebInstance.NamedAsync("shop");
        await using var edge = await OpenApiTests.StartAsync(
            instance, Block, ShopDocument.SpecOf(ShopDocument.OfBody(schema, version, components)));
        Assert.Equal(
            fault is null ? [] : [fault], await OpenApiTests.FaultsAsync(edge, "POST", "/a", "application/json", body));
    }

    [Theory]
    [InlineData("""{"name":"p","in":"query","style":"form","schema":{"type":"object","properties":{"a":{"type":"integer"},"l":{"type":"array","items":{"type":"integer"}}},"additionalProperties":false}}""", "?a=1&l=1&l=2", null)]
    [InlineData("""{"name":"p","in":"query","schema":{"type":"object","properties":{"a":{"type":"integer"}}}}""", "?a=x", "query.p/a must be of type integer")]
    [InlineData("""{"name":"p","in":"query","explode":false,"schema":{"type":"object","properties":{"a":{"type":"integer"}}}}""", "?p=a,1,b,2", null)]
    [InlineData("""{"name":"p","in":"query","explode":false,"schema":{"type":"object","properties":{"a":{"type":"integer"}}}}""", "?p=a,1,b", "query.p must be names and values in turns")]
    [InlineData("""{"name":"p","in":"query","style":"spaceDelimited","explode":false,"schema":{"type":"array","items":{"type":"integer"}}}""", "?p=1%202+3", null)]
    [InlineData("""{"name":"p","in":"query","style":"spaceDelimited","explode":false,"schema":{"type":"array","items":{"type":"integer"}}}""", "?p=1%20x", "query.p/1 must be of type integer")]
    [InlineData("""{"name":"p","in":"query","schema":{"type":["integer","null"]}}""", "?p=", null)]
    [InlineData("""{"name":"p","in":"query","allowEmptyValue":true,"schema":{"type":"integer"}}""", "?p", null)]
    [InlineData("""{"name":"p","in":"query","schema":{"type":"integer"}}""", "?p", "query.p must be of type integer")]
    [InlineData("""{"name":"p","in":"query","required":true}""", "?q=1", "query.p must be there")]
    [InlineData("""{"name":"p q","in":"query","schema":{"maxLength":1}}""", "?p+q=ab", "query.p q has 2 characters, and may have 1")]
    public async Task Each_style_is_read(string parameter, string query, string? fault)
    {
        await using var instance = await WebInstance.NamedAsync("shop");
        await using var edge = await OpenApiTests.StartAsync(
            instance, Block, ShopDocument.SpecOf(ShopDocument.Of($$"""{"parameters":[{{parameter}}]}""", "get")));
        Assert.Equal(fault is null ? [] : [fault], await OpenApiTests.FaultsAsync(edge, "GET", "/a" + query));
    }
}
