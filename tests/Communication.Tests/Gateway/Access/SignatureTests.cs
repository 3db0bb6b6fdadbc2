using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Access;
using Groundwork.Communication.Gateway.Access.Signatures;
using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Access;

/// <summary>Requests that their senders signed.</summary>
public sealed class SignatureTests
{
    private const string Secret = "0123456789abcdef0123456789abcdef";
    private const string Signed = "content-type;host;x-content-sha256;x-nonce;x-timestamp";

    // Another implementation of the rules: what the page on access tells people to do in a shell.
    private const string Script =
        """
        set -eu
        sum() { openssl dgst -sha256 "$@" -r | cut -d' ' -f1; }
        digest=$(printf '%s' "$BODY" | sum)
        now=$(date +%s)000
        nonce=$(openssl rand -hex 16)
        signed='content-type;host;x-content-sha256;x-nonce;x-timestamp'
        fields=$(printf 'content-type:%s\nhost:%s\nx-content-sha256:%s\nx-nonce:%s\nx-timestamp:%s' \
            application/json "$HOST" "$digest" "$nonce" "$now")
        text=$(printf 'GROUNDWORK-HMAC-SHA256\n%s\n%s\n%s\n%s\n%s' POST "$TARGET" "$fields" "$signed" "$digest")
        signature=$(printf '%s' "$text" | sum -hmac "$SECRET")
        curl -sS --noproxy '*' -w ' %{http_code}' "http://$HOST$TARGET" -d "$BODY" \
            -H 'Content-Type: application/json' -H "X-Content-SHA256: $digest" -H "X-Nonce: $nonce" \
            -H "X-Timestamp: $now" \
            -H "Authorization: GROUNDWORK-HMAC-SHA256 Credential=partner, SignedHeaders=$signed, Signature=$signature"
        """;

