using System.Text;
using Groundwork.Communication.Gateway.Access.Tokens;

namespace Groundwork.Communication.Tests.Gateway.Access;

/// <summary>The examples of RFC 7515, appendix A, whose claims are those of RFC 7519, 3.1.</summary>
public sealed class TokenVectorTests
{
    private const string Claims =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

    private const string ByMac =
        $"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{Claims}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    private const string Secret =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";

    private const string ByRsa =
        $"eyJhbGciOiJSUzI1NiJ9.{Claims}."
        + "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdb"
        + "F9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383"
        + "LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWy"
        + "wlVmtVrBp0igcN_IoypGlUPQGe77Rw";

    private const string RsaKey =
        """
        {"keys":[{"kty":"RSA","e":"AQAB",
        """
        + "\"n\":\""
        + "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT"
        + "-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-U"
        + "To7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFk"
        + "MLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\"}]}";

    private const string ByCurve =
        $"eyJhbGciOiJFUzI1NiJ9.{Claims}."
        + "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

    private const string CurveKey =
        """
        {"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
         "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}
        """;

    private const string Unsecured = $"eyJhbGciOiJub25lIn0.{Claims}.";

    [Fact]
    public void Hs256_of_the_first_example_verifies_and_no_changed_byte_does()
    {
        Assert.True(TokenText.TryDecode(Secret, out var secret));
        Check(ByMac, TokenKey.OfSecret(secret, [TokenAlgorithm.Find("HS256")!]), "HS256"); // It exists.
    }

    [Fact]
    public void Rs256_of_the_second_example_verifies_and_no_changed_byte_does() =>
        Check(ByRsa, OfSet(RsaKey, "RS256"), "RS256");

    [Fact]
    public void Es256_of_the_third_example_verifies_and_no_changed_byte_does() =>
        Check(ByCurve, OfSet(CurveKey, "ES256"), "ES256");

    [Fact]
    public void The_unsecured_example_is_no_token_and_its_algorithm_no_algorithm()
    {
        Assert.False(TokenText.TryRead(Encoding.ASCII.GetBytes(Unsecured), out _));
        foreach (var name in (string[])["none", "None", "NONE", "nOnE", "rs256", "", "EdDSA"])
            Assert.Null(TokenAlgorithm.Find(name));
    }

    [Fact]
    public void A_key_is_never_taken_for_one_of_another_algorithm()
    {
        TokenAlgorithm[] all = [.. ((string[])["RS256", "PS256", "ES256", "HS256"]).Select(name =>
            TokenAlgorithm.Find(name)!)]; // They exist.
        var (keys, wrong) = KeySetText.Read(Encoding.UTF8.GetBytes(RsaKey), all);
        Assert.Null(wrong);
        Assert.Equal(["RS256", "PS256"], Assert.Single(keys).Algorithms.Select(one => one.Name));
        // A secret in a key set, be it its own file, is not taken.
        (keys, wrong) = KeySetText.Read("""{"keys":[{"kty":"oct","k":"AAAA"}]}"""u8.ToArray(), all);
        Assert.Empty(keys);
        Assert.NotNull(wrong);
        // Nor is a point that is not on its curve, a small modulus, or a key for encryption.
        foreach (var bad in (string[])
            [
                CurveKey.Replace("f83O", "f83P", StringComparison.Ordinal),
                CurveKey.Replace("\"kty\":\"EC\"", "\"kty\":\"EC\",\"use\":\"enc\"", StringComparison.Ordinal),
                CurveKey.Replace("P-256", "P-384", StringComparison.Ordinal),
                """{"keys":[{"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0"}]}""",
                """{"keys":[],"keys":[]}""", "[]", "{", "",
            ])
            Assert.NotNull(KeySetText.Read(Encoding.UTF8.GetBytes(bad), all).Wrong);
    }

    [Theory]
    [InlineData("YQ", true)]
    [InlineData("YR", false)] // The same byte in other letters.
    [InlineData("YWI", true)]
    [InlineData("YWJ", false)]
    [InlineData("YWJj", true)]
    [InlineData("YQ==", false)]
    [InlineData("Y Q", false)]
    [InlineData("YQ\n", false)]
    [InlineData("+/8_", false)]
    [InlineData("Y", false)]
    [InlineData("YWJjZ", false)]
    public void Base64url_has_one_form(string text, bool isTaken) =>
        Assert.Equal(isTaken, TokenText.TryDecode(text, out _));

    private static TokenKey OfSet(string set, string algorithm)
    {
        var (keys, wrong) = KeySetText.Read(Encoding.UTF8.GetBytes(set), [TokenAlgorithm.Find(algorithm)!]);
        Assert.Null(wrong);
        return Assert.Single(keys);
    }

    private static void Check(string text, TokenKey key, string name)
    {
        var token = Encoding.ASCII.GetBytes(text);
        var algorithm = TokenAlgorithm.Find(name)!; // The tests ask for those there are.
        Assert.True(TokenText.TryRead(token, out var read));
        using var _ = read;
        Assert.Equal(name, read.Algorithm);
        Assert.Equal("joe", read.Claims.RootElement.GetProperty("iss").GetString());
        Assert.True(key.Verifies(algorithm, token.AsSpan(0, read.SignedBytes), read.Signature));
        for (var at = 0; at < read.SignedBytes; at += 7)
        {
            token[at] ^= 1;
            Assert.False(key.Verifies(algorithm, token.AsSpan(0, read.SignedBytes), read.Signature));
            token[at] ^= 1;
        }
        for (var at = 0; at < read.Signature.Length; at += 5)
        {
            read.Signature[at] ^= 1;
            Assert.False(key.Verifies(algorithm, token.AsSpan(0, read.SignedBytes), read.Signature));
            read.Signature[at] ^= 1;
        }
        Assert.False(key.Verifies(algorithm, token.AsSpan(0, read.SignedBytes), read.Signature.AsSpan(1)));
        Assert.False(key.Verifies(algorithm, token.AsSpan(0, read.SignedBytes), []));
        Assert.False(key.Verifies(algorithm, token.AsSpan(0, read.SignedBytes), new byte[read.Signature.Length]));
    }
}
