using System.Net;
using Groundwork.Host.Pages;
using Groundwork.Presentation;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;

namespace Groundwork.Host.Tests.Pages;

/// <summary>The console's addresses, also in a build that has none.</summary>
public sealed class ConsolePagesTests
{
    private static readonly ConsoleFile[] Few =
    [
        new("index.html", "text/html; charset=utf-8", Packed("<p>page</p>"), "a1", IsImmutable: false),
        new("assets/x-1.js", "text/javascript; charset=utf-8", Packed("1"), "b2", IsImmutable: true),
    ];

    [Fact]
    public async Task Without_the_console_its_address_says_how_to_get_it()
    {
        await using var pages = await StartAsync(new ConsoleFiles([]));
        using var client = new HttpClient();
        var text = await client.GetStringAsync(new Uri(pages.Urls.First() + "/console/services"));
        Assert.Contains("Node.js 20", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Root_leads_people_to_the_console_and_tells_programs_where_the_api_is()
    {
        await using var pages = await StartAsync(new ConsoleFiles(Few));
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        using var request = new HttpRequestMessage(HttpMethod.Get, pages.Urls.First());
        request.Headers.Accept.ParseAdd("text/html,*/*;q=0.8");
        using var person = await client.SendAsync(request);
        Assert.Equal("/console/", person.Headers.Location?.OriginalString);
        using var program = await client.GetAsync(new Uri(pages.Urls.First()));
        Assert.Equal(HttpStatusCode.NotFound, program.StatusCode);
        Assert.Contains("/groundwork/v1", await program.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/console/", "<p>page</p>", "no-cache")]
    [InlineData("/console/services/default/a.b/c", "<p>page</p>", "no-cache")]
    [InlineData("/console/assets/x-1.js", "1", "public, max-age=31536000, immutable")]
    public async Task File_or_page_is_served_packed_and_plain_alike(string path, string content, string caching)
    {
        await using var pages = await StartAsync(new ConsoleFiles(Few));
        foreach (var packed in new[] { DecompressionMethods.GZip, DecompressionMethods.None })
        {
            using var client = new HttpClient(new SocketsHttpHandler { AutomaticDecompression = packed });
            using var answer = await client.GetAsync(new Uri(pages.Urls.First() + path));
            Assert.Equal(content, await answer.Content.ReadAsStringAsync());
            Assert.Equal(caching, Assert.Single(answer.Headers.GetValues("Cache-Control")));
            using var again = new HttpRequestMessage(HttpMethod.Get, pages.Urls.First() + path);
            again.Headers.IfNoneMatch.Add(answer.Headers.ETag!); // Every file has one.
            using var known = await client.SendAsync(again);
            Assert.Equal(HttpStatusCode.NotModified, known.StatusCode);
        }
    }

    [Fact]
    public async Task Missing_asset_is_no_page()
    {
        await using var pages = await StartAsync(new ConsoleFiles(Few));
        using var client = new HttpClient();
        using var answer = await client.GetAsync(new Uri(pages.Urls.First() + "/console/assets/old-2.js"));
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
    }

    private static async Task<WebApplication> StartAsync(ConsoleFiles files)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        new ConsolePages(files).Map(app);
        await app.StartAsync();
        return app;
    }

    private static byte[] Packed(string text)
    {
        using var packed = new MemoryStream();
        using (var gzip = new System.IO.Compression.GZipStream(packed, System.IO.Compression.CompressionMode.Compress))
            gzip.Write(System.Text.Encoding.UTF8.GetBytes(text));
        return packed.ToArray();
    }
}
