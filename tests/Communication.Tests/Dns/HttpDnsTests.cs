using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Groundwork.Communication.Dns;
using Groundwork.Communication.Dns.Protocols.HttpDns;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Wire;

namespace Groundwork.Communication.Tests.Dns;

/// <summary>HTTPDNS, as the clients of two providers speak it; their own vectors where there are any.</summary>
public sealed class HttpDnsTests
{
    private const string Secret = HttpDnsCalls.Secret;
    private const string AesKey = "000102030405060708090a0b0c0d0e0f";

    private static readonly HttpDnsAccountSpec Account = new(
        ["*.corp.example"], SecretText.Of(Secret), SecretText.Of(AesKey), SecretText.Of("0123456789abcdef"),
        SecretText.Of("a-token-of-tencent"));

    private static readonly DnsZoneSpec Zone = new(
    [
        new("api", "A", ["10.0.0.1", "10.0.0.2"]), new("api", "AAAA", ["2001:db8::1"]), new("four", "A", ["10.0.0.4"]),
        new("alias", "CNAME", ["four"]),
    ], TtlSeconds: 30);

    [Fact]
    public async Task Second_version_answers_a_signed_batch()
    {
        await using var names = await StartAsync();
        using var answer = await GetAsync(names, HttpDnsCalls.Second(new()
        {
            ["dn"] = "api.corp.example,alias.corp.example,none.corp.example", ["q"] = "4,6", ["cip"] = "192.0.2.7",
        }));
        Assert.Equal("success", answer.RootElement.GetProperty("code").GetString());
        var content = answer.RootElement.GetProperty("data");
        Assert.Equal("192.0.2.7", content.GetProperty("cip").GetString());
        var answers = content.GetProperty("answers");
        Assert.Equal(["10.0.0.1", "10.0.0.2"], Ips(answers[0].GetProperty("v4")));
        Assert.Equal(["2001:db8::1"], Ips(answers[0].GetProperty("v6")));
        Assert.Equal(30, answers[0].GetProperty("v4").GetProperty("ttl").GetInt32());
        Assert.Equal(["10.0.0.4"], Ips(answers[1].GetProperty("v4")));
        Assert.Equal("RRNotExist", answers[1].GetProperty("v6").GetProperty("no_ip_code").GetString());
        Assert.Equal("HostNotExist", answers[2].GetProperty("v4").GetProperty("no_ip_code").GetString());
    }

