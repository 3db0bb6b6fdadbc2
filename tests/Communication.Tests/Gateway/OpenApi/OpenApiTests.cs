using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Explaining;
using Groundwork.Communication.Gateway.OpenApi;
using Groundwork.Communication.Gateway.OpenApi.Documents;
using Groundwork.Communication.Tests.Gateway.Content;
using Groundwork.Kernel.Hosting.Metering;
using Groundwork.Kernel.Resources;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway.OpenApi;

/// <summary>What becomes of requests whose route holds them to an OpenAPI document.</summary>
public sealed class OpenApiTests
{
    private const string Tenant = "X-Tenant: 0190b6f0-1f7c-7cc0-8d3e-5a4b3c2d1e0f";

    private const string Item = """{"name":"a","price":1}""";

    private static readonly OpenApiSpec Block = new("shop", "block");

    [Theory]
    [InlineData("GET", "/v1/items/7", 200)]
    [InlineData("HEAD", "/v1/items/7", 200)]
    [InlineData("DELETE", "/v1/items/7", 200)]
    [InlineData("GET", "/v1/items/count", 200)]
    [InlineData("GET", "/v1/files/readme.txt", 200)]
    [InlineData("GET", "/v1/files/a.b.json", 200)]
    [InlineData("PUT", "/v1/items/7", 405)]
    [InlineData("GET", "/v1/others", 404)]
    [InlineData("GET", "/v1/items/7/", 404)]
    [InlineData("GET", "/v1/items/", 404)]
    [InlineData("GET", "/items/7", 404)]
    [InlineData("GET", "/v1", 404)]
    [InlineData("GET", "/v1/files/readme", 404)]
    [InlineData("GET", "/v1/files/readme.exe", 400)]
    public async Task Paths_and_methods_are_those_of_the_document(string method, string path, int status)
    {
        await using var instance = await WebInstance.NamedAsync("shop");
        await using var edge = await StartAsync(instance, Block);
        using var answer = await SendAsync(edge, method, path);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(status == 200 ? 1 : 0, instance.Requests);
        if (status == 405) Assert.Equal(["GET", "DELETE", "HEAD"], answer.Content.Headers.Allow);
    }

    [Theory]
    [InlineData("/v1/items/x", "path.id must be of type integer")]
    [InlineData("/v1/items/3000000000", "path.id must be of the format int32: -2147483648 to 2147483647")]
    [InlineData("/v1/files/123456789.txt", "path.name has 9 characters, and may have 8")]
    [InlineData("/v1/items?limit=5", null)]
    [InlineData("/v1/items?limit=0", "query.limit must be at least 1")]
    [InlineData("/v1/items?limit=five", "query.limit must be of type integer")]
    [InlineData("/v1/items?limit=", "query.limit must be of type integer")]
    [InlineData("/v1/items?limit=5&limit=6", "query.limit must be there once")]
    [InlineData("/v1/items?li%6Dit=0", "query.limit must be at least 1")]
    [InlineData("/v1/items?limit=%FF", "query.limit must be UTF-8")]
    [InlineData("/v1/items?sort=name", null)]
    [InlineData("/v1/items?sort=size", "query.sort must be one of 2 values: \"name\", \"price\"")]
    [InlineData("/v1/items?tag=a&tag=b", null)]
    [InlineData("/v1/items?tag=a&tag=B", "query.tag/1 must match ^[a-z]+$")]
    [InlineData("/v1/items?tag=a&tag=b&tag=c&tag=d", "query.tag has 4 items, and may have 3")]
    [InlineData("/v1/items?ids=1,2,3", null)]
    [InlineData("/v1/items?ids=1,x", "query.ids/1 must be of type integer")]
    [InlineData("/v1/items?ids=1%2C2", "query.ids/0 must be of type integer")]
    [InlineData("/v1/items?ids=1&ids=2", "query.ids must be there once")]
    [InlineData("/v1/items?colours=red|blue", null)]
    [InlineData("/v1/items?colours=red%7Cblue", null)]
    [InlineData("/v1/items?colours=red|green", "query.colours/1 must be one of 2 values: \"red\", \"blue\"")]
    [InlineData("/v1/items?price[from]=1.5&price%5Bto%5D=2", null)]
    [InlineData("/v1/items?price[from]=cheap", "query.price/from must be of type number")]
    [InlineData("/v1/items?price[about]=1", "query.price/about is not a member that is known")]
    [InlineData("/v1/items?price[to]=1&price[to]=2", "query.price/to must be there once")]
    [InlineData("/v1/items?since=2026-02-28", null)]
    [InlineData("/v1/items?since=2026-02-30", "query.since must be of the format date")]
    [InlineData("/v1/items?filter=%7B%22a%22:1%7D", null)]
    [InlineData("/v1/items?filter=%7B%7D", "query.filter must have 'a'")]
    [InlineData("/v1/items?filter=%7B", "query.filter must be JSON; it is none from byte 1 on")]
    [InlineData("/v1/items?unknown=1", null)]
    public async Task Parameters_of_path_and_query_are_held_to_their_schemas(string target, string? fault)
    {
        await using var instance = await WebInstance.NamedAsync("shop");
        await using var edge = await StartAsync(instance, Block);
        Assert.Equal(fault is null ? [] : [fault], await FaultsAsync(edge, "GET", target, fields: Tenant));
        Assert.Equal(fault is null ? 1 : 0, instance.Requests);
    }