    [Fact]
    public async Task A_request_that_openssl_signs_and_curl_sends_passes_with_its_body()
    {
        Tools.Require("openssl", "openssl");
        Tools.Require("curl", "curl");
        await using var instance = await EchoAsync();
        await using var edge = await StartAsync(instance);
        // The service gets the normal form of the path; what was signed is the one that was sent.
        Assert.Equal(
            """signing-key:default/partner bob /orders/~1?b=2&a=1&a= {"n":1} 200""",
            await RunAsync(edge, Secret, """{"n":1}"""));
        Assert.EndsWith(" 401", await RunAsync(edge, Secret + "!", """{"n":1}"""), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whatever_is_changed_after_signing_is_refused()
    {
        await using var instance = await EchoAsync();
        await using var edge = await StartAsync(instance);
        Assert.Equal(200, await StatusAsync(edge, Make(edge)));
        Assert.Equal(200, await StatusAsync(edge, Make(edge, body: "")));
        Assert.Equal(200, await StatusAsync(edge, Make(edge, body: new string('x', 100_000))));
        var refused = new (string What, Func<HttpRequestMessage> Make)[]
        {
            ("the method", () => Change(Make(edge), request => request.Method = HttpMethod.Put)),
            ("the path", () => To(edge, "/orders/2?a=1&b=2")),
            ("the query", () => To(edge, "/orders/1?b=2&a=1")),
            ("a parameter more", () => To(edge, "/orders/1?a=1&b=2&c=")),
            ("the host", () => Change(Make(edge), request => request.Headers.Host = "localhost")),
            ("the type", () => Change(Make(edge), request => request.Content = Content("{}", "text/xml"))),
            ("the body", () => Change(Make(edge), request => request.Content = Content("other"))),
            ("no body", () => Change(Make(edge), request => request.Content = Content(""))),
            ("the nonce", () => Change(Make(edge), request => Set(request, "X-Nonce", "another-nonce-of-24-chars"))),
            ("two nonces", () => Change(Make(edge), request => request.Headers.Add("X-Nonce", "another-nonce"))),
            ("a short nonce", () => Make(edge, nonce: "short")),
            ("an unknown key", () => Make(edge, key: "nobody")),
            ("an expired key", () => Make(edge, key: "expired")),
            ("another secret", () => Make(edge, secret: new string('y', 32))),
            ("a signature in capitals of another", () => Make(edge, secret: Secret.ToUpperInvariant())),
            ("too early", () => Make(edge, at: 301)),
            ("too late", () => Make(edge, at: -301)),
            ("seconds", () => Make(edge, stamp: $"{TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()}")),
            ("a negative time", () => Make(edge, stamp: "-1")),
            ("host not covered", () => Make(edge, signed: "content-type;x-content-sha256;x-nonce;x-timestamp")),
            ("type not covered", () => Make(edge, signed: "host;x-content-sha256;x-nonce;x-timestamp")),
            ("time not covered", () => Make(edge, signed: "content-type;host;x-content-sha256;x-nonce")),
            ("nonce not covered", () => Make(edge, signed: "content-type;host;x-content-sha256;x-timestamp")),
            ("digest not covered", () => Make(edge, signed: "content-type;host;x-nonce;x-timestamp")),
            ("a field that is not there", () => Make(edge, signed: Signed + ";x-vanished")),
            ("names out of order", () => Make(edge, signed: "host;content-type;x-content-sha256;x-nonce;x-timestamp")),
        };
        var before = instance.Requests;
        foreach (var (what, make) in refused)
            Assert.Equal((what, 401), (what, await StatusAsync(edge, make())));
        Assert.Equal(before, instance.Requests);
    }

    [Fact]
    public async Task A_signature_passes_once_and_a_wrong_one_uses_up_no_nonce()
    {
        await using var instance = await EchoAsync();
        await using var edge = await StartAsync(instance);
        const string nonce = "one-nonce-for-all-of-them";
        Assert.Equal(401, await StatusAsync(edge, Make(edge, nonce: nonce, secret: new string('y', 32))));
        Assert.Equal(200, await StatusAsync(edge, Make(edge, nonce: nonce)));
        using var again = await edge.Client.SendAsync(Make(edge, nonce: nonce));
        Assert.Equal((HttpStatusCode.Unauthorized, "The signature was used before."),
            (again.StatusCode, await again.DetailAsync()));
        // Of another key it is another one.
        Assert.Equal(200, await StatusAsync(edge, Make(edge, nonce: nonce, key: "other", secret: new string('o', 32))));
        // Twenty at once: one passes.
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(_ => StatusAsync(edge, Make(edge, nonce: "twenty-at-once-of-this"))));
        Assert.Equal(1, answers.Count(status => status == 200));
        Assert.Equal(19, answers.Count(status => status == 401));
    }

    [Fact]
    public async Task A_changed_secret_leaves_time_for_the_one_before_it()
    {
        await using var instance = await EchoAsync();
        await using var edge = await StartAsync(instance);
        var next = new string('n', 40);
        edge.Put(SigningKeyKind.Kind, "partner", new SigningKeySpec(
            SecretText.Of(next), SecretText.Of(Secret)));
        Assert.Equal(200, await StatusAsync(edge, Make(edge)));
        Assert.Equal(200, await StatusAsync(edge, Make(edge, secret: next)));
        edge.Put(SigningKeyKind.Kind, "partner", new SigningKeySpec(SecretText.Of(next)));
        Assert.Equal(401, await StatusAsync(edge, Make(edge)));
        Assert.Equal(200, await StatusAsync(edge, Make(edge, secret: next)));
    }

    [Fact]
    public async Task A_body_beyond_the_bound_is_refused_unread()
    {
        await using var instance = await EchoAsync();
        await using var edge = await StartAsync(instance);
        edge.RouteWith(new(Signature: new(BodyBytes: 1_000)));
        Assert.Equal(200, await StatusAsync(edge, Make(edge, body: new string('x', 1_000))));
        Assert.Equal(413, await StatusAsync(edge, Make(edge, body: new string('x', 1_001))));
        var chunked = Make(edge, body: new string('x', 1_001));
        chunked.Headers.TransferEncodingChunked = true;
        Assert.Equal(413, await StatusAsync(edge, chunked));
        chunked = Make(edge, body: new string('x', 999));
        chunked.Headers.TransferEncodingChunked = true;
        chunked.Headers.ExpectContinue = true;
        Assert.Equal(200, await StatusAsync(edge, chunked));
    }

    [Fact]
    public void What_was_seen_is_remembered_as_long_as_it_could_come_again_and_is_bounded()
    {
        var time = new ManualTimeProvider();
        var nonces = new SeenNonces(time, most: 100);
        Assert.Equal(Sighting.First, nonces.Add(1));
        for (var seconds = 0; seconds < 600; seconds += 60)
        {
            Assert.Equal(Sighting.Again, nonces.Add(1));
            time.Advance(TimeSpan.FromSeconds(60));
        }
        Assert.Equal(Sighting.Again, nonces.Add(1));
        time.Advance(TimeSpan.FromSeconds(1_200));
        Assert.Equal(Sighting.First, nonces.Add(1));
        for (UInt128 one = 2; one <= 100; one++) Assert.Equal(Sighting.First, nonces.Add(one));
        Assert.Equal(Sighting.TooMany, nonces.Add(101));
        Assert.Equal(Sighting.Again, nonces.Add(100));
    }

    private static Task<WebInstance> EchoAsync() => WebInstance.StartAsync(async context =>
    {
        using var reader = new StreamReader(context.Request.Body);
        var body = await reader.ReadToEndAsync();
        var seen = context.Request.Headers;
        await context.Response.WriteAsync(
            $"{seen["Groundwork-Key"]} {seen["Groundwork-User"]} "
            + $"{context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()!.RawTarget} {body}");
    });

    private static async Task<TestEdge> StartAsync(WebInstance instance)
    {
        var edge = await TestEdge.StartAsync();
        return edge.Instances(instance.Address).RouteWith(new(Signature: new()))
            .Put(SigningKeyKind.Kind, "partner", new SigningKeySpec(SecretText.Of(Secret), User: "bob"))
            .Put(SigningKeyKind.Kind, "other", new SigningKeySpec(SecretText.Of(new string('o', 32))))
            .Put(SigningKeyKind.Kind, "expired", new SigningKeySpec(
                SecretText.Of(Secret), ExpiresAt: DateTimeOffset.UnixEpoch));
    }

    private static async Task<string> RunAsync(TestEdge edge, string secret, string body)
    {
        var start = new ProcessStartInfo("bash", ["-c", Script])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        start.Environment["HOST"] = $"{edge.Address}";
        start.Environment["TARGET"] = "/orders/%7E1?b=2&a=1&a=";
        start.Environment["SECRET"] = secret;
        start.Environment["BODY"] = body;
        using var process = Process.Start(start)!; // It starts, or throws.
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return output;
    }

    private static async Task<int> StatusAsync(TestEdge edge, HttpRequestMessage request)
    {
        using (request)
        {
            using var answer = await edge.Client.SendAsync(request);
            return (int)answer.StatusCode;
        }
    }

    private static HttpRequestMessage Make(
        TestEdge edge, string body = "{}", string? nonce = null, string key = "partner", string secret = Secret,
        int at = 0, string? stamp = null, string signed = Signed)
    {
        const string target = "/orders/1?a=1&b=2";
        var content = Content(body);
        var fields = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["content-type"] = "application/json",
            ["host"] = $"{edge.Address}",
            ["x-content-sha256"] = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(body))),
            ["x-nonce"] = nonce ?? Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)),
            ["x-timestamp"] = stamp ?? TimeProvider.System.GetUtcNow().AddSeconds(at).ToUnixTimeMilliseconds()
                .ToString(CultureInfo.InvariantCulture),
        };
        var lines = signed.Split(';').Select(name => $"{name}:{fields.GetValueOrDefault(name)}\n");
        var text = $"GROUNDWORK-HMAC-SHA256\nPOST\n{target}\n{string.Concat(lines)}{signed}\n"
            + fields["x-content-sha256"];
        var mac = HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(text));
        var request = new HttpRequestMessage(HttpMethod.Post, target) { Content = content };
        foreach (var name in (string[])["x-content-sha256", "x-nonce", "x-timestamp"]) Set(request, name, fields[name]);
        Set(
            request, "Authorization",
            $"GROUNDWORK-HMAC-SHA256 Credential={key}, SignedHeaders={signed}, "
            + $"Signature={Convert.ToHexStringLower(mac)}");
        return request;
    }

    private static HttpRequestMessage To(TestEdge edge, string target) =>
        Change(Make(edge), request => request.RequestUri = new Uri(target, UriKind.Relative));

    private static ByteArrayContent Content(string body, string type = "application/json")
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.ContentType = new(type);
        return content;
    }

    private static HttpRequestMessage Change(HttpRequestMessage request, Action<HttpRequestMessage> change)
    {
        change(request);
        return request;
    }

    private static void Set(HttpRequestMessage request, string name, string value)
    {
        request.Headers.Remove(name);
        request.Headers.TryAddWithoutValidation(name, value);
    }
}
