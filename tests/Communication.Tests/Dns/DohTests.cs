using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Groundwork.Communication.Dns;
using Groundwork.Communication.Tests.Gateway;
using Groundwork.Tests.Support;
using Groundwork.Wire.Dns;

namespace Groundwork.Communication.Tests.Dns;

/// <summary>DNS over HTTP, with curl, kdig and dig over TLS, and by hand.</summary>
public sealed class DohTests
{
    /// <summary>The example of RFC 8484, 4.1.1: www.example.com, A.</summary>
    private const string Rfc8484 = "AAABAAABAAAAAAAAA3d3dwdleGFtcGxlA2NvbQAAAQAB";

    private static readonly DnsZoneSpec Example = new(
        [new("www", "A", ["192.0.2.2"]), new("www", "AAAA", ["2001:db8::2"]), new("local", "A", ["127.0.0.1"])]);

    [Fact]
    public async Task Kdig_and_dig_ask_over_https()
    {
        using var certificate = new TestCertificate();
        await using var names = await TestNames.StartAsync(certificate.Options);
        names.Zone("example.com", Example);
        var kdig = await TestNames.RunAsync(
            Tools.Require("kdig", "knot-dnsutils"), "@127.0.0.1", "-p", $"{names.Doh.Port}", "+https=/dns-query",
            "www.example.com", "AAAA");
        Assert.Contains("HTTP/2-POST", kdig);
        Assert.Contains("2001:db8::2", kdig);
        var get = await TestNames.RunAsync(
            Tools.Require("kdig", "knot-dnsutils"), "@127.0.0.1", "-p", $"{names.Doh.Port}", "+https", "+https-get",
            "missing.example.com");
        Assert.Contains("HTTP/2-GET", get);
        Assert.Contains("status: NXDOMAIN", get);
        var dig = await TestNames.RunAsync(
            Tools.Require("dig", "bind9-dnsutils"), "@127.0.0.1", "-p", $"{names.Doh.Port}", "+https", "+short",
            "www.example.com");
        Assert.Equal("192.0.2.2", dig.Trim());
    }

    [Fact]
    public async Task Curl_finds_where_to_connect_by_it()
    {
        using var certificate = new TestCertificate();
        await using var names = await TestNames.StartAsync(certificate.Options);
        names.Zone("example.com", Example);
        // curl is sent to itself: the name is one that only we know.
        var text = await TestNames.RunAsync(
            Tools.Require("curl", "curl"), "-s", "-k", "--doh-insecure", "--noproxy", "*", "--doh-url", $"{names.Doh}",
            "-o", "/dev/null", "-w", "%{http_code} %{remote_ip}",
            $"https://local.example.com:{names.Doh.Port}/dns-query");
        // It came to us, who do not go by that name over HTTP.
        Assert.Equal("421 127.0.0.1", text);
    }

    [Fact]
    public async Task A_message_is_answered_as_the_rfc_has_it()
    {
        await using var names = await TestNames.StartAsync();
        names.Zone("example.com", Example);
        using var client = new HttpClient();
        foreach (var address in new[] { names.Doh, names.SharedDoh })
        {
            using var answer = await client.GetAsync(new Uri($"{address}?dns={Rfc8484}"));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal("application/dns-message", answer.Content.Headers.ContentType?.MediaType);
            Assert.Equal(TimeSpan.FromSeconds(60), answer.Headers.CacheControl?.MaxAge);
            Assert.True(answer.Headers.CacheControl?.Private);
            Assert.True(DnsMessage.TryRead(await answer.Content.ReadAsByteArrayAsync(), out var message));
            Assert.Equal((0, "192.0.2.2"), (message.Id, DnsText.Describe(Assert.Single(message.Answers))));
        }
        var bytes = new byte[512];
        var length = DnsWriter.WriteQuery(DnsQuery.Of(DnsName.Parse("no.example.com"), DnsType.A, 77), bytes);
        using var post = await PostAsync(client, names.Doh, bytes[..length], "application/dns-message");
        Assert.Equal(TimeSpan.FromSeconds(10), post.Headers.CacheControl?.MaxAge);
        Assert.True(DnsMessage.TryRead(await post.Content.ReadAsByteArrayAsync(), out var denied));
        Assert.Equal((77, DnsRcode.NxDomain), (denied.Id, denied.Rcode));
    }