    [Theory]
    [InlineData(Tenant, null)]
    [InlineData("", "header.X-Tenant must be there")]
    [InlineData("x-tenant: 7", "header.X-Tenant must be of the format uuid")]
    [InlineData(Tenant + "\nx-tenant: 7", "header.X-Tenant must be of the format uuid")] // The client joins them.
    [InlineData(Tenant + "\nX-Codes: 1, 2\nX-Codes: 3", null)]
    [InlineData(Tenant + "\nX-Codes: 1, 2\nX-Codes: y", "header.X-Codes/2 must be of type integer")]
    [InlineData(Tenant + "\nCookie: other=1; session=abcd", null)]
    [InlineData(Tenant + "\nCookie: session=abc", "cookie.session has 3 characters, and must have 4")]
    [InlineData(Tenant + "\nCookie: session=abcd; session=efgh", "cookie.session must be there once")]
    public async Task Header_fields_and_cookies_are_held_to_their_schemas(string fields, string? fault)
    {
        await using var instance = await WebInstance.NamedAsync("shop");
        await using var edge = await StartAsync(instance, Block);
        Assert.Equal(fault is null ? [] : [fault], await FaultsAsync(edge, "GET", "/v1/items", fields: fields));
    }

    [Theory]
    [InlineData(Item, null)]
    [InlineData("""{"name":"a","price":1e-3,"tags":["x","y"],"parts":[{"parts":[{"price":2}]}]}""", null)]
    [InlineData("", "body must be there")]
    [InlineData("[]", "body must be of type object")]
    [InlineData("""{"name":"a"}""", "body must have 'price'")]
    [InlineData("""{"name":"","price":1}""", "body/name has 0 characters, and must have 1")]
    [InlineData("""{"name":"a","price":0}""", "body/price must be more than 0")]
    [InlineData("""{"name":"a","price":"1"}""", "body/price must be of type number")]
    [InlineData("""{"name":"a","price":1,"id":5}""", "body/id must not be sent: it is read-only")]
    [InlineData("""{"name":"a","price":1,"more":5}""", "body/more is not a member that is known")]
    [InlineData("""{"name":"a","price":1,"tags":["x","x"]}""", "body/tags/1 stands in the list already")]
    [InlineData(
        """{"name":"a","price":1,"parts":[{},{"parts":[{"price":"2"}]}]}""",
        "body/parts/1/parts/0/price must be of type number")]
    [InlineData("""{"name":"a","price":1,"name":"b"}""", "body/name must be there once")]
    [InlineData("""{"name":"a","price":1,"n\u0061me":"b"}""", "body/name must be there once")]
    [InlineData("""{"name":"a","price":1e400}""", "body/price must be a number within the range of numbers")]
    [InlineData("""{"name":"\ud800","price":1}""", "body/name must be text; it has half of a character")]
    [InlineData("""{"name":"a","price":1""", "body must be JSON; it is none from byte 21 on")]
    [InlineData("""{"name":"a","price":1}{}""", "body must be JSON; it is none from byte 22 on")]
    [InlineData("""{"name":"a","price":NaN}""", "body must be JSON; it is none from byte 20 on")]
    public async Task A_body_of_JSON_is_held_to_its_schema_and_arrives_as_it_was(string body, string? fault)
    {
        var arrived = "";
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            arrived = await reader.ReadToEndAsync();
        });
        await using var edge = await StartAsync(instance, Block);
        Assert.Equal(
            fault is null ? [] : [fault], await FaultsAsync(edge, "POST", "/v1/items", "application/json", body));
        Assert.Equal(fault is null ? body : "", arrived);
    }

    [Fact]
    public async Task Bytes_that_are_no_text_and_what_is_too_deep_or_too_much_are_told_apart()
    {
        await using var instance = await WebInstance.NamedAsync("shop");
        await using var edge = await StartAsync(instance, Block with { BodyBytes = 1_000_000 });
        byte[] broken = [.. "{\"name\":\""u8, 0xC0, 0xAF, .. "\",\"price\":1}"u8];
        Assert.Equal(["body must be UTF-8"], await FaultsAsync(edge, "POST", "/v1/items", "application/json", broken));
        var levels = string.Concat(Enumerable.Repeat("[", 65)) + string.Concat(Enumerable.Repeat("]", 65));
        var told = Assert.Single(await FaultsAsync(edge, "POST", "/v1/items", "application/json", levels));
        Assert.EndsWith(" is more than 64 levels deep", told, StringComparison.Ordinal);
        var values = "[" + string.Concat(Enumerable.Repeat("1,", 50_000)) + "1]";
        Assert.Equal(
            ["body has more than 50000 values"],
            await FaultsAsync(edge, "POST", "/v1/items", "application/json", values));
        var just = "[" + string.Concat(Enumerable.Repeat("1,", 49_998)) + "1]";
        Assert.Equal(
            ["body must be of type object"], await FaultsAsync(edge, "POST", "/v1/items", "application/json", just));
    }

    [Fact]
    public async Task The_number_of_faults_that_are_told_is_bounded_and_values_are_not_repeated()
    {
        await using var instance = await WebInstance.NamedAsync("shop");
        await using var edge = await StartAsync(instance, Block);
        var parts = string.Join(',', Enumerable.Repeat("""{"price":"canary"}""", 100));
        var told = await FaultsAsync(
            edge, "POST", "/v1/items", "application/json", $$"""{"name":"a","price":1,"parts":[{{parts}}]}""");
        Assert.Equal(16, told.Count);
        Assert.DoesNotContain("canary", string.Join('\n', told), StringComparison.Ordinal);
        var name = new string('n', 1_000);
        var named = Assert.Single(await FaultsAsync(
            edge, "POST", "/v1/items", "application/json", $$"""{"name":"a","price":1,"{{name}}":1}"""));
        Assert.InRange(named.Length, 0, 150);
    }

    [Theory]
    [InlineData("name=a&price=1.5", null)]
    [InlineData("name=a&price=1.5&tags=x&tags=y", null)]
    [InlineData("name=a&price=free", "body/price must be of type number")]
    [InlineData("name=a&price=1&price=2", "body/price must be there once")]
    [InlineData("name=a&price=1&tags=x&tags=x", "body/tags/1 stands in the list already")]
    [InlineData("name=a+b%21&price=1&id=1", "body/id must not be sent: it is read-only")]
    [InlineData("name=%FF&price=1", "body must be UTF-8")]
    public async Task A_form_is_held_to_its_schema(string body, string? fault)
    {
        await using var instance = await WebInstance.NamedAsync("shop");
        await using var edge = await StartAsync(instance, Block);
        Assert.Equal(
            fault is null ? [] : [fault],
            await FaultsAsync(edge, "POST", "/v1/items", "application/x-www-form-urlencoded", body));
    }

    [Theory]
    [InlineData("POST", "/v1/items", "application/json; charset=utf-8", 200, null)]
    [InlineData("POST", "/v1/items", "Application/JSON", 200, null)]
    [InlineData("POST", "/v1/items", "text/plain", 200, null)]
    [InlineData("POST", "/v1/items", "application/xml", 415, "unsupported_media_type")]
    [InlineData("POST", "/v1/items", null, 415, "unsupported_media_type")]
    [InlineData("DELETE", "/v1/items/7", "application/json", 400, "request_invalid")]
    public async Task A_body_is_of_a_type_that_the_operation_takes(
        string method, string path, string? type, int status, string? code)
    {
        await using var instance = await WebInstance.NamedAsync("shop");
        await using var edge = await StartAsync(instance, Block);
        using var answer = await SendAsync(edge, method, path, type, Encoding.UTF8.GetBytes(Item));
        Assert.Equal(status, (int)answer.StatusCode);
        if (code is not null)
            Assert.Contains($"\"{code}\"", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("block", "refuse", 413, 415)]
    [InlineData("block", "pass", 200, 200)]
    [InlineData("detect", "refuse", 200, 200)]
    public async Task A_body_that_cannot_be_checked_is_refused_or_passes_whole(
        string mode, string unseen, int large, int compressed)
    {
        var arrived = 0L;
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            using var copy = new MemoryStream();
            await context.Request.Body.CopyToAsync(copy);
            arrived = copy.Length;
        });
        await using var edge = await StartAsync(
            instance, new OpenApiSpec("shop", mode, BodyBytes: 1_000, Unseen: unseen));
        var body = Encoding.UTF8.GetBytes(Item + new string(' ', 20_000));
        foreach (var chunked in (bool[])[false, true])
        {
            arrived = 0;
            using var answer = await SendAsync(edge, "POST", "/v1/items", "application/json", body, chunked: chunked);
            Assert.Equal(large, (int)answer.StatusCode);
            Assert.Equal(large == 200 ? body.Length : 0, arrived);
        }
        using var packed = await SendAsync(
            edge, "POST", "/v1/items", "application/json", "{}"u8.ToArray(), coding: "gzip");
        Assert.Equal(compressed, (int)packed.StatusCode);
        using var fits = await SendAsync(
            edge, "POST", "/v1/items", "application/json", Encoding.UTF8.GetBytes(Item.PadRight(1_000)), chunked: true);
        Assert.Equal(200, (int)fits.StatusCode);
    }

    [Fact]
    public async Task Block_answers_with_a_problem_and_tells_who_asks_later()
    {
        await using var instance = await WebInstance.NamedAsync("shop");
        await using var edge = await StartAsync(instance, Block);
        using var answer = await SendAsync(edge, "GET", "/v1/items?limit=0&sort=size", fields: Tenant);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        using var problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        Assert.Equal("request_invalid", problem.RootElement.GetProperty("code").GetString());
        Assert.Equal(
            ["query.limit", "query.sort"],
            problem.RootElement.GetProperty("fields").EnumerateArray()
                .Select(one => one.GetProperty("path").GetString()));
        Assert.Contains(
            "refused: listItems: query.limit must be at least 1; query.sort must be one of 2 values",
            await ToldAsync(edge, 1), StringComparison.Ordinal);
        using var fits = await SendAsync(edge, "GET", "/v1/items?limit=1", fields: Tenant);
        Assert.Contains("fits: listItems", await ToldAsync(edge, 2), StringComparison.Ordinal);
        Assert.Equal(1, edge.Module.HeldToDocuments.Of(OpenApiVerdict.Refused));
        Assert.Equal(1, edge.Module.HeldToDocuments.Of(OpenApiVerdict.Fits));
    }

    [Theory]
    [InlineData("GET", "/v1/items?limit=0", "does not fit: listItems: query.limit must be at least 1")]
    [InlineData("GET", "/v1/nothing", "does not fit: shop: operation has no such path")]
    [InlineData("PATCH", "/v1/items/7", "does not fit: shop: operation has this path with GET, DELETE, HEAD")]
    public async Task Detect_passes_what_does_not_fit_and_counts_it(string method, string target, string told)
    {
        await using var instance = await WebInstance.NamedAsync("shop");
        await using var edge = await StartAsync(instance, new OpenApiSpec("shop"));
        using var answer = await SendAsync(edge, method, target, fields: Tenant);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(1, instance.Requests);
        Assert.Contains(told, await ToldAsync(edge, 1), StringComparison.Ordinal);
        Assert.Equal(1, edge.Module.HeldToDocuments.Of(OpenApiVerdict.Detected));
        Assert.Equal(0, edge.Module.HeldToDocuments.Of(OpenApiVerdict.Refused));
    }

    [Fact]
    public async Task What_the_document_has_not_passes_where_the_route_says_so()
    {
        await using var instance = await WebInstance.NamedAsync("shop");
        await using var edge = await StartAsync(instance, Block with { Unknown = "pass" });
        using var path = await SendAsync(edge, "GET", "/v1/nothing");
        using var method = await SendAsync(edge, "PUT", "/v1/items/7");
        using var wrong = await SendAsync(edge, "GET", "/v1/items/x");
        Assert.Equal((200, 200, 400), ((int)path.StatusCode, (int)method.StatusCode, (int)wrong.StatusCode));
        Assert.Equal(2, edge.Module.HeldToDocuments.Of(OpenApiVerdict.Unknown));
    }

    [Fact]
    public async Task Unknown_parameters_of_the_query_are_refused_where_the_route_says_so()
    {
        await using var instance = await WebInstance.NamedAsync("shop");
        await using var edge = await StartAsync(instance, Block with { UnknownQuery = "refuse" });
        Assert.Equal(
            ["query.debug is no parameter of this operation"],
            await FaultsAsync(edge, "GET", "/v1/items?limit=1&debug=1&price[from]=1&tag=a", fields: Tenant));
        Assert.Empty(await FaultsAsync(edge, "GET", "/v1/items?limit=1&price[from]=1&tag=a", fields: Tenant));
    }

    [Theory]
    [InlineData("/api", "/api/items/7", 200)]
    [InlineData("/api/", "/api/items/7", 200)]
    [InlineData("/api", "/apis/items/7", 404)]
    [InlineData("/api", "/v1/items/7", 404)]
    [InlineData("/", "/items/7", 200)]
    [InlineData(null, "/v1/items/7", 200)]
    public async Task The_prefix_is_the_routes_or_that_of_the_servers(string? prefix, string path, int status)
    {
        await using var instance = await WebInstance.NamedAsync("shop");
        await using var edge = await StartAsync(instance, Block with { Prefix = prefix });
        using var answer = await SendAsync(edge, "GET", path);
        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Fact]
    public async Task A_document_changes_while_requests_come_and_without_one_nothing_passes()
    {
        await using var instance = await WebInstance.NamedAsync("shop");
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll(route => route with { OpenApi = Block }).Instances(instance.Address);
        using var missing = await SendAsync(edge, "GET", "/v1/items/7");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, missing.StatusCode);
        Assert.Contains(
            "\"openapi_document_missing\"", await missing.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        edge.Put(OpenApiDocumentKind.Kind, "shop", ShopDocument.Spec);
        Assert.Equal(["path.id must be of type integer"], await FaultsAsync(edge, "GET", "/v1/items/x"));
        Assert.Empty(await FaultsAsync(edge, "GET", "/v1/items/7"));

        var changed = ShopDocument.Text.Replace("\"format\": \"int32\"", "\"maximum\": 5", StringComparison.Ordinal);
        edge.Put(OpenApiDocumentKind.Kind, "shop", ShopDocument.SpecOf(changed));
        Assert.Equal(["path.id must be at most 5"], await FaultsAsync(edge, "GET", "/v1/items/7"));

        edge.Snapshots.Delete(new ResourceKey(OpenApiDocumentKind.Name, "default", "shop"));
        using var gone = await SendAsync(edge, "GET", "/v1/items/7");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, gone.StatusCode);
        edge.RouteAll(route => route with { OpenApi = new OpenApiSpec("shop") });
        Assert.Empty(await FaultsAsync(edge, "GET", "/v1/items/7"));
        Assert.Equal(3, edge.Module.HeldToDocuments.Of(OpenApiVerdict.Undecided));
    }

    [Fact]
    public async Task A_route_without_it_holds_requests_to_nothing()
    {
        await using var instance = await WebInstance.NamedAsync("shop");
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address).Put(OpenApiDocumentKind.Kind, "shop", ShopDocument.Spec);
        using var answer = await SendAsync(edge, "PUT", "/v1/nothing");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task Figures_tell_verdicts_and_places()
    {
        await using var instance = await WebInstance.NamedAsync("shop");
        await using var edge = await StartAsync(instance, Block);
        await FaultsAsync(edge, "GET", "/v1/items?limit=0&sort=x");
        await FaultsAsync(edge, "GET", "/v1/items/7");
        var text = new MetricsText();
        edge.Module.HeldToDocuments.Write(text);
        var written = Encoding.UTF8.GetString(text.Bytes.Span);
        Assert.Contains(
            "groundwork_gateway_openapi_requests_total{verdict=\"refused\"} 1", written, StringComparison.Ordinal);
        Assert.Contains(
            "groundwork_gateway_openapi_requests_total{verdict=\"fits\"} 1", written, StringComparison.Ordinal);
        Assert.Contains(
            "groundwork_gateway_openapi_faults_total{place=\"query\"} 2", written, StringComparison.Ordinal);
        Assert.Contains(
            "groundwork_gateway_openapi_faults_total{place=\"header\"} 1", written, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a b", "block", null, "spec.openApi.document must be the name of an openapi-document:")]
    [InlineData("shop", "allow", null, "spec.openApi.mode must be detect or block")]
    [InlineData("shop", "block", "api", "spec.openApi.prefix must be a path")]
    [InlineData("shop", "block", "/a/../b", "spec.openApi.prefix must be a path")]
    [InlineData("shop", "block", "/{a}", "spec.openApi.prefix must be a path")]
    [InlineData("other/shop", "block", "/api/v1", null)]
    public void What_the_route_says_is_checked(string document, string mode, string? prefix, string? fault) =>
        Assert.StartsWith(
            fault ?? "", FaultOf(new OpenApiSpec(document, mode, prefix)) ?? (fault is null ? "" : "none"),
            StringComparison.Ordinal);

    [Fact]
    public void Choices_and_bounds_of_the_route_are_checked()
    {
        Assert.Equal("spec.openApi.unknown must be refuse or pass", FaultOf(Block with { Unknown = "x" }));
        Assert.Equal("spec.openApi.unknownQuery must be refuse or pass", FaultOf(Block with { UnknownQuery = "x" }));
        Assert.Equal("spec.openApi.unseen must be refuse or pass", FaultOf(Block with { Unseen = "x" }));
        Assert.Equal("spec.openApi.bodyBytes must be 0 to 1048576", FaultOf(Block with { BodyBytes = 2_000_000 }));
        Assert.Null(FaultOf(Block with { BodyBytes = 0 }));
    }

    private static string? FaultOf(OpenApiSpec spec) => SpecFaults.Of(
        new RouteSpec(new MatchSpec(["localhost"], "/**"), "catalog", OpenApi: spec));

    internal static async Task<TestEdge> StartAsync(
        WebInstance instance, OpenApiSpec spec, OpenApiDocumentSpec? document = null)
    {
        var edge = await TestEdge.StartAsync();
        edge.Put(OpenApiDocumentKind.Kind, "shop", document ?? ShopDocument.Spec);
        edge.RouteAll(route => route with { OpenApi = spec }).Instances(instance.Address);
        return edge;
    }

    /// <summary>What a request is refused for; nothing when it has passed.</summary>
    internal static Task<IReadOnlyList<string>> FaultsAsync(
        TestEdge edge, string method, string target, string? type = null, string body = "", string? fields = null) =>
        FaultsAsync(edge, method, target, type, Encoding.UTF8.GetBytes(body), fields);

    private static async Task<IReadOnlyList<string>> FaultsAsync(
        TestEdge edge, string method, string target, string? type, byte[] body, string? fields = null)
    {
        using var answer = await SendAsync(edge, method, target, type, body, fields);
        if (answer.IsSuccessStatusCode) return [];
        using var problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return problem.RootElement.TryGetProperty("fields", out var told)
            ? [.. told.EnumerateArray().Select(one => $"{one.GetProperty("path")} {one.GetProperty("message")}")]
            : [problem.RootElement.GetProperty("code").GetString() ?? ""];
    }

    private static async Task<HttpResponseMessage> SendAsync(
        TestEdge edge, string method, string target, string? type = null, byte[]? body = null, string? fields = null,
        bool chunked = false, string? coding = null)
    {
        using var request = new HttpRequestMessage(
            new HttpMethod(method), new Uri($"http://{edge.Address}{target}", new UriCreationOptions
            {
                DangerousDisablePathAndQueryCanonicalization = true,
            }));
        foreach (var field in fields?.Split('\n', StringSplitOptions.RemoveEmptyEntries) ?? [])
            if (field.Split(": ", 2) is [var name, var value])
                request.Headers.TryAddWithoutValidation(name, value);
        if (body is { Length: > 0 })
        {
            request.Content = new ByteArrayContent(body);
            if (type is not null) request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
            if (coding is not null) request.Content.Headers.ContentEncoding.Add(coding);
            request.Headers.TransferEncodingChunked = chunked;
        }
        return await edge.Client.SendAsync(request);
    }

    // What was decided about the last of so many requests, as whoever asks is told.
    private static async Task<string> ToldAsync(TestEdge edge, int requests)
    {
        var all = await Eventually.ValueAsync(
            () => Task.FromResult(edge.Module.Seen.Recorder.Ring.Read()),
            found => found.Count >= requests, "the requests are kept");
        var last = all.OrderBy(one => one.At).Last();
        return string.Join('\n', RequestExplainer.Explain(last, "node", _ => true, [])
            .Decisions.Select(one => $"{one.What}: {one.About}"));
    }
}
