using System.IO.Compression;
using System.Net;
using System.Text;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Content.Compression;
using Groundwork.Wire.Http1;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Content;

/// <summary>Answers that are compressed on their way, and those that must not be.</summary>
public sealed class CompressionTests
{
    private static readonly string Text = string.Concat(
        Enumerable.Range(0, 2_000).Select(number => $"line {number} of a text that says little\n"));

    [Theory]
    [InlineData("gzip", "gzip")]
    [InlineData("br, gzip", "br")]
    [InlineData("gzip;q=1.0, br;q=0.5", "gzip")]
    [InlineData("br;q=0, gzip", "gzip")]
    [InlineData("*", "br")]
    [InlineData("*;q=0.5, br;q=0", "gzip")]
    [InlineData("identity, gzip;q=0.5", null)]
    [InlineData("deflate", null)]
    [InlineData("gzip;q=0", null)]
    [InlineData("gzip;q=zero", null)]
    [InlineData(null, null)]
    public async Task The_client_gets_the_coding_it_likes_best(string? accepted, string? coding)
    {
        await using var instance = await AnsweringAsync("text/plain");
        await using var edge = await StartAsync(instance);

        using var answer = await GetAsync(edge, accepted);
        var bytes = await answer.Content.ReadAsByteArrayAsync();

        Assert.Equal(coding, answer.Content.Headers.ContentEncoding.SingleOrDefault());
        Assert.Equal("Accept-Encoding", Assert.Single(answer.Headers.Vary));
        Assert.Equal(Text, Decode(bytes, coding));
        if (coding is not null) Assert.InRange(bytes.Length, 1, Text.Length / 5);
        Assert.Equal(coding is null ? "\"1\"" : "W/\"1\"", answer.Headers.ETag!.ToString()); // The service gives one.
    }

    public static TheoryData<string, Action<HttpContext>, string?> LeftAlone => new()
    {
        { "already coded", context => context.Response.Headers.ContentEncoding = "x-own", null },
        { "a picture", context => context.Response.ContentType = "image/png", null },
        { "no type", context => context.Response.ContentType = null, null },
        { "not to be changed", context => context.Response.Headers.CacheControl = "public, no-transform", null },
        { "part of a whole", context => Part(context.Response), null },
        { "it sets a cookie", context => context.Response.Headers.SetCookie = "a=b", null },
        { "the request has a cookie", _ => { }, "Cookie" },
        { "the request has a credential", _ => { }, "Authorization" },
        { "events", context => context.Response.ContentType = "text/event-stream", null },
    };

    [Theory]
    [MemberData(nameof(LeftAlone))]
    public async Task Some_answers_are_left_as_they_are(string why, Action<HttpContext> change, string? field)
    {
        await using var instance = await AnsweringAsync("text/plain", change);
        await using var edge = await StartAsync(instance);
        using var answer = await GetAsync(edge, "gzip", field);
        Assert.DoesNotContain("gzip", answer.Content.Headers.ContentEncoding);
        Assert.True(Text == await answer.Content.ReadAsStringAsync(), why);
    }

    [Fact]
    public async Task With_credentials_only_where_the_route_says_so()
    {
        await using var instance = await AnsweringAsync(
            "text/plain", context => context.Response.Headers.SetCookie = "a=b");
        await using var edge = await StartAsync(instance, new CompressSpec(WithCredentials: true));
        using var answer = await GetAsync(edge, "gzip", "Cookie");
        Assert.Equal("gzip", Assert.Single(answer.Content.Headers.ContentEncoding));
    }

    [Theory]
    [InlineData(1023, false)]
    [InlineData(1024, true)]
    public async Task Small_answers_are_left_as_they_are(int bytes, bool compressed)
    {
        await using var instance = await WebInstance.StartAsync(context =>
        {
            context.Response.ContentType = "text/plain";
            context.Response.ContentLength = bytes;
            return context.Response.WriteAsync(new string('a', bytes));
        });
        await using var edge = await StartAsync(instance);
        using var answer = await GetAsync(edge, "gzip");
        Assert.Equal(compressed, answer.Content.Headers.ContentEncoding.Contains("gzip"));
    }