    [Theory]
    [InlineData("", HttpStatusCode.BadRequest)]
    [InlineData("?dns=%21", HttpStatusCode.BadRequest)]
    [InlineData("?dns=AAAA", HttpStatusCode.BadRequest)]
    [InlineData("?name=a..b", HttpStatusCode.BadRequest)]
    [InlineData("?name=a&type=NOTHING", HttpStatusCode.BadRequest)]
    [InlineData("?name=a&edns_client_subnet=x", HttpStatusCode.BadRequest)]
    [InlineData("?dns=AAABAAACAAAAAAAA", HttpStatusCode.OK)] // A message, with a fault of its own.
    public async Task What_is_no_question_is_told_so(string query, HttpStatusCode status)
    {
        await using var names = await TestNames.StartAsync();
        using var client = new HttpClient();
        using var answer = await client.GetAsync(new Uri($"{names.Doh}{query}"));
        Assert.Equal(status, answer.StatusCode);
        if (status != HttpStatusCode.OK)
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task Bodies_of_another_type_or_too_long_are_refused()
    {
        await using var names = await TestNames.StartAsync();
        using var client = new HttpClient();
        using var type = await PostAsync(client, names.Doh, new byte[20], "application/json");
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, type.StatusCode);
        using var length = await PostAsync(client, names.Doh, new byte[2_000], "application/dns-message");
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, length.StatusCode);
    }

    [Fact]
    public async Task Json_is_that_of_public_resolvers()
    {
        await using var names = await TestNames.StartAsync();
        names.Zone("example.com", Example);
        var answer = await JsonAsync(names, "?name=WWW.example.com&type=28&cd=1&edns_client_subnet=192.0.2.0/24");
        Assert.Equal(
            """
            {"Status":0,"TC":false,"RD":true,"RA":false,"AD":false,"CD":true,
            "Question":[{"name":"WWW.example.com.","type":28}],
            "Answer":[{"name":"WWW.example.com.","type":28,"TTL":60,"data":"2001:db8::2"}],
            "edns_client_subnet":"192.0.2.0/24"}
            """.Replace("\n", "", StringComparison.Ordinal),
            answer);
        using var denied = JsonDocument.Parse(await JsonAsync(names, "?name=no.example.com"));
        Assert.Equal(3, denied.RootElement.GetProperty("Status").GetInt32());
        Assert.Matches("^ns.example.com. hostmaster.example.com. [0-9]+ ", denied.RootElement
            .GetProperty("Authority")[0].GetProperty("data").GetString());
        using var refused = JsonDocument.Parse(await JsonAsync(names, "?name=example.net"));
        Assert.Equal(5, refused.RootElement.GetProperty("Status").GetInt32());
    }

    [Fact]
    public async Task Behind_a_proxy_nobody_is_local_and_a_page_of_the_web_neither()
    {
        await using var names = await TestNames.StartAsync();
        var key = HeldServices.Key("orders");
        names.Registry.Put(key, TestNames.Instance(key, "10.0.0.1", 80));
        var question = $"{names.SharedDoh}?name=orders.service.groundwork";
        using var client = new HttpClient();
        Assert.Contains("10.0.0.1", await client.GetStringAsync(new Uri(question)));
        foreach (var (name, value) in new[] { ("X-Forwarded-For", "192.0.2.1"), ("Origin", "https://evil.example") })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, question);
            request.Headers.Add(name, value);
            using var answer = await client.SendAsync(request);
            var text = await answer.Content.ReadAsStringAsync();
            Assert.Contains("\"Status\":5", text);
            Assert.DoesNotContain("10.0.0.1", text);
        }
        using var wrong = new HttpRequestMessage(HttpMethod.Get, question);
        wrong.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "gw_wrong");
        using var unknown = await client.SendAsync(wrong);
        Assert.Equal(HttpStatusCode.Unauthorized, unknown.StatusCode);
    }

    private static async Task<string> JsonAsync(TestNames names, string query)
    {
        using var client = new HttpClient();
        client.DefaultRequestHeaders.Accept.ParseAdd("application/dns-json");
        using var answer = await client.GetAsync(new Uri($"{names.Doh}{query}"));
        Assert.Equal("application/dns-json", answer.Content.Headers.ContentType?.MediaType);
        return await answer.Content.ReadAsStringAsync();
    }

    private static async Task<HttpResponseMessage> PostAsync(HttpClient client, Uri address, byte[] body, string type)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue(type);
        return await client.PostAsync(address, content);
    }
}
