using System.Globalization;
using System.Text.Json;

namespace Groundwork.Tests.Protocols.OpenApi;

/// <summary>A request for the document in <c>Clients/openapi.json</c>, of values that fit it and of others.</summary>
internal sealed record GeneratedRequest(
    string Method, string Target, IReadOnlyDictionary<string, string> Headers, string? Body)
{
    private const string Tenant = "0190b6f0-1f7c-7cc0-8d3e-5a4b3c2d1e0f";

    // By parameter: most fit.
    private static readonly string[] Queries =
    [
        "limit=5", "limit=100", "limit=0", "limit=101", "limit=5.5", "limit=five", "ratio=1.5", "ratio=0", "ratio=0.3",
        "ratio=-1", "sort=name", "sort=size", "deep=true", "deep=false", "deep=yes", "tag=a&tag=b",
        "tag=a&tag=b&tag=c&tag=d", "tag=A", "tag=", "ids=1,2,3", "ids=1,b", "price[from]=1", "price[from]=x",
        "price[to]=1", "price[from]=1&price[to]=2.5", "since=2026-02-28", "since=2026-02-29", "since=now", "q=ab",
        "q=a",
        "q=abcdef", "q=%C3%A4%C3%B6", "q=a+b", "q=a%20b", "other=1",
    ];

    private static readonly string[] Members =
    [
        "\"id\":1", "\"note\":null", "\"note\":\"n\"", "\"note\":1", "\"mail\":\"a@b.example\"", "\"mail\":\"ab\"",
        "\"at\":\"2026-11-22T05:40:00Z\"", "\"at\":\"2026-11-22\"", "\"at\":\"2026-13-22T05:40:00Z\"",
        "\"tags\":[\"a\"]",
        "\"tags\":[]", "\"tags\":[\"a\",\"b\",\"a\"]", "\"tags\":[1]", "\"pair\":[1,\"a\"]", "\"pair\":[1]",
        "\"pair\":[\"a\",1]", "\"pair\":[1,\"a\",2]", "\"any\":[0,1]", "\"any\":[0]", "\"any\":1", "\"any\":[1.0]",
        "\"parts\":[]", "\"parts\":[{\"name\":\"p\",\"price\":1}]", "\"parts\":[{\"name\":\"p\"}]",
        "\"parts\":[{\"name\":\"p\",\"price\":1,\"parts\":[{\"name\":\"\",\"price\":1}]}]", "\"extra\":{}",
        "\"extra\":{\"x-a\":1,\"b\":true}", "\"extra\":{\"x-a\":true}", "\"extra\":{\"b\":1}",
        "\"extra\":{\"b\":true,\"c\":true,\"d\":true}", "\"unknown\":1",
    ];

    private static readonly string[] Names =
        ["\"n\"", "\"12345678\"", "\"123456789\"", "\"\"", "1", "\"\\u00e4\"", "null"];

    private static readonly string[] Prices = ["1", "0.5", "1000", "1e2", "0", "-1", "1001", "\"1\"", "null", "1e-300"];

    private static readonly string[] Shapes =
    [
        "{\"radius\":1}", "{\"radius\":\"1\"}", "{\"radius\":1,\"width\":1}", "{\"width\":1,\"height\":2}",
        "{\"height\":2}", "{\"width\":7,\"height\":7}", "{\"width\":7,\"height\":8}", "{\"width\":7}",
        "{\"width\":1,\"height\":2,\"depth\":3}", "{}", "[]", "null", "{\"radius\":1,\"height\":1}",
        "{\"width\":1.0,\"height\":2}", "{\"width\":1.5,\"height\":2}",
    ];

    private static readonly string[] Fields =
    [
        "item=1", "item=a", "count=1", "count=5", "count=6", "count=0", "express=true", "express=maybe", "to=home",
        "to=h", "notes=a&notes=b", "notes=a&notes=b&notes=c", "notes=a", "more=1",
    ];

    public static GeneratedRequest Next(Random random) => random.Next(10) switch
    {
        < 3 => List(random),
        < 6 => Add(random),
        6 => new("PUT", $"/v1/items/{random.Next(1, 9)}", Json, Shapes[random.Next(Shapes.Length)]),
        7 => Form(random),
        8 => new(
            random.Next(5) == 0 ? "DELETE" : "GET",
            "/v1/items/" + Pick(random, ["1", "0", "x", "count", "12345678901", "1.0", "-1", "a/b", ""]), None, null),
        _ => new("GET", Pick(random, ["/v1/nothing", "/items/1", "/v1", "/v2/items/1", "/v1/items/count"]), None, null),
    };

    private static IReadOnlyDictionary<string, string> None { get; } = new Dictionary<string, string>();

    private static IReadOnlyDictionary<string, string> Json { get; } =
        new Dictionary<string, string> { ["content-type"] = "application/json" };

    private static GeneratedRequest List(Random random)
    {
        var chosen = Some(random, Queries, 3).DistinctBy(query => query[..query.IndexOfAny(['=', '['])]);
        var headers = new Dictionary<string, string>();
        if (random.Next(6) > 0) headers["x-tenant"] = random.Next(6) > 0 ? Tenant : "none";
        if (random.Next(4) == 0) headers["x-level"] = Pick(random, ["1", "9", "10", "high"]);
        if (random.Next(4) == 0) headers["cookie"] = Pick(random, ["session=abcd", "session=abc", "other=1"]);
        return new("GET", "/v1/items?" + string.Join('&', chosen), headers, null);
    }

    private static GeneratedRequest Add(Random random)
    {
        var members = new List<string>();
        if (random.Next(8) > 0) members.Add("\"name\":" + (random.Next(3) > 0 ? "\"n\"" : Pick(random, Names)));
        if (random.Next(8) > 0) members.Add("\"price\":" + (random.Next(3) > 0 ? "1" : Pick(random, Prices)));
        members.AddRange(Some(random, Members, 2).DistinctBy(member => member[..member.IndexOf(':')]));
        var body = $"{{{string.Join(',', members)}}}";
        return random.Next(20) switch
        {
            0 => new("POST", "/v1/items", None, null),
            1 => new(
                "POST", "/v1/items", new Dictionary<string, string> { ["content-type"] = "application/xml" }, "<a/>"),
            2 => new("POST", "/v1/items", Json, body[..random.Next(body.Length)]),
            3 => new("POST", "/v1/items", Json, Pick(random, ["[]", "1", "null", "\"a\""])),
            _ => new("POST", "/v1/items", Json, body),
        };
    }

    private static GeneratedRequest Form(Random random) => new(
        "POST", "/v1/items",
        new Dictionary<string, string> { ["content-type"] = "application/x-www-form-urlencoded" },
        string.Join('&', Some(random, Fields, 3).Append(random.Next(3) > 0 ? "item=1" : "to=home")
            .DistinctBy(field => field[..field.IndexOf('=', StringComparison.Ordinal)])));

    private static IEnumerable<string> Some(Random random, string[] all, int most) =>
        Enumerable.Range(0, random.Next(most + 1)).Select(_ => Pick(random, all));

    private static string Pick(Random random, string[] all) => all[random.Next(all.Length)];

    public string ToJson() => JsonSerializer.Serialize(new
    {
        method = Method, target = Target, headers = Headers, body = Body,
    });

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Method} {Target} [{string.Join(", ", Headers)}] {Body}");
}
