using System.Net;
using System.Net.Sockets;
using System.Text;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.OpenApi.Documents;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway.OpenApi;

/// <summary>
/// What holding requests to a document costs, and where that ends. Runs alone: what is allocated is counted for the
/// whole process.
/// </summary>
[Collection(nameof(AllocationTests))]
public sealed class OpenApiCostTests
{
    /// <summary>What the page promises of two parameters.</summary>
    private const int MaxBytes = 4_096;

    /// <summary>What it promises of a body, as times of its size.</summary>
    private const int MaxTimes = 40;

    private static readonly OpenApiSpec Block = new("shop", "block", Prefix: "/");

    [Fact]
    public async Task Parameters_and_bodies_cost_memory_by_their_size()
    {
        const string document = """
            {"openapi":"3.1.0","paths":{
              "/api/items/{id}":{"get":{"parameters":[
                {"name":"id","in":"path","required":true,"schema":{"type":"integer","minimum":1}},
                {"name":"page","in":"query","schema":{"type":"integer","minimum":1}}]}},
              "/api/items":{"post":{"requestBody":{"content":{"application/json":{"schema":{
                "type":"object","required":["name"],"additionalProperties":false,"properties":{
                  "name":{"type":"string","maxLength":20},
                  "parts":{"type":"array","items":{"type":"object","properties":{
                    "price":{"type":"number"},"name":{"type":"string"}}}}}}}}}}}}}
            """;
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        // Both peers block on threads of their own and allocate nothing: what is left is the gateway's.
        new Thread(() => AllocationTests.Serve(listener)) { IsBackground = true }.Start();
        await using var edge = await TestEdge.StartAsync();
        edge.Registry.Keeps = false;
        edge.RouteAll().Instances((IPEndPoint)listener.LocalEndPoint!); // It is bound.
        using var client = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.Connect(edge.Address);
        var bare = AllocationTests.Measure(client);

        edge.Put(OpenApiDocumentKind.Kind, "shop", ShopDocument.SpecOf(document));
        edge.RouteAll(route => route with { OpenApi = Block });
        var held = AllocationTests.Measure(client) - bare;
        TestContext.Current.TestOutputHelper?.WriteLine($"{held} bytes for two parameters");
        Assert.InRange(held, 1, MaxBytes); // Less than one: it was not looked at.

        var small = MeasureBody(4) - bare;
        var large = MeasureBody(34) - bare;
        TestContext.Current.TestOutputHelper?.WriteLine($"{small} and {large} bytes for bodies");
        Assert.InRange(large - small, 1, MaxTimes * (SizeOf(34) - SizeOf(4)));

        long MeasureBody(int parts)
        {
            var body = BodyOf(parts);
            return AllocationTests.Measure(client, Encoding.ASCII.GetBytes(
                $"POST /api/items HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                // What serves here reads until an empty line.
                + $"Content-Length: {body.Length}\r\n\r\n{body}"));
        }

        static int SizeOf(int parts) => BodyOf(parts).Length;

        static string BodyOf(int parts) => $$"""{"name":"a","parts":[{{string.Join(
            ',', Enumerable.Repeat("""{"price":12.5,"name":"some part"}""", parts))}}]}""" + "\r\n\r\n";
    }

    [Theory]
    // Branches that multiply, level by level.
    [InlineData(
        """{"$defs":{"x":{"properties":{"n":{"oneOf":[{"$ref":"#/D/$defs/x"},{"$ref":"#/D/$defs/x"},{"$ref":"#/D/$defs/x"}]}}}},"$ref":"#/D/$defs/x"}""",
        "deep", "body takes more than 500000 steps to check")]
    // What makes other engines backtrack.
    [InlineData("""{"pattern":"^(a+)+$"}""", "long", "body must match ^(a+)+$")]
    [InlineData("""{"multipleOf":0.01}""", "0.123", "body must be a multiple of 1e-2")]
    [InlineData("""{"uniqueItems":true}""", "many", "body/1 stands in the list already")]
    public async Task A_check_ends_within_its_bounds(string schema, string body, string fault)
    {
        schema = schema.Replace(
            "#/D/", "#/paths/~1a/post/requestBody/content/application~1json/schema/", StringComparison.Ordinal);
        body = body switch
        {
            "deep" => string.Concat(Enumerable.Repeat("""{"n":""", 60)) + "1" + new string('}', 60),
            "long" => $"\"{new string('a', 50_000)}!\"",
            "many" => $"[{string.Join(',', Enumerable.Repeat("1", 20_000))}]",
            _ => body,
        };
        await using var instance = await WebInstance.NamedAsync("a");
        await using var edge = await OpenApiTests.StartAsync(
            instance, Block, ShopDocument.SpecOf(ShopDocument.OfBody(schema)));
        var began = TimeProvider.System.GetTimestamp();
        Assert.Equal([fault], await OpenApiTests.FaultsAsync(edge, "POST", "/a", "application/json", body));
        Assert.InRange(TimeProvider.System.GetElapsedTime(began).TotalSeconds, 0, 10); // For ever, without a bound.
    }

