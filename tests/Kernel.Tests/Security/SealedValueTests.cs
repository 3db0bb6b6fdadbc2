using System.Security.Cryptography;
using Groundwork.Kernel.Security;

namespace Groundwork.Kernel.Tests.Security;

public sealed class SealedValueTests
{
    private const string KeyId = "s-0123456789ab";

    [Theory]
    [InlineData("")]
    [InlineData("p")]
    [InlineData("pä\"ß\n\\ 👍")]
    public void A_sealed_value_opens_in_its_namespace_and_in_no_other(string text)
    {
        using var pair = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        var value = SealedValue.Seal(KeyId, pair.ExportSubjectPublicKeyInfo(), "prod", text);
        Assert.Matches("^sealed:v1:[A-Za-z0-9_-]+$", value);
        Assert.Equal(text, Open(pair, value, "prod"));
        Assert.Null(Open(pair, value, "dev"));
        Assert.Null(Open(pair, value, "prod2"));
        using var other = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        Assert.Null(Open(other, value, "prod"));
    }

    [Fact]
    public void The_same_text_is_sealed_differently_each_time()
    {
        using var pair = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        var key = pair.ExportSubjectPublicKeyInfo();
        Assert.NotEqual(SealedValue.Seal(KeyId, key, "prod", "x"), SealedValue.Seal(KeyId, key, "prod", "x"));
    }

    [Fact]
    public void A_value_with_any_byte_changed_does_not_open()
    {
        using var pair = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        var value = SealedValue.Seal(KeyId, pair.ExportSubjectPublicKeyInfo(), "prod", "hunter2");
        var read = SealedValue.Read(value);
        Assert.NotNull(read);
        for (var at = SealedValue.IdBytes; at < read.Value.Message.Length; at++)
        {
            var altered = (byte[])read.Value.Message.Clone();
            altered[at] ^= 1;
            Assert.Null(SealedValue.Open(KeyId, pair, "prod", altered));
        }
        Assert.Null(SealedValue.Open("s-0123456789ac", pair, "prod", read.Value.Message));
    }

    [Theory]
    [InlineData("")]
    [InlineData("sealed:v1:")]
    [InlineData("sealed:v1:AAAA")]
    [InlineData("sealed:v2:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("sealed:v1:not base64url")]
    public void What_is_no_sealed_value_is_not_read(string text) => Assert.Null(SealedValue.Read(text));

    [Fact]
    public void A_key_of_another_curve_is_refused()
    {
        using var pair = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP384);
        var key = pair.ExportSubjectPublicKeyInfo();
        Assert.Throws<CryptographicException>(() => SealedValue.Seal(KeyId, key, "prod", "x"));
    }

    private static string? Open(ECDiffieHellman pair, string value, string @namespace) =>
        SealedValue.Read(value) is var (id, message) ? SealedValue.Open(id, pair, @namespace, message) : null;
}
