using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Groundwork.Communication.Gateway;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;

namespace Groundwork.Tests.EndToEnd;

/// <summary>
/// Certificates with their private keys sealed in a real store: shown by the node, after its restart, and by a gateway
/// that follows it with a key that may read them; by none that may not.
/// </summary>
public sealed class SealedCertificateTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    [Fact]
    public async Task A_sealed_certificate_is_shown_by_its_node_and_by_a_follower_that_may_read_it()
    {
        var (first, firstKey) = Make("first");
        var data = directory.Combine("core");
        await using (var node = await StartAsync(data))
        {
            await PutAsync(node, first);
            Assert.Equal("CN=first", await EventuallyShownAsync(node, "CN=first"));
            await NothingInClearAsync(node, data, firstKey);
        }
        await using var core = await StartAsync(data);
        Assert.Equal("CN=first", await ShownAsync(core));

        var granted = await core.MintAsync(
            "edge", [BuiltInRoles.Reader], [new Grant(["read-secret"], ["certificate"])]);
        var plain = await core.MintAsync("plain", [BuiltInRoles.Reader]);
        await using var edge = await FollowAsync(core, "edge", granted);
        Assert.Equal("CN=first", await EventuallyShownAsync(edge, "CN=first"));
        await NothingInClearAsync(edge, directory.Combine("edge"), firstKey);
        // A new one reaches both; connections are not asked to end.
        var (second, secondKey) = Make("second");
        await PutAsync(core, second);
        Assert.Equal("CN=second", await EventuallyShownAsync(core, "CN=second"));
        Assert.Equal("CN=second", await EventuallyShownAsync(edge, "CN=second"));
        await NothingInClearAsync(edge, directory.Combine("edge"), secondKey);
        // The twin: one that follows with a key that may not read secrets shows none, and says why.
        await using var blind = await FollowAsync(core, "blind", plain);
        await Eventually.TrueAsync(
            () => blind.Log.ToString().Contains("default/shop", StringComparison.Ordinal), "it says what it lacks");
        Assert.Equal("none", await ShownAsync(blind));
    }

    public void Dispose() => directory.Dispose();

    private static IReadOnlyCollection<IModule> WithTls()
    {
        var registry = new RegistryModule();
        return
        [
            registry,
            new GatewayModule(
                () => registry.View, new GatewayOptions { Listeners = [ListenerDefinition.GatewayHttps] }),
        ];
    }

    private static Task<RunningNode> StartAsync(string data) => RunningNode.StartAsync(WithTls(), directory: data);

    private Task<RunningNode> FollowAsync(RunningNode core, string name, string key)
    {
        var file = directory.Write($"{name}.key", key);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return RunningNode.StartAsync(
            WithTls(),
            configuration => configuration with
            {
                NodeName = name,
                Follow = new FollowOptions(core.Node.Listeners.UrlOf(ListenerDefinition.Api), file),
                Modules = Modules.Select([Modules.Gateway], follows: true).Value,
            },
            directory.Combine(name));
    }

    private static (string Spec, string Key) Make(string subject)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("shop.example.com");
        var request = new CertificateRequest($"CN={subject}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var made = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        var pem = key.ExportPkcs8PrivateKeyPem();
        return (
            new JsonObject { ["chain"] = made.ExportCertificatePem(), ["privateKey"] = pem }.ToJsonString(),
            pem.Split('\n')[1]); // A line of it, which is nowhere else.
    }

    private static async Task PutAsync(RunningNode node, string spec)
    {
        using var body = new StringContent($$"""{"spec":{{spec}}}""", Encoding.UTF8, "application/json");
        using var put = await node.Local.PutAsync("/groundwork/v1/resources/certificate/default/shop", body);
        Assert.True(put.IsSuccessStatusCode, await put.Content.ReadAsStringAsync());
    }

    // Neither in what the API says, nor in any file, nor in the log.
    private static async Task NothingInClearAsync(RunningNode node, string data, string line)
    {
        using var shown = await node.Local.GetAsync("/groundwork/v1/resources/certificate/default/shop");
        Assert.DoesNotContain(line, await shown.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain(line, node.Log.ToString(), StringComparison.Ordinal);
        foreach (var file in Directory.EnumerateFiles(data, "*", SearchOption.AllDirectories))
        {
            if (Path.GetExtension(file) == ".sock" || Path.GetFileName(file) == "lock") continue;
            await using var open = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var reader = new StreamReader(open, Encoding.Latin1);
            Assert.False(
                (await reader.ReadToEndAsync()).Contains(line, StringComparison.Ordinal), $"the key is in {file}");
        }
    }

    private static Task<string> EventuallyShownAsync(RunningNode node, string subject) => Eventually.ValueAsync(
        () => ShownAsync(node), shown => shown == subject, $"{subject} is shown");

    /// <summary>The subject of the certificate that the gateway shows.</summary>
    private static async Task<string> ShownAsync(RunningNode node)
    {
        using var client = new TcpClient();
        var address = node.Node.Listeners.AddressesOf(ListenerDefinition.GatewayHttps)[0];
        await client.ConnectAsync(IPAddress.Loopback, address.Port);
        await using var secured = new SslStream(client.GetStream());
        var subject = "none";
        try
        {
            await secured.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "shop.example.com",
                RemoteCertificateValidationCallback = (_, shown, _, _) =>
                {
                    subject = shown?.Subject ?? "none";
                    return shown is not null; // The test looks at it.
                },
            });
        }
        catch (Exception refused) when (refused is IOException or AuthenticationException)
        {
            // It has none to show.
        }
        return subject;
    }
}
