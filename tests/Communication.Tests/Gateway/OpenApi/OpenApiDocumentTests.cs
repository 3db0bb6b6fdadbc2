using System.IO.Compression;
using System.Text;
using Groundwork.Communication.Gateway.OpenApi.Documents;
using Groundwork.Wire;

namespace Groundwork.Communication.Tests.Gateway.OpenApi;

/// <summary>Which documents are published, and what the others are refused for.</summary>
public sealed class OpenApiDocumentTests
{
    [Fact]
    public void A_document_of_each_version_is_taken()
    {
        Assert.Empty(FaultsOf(ShopDocument.Spec));
        Assert.Empty(FaultsOf(ShopDocument.Of("{}", version: "3.0.3")));
    }

    [Theory]
    [InlineData("""{"swagger":"2.0","paths":{}}""", "spec.document#/openapi must be 3.0.x or 3.1.x")]
    [InlineData("""[]""", "spec.document#/openapi must be 3.0.x or 3.1.x")]
    [InlineData("""{"openapi":"3.1.0"}""", "spec.document#/paths must have an operation at least")]
    [InlineData("""{"openapi":"3.1.0","paths":[]}""", "spec.document#/paths must be an object")]
    [InlineData("""{"openapi":"3.1.0","paths":{"a":{"get":{}}}}""", "spec.document#/paths/a must begin with a slash")]
    [InlineData(
        """{"openapi":"3.1.0","paths":{"/a/{b}":{"get":{}}}}""",
        "spec.document#/paths/~1a~1{b}/get has no parameter for {b} of its path")]
    [InlineData(
        """{"openapi":"3.1.0","paths":{"/a/{b}{c}":{"get":{}}}}""",
        "spec.document#/paths/~1a~1{b}{c} has a parameter that is none, or two without anything between")]
    [InlineData(
        """{"openapi":"3.1.0","paths":{"/a":{"get":{}},"/b":{"$ref":"other.json#/b"}}}""",
        "spec.document#/paths/~1b/$ref is not supported for a path")]
    [InlineData(
        """{"openapi":"3.1.0","paths":{"/a":{"get":{}}},"servers":[{"url":"//x"}]}""",
        "spec.document#/servers/0/url must be an address, or a path that begins with a slash")]
    public void A_broken_document_is_refused_with_the_place(string document, string fault) =>
        Assert.Equal([fault], FaultsOf(document));

    [Theory]
    [InlineData("""{"name":"a"}""", "#/paths/~1a/post/parameters/0 must have a name, and in: path")]
    [InlineData("""{"name":"a","in":"path","required":true}""", "#/paths/~1a/post/parameters/0/name is not in")]
    [InlineData("""{"name":"a","in":"query","required":1}""", "#/paths/~1a/post/parameters/0/required must be true or")]
    [InlineData("""{"name":"a","in":"query","style":"matrix"}""", "#/paths/~1a/post/parameters/0/style is not")]
    [InlineData(
        """{"name":"a","in":"query","style":"deepObject","schema":{"type":"string"}}""",
        "#/paths/~1a/post/parameters/0/style is for objects alone")]
    [InlineData("""{"name":"a b","in":"header"}""", "#/paths/~1a/post/parameters/0/name must be the name of a header")]
    [InlineData(
        """{"name":"a","in":"query","schema":{"type":"text"}}""",
        "#/paths/~1a/post/parameters/0/schema/type must be null, boolean")]
    [InlineData(
        """{"name":"a","in":"query","schema":{"$ref":"#/components/schemas/none"}}""",
        "#/paths/~1a/post/parameters/0/schema/$ref leads to nothing in this document")]
    [InlineData(
        """{"name":"a","in":"query","schema":{"$ref":"https://example.com/schema.json"}}""",
        "#/paths/~1a/post/parameters/0/schema/$ref leads out of this document; nothing is fetched")]
    [InlineData(
        """{"name":"a","in":"query","schema":{"pattern":"(?=a)"}}""",
        "#/paths/~1a/post/parameters/0/schema/pattern has a pattern that looks around")]
    [InlineData(
        """{"$ref":"other.json"}""",
        "#/paths/~1a/post/parameters/0/$ref leads out of this document; nothing is fetched")]
    [InlineData(
        """{"name":"a","in":"query","content":{"text/plain":{}}}""",
        "#/paths/~1a/post/parameters/0/content must have one type, which must be JSON")]
    public void A_broken_parameter_is_refused_with_the_place(string parameter, string fault) => Assert.StartsWith(
        "spec.document" + fault, Assert.Single(FaultsOf(ShopDocument.Of($$"""{"parameters":[{{parameter}}]}"""))),
        StringComparison.Ordinal);

    [Theory]
    [InlineData("{}", "/content must have 1 to 32 types")]
    [InlineData("""{"content":{}}""", "/content must have 1 to 32 types")]
    [InlineData("""{"content":{"json":{}}}""", "/content/json is no type of media")]
    [InlineData("""{"content":{"text/*":{}},"required":0}""", "/required must be true or false")]
    [InlineData("""{"content":{"application/json":{"schema":5}}}""", "/content/application~1json/schema must be")]
    [InlineData(
        """{"content":{"application/x-www-form-urlencoded":{"encoding":{}}}}""",
        "/content/application~1x-www-form-urlencoded/encoding is not supported for a form")]
    public void A_broken_body_is_refused_with_the_place(string body, string fault) => Assert.StartsWith(
        "spec.document#/paths/~1a/post/requestBody" + fault,
        Assert.Single(FaultsOf(ShopDocument.Of($$"""{"requestBody":{{body}}}"""))), StringComparison.Ordinal);

