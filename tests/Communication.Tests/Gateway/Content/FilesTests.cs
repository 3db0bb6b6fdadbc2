using System.Diagnostics;
using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using Groundwork.Communication.Gateway;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway.Content;

/// <summary>Files of a folder, and nothing outside of it.</summary>
public sealed class FilesTests : IDisposable
{
    private readonly TemporaryDirectory place = new();

    public FilesTests()
    {
        Write("site/index.html", "<p>home</p>");
        Write("site/a b.txt", "0123456789");
        Write("site/sub/index.html", "<p>sub</p>");
        Write("site/app.0a1b2c3d.js", "let a");
        Write("site/.hidden", "TOPSECRET");
        Write("site/.git/config", "TOPSECRET");
        Write("site/data.json", "{}");
        Write("secret.txt", "TOPSECRET");
        Write("site-next/secret.txt", "TOPSECRET");
        File.CreateSymbolicLink(Full("site/out.txt"), Full("secret.txt"));
        Directory.CreateSymbolicLink(Full("site/up"), Full("."));
        Directory.CreateSymbolicLink(Full("site/next"), "../site-next");
        File.CreateSymbolicLink(Full("site/in.txt"), "sub/../a b.txt");
    }

    [Fact]
    public async Task Files_come_with_their_type_and_what_they_are_known_by()
    {
        await using var edge = await StartAsync();
        using var home = await edge.Client.GetAsync("/");
        Assert.Equal("<p>home</p>", await home.Content.ReadAsStringAsync());
        Assert.Equal("text/html; charset=utf-8", home.Content.Headers.ContentType!.ToString()); // A file has one.
        Assert.Equal("no-cache", home.Headers.CacheControl!.ToString()); // As said.
        Assert.Equal("nosniff", Assert.Single(home.Headers.GetValues("X-Content-Type-Options")));
        Assert.Equal("0123456789", await edge.Client.GetStringAsync("/a%20b.txt"));
        Assert.Equal("0123456789", await edge.Client.GetStringAsync("/in.txt")); // A link that stays inside.
        using var app = await edge.Client.GetAsync("/app.0a1b2c3d.js");
        Assert.Equal("public, max-age=31536000, immutable", Assert.Single(app.Headers.GetValues("Cache-Control")));
        using var folder = await edge.Client.GetAsync("/sub?q=1");
        Assert.Equal(HttpStatusCode.PermanentRedirect, folder.StatusCode);
        Assert.Equal("/sub/?q=1", folder.Headers.Location!.OriginalString); // It redirects.
        Assert.Equal("<p>sub</p>", await edge.Client.GetStringAsync("/sub/"));
        using var post = await edge.Client.PostAsync("/", new StringContent("x"));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, post.StatusCode);
    }

    [Theory]
    [InlineData("/out.txt")]
    [InlineData("/up/secret.txt")]
    [InlineData("/next/secret.txt")]
    [InlineData("/next/")]
    [InlineData("/up")]
    [InlineData("/.hidden")]
    [InlineData("/.git/config")]
    [InlineData("/sub/../.hidden")]
    [InlineData("/..%2fsecret.txt")]
    [InlineData("/sub%2findex.html")]
    [InlineData("/%2e%2e/secret.txt")]
    [InlineData("/sub/..%5c..%5csecret.txt")]
    [InlineData("/index.html%00.txt")]
    [InlineData("/%ff.txt")]
    [InlineData("/index.html/")]
    [InlineData("/none.html")]
    public async Task Nothing_else_is_given(string path)
    {
        await using var edge = await StartAsync();
        using var client = await RawConnection.ToAsync(edge.Address);
        await client.WriteAsync($"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        var answer = await client.ReadAnswerAsync();
        Assert.DoesNotContain("TOPSECRET", answer, StringComparison.Ordinal);
        Assert.Matches("^HTTP/1.1 (404|400) ", answer);
    }

    [Fact]
    public async Task A_folder_that_the_node_does_not_allow_gives_nothing()
    {
        await using var edge = await TestEdge.StartAsync(new GatewayOptions { FileRoots = [Full("site-next")] });
        edge.RouteAll(spec => spec with { Service = null, Files = new FilesSpec(Full("site")) });
        using var answer = await edge.Client.GetAsync("/");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        await using var none = await TestEdge.StartAsync();
        none.RouteAll(spec => spec with { Service = null, Files = new FilesSpec(Full("site")) });
        using var refused = await none.Client.GetAsync("/");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
    }

    [Theory]
    [InlineData("bytes=2-3", 206, "23", "bytes 2-3/10")]
    [InlineData("bytes=8-", 206, "89", "bytes 8-9/10")]
    [InlineData("bytes=-3", 206, "789", "bytes 7-9/10")]
    [InlineData("bytes=5-100", 206, "56789", "bytes 5-9/10")]
    [InlineData("bytes=10-", 416, "", "bytes */10")]
    [InlineData("bytes=-0", 416, "", "bytes */10")]
    [InlineData("bytes=3-2", 200, "0123456789", null)]
    [InlineData("bytes=0-1,4-5", 200, "0123456789", null)]
    [InlineData("bytes=a-b", 200, "0123456789", null)]
    public async Task A_range_is_given_and_several_are_the_whole(string range, int status, string text, string? place)
    {
        await using var edge = await StartAsync();
        using var answer = await GetAsync(edge, "/a%20b.txt", ("Range", range));
        Assert.Equal((status, text), ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync()));
        Assert.Equal(place, answer.Content.Headers.ContentRange?.ToString());
    }

    [Fact]
    public async Task Who_has_it_is_told_so_and_who_has_another_is_not()
    {
        await using var edge = await StartAsync();
        using var first = await edge.Client.GetAsync("/data.json");
        var (tag, date) = ($"{first.Headers.ETag}", first.Content.Headers.LastModified!.Value.ToString("R"));
        foreach (var (name, value, status) in new[]
        {
            ("If-None-Match", tag, 304), ("If-None-Match", $"W/{tag}", 304), ("If-None-Match", "\"x\"", 200),
            ("If-None-Match", "*", 304), ("If-Modified-Since", date, 304),
            ("If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT", 200),
        })
        {
            using var answer = await GetAsync(edge, "/data.json", (name, value));
            Assert.Equal((name, value, status), (name, value, (int)answer.StatusCode));
            Assert.Equal(tag, $"{answer.Headers.ETag}");
        }
        File.WriteAllText(Full("site/data.json"), "{\"changed\":1}");
        using var changed = await GetAsync(edge, "/data.json", ("If-None-Match", tag));
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        using var range = await GetAsync(edge, "/data.json", ("Range", "bytes=0-0"), ("If-Range", tag));
        Assert.Equal(HttpStatusCode.OK, range.StatusCode);
    }

    [Fact]
    public async Task Packed_files_are_given_to_who_takes_them()
    {
        var text = new string('a', 10_000);
        Write("site/page.html", text);
        using (var packed = new GZipStream(File.Create(Full("site/page.html.gz")), CompressionLevel.Fastest))
            packed.Write(System.Text.Encoding.ASCII.GetBytes(text));
        using (var packed = new BrotliStream(File.Create(Full("site/page.html.br")), CompressionLevel.Fastest))
            packed.Write(System.Text.Encoding.ASCII.GetBytes(text));
        await using var edge = await StartAsync();
        var tags = new HashSet<string>();
        foreach (var (accepted, coding) in new[] { ("br, gzip", "br"), ("gzip", "gzip"), ("identity", null) })
        {
            using var answer = await GetAsync(edge, "/page.html", ("Accept-Encoding", accepted));
            Assert.Equal(coding, answer.Content.Headers.ContentEncoding.SingleOrDefault());
            Assert.Equal("text/html; charset=utf-8", $"{answer.Content.Headers.ContentType}");
            Assert.Equal("Accept-Encoding", Assert.Single(answer.Headers.Vary));
            Assert.True(tags.Add($"{answer.Headers.ETag}"));
            var url = $"http://{edge.Address}/page.html";
            if (coding is not null)
                Assert.Equal(text, await Curl.RunAsync("--compressed", "-H", $"Accept-Encoding: {accepted}", url));
        }
    }

    [Fact]
    public async Task An_application_with_routes_of_its_own_gets_its_page_and_missing_files_are_missing()
    {
        await using var edge = await StartAsync(spec => spec with { Fallback = "/index.html" });
        Assert.Equal("<p>home</p>", await edge.Client.GetStringAsync("/orders/7"));
        using var missing = await edge.Client.GetAsync("/assets/app.js");
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
    }

    [Fact]
    public async Task A_large_file_arrives_whole_and_continues_where_it_broke_off()
    {
        var bytes = RandomNumberGenerator.GetBytes(5_000_000);
        File.WriteAllBytes(Full("site/large.bin"), bytes);
        await using var edge = await StartAsync();
        var url = $"http://{edge.Address}/large.bin";
        Assert.Equal(bytes, await edge.Client.GetByteArrayAsync("/large.bin"));
        var target = Full("half.bin");
        File.WriteAllBytes(target, bytes[..1_234_567]);
        await Curl.RunAsync("--continue-at", "-", "--output", target, url);
        Assert.Equal(bytes, File.ReadAllBytes(target));
    }

    [Fact]
    public async Task Nginx_says_the_same()
    {
        var nginx = Tools.Require("nginx", "nginx-light");
        var port = FreePort.Next();
        Directory.CreateDirectory(Full("nginx"));
        File.WriteAllText(Full("nginx.conf"), $$"""
            daemon off; master_process off; pid {{Full("nginx/pid")}}; error_log stderr;
            events { }
            http {
                access_log off; default_type application/octet-stream; etag on;
                client_body_temp_path {{Full("nginx/a")}}; proxy_temp_path {{Full("nginx/b")}};
                fastcgi_temp_path {{Full("nginx/c")}}; uwsgi_temp_path {{Full("nginx/d")}};
                scgi_temp_path {{Full("nginx/e")}};
                server { listen 127.0.0.1:{{port}}; root {{Full("site")}}; disable_symlinks on from=$document_root; }
            }
            """);
        using var server = Process.Start(new ProcessStartInfo(nginx, ["-p", Full("nginx"), "-c", Full("nginx.conf")])
        {
            UseShellExecute = false,
            RedirectStandardError = true,
        })!; // It is on the path.
        try
        {
            await using var edge = await StartAsync();
            using var peer = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false })
            {
                BaseAddress = new Uri($"http://127.0.0.1:{port}"),
            };
            await Eventually.TrueAsync(() => AnswersAsync(peer), "nginx answers");
            foreach (var path in new[] { "/", "/a%20b.txt", "/sub/", "/data.json", "/none", "/sub/index.html" })
                foreach (var range in new[] { null, "bytes=0-1", "bytes=-2", "bytes=3-", "bytes=100-" })
                    Assert.Equal(await DescribeAsync(peer, path, range), await DescribeAsync(edge.Client, path, range));
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync();
        }
    }

    [Theory]
    [InlineData("relative", "spec.files.folder must be an absolute path without . and ..")]
    [InlineData("/srv/../etc", "spec.files.folder must be an absolute path without . and ..")]
    [InlineData("/srv/www", null)]
    public void Only_a_whole_path_names_a_folder(string folder, string? fault) => Assert.Equal(
        fault, SpecFaults.Of(new RouteSpec(new MatchSpec(["localhost"], "/**"), Files: new FilesSpec(folder))));

    public void Dispose() => place.Dispose();

    private static async Task<bool> AnswersAsync(HttpClient client)
    {
        try
        {
            using var answer = await client.GetAsync("/");
            return true;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    // What both must mean the same by: not the texts of errors, nor how a tag is made.
    private static async Task<string> DescribeAsync(HttpClient client, string path, string? range)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (range is not null) request.Headers.TryAddWithoutValidation("Range", range);
        using var answer = await client.SendAsync(request);
        var body = answer.IsSuccessStatusCode ? await answer.Content.ReadAsStringAsync() : "";
        var modified = answer.IsSuccessStatusCode ? $"{answer.Content.Headers.LastModified:R}" : "";
        return $"{path} {range} {(int)answer.StatusCode} {body} {answer.Content.Headers.ContentRange} {modified}";
    }

    private static async Task<HttpResponseMessage> GetAsync(
        TestEdge edge, string path, params (string Name, string Value)[] fields)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        foreach (var (name, value) in fields) request.Headers.TryAddWithoutValidation(name, value);
        return await edge.Client.SendAsync(request);
    }

    private async Task<TestEdge> StartAsync(Func<FilesSpec, FilesSpec>? change = null)
    {
        var files = new FilesSpec(Full("site"), Immutable: "[.-][0-9a-f]{8,}[.]");
        var edge = await TestEdge.StartAsync(new GatewayOptions { FileRoots = [place.Path] });
        return edge.RouteAll(spec => spec with { Service = null, Files = change?.Invoke(files) ?? files });
    }

    private string Full(string path) => Path.Combine(place.Path, path);

    private void Write(string path, string text)
    {
        var full = Full(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!); // It is in a folder.
        File.WriteAllText(full, text);
    }
}