    [Fact]
    public async Task More_parameters_than_are_looked_at_do_not_fit()
    {
        await using var instance = await WebInstance.NamedAsync("a");
        await using var edge = await OpenApiTests.StartAsync(instance, Block, ShopDocument.SpecOf(ShopDocument.Of(
            """{"parameters":[{"name":"b","in":"query","schema":{"type":"array","items":{"type":"integer"}}}]}""",
            "get")));
        Assert.Equal(
            ["query has more than 1000 parameters"],
            await OpenApiTests.FaultsAsync(edge, "GET", "/a?" + string.Join('&', Enumerable.Repeat("b=1", 1_001))));
        Assert.Empty(
            await OpenApiTests.FaultsAsync(edge, "GET", "/a?" + string.Join('&', Enumerable.Repeat("b=1", 1_000))));
    }

    [Fact]
    public async Task No_request_whatever_breaks_the_readers()
    {
        var random = LongRun.Random();
        var pieces = new[]
        {
            "limit=", "limit", "=", "&", "%", "%4", "%FF", "%00", "+", ",", "|", "[", "]", "price[", "price[from]=", "ids=",
            "tag=a", "1", "-1", "1e5", "1e999999999999", "0x1", ".", "{", "}", "filter=", "filter={}", "\"", "since=",
            "2026-02-28", "colours=red%7C", "a", "B", "~", "%E4%B8%AD", "sort=name", "price%5Bto%5D=",
        };
        var json = new[]
        {
            "{", "}", "[", "]", ",", ":", "\"", "\"name\":", "\"price\":", "\"a\"", "1", "1e400", "-0.0", "1e-400", "null",
            "true", "\\u0061", "\\ud800", "\"tags\":[", "\"parts\":[{", " ", "\n", "9999999999999999999999999999999",
        };
        await using var instance = await WebInstance.NamedAsync("shop");
        await using var edge = await OpenApiTests.StartAsync(instance, Block with { UnknownQuery = "refuse" });
        var count = LongRun.Count(600, 50_000);
        for (var round = 0; round < count; round++)
        {
            var query = string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => pieces[random.Next(pieces.Length)]));
            var told = await OpenApiTests.FaultsAsync(
                edge, "GET", (random.Next(3) == 0 ? "/items/" : "/items?") + query,
                fields: "X-Tenant: 0190b6f0-1f7c-7cc0-8d3e-5a4b3c2d1e0f\nCookie: session=" + query);
            Assert.DoesNotContain("internal", told);
            var body = string.Concat(Enumerable.Range(0, random.Next(1, 20)).Select(_ => json[random.Next(json.Length)]));
            told = await OpenApiTests.FaultsAsync(edge, "POST", "/items", "application/json", body);
            Assert.DoesNotContain("internal", told);
        }
    }

    [Fact]
    public void A_document_is_found_among_many_paths_without_going_through_them()
    {
        var tree = new PathTree();
        for (var index = 0; index < 1_000; index++)
        {
            var template = PathTemplate.Parse($"/v{index}/{{a}}/x{index}.{{b}}", out _);
            Assert.NotNull(template);
            Assert.True(tree.TryAdd(template, new ApiPath($"{index}", template.Names, [], "")));
        }
        Span<Capture> captures = stackalloc Capture[PathTemplate.MaxCaptures];
        Assert.Equal("77", tree.Find("/v77/q/x77.json"u8, captures)?.Template);
        Assert.Equal((new Capture(5, 1), new Capture(11, 4)), (captures[0], captures[1]));
        Assert.Null(tree.Find("/v77/q/x78.json"u8, captures));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < 1_000; round++) tree.Find("/v77/q/x77.json"u8, captures);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100);
    }
}