    [Theory]
    [InlineData("id", "nobody", "AccountNotExists", 403)]
    [InlineData("id", "", "MissingArgument", 400)]
    [InlineData("dn", "", "MissingArgument", 400)]
    [InlineData("dn", "a..b", "InvalidHost", 400)]
    [InlineData("dn", "www.example.net", "InvalidHost", 400)]
    [InlineData("dn", "a.corp.example,b.corp.example,c.corp.example,d.corp.example,e.corp.example,f.corp.example",
        "TooManyHosts", 400)]
    [InlineData("exp", "1000", "SignatureExpired", 403)]
    [InlineData("exp", "99999999999", "InvalidDuration", 400)]
    [InlineData("exp", "x", "MissingArgument", 400)]
    public async Task Second_version_says_what_is_wrong_in_its_own_words(
        string field, string value, string code, int status)
    {
        await using var names = await StartAsync();
        var fields = new Dictionary<string, string> { ["dn"] = "api.corp.example" };
        fields[field] = value;
        using var answer = await GetAsync(names, HttpDnsCalls.Second(fields), status);
        Assert.Equal(code, answer.RootElement.GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_signature_is_over_every_field_that_counts()
    {
        await using var names = await StartAsync();
        var good = HttpDnsCalls.Second(
            new() { ["dn"] = "api.corp.example", ["cip"] = "192.0.2.7", ["sdns-tier"] = "gold" });
        foreach (var (from, to) in new[]
        {
            ("api.corp", "four.corp"), ("192.0.2.7", "192.0.2.8"), ("gold", "iron"), ("&s=", "&s=0"), ("&s=", "&x="),
        })
        {
            using var answer = await GetAsync(names, good.Replace(from, to, StringComparison.Ordinal), 403);
            var code = answer.RootElement.GetProperty("code").GetString();
            Assert.True(code is "InvalidSignature" or "UnsignedInterfaceDisabled", code);
        }
    }

    [Fact]
    public void The_signature_is_that_of_the_vector()
    {
        // Computed apart from this code.
        var fields = "dn=www.example.com&exp=1750000000&id=100000&m=0&v=1.0";
        Assert.Equal(
            "d7e86188484fd2a32ce0e7bae2a98c16a6de392a2ace8ab162c0c8984f4d4870",
            Convert.ToHexStringLower(
                HMACSHA256.HashData(Convert.FromHexString(Secret), Encoding.UTF8.GetBytes(fields))));
    }

    [Theory]
    [InlineData("1")]
    [InlineData("2")]
    public async Task Second_version_is_encrypted_both_ways(string mode)
    {
        await using var names = await StartAsync();
        var key = Convert.FromHexString(AesKey);
        var clear = """{"dn":"api.corp.example","q":"4","cip":"192.0.2.7"}"""u8.ToArray();
        var sealedText = Convert.ToHexStringLower(
            mode == "1" ? HttpDnsCiphers.SealCbc(key, clear) : HttpDnsCiphers.SealGcm(key, clear));
        using var answer = await GetAsync(names, HttpDnsCalls.Second(new() { ["m"] = mode, ["enc"] = sealedText }));
        Assert.Equal(mode, answer.RootElement.GetProperty("mode").GetString());
        var whole = answer.RootElement.GetProperty("data").GetBytesFromBase64();
        using var content = JsonDocument.Parse(
            (mode == "1" ? HttpDnsCiphers.OpenCbc(key, whole) : HttpDnsCiphers.OpenGcm(key, whole))!);
        Assert.Equal("192.0.2.7", content.RootElement.GetProperty("cip").GetString());
        Assert.Equal(["10.0.0.1", "10.0.0.2"], Ips(content.RootElement.GetProperty("answers")[0].GetProperty("v4")));
        using var wrong = await GetAsync(
            names, HttpDnsCalls.Second(new() { ["m"] = mode, ["enc"] = sealedText[2..] + "00" }), 403);
        Assert.Equal("InvalidSignature", wrong.RootElement.GetProperty("code").GetString());
    }

    [Fact]
    public async Task First_version_answers_signed_and_batched()
    {
        await using var names = await StartAsync();
        using var one = await GetAsync(names, HttpDnsCalls.First("sign_d", "api.corp.example") + "&query=4,6");
        Assert.Equal("api.corp.example", one.RootElement.GetProperty("host").GetString());
        Assert.Equal("127.0.0.1", one.RootElement.GetProperty("client_ip").GetString());
        Assert.Equal(["10.0.0.1", "10.0.0.2"], Ips(one.RootElement));
        Assert.Equal(["2001:db8::1"], Ips(one.RootElement, "ipsv6"));
        Assert.Equal(30, one.RootElement.GetProperty("ttl").GetInt32());
        using var batch = await GetAsync(
            names, HttpDnsCalls.First("sign_resolve", "api.corp.example,four.corp.example"));
        Assert.Equal(2, batch.RootElement.GetProperty("dns").GetArrayLength());
        foreach (var (path, code, status) in new[]
        {
            ("/100000/d?host=api.corp.example", "UnsignedInterfaceDisabled", 403),
            ("/100001/d?host=api.corp.example", "AccountNotExists", 403),
            (HttpDnsCalls.First("sign_d", "api.corp.example") + "0", "InvalidSignature", 403),
            (HttpDnsCalls.First("sign_d", "api.corp.example", -10), "SignatureExpired", 403),
            (HttpDnsCalls.First("sign_d", "www.example.net"), "InvalidHost", 400),
        })
        {
            using var refused = await GetAsync(names, path, status);
            Assert.Equal(code, refused.RootElement.GetProperty("code").GetString());
        }
    }

    [Fact]
    public async Task An_account_that_allows_it_asks_without_a_signature_and_nobody_believes_its_address()
    {
        await using var names = await StartAsync(Account with { AllowUnsigned = true });
        using var first = await GetAsync(names, "/100000/d?host=api.corp.example&ip=192.0.2.7");
        Assert.Equal("127.0.0.1", first.RootElement.GetProperty("client_ip").GetString());
        using var second = await GetAsync(names, "/v2/d?id=100000&dn=api.corp.example&cip=192.0.2.7");
        Assert.Equal("127.0.0.1", second.RootElement.GetProperty("data").GetProperty("cip").GetString());
        using var schedule = await GetAsync(names, "/100000/ss?region=cn");
        Assert.Equal("127.0.0.1", schedule.RootElement.GetProperty("service_ip")[0].GetString());
    }

    [Fact]
    public void Des_is_that_of_the_published_example()
    {
        // From Tencent's page on encryption; openssl says the same.
        var sealedBytes = HttpDnsCiphers.SealDes("dnspodpass"u8, "www.dnspod.cn"u8);
        Assert.Equal("87ae992c1321f299da3c0210a9900ae7", Convert.ToHexStringLower(sealedBytes));
        Assert.Equal(
            "www.dnspod.cn", Encoding.ASCII.GetString(HttpDnsCiphers.OpenDes("dnspodpass"u8, sealedBytes)!));
    }

    [Theory]
    [InlineData("des", "api.corp.example", "", "10.0.0.1;10.0.0.2")]
    [InlineData("aes", "api.corp.example", "", "10.0.0.1;10.0.0.2")]
    [InlineData("aes", "api.corp.example", "&ttl=1", "10.0.0.1;10.0.0.2,30")]
    [InlineData("aes", "api.corp.example", "&type=aaaa", "2001:db8::1")]
    [InlineData("aes", "api.corp.example", "&type=addrs&ttl=1", "10.0.0.1;10.0.0.2,30-2001:db8::1,30")]
    [InlineData("aes", "four.corp.example", "&type=addrs", "10.0.0.4-0")]
    [InlineData("aes", "four.corp.example", "&query=1", "four.corp.example.:10.0.0.4")]
    [InlineData("aes", "four.corp.example,none.corp.example", "", "four.corp.example.:10.0.0.4\nnone.corp.example.:0")]
    [InlineData("aes", "none.corp.example", "", "")]
    [InlineData("aes", "four.corp.example", "&clientip=1", "10.0.0.4|127.0.0.1")]
    public async Task Tencents_clients_are_answered_in_their_grammar(
        string algorithm, string hosts, string more, string expected)
    {
        await using var names = await StartAsync();
        var key = "0123456789abcdef"u8.ToArray();
        var clear = Encoding.ASCII.GetBytes(hosts);
        var dn = Convert.ToHexStringLower(
            algorithm == "aes" ? HttpDnsCiphers.SealCbc(key, clear) : HttpDnsCiphers.SealDes(key, clear));
        using var client = new HttpClient();
        var text = await client.GetStringAsync(
            new Uri(names.HttpDns, $"/d?dn={dn}&id=100000&alg={algorithm}{more}"));
        var whole = Convert.FromHexString(text);
        Assert.Equal(expected, Encoding.ASCII.GetString(
            (algorithm == "aes" ? HttpDnsCiphers.OpenCbc(key, whole) : HttpDnsCiphers.OpenDes(key, whole))!));
    }

    [Fact]
    public async Task Tencents_token_is_asked_for_and_what_is_not_allowed_has_no_words()
    {
        await using var names = await StartAsync();
        using var client = new HttpClient();
        Assert.Equal("10.0.0.4", await client.GetStringAsync(
            new Uri(names.HttpDns, "/d?dn=four.corp.example&token=a-token-of-tencent")));
        foreach (var query in new[]
        {
            "dn=four.corp.example&token=another-token-here", "dn=four.corp.example", "dn=four.corp.example&id=100000",
            "dn=00&id=100000&alg=aes", "dn=www.example.net&token=a-token-of-tencent", "",
        })
        {
            using var refused = await client.GetAsync(new Uri(names.HttpDns, $"/d?{query}"));
            Assert.Equal(HttpStatusCode.NotFound, refused.StatusCode);
            Assert.Empty(await refused.Content.ReadAsByteArrayAsync());
        }
    }

    [Theory]
    [InlineData("POST", "/v2/d", 405, """{"code":"MethodNotAllowed"}""")]
    [InlineData("DELETE", "/100000/sign_d", 405, """{"code":"MethodNotAllowed"}""")]
    [InlineData("PUT", "/d", 405, "")]
    [InlineData("GET", "/nothing", 404, "")]
    public async Task What_it_does_not_take_is_said_in_its_own_words(
        string method, string path, int status, string expected)
    {
        await using var names = await StartAsync();
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(names.HttpDns, path));
        using var answer = await client.SendAsync(request);
        Assert.Equal(
            (status, expected), ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task Services_are_not_shown_but_through_zones()
    {
        await using var names = await StartAsync(Account with { Names = ["*"] });
        var key = new ServiceKey("default", "default", "orders");
        names.Registry.Put(key, TestNames.Instance(key, "10.0.0.9", 80));
        using var answer = await GetAsync(names, HttpDnsCalls.Second(new() { ["dn"] = "orders.service.groundwork" }));
        Assert.Empty(Ips(answer.RootElement.GetProperty("data").GetProperty("answers")[0].GetProperty("v4")));
    }

    [Theory]
    [InlineData("v2", Secret, "name")]
    [InlineData("100000", "0011", "spec.secret")]
    [InlineData("100000", "not hexadecimal digits, but text.", "spec.secret")]
    public void An_account_with_a_fault_is_refused_with_its_field(string name, string secret, string field)
    {
        var faults = new List<FieldFault>();
        AccountRules.Check(name, Account with { Secret = SecretText.Of(secret) }, faults);
        Assert.Contains(field, faults.Select(fault => fault.Path));
    }

    private static async Task<TestNames> StartAsync(HttpDnsAccountSpec? account = null)
    {
        var names = await TestNames.StartAsync();
        names.Zone("corp.example", Zone);
        names.Put(HttpDnsAccountKind.Kind, "100000", account ?? Account);
        return names;
    }

    private static async Task<JsonDocument> GetAsync(TestNames names, string path, int status = 200)
    {
        using var client = new HttpClient();
        using var answer = await client.GetAsync(new Uri(names.HttpDns, path));
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(status == (int)answer.StatusCode, $"{path}: {(int)answer.StatusCode} {text}");
        return JsonDocument.Parse(text);
    }

    private static string[] Ips(JsonElement element, string field = "ips") =>
    [
        .. element.GetProperty(field).EnumerateArray().Select(ip => ip.GetString() ?? "")
            .Order(StringComparer.Ordinal),
    ];
}
