using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Tests.Gateway.Listening;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway.Access;

/// <summary>
/// A certificate of the client as its credential, made by openssl: the listener believes two authorities, the route
/// one of them.
/// </summary>
public sealed class CertificateTests : IDisposable
{
    private const string Curve = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";

    private readonly TemporaryDirectory directory = new();
    private readonly string openssl = Tools.Require("openssl", "openssl");
    private readonly TestAuthority server = new();

    public CertificateTests()
    {
        Authority("partners");
        Authority("strangers");
    }

    [Fact]
    public async Task A_certificate_of_the_routes_authority_is_a_credential_and_no_other_is()
    {
        await using var instance = await TokenTests.EchoAsync();
        await using var edge = await StartAsync(instance, new CertificateAccess(Pem("partners")));
        using var alice = Client("alice", "partners");

        Assert.EndsWith("user=alice key=certificate:" + Fingerprint("alice") + " tenant=",
            await AskAsync(edge, alice), StringComparison.Ordinal);
        // The listener would let them in; the route does not.
        Refused(401, "credential_invalid", await AskAsync(edge, Client("mallory", "strangers")));
        Refused(401, "credential_missing", await AskAsync(edge, null));
        // One that says for what it is, and it is not this; and one that is over.
        Assert.Equal("", await AskAsync(edge, Client("server", "partners", use: "serverAuth")));
        Assert.Equal("", await AskAsync(edge, Client("bob", "partners", days: -1)));
        Assert.Equal(1, instance.Requests);
    }

    [Fact]
    public async Task Names_and_fingerprints_are_asked_for_where_the_route_says_so()
    {
        await using var instance = await TokenTests.EchoAsync();
        using var alice = Client("alice", "partners");
        using var carol = Client("carol", "partners");
        using var mallory = Client("mallory", "strangers");
        await using var edge = await StartAsync(instance, new CertificateAccess(Pem("partners"), Names: ["alice"]));
        Assert.StartsWith("HTTP/1.1 200 ", await AskAsync(edge, alice), StringComparison.Ordinal);
        Refused(403, "access_denied", await AskAsync(edge, carol));
        // A fingerprint passes by itself, whoever has signed it, and no other does.
        Route(edge, new(Certificate: new CertificateAccess(Fingerprints: [Fingerprint("mallory")])));
        Assert.StartsWith("HTTP/1.1 200 ", await AskAsync(edge, mallory), StringComparison.Ordinal);
        Refused(401, "credential_invalid", await AskAsync(edge, alice));
        // A list denies it.
        Route(edge, new(
            Deny: new CallerLists(Keys: ["certificate:" + Fingerprint("mallory")]),
            Certificate: new CertificateAccess(Fingerprints: [Fingerprint("mallory")])));
        Refused(403, "access_denied", await AskAsync(edge, mallory));
    }

    [Fact]
    public async Task A_certificate_that_expires_while_its_connection_is_open_passes_no_more()
    {
        var time = new ManualTimeProvider(TimeProvider.System.GetUtcNow());
        await using var instance = await TokenTests.EchoAsync();
        using var alice = Client("alice", "partners", days: 2);
        await using var edge = await StartAsync(instance, new CertificateAccess(Pem("partners")), time);
        await using var client = await TlsClient.ConnectAsync(edge.SecureAddress, "shop.test", own: alice);
        Assert.StartsWith("HTTP/1.1 200 ", await client.GetAsync("shop.test"), StringComparison.Ordinal);
        time.Advance(TimeSpan.FromDays(3));
        time.Advance(TimeSpan.FromSeconds(2)); // To the guard of the process the leap was a thread that nobody got.
        Refused(401, "credential_invalid", await client.GetAsync("shop.test"));
    }

    [Fact]
    public async Task A_field_that_claims_a_certificate_is_none()
    {
        await using var instance = await TokenTests.EchoAsync();
        await using var edge = await TestEdge.StartAsync();
        edge.Instances(instance.Address).RouteWith(new(Certificate: new CertificateAccess(Pem("partners"))));
        using var answer = await edge.SendAsync(
            null, ("X-SSL-Client-Cert", Pem("partners").Replace("\n", "%0A", StringComparison.Ordinal)),
            ("Client-Cert", ":AAAA:"), ("Groundwork-User", "alice"));
        Assert.Equal((401, "credential_missing"), ((int)answer.StatusCode, await answer.CodeAsync()));
    }

    public void Dispose()
    {
        server.Dispose();
        directory.Dispose();
    }

    private async Task<TestEdge> StartAsync(WebInstance instance, CertificateAccess access, TimeProvider? time = null)
    {
        var edge = await TestEdge.StartAsync(time: time);
        Route(edge, new(Certificate: access));
        edge.Instances(instance.Address);
        edge.Snapshots.Put(server.Certificate("shop", "shop.test"));
        foreach (var name in new[] { "partners", "strangers" })
            edge.Snapshots.Put(TestAuthority.Resource(name, new CertificateSpec(Pem(name))));
        edge.Snapshots.Put(ListenerTests.Listener("https", new(new ListenerTlsSpec(
            ClientCertificates: new ClientCertificatesSpec(["partners", "strangers"], "ask")))));
        return edge;
    }

    private static void Route(TestEdge edge, AccessSpec access) => edge.RouteAll(
        spec => spec with { Match = spec.Match with { Hosts = ["shop.test"] }, Access = access });

    // Empty where the connection is not let in at all.
    private static async Task<string> AskAsync(TestEdge edge, X509Certificate2? own)
    {
        try
        {
            await using var client = await TlsClient.ConnectAsync(edge.SecureAddress, "shop.test", own: own);
            return await client.GetAsync("shop.test");
        }
        catch (Exception end) when (end is IOException or System.Security.Authentication.AuthenticationException)
        {
            return "";
        }
    }

    private static void Refused(int status, string code, string answer)
    {
        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
        Assert.Contains($"\"{code}\"", answer, StringComparison.Ordinal);
    }

    private string Pem(string name) => File.ReadAllText(directory.Combine($"{name}.pem"));

    private string Fingerprint(string name)
    {
        using var certificate = X509Certificate2.CreateFromPem(Pem(name));
        return certificate.GetCertHashString(System.Security.Cryptography.HashAlgorithmName.SHA256).ToLowerInvariant();
    }

    private void Authority(string name) =>
        Run($"req -x509 {Curve} -keyout {name}.key -out {name}.pem -days 30 -subj /CN={name}");

    private X509Certificate2 Client(string name, string authority, string use = "clientAuth", int days = 5)
    {
        directory.Write("use", $"extendedKeyUsage={use}");
        Run($"req {Curve} -keyout {name}.key -out {name}.csr -subj /CN={name}");
        Run($"x509 -req -in {name}.csr -CA {authority}.pem -CAkey {authority}.key -days {days} -extfile use "
            + $"-out {name}.pem");
        using var leaf = X509Certificate2.CreateFromPem(Pem(name), File.ReadAllText(directory.Combine($"{name}.key")));
        return X509CertificateLoader.LoadPkcs12(leaf.Export(X509ContentType.Pkcs12), password: null);
    }

    private void Run(string arguments)
    {
        using var run = Process.Start(new ProcessStartInfo(openssl, arguments)
        {
            UseShellExecute = false,
            RedirectStandardError = true,
            WorkingDirectory = directory.Path,
        })!; // Null only for shell execution.
        var said = run.StandardError.ReadToEnd();
        run.WaitForExit();
        Assert.True(run.ExitCode == 0, said);
    }
}
