using System.Diagnostics;
using System.Net;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Access;
using Groundwork.Communication.Tests.Gateway.Content;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway.SignedUrls;

/// <summary>What signed addresses give, and what they do not. openssl signs, as the documentation has it.</summary>
public sealed class SignedUrlTests
{
    private const string Secret = "an example secret of thirty-two bytes or more";
    private const string Next = "another secret, which is to take its place soon";

    private static readonly SignedUrlSpec Usual = new("downloads", ["size"]);

    [Fact]
    public async Task An_address_that_openssl_has_signed_passes_until_it_expires()
    {
        var time = new ManualTimeProvider();
        await using var instance = await WebInstance.NamedAsync("file");
        await using var edge = await StartAsync(instance, Usual, time);
        var expires = time.GetUtcNow().ToUnixTimeSeconds() + 60;
        var signature = await SignAsync(Secret, $"GROUNDWORK-URL\n/files/a%20b.pdf\nsize=large\n{expires}");
        var address = $"/files/a%20b.pdf?size=large&expires={expires}&signature={signature}";

        Assert.Equal((HttpStatusCode.OK, "file"), await GetAsync(edge, address));
        Assert.Equal((HttpStatusCode.OK, ""), await GetAsync(edge, address, HttpMethod.Head));
        // What is not signed may be added, and the path be written in another way that means the same.
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, $"{address}&utm=1")).Status);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, address.Replace("a%20", "%61%20"))).Status);

        string[] others =
        [
            address.Replace("a%20b", "other"), address.Replace("large", "small"), address.Replace("size=large&", ""),
            address.Replace("size=large", "size=large&size=small"), address + "&size=small",
            address + "&%73ize=small", address.Replace($"{expires}", $"{expires + 1}"), address + $"&expires={expires}",
            address.Replace(signature, signature[..^1] + (signature[^1] == '0' ? '1' : '0')),
            address.Replace(signature, signature[..^1]), address.Replace(signature, ""),
            address + $"&signature={signature}",
            "/files/a%20b.pdf", $"/files/a%20b.pdf?expires={expires}", $"/files/a%20b.pdf?signature={signature}",
            address.Replace($"{expires}", $"-{expires}"), address.Replace($"{expires}", "999999999999999999999"),
        ];
        var before = instance.Requests;
        foreach (var other in others)
        {
            var (status, body) = await GetAsync(edge, other);
            Assert.True(status == HttpStatusCode.Forbidden, other);
            Assert.Contains("\"url_signature_invalid\"", body, StringComparison.Ordinal);
        }
        Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync(edge, address, HttpMethod.Delete)).Status);
        Assert.Equal(before, instance.Requests);

        time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, address)).Status);
        time.Advance(TimeSpan.FromSeconds(1));
        var late = await GetAsync(edge, address);
        Assert.Equal(HttpStatusCode.Gone, late.Status);
        Assert.Contains("\"url_expired\"", late.Body, StringComparison.Ordinal);
        // Of what is not signed it is not said that it is over.
        Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync(edge, address.Replace("large", "small"))).Status);
    }

    [Fact]
    public async Task Both_secrets_count_while_one_takes_the_place_of_the_other()
    {
        await using var instance = await WebInstance.NamedAsync("file");
        await using var edge = await StartAsync(instance, Usual with { Query = null }, TimeProvider.System);
        var expires = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + 600;
        var text = $"GROUNDWORK-URL\n/f\n{expires}";
        var (old, @new) = (
            $"/f?expires={expires}&signature={await SignAsync(Secret, text)}",
            $"/f?expires={expires}&signature={await SignAsync(Next, text)}");
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, old)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync(edge, @new)).Status);
        PutKey(edge, Next, Secret);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, old)).Status);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, @new)).Status);
        PutKey(edge, Next);
        Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync(edge, old)).Status);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, @new)).Status);
        PutKey(edge, Next, expiresAt: DateTimeOffset.UnixEpoch);
        Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync(edge, @new)).Status);
        edge.Snapshots.Delete(new ResourceKey(SigningKeyKind.Name, "default", "downloads"));
        var (status, body) = await GetAsync(edge, @new);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains("\"access_undecided\"", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_for_one_client_is_for_no_other()
    {
        await using var instance = await WebInstance.NamedAsync("file");
        await using var edge = await StartAsync(
            instance, Usual with { Query = null, Client = true }, TimeProvider.System);
        var expires = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + 600;
        var mine = await SignAsync(Secret, $"GROUNDWORK-URL\n/f\n{expires}\n127.0.0.1");
        var other = await SignAsync(Secret, $"GROUNDWORK-URL\n/f\n{expires}\n192.0.2.1");
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, $"/f?expires={expires}&signature={mine}")).Status);
        Assert.Equal(
            HttpStatusCode.Forbidden, (await GetAsync(edge, $"/f?expires={expires}&signature={other}")).Status);
    }

    [Fact]
    public async Task An_address_may_not_expire_further_ahead_than_the_route_allows()
    {
        await using var instance = await WebInstance.NamedAsync("file");
        await using var edge = await StartAsync(
            instance, Usual with { Query = null, MaxSeconds = 100 }, TimeProvider.System);
        foreach (var (ahead, status) in new[] { (50, HttpStatusCode.OK), (1_000, HttpStatusCode.Forbidden) })
        {
            var expires = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + ahead;
            var signature = await SignAsync(Secret, $"GROUNDWORK-URL\n/f\n{expires}");
            Assert.Equal(status, (await GetAsync(edge, $"/f?expires={expires}&signature={signature}")).Status);
        }
    }

    [Fact]
    public async Task The_command_of_the_documentation_signs()
    {
        await using var instance = await WebInstance.NamedAsync("file");
        await using var edge = await StartAsync(instance, Usual, TimeProvider.System);
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Groundwork.slnx"))) folder = folder.Parent!; // It is in it.
        var page = await File.ReadAllTextAsync(Path.Combine(folder.FullName, "docs", "gateway", "signed-urls.md"));
        var command = page.Split("```sh\n")[1].Split("```")[0];
        var address = (await RunAsync("sh", "dash", "", "-c", $"SECRET='{Secret}'\n{command}")).Trim();
        Assert.StartsWith("https://shop.example.com/files/report.pdf?", address, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, address["https://shop.example.com".Length..])).Status);
    }

    [Theory]
    [InlineData("a b", null, 60, "spec.signedUrls.key must be the name of a signing-key: [namespace/]name")]
    [InlineData("a", "expires", 60, "spec.signedUrls.query[0] must be a name of letters, digits and -._~, once, and "
        + "neither expires nor signature")]
    [InlineData("a", "a=b", 60, "spec.signedUrls.query[0] must be a name of letters, digits and -._~, once, and "
        + "neither expires nor signature")]
    [InlineData("a", null, 0, "spec.signedUrls.maxSeconds must be 1 to 31536000")]
    [InlineData("shop/a", "size", 60, null)]
    public void What_the_route_says_is_checked(string key, string? name, int seconds, string? fault) =>
        Assert.Equal(fault, SpecFaults.Of(new RouteSpec(
            new MatchSpec(["localhost"], "/**"), "catalog",
            SignedUrls: new SignedUrlSpec(key, name is null ? null : [name], MaxSeconds: seconds))));

    private static async Task<TestEdge> StartAsync(WebInstance instance, SignedUrlSpec spec, TimeProvider time)
    {
        var edge = await TestEdge.StartAsync(time: time);
        PutKey(edge, Secret);
        edge.RouteAll(route => route with { SignedUrls = spec }).Instances(instance.Address);
        return edge;
    }

    private static void PutKey(
        TestEdge edge, string secret, string? previous = null, DateTimeOffset? expiresAt = null) =>
        edge.Put(SigningKeyKind.Kind, "downloads", new SigningKeySpec(
            SecretText.Of(secret), previous is null ? null : SecretText.Of(previous), ExpiresAt: expiresAt));

    private static async Task<string> SignAsync(string secret, string text) =>
        (await RunAsync(
            Tools.Require("openssl", "openssl"), "openssl", text, "dgst", "-sha256", "-hmac", secret, "-r"))
        .Split(' ')[0];

    private static async Task<string> RunAsync(
        string program, string package, string input, params IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(Tools.Require(Path.GetFileName(program), package))
        {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true,
        };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!; // The program is there.
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return output;
    }

    private static async Task<(HttpStatusCode Status, string Body)> GetAsync(
        TestEdge edge, string address, HttpMethod? method = null)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, address);
        using var answer = await edge.Client.SendAsync(request);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