    [Fact]
    public void Two_paths_for_the_same_requests_are_refused()
    {
        const string parameter = """{"name":"NAME","in":"path","required":true}""";
        var one = parameter.Replace("NAME", "b", StringComparison.Ordinal);
        var other = parameter.Replace("NAME", "c", StringComparison.Ordinal);
        Assert.Equal(
            ["spec.document#/paths/~1a~1{c} stands for the same requests as another path"],
            FaultsOf("""
                {"openapi":"3.1.0","paths":{"/a/{b}":{"parameters":[ONE],"get":{}},
                "/a/{c}":{"parameters":[OTHER],"post":{}}}}
                """.Replace("ONE", one, StringComparison.Ordinal).Replace("OTHER", other, StringComparison.Ordinal)));
    }

    [Fact]
    public void A_reference_to_itself_ends()
    {
        Assert.Equal(
            ["spec.document#/components/parameters/a is behind more than 8 references"],
            FaultsOf(ShopDocument.Of(
                """{"parameters":[{"$ref":"#/components/parameters/a"}]}""",
                more: ""","components":{"parameters":{"a":{"$ref":"#/components/parameters/a"}}}""")));
        Assert.Equal(
            ["spec.document#/components/schemas/a refers to itself without end"],
            FaultsOf(ShopDocument.OfBody(
                """{"$ref":"#/components/schemas/a"}""",
                more: ""","components":{"schemas":{"a":{"allOf":[{"$ref":"#/components/schemas/a"}]}}}""")));
        // A tree may refer to itself: its values end.
        Assert.Empty(FaultsOf(ShopDocument.OfBody(
            """{"$ref":"#/components/schemas/a"}""",
            more: ""","components":{"schemas":{"a":{"items":{"$ref":"#/components/schemas/a"}}}}""")));
    }

    [Fact]
    public void Faults_are_told_together_and_not_without_end()
    {
        var all = FaultsOf(ShopDocument.Of(
            """{"parameters":[{"name":"a"},{"name":"b","in":"query","schema":{"minLength":-1}}]}"""));
        Assert.Equal(2, all.Count);
        var many = string.Join(',', Enumerable.Repeat("""{"name":"a"}""", 100));
        Assert.Equal(50, FaultsOf(ShopDocument.Of($$"""{"parameters":[{{many}}]}""")).Count);
    }

    [Fact]
    public void A_document_may_be_packed_and_is_bounded_unpacked()
    {
        Assert.Empty(FaultsOf(new OpenApiDocumentSpec(Packed: Pack(ShopDocument.Text))));
        Assert.Equal(
            ["spec.packed must be gzip, written in base64"], FaultsOf(new OpenApiDocumentSpec(Packed: "AAAA")));
        Assert.Equal(
            ["spec.packed must be gzip, written in base64"], FaultsOf(new OpenApiDocumentSpec(Packed: "%")));
        Assert.Equal(
            ["spec.packed must have at most 1048576 bytes when unpacked"],
            FaultsOf(new OpenApiDocumentSpec(Packed: Pack(new string(' ', 2_000_000)))));
        var deep = string.Concat(Enumerable.Repeat("[", 70)) + string.Concat(Enumerable.Repeat("]", 70));
        foreach (var broken in (string[])["{", deep, """{"openapi":"3.1.0","openapi":"3.1.0"}"""])
            Assert.StartsWith(
                "spec.packed must be JSON of at most 64 levels, each member once",
                Assert.Single(FaultsOf(new OpenApiDocumentSpec(Packed: Pack(broken)))), StringComparison.Ordinal);
        Assert.Equal(
            ["spec.packed#/openapi must be 3.0.x or 3.1.x"], FaultsOf(new OpenApiDocumentSpec(Packed: Pack("{}"))));
        Assert.Equal(["spec must have exactly one of document and packed"], FaultsOf(new OpenApiDocumentSpec()));
        Assert.Equal(
            ["spec must have exactly one of document and packed"],
            FaultsOf(ShopDocument.Spec with { Packed = Pack(ShopDocument.Text) }));
    }

    private static IReadOnlyList<string> FaultsOf(string document) => FaultsOf(ShopDocument.SpecOf(document));

    private static IReadOnlyList<string> FaultsOf(OpenApiDocumentSpec spec)
    {
        var faults = new List<FieldFault>();
        OpenApiDocumentKind.Kind.Validate!(spec, faults);
        return [.. faults.Select(fault => $"{fault.Path} {fault.Message}")];
    }

    private static string Pack(string text)
    {
        using var packed = new MemoryStream();
        using (var packing = new GZipStream(packed, CompressionLevel.Fastest))
            packing.Write(Encoding.UTF8.GetBytes(text));
        return Convert.ToBase64String(packed.ToArray());
    }
}
