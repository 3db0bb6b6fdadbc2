using System.Security.Cryptography;
using System.Text.Json;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Certificates;
using Groundwork.Communication.Gateway.Listening;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;

namespace Groundwork.Communication.Tests.Gateway.Listening;

/// <summary>What is refused when a certificate or a listener is published.</summary>
public sealed class CertificateKindTests : IDisposable
{
    private readonly TestAuthority authority = new();

    public void Dispose() => authority.Dispose();

    [Fact]
    public void A_chain_with_its_key_and_an_authority_alone_are_taken()
    {
        var (chain, key) = authority.Sign(["shop.test"]);
        Assert.Empty(Faults(new CertificateSpec(chain, key)));
        Assert.Empty(Faults(new CertificateSpec(authority.Pem)));
        Assert.Empty(Faults(new CertificateSpec(chain, HiddenKeyJson.Hidden)));
    }

    [Fact]
    public void What_could_not_be_shown_to_clients_is_refused()
    {
        var (chain, key) = authority.Sign(["shop.test"]);
        var other = authority.Sign(["shop.test"]).Key;
        var expired = authority.Sign(["shop.test"], TimeSpan.FromDays(-9), TimeSpan.FromDays(-2));
        using var stranger = new TestAuthority("stranger");
        using var ecdsa = ECDsa.Create();
        var encrypted = ecdsa.ExportEncryptedPkcs8PrivateKeyPem(
            "p", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000));

        Assert.Contains("spec.privateKey is no PEM of the leaf's private key", Faults(new(chain, other)));
        Assert.Contains("spec.privateKey must not be encrypted", Assert.Single(Faults(new(chain, encrypted))));
        Assert.Contains("expired on ", Assert.Single(Faults(new(expired.Chain, expired.Key))));
        Assert.Contains("is no authority", Faults(new(chain))[0]);
        Assert.Contains("must begin with the leaf", string.Join(' ', Faults(new(authority.Pem, key))));
        Assert.Contains(
            "has not signed the one before",
            string.Join(' ', Faults(new(chain.Replace(authority.Pem, stranger.Pem, StringComparison.Ordinal), key))));
        Assert.Equal("spec.chain must be 1 to 32 certificates in PEM", Assert.Single(Faults(new("no PEM", key))));
        Assert.Equal("spec.chain must be 1 to 32 certificates in PEM", Assert.Single(Faults(new("", key))));
    }

    [Fact]
    public void A_key_that_stays_as_it_is_fits_the_new_leaf()
    {
        var (chain, key) = authority.Sign(["shop.test"]);
        var resource = TestAuthority.Resource("shop", new CertificateSpec(chain, key));
        var head = Snapshot.Empty("store", 1).With(2, [new AppliedChange(2, 0, resource.Key, null, resource, true)]);
        var faults = new List<FieldFault>();
        CertificateKind.Kind.ValidateAgainst!(
            head, resource.Key, new CertificateSpec(chain, HiddenKeyJson.Hidden), faults); // It has rules.
        Assert.Empty(faults);

        CertificateKind.Kind.ValidateAgainst(
            head, resource.Key, new CertificateSpec(authority.Sign(["shop.test"]).Chain, HiddenKeyJson.Hidden), faults);

        Assert.Equal("spec.privateKey", Assert.Single(faults).Path);
    }

    [Fact]
    public void A_key_is_read_masked_and_encrypted_and_nothing_else_stands_for_it()
    {
        Assert.Equal(HiddenKeyJson.Hidden, Read("""{"chain":"x","privateKey":{"secret":"sha256:0"}}""").PrivateKey);
        Assert.Equal(
            HiddenKeyJson.Hidden,
            Read("""{"chain":"x","privateKey":{"secret":"sha256:0","key":"k","sealed":"AA=="}}""").PrivateKey);
        Assert.Throws<JsonException>(() => Read("""{"chain":"x","privateKey":{"other":"y"}}"""));
        Assert.DoesNotContain("PRIVATE", new CertificateSpec("x", "PRIVATE KEY").ToString(), StringComparison.Ordinal);

        static CertificateSpec Read(string json) =>
            JsonSerializer.Deserialize(json, CertificateJson.Default.CertificateSpec)!; // It is no null.
    }

    [Fact]
    public void A_listener_is_refused_for_all_that_is_wrong_with_it()
    {
        var faults = new List<FieldFault>();
        GatewayListenerKind.Kind.Validate!( // It has rules.
            new GatewayListenerSpec(
                new ListenerTlsSpec([], "a b", "1.1", new ClientCertificatesSpec(["x"], "perhaps")),
                new ListenerBoundsSpec(0, 12_001, -1, 99, 999, 9, 999),
                new CallerSpec(["10.0.0.0/33"], 11, "x y", [], ["x"])),
            faults);
        Assert.Equal(
            [
                "spec.tls.certificates", "spec.tls.default", "spec.tls.minVersion", "spec.tls.clientCertificates.mode",
                "spec.bounds.maxConnections", "spec.bounds.maxConnectionsPerAddress", "spec.bounds.bodyBytes",
                "spec.bounds.headMs", "spec.bounds.keepAliveMs", "spec.bounds.responseHeadMs", "spec.bounds.idleMs",
                "spec.caller.trusted[0]", "spec.caller.proxyProtocol", "spec.caller.hops", "spec.caller.source",
                "spec.caller.tell",
            ],
            faults.Select(fault => fault.Path));
        faults.Clear();
        GatewayListenerKind.Kind.ValidateNamed!( // It opens no address.
            new ResourceKey(GatewayListenerKind.Name, "", "0.0.0.0:80"), new GatewayListenerSpec(), faults);
        Assert.Single(faults);
    }

    private static List<string> Faults(CertificateSpec spec)
    {
        var faults = new List<FieldFault>();
        CertificateKind.Kind.Validate!(spec, faults); // It has rules.
        return [.. faults.Select(fault => $"{fault.Path} {fault.Message}")];
    }
}