    [Theory]
    [InlineData("br")]
    [InlineData("gzip")]
    public async Task An_event_is_not_held_back_until_the_next(string coding)
    {
        var next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            context.Response.ContentType = "text/event-stream";
            await context.Response.WriteAsync("data: first\n\n");
            await context.Response.Body.FlushAsync();
            await next.Task;
            await context.Response.WriteAsync("data: second\n\n");
        });
        await using var edge = await StartAsync(instance, new CompressSpec(Types: ["text/event-stream"]));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Add("Accept-Encoding", coding);
        using var answer = await edge.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(coding, Assert.Single(answer.Content.Headers.ContentEncoding));
        await using var body = await answer.Content.ReadAsStreamAsync();
        await using Stream plain = coding == "br"
            ? new BrotliStream(body, CompressionMode.Decompress) : new GZipStream(body, CompressionMode.Decompress);
        using var reader = new StreamReader(plain);

        var first = await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System);
        next.SetResult();

        Assert.Equal("data: first", first);
        Assert.Equal("\ndata: second\n\n", await reader.ReadToEndAsync());
    }

    [Fact]
    public async Task An_answer_that_breaks_off_never_looks_whole()
    {
        await using var instance = RawInstance.Start(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100000\r\n\r\n" + Text[..50_000]);
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll(spec => spec with { Compress = new CompressSpec() }).Instances(instance.Address);
        using var client = await RawConnection.ToAsync(edge.Address);
        await client.WriteAsync("GET / HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n");
        var read = await client.ReadToEndAsync();
        Assert.DoesNotContain("\r\n0\r\n\r\n", read, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Curl_reads_what_was_compressed()
    {
        await using var instance = await AnsweringAsync("application/json");
        await using var edge = await StartAsync(instance);
        foreach (var coding in new[] { "gzip", "br" })
        {
            var output = await Curl.RunAsync(
                "--compressed", "-H", $"Accept-Encoding: {coding}",
                $"http://{edge.Address}/");
            Assert.Equal(Text, output);
        }
    }

    [Theory]
    [InlineData("gzip, deflate, br, zstd", "zstd;q=0.1,br,deflate,gzip;q=0.2", true)]
    [InlineData("gzip, br", "gzip", false)]
    [InlineData("gzip, br;q=0", "gzip", true)]
    [InlineData("gzip, new", "gzip", false)]
    [InlineData("gzip, identity;q=0", "gzip", false)]
    public void Clients_that_take_the_same_are_alike(string one, string other, bool alike) =>
        Assert.Equal(alike, AcceptedCodings.All(Fields(one)) == AcceptedCodings.All(Fields(other)));

    [Theory]
    [InlineData("zip", "spec.compress.algorithms[0] must be br or gzip")]
    [InlineData("br", null)]
    public void Unknown_algorithms_are_refused(string algorithm, string? fault) =>
        Assert.Equal(fault, SpecFaults.Of(new RouteSpec(
            new MatchSpec(["localhost"], "/**"), "catalog", Compress: new CompressSpec([algorithm]))));

    private static FieldTable Fields(string accepted)
    {
        var head = new RequestHead(new HeadLimits(8192, 8192, 100));
        head.Append(Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: {accepted}\r\n\r\n"));
        Assert.Equal(HeadProgress.Complete, head.Parse());
        return head.Fields;
    }

    private static void Part(HttpResponse response)
    {
        response.StatusCode = 206;
        response.Headers.ContentRange = $"bytes 0-{Text.Length - 1}/{Text.Length * 2}";
    }

    private static Task<WebInstance> AnsweringAsync(string type, Action<HttpContext>? change = null) =>
        WebInstance.StartAsync(context =>
        {
            context.Response.ContentType = type;
            context.Response.ContentLength = Text.Length;
            context.Response.Headers.ETag = "\"1\"";
            change?.Invoke(context);
            return context.Response.WriteAsync(Text);
        });

    private static async Task<TestEdge> StartAsync(WebInstance instance, CompressSpec? compress = null)
    {
        var edge = await TestEdge.StartAsync();
        edge.RouteAll(spec => spec with { Compress = compress ?? new CompressSpec() }).Instances(instance.Address);
        return edge;
    }

    private static async Task<HttpResponseMessage> GetAsync(TestEdge edge, string? accepted, string? field = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        if (accepted is not null) request.Headers.TryAddWithoutValidation("Accept-Encoding", accepted);
        if (field is not null) request.Headers.TryAddWithoutValidation(field, "secret=1");
        return await edge.Client.SendAsync(request);
    }

    private static string Decode(byte[] bytes, string? coding)
    {
        using var input = new MemoryStream(bytes);
        using Stream plain = coding switch
        {
            "br" => new BrotliStream(input, CompressionMode.Decompress),
            "gzip" => new GZipStream(input, CompressionMode.Decompress),
            _ => input,
        };
        using var reader = new StreamReader(plain);
        return reader.ReadToEnd();
    }
}
