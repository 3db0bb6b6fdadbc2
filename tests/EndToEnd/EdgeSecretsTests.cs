using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Groundwork.Tests.Support;

namespace Groundwork.Tests.EndToEnd;

/// <summary>
/// An edge that verifies with secrets of the node that it follows: tokens and addresses that others signed.
/// </summary>
public sealed class EdgeSecretsTests : IDisposable
{
    private const string First = "the first secret has thirty-two bytes and more";
    private const string Second = "the second secret has thirty-two bytes and more";

    private readonly TemporaryDirectory directory = new();
    private readonly HttpClient outside = new();

    [Fact]
    public async Task Secrets_come_are_changed_and_outlive_the_followed_node()
    {
        await using var core = await GroundworkProcess.StartAsync(
            directory.Combine("core"), ["run", .. GroundworkProcess.AnyPorts]);
        await ApplyAsync(core, Resources(First, "read, read-secret"));
        await using var edge = await StartEdgeAsync(core);
        await AnswersAsync(edge, HttpStatusCode.OK, () => WithToken(edge, First));
        await AnswersAsync(edge, HttpStatusCode.OK, () => WithSignature(edge, First));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(WithToken(edge, Second)));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(WithSignature(edge, Second)));

        await ApplyAsync(core, Resources(Second, "read, read-secret"));
        await AnswersAsync(edge, HttpStatusCode.OK, () => WithToken(edge, Second));
        await AnswersAsync(edge, HttpStatusCode.OK, () => WithSignature(edge, Second));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(WithToken(edge, First)));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(WithSignature(edge, First)));
        var (_, audit, _) = await core.VerbAsync("", "audit", "list", "--action", "secret-read");
        Assert.Contains("signing-key default/links", audit, StringComparison.Ordinal);

        core.Signal(Signals.Kill);
        await core.ExitAsync();
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(WithToken(edge, Second)));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(WithSignature(edge, Second)));
        AssertNotOnDisk(edge.DataDirectory, First, Second);
    }

    [Fact]
    public async Task Who_may_not_read_secrets_decides_nothing_and_what_is_withdrawn_counts_no_more()
    {
        await using var core = await GroundworkProcess.StartAsync(
            directory.Combine("core"), ["run", .. GroundworkProcess.AnyPorts]);
        await ApplyAsync(core, Resources(First, "read"));
        await using var edge = await StartEdgeAsync(core);
        await AnswersAsync(edge, HttpStatusCode.ServiceUnavailable, () => WithToken(edge, First));
        await AnswersAsync(edge, HttpStatusCode.ServiceUnavailable, () => WithSignature(edge, First));

        await ApplyAsync(core, Resources(First, "read, read-secret"));
        await AnswersAsync(edge, HttpStatusCode.OK, () => WithToken(edge, First));
        await AnswersAsync(edge, HttpStatusCode.OK, () => WithSignature(edge, First));

        await ApplyAsync(core, Resources(First, "read"));
        await ApplyAsync(core, Resources(Second, "read"));
        await AnswersAsync(edge, HttpStatusCode.ServiceUnavailable, () => WithToken(edge, First));
        await AnswersAsync(edge, HttpStatusCode.ServiceUnavailable, () => WithSignature(edge, First));
    }

    public void Dispose()
    {
        outside.Dispose();
        directory.Dispose();
    }

    private static string Resources(string secret, string verbs) => $$"""
        kind: role
        name: edge
        spec:
          grants:
            - { verbs: [read], kinds: [route, upstream] }
            - { verbs: [{{verbs}}], kinds: [token-issuer, signing-key] }
            - { verbs: [discover], kinds: [instance] }
        ---
        kind: token-issuer
        name: own
        spec: { issuer: "https://id.example", audiences: [shop], algorithms: [HS256], secret: "{{secret}}" }
        ---
        kind: signing-key
        name: links
        spec: { secret: "{{secret}}" }
        ---
        kind: route
        name: tokens
        spec:
          match: { hosts: ["*"], path: /tokens }
          access: { token: { issuers: [own] } }
          respond: { status: 200, body: hello }
        ---
        kind: route
        name: links
        spec:
          match: { hosts: ["*"], path: /links }
          signedUrls: { key: links, maxSeconds: 3600 }
          respond: { status: 200, body: hello }
        """;

    private static void AssertNotOnDisk(string folder, params string[] secrets)
    {
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            if (new FileInfo(file).Length == 0) continue; // A socket.
            var text = Encoding.Latin1.GetString(File.ReadAllBytes(file));
            foreach (var secret in secrets) Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
        }
    }

    private static HttpRequestMessage WithToken(GroundworkProcess edge, string secret)
    {
        var expires = TimeProvider.System.GetUtcNow().AddHours(1).ToUnixTimeSeconds();
        var signed = $"{Encoded("""{"alg":"HS256","typ":"JWT"}""")}."
            + Encoded($$"""{"iss":"https://id.example","aud":"shop","sub":"bob","exp":{{expires}}}""");
        var mac = HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.ASCII.GetBytes(signed));
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(edge.Address("gateway"), "/tokens"));
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Bearer", $"{signed}.{System.Buffers.Text.Base64Url.EncodeToString(mac)}");
        return request;
    }

    private static HttpRequestMessage WithSignature(GroundworkProcess edge, string secret)
    {
        var expires = TimeProvider.System.GetUtcNow().AddMinutes(10).ToUnixTimeSeconds();
        var mac = HMACSHA256.HashData(
            Encoding.UTF8.GetBytes(secret), Encoding.ASCII.GetBytes($"GROUNDWORK-URL\n/links\n{expires}"));
        return new HttpRequestMessage(
            HttpMethod.Get,
            new Uri(edge.Address("gateway"), $"/links?expires={expires}&signature={Convert.ToHexStringLower(mac)}"));
    }

    private static string Encoded(string json) =>
        System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));

    private async Task<HttpStatusCode> StatusAsync(HttpRequestMessage request)
    {
        using (request)
        {
            using var answer = await outside.SendAsync(request);
            return answer.StatusCode;
        }
    }

    private Task AnswersAsync(GroundworkProcess edge, HttpStatusCode status, Func<HttpRequestMessage> make) =>
        Eventually.PassesAsync(async () =>
        {
            Assert.False(edge.HasExited, edge.Output);
            Assert.Equal(status, await StatusAsync(make()));
        });

    private async Task ApplyAsync(GroundworkProcess core, string resources)
    {
        var (exit, output, error) = await core.VerbAsync("", "apply", "-f", directory.Write("all.yaml", resources));
        Assert.True(exit == 0, output + error);
    }

    private async Task<GroundworkProcess> StartEdgeAsync(GroundworkProcess core)
    {
        var (exit, secret, error) = await core.VerbAsync("", "key", "create", "edge", "--role", "edge");
        Assert.True(exit == 0, error);
        File.SetUnixFileMode(
            directory.Write("edge.key", secret.Trim()), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return await GroundworkProcess.StartAsync(
            directory.Combine("edge"),
            [
                "run", "--modules", "gateway", "--follow", core.Node.ApiAddress!, // The API is open.
                "--follow-key-file", directory.Combine("edge.key"),
                "--set", "listeners.api.address=127.0.0.1:0", "--set", "listeners.gateway.address=127.0.0.1:0",
            ]);
    }
}
