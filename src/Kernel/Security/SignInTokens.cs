using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Groundwork.Kernel.Security;

/// <summary>
/// The text forms of sign-in tokens. Both are random; the tag behind it tells one of ours from a made-up one without a
/// query, and keeps anybody from revoking a sign-in with its id and an invented secret.
/// </summary>
internal sealed class SignInTokens(byte[] tagKey)
{
    public const string AccessPrefix = "gws_";
    public const string RefreshPrefix = "gwr_";

    private const int SecretBytes = 32;
    private const int IdBytes = 16;
    private const int TagBytes = 16;

    public string MintAccess() => Mint(AccessPrefix, []);

    /// <summary>Names its sign-in, so that an old one is recognised without keeping the old ones.</summary>
    public string MintRefresh(Guid signIn) => Mint(RefreshPrefix, signIn.ToByteArray(bigEndian: true));

    public bool IsOurs(string accessToken) => Read(AccessPrefix, accessToken, SecretBytes) is not null;

    /// <summary>The sign-in that a refresh token belongs to; null when it is not one of ours.</summary>
    public Guid? SignInOf(string refreshToken) => Read(RefreshPrefix, refreshToken, IdBytes + SecretBytes) is { } bytes
        ? new Guid(bytes.AsSpan(..IdBytes), bigEndian: true)
        : null;

    /// <summary>What is stored in place of a token.</summary>
    public static byte[] Digest(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));

    private string Mint(string prefix, ReadOnlySpan<byte> id)
    {
        var bytes = new byte[id.Length + SecretBytes + TagBytes];
        id.CopyTo(bytes);
        RandomNumberGenerator.Fill(bytes.AsSpan(id.Length, SecretBytes));
        Tag(prefix, bytes.AsSpan(..^TagBytes)).CopyTo(bytes.AsSpan(^TagBytes..));
        return prefix + Base64Url.EncodeToString(bytes);
    }

    private byte[]? Read(string prefix, string token, int contentBytes)
    {
        var length = contentBytes + TagBytes;
        if (!token.StartsWith(prefix, StringComparison.Ordinal)
            || token.Length != prefix.Length + Base64Url.GetEncodedLength(length)) return null;
        var bytes = new byte[length];
        if (Base64Url.DecodeFromChars(
            token.AsSpan(prefix.Length), bytes, out _, out var written) != OperationStatus.Done
            || written != length) return null;
        return CryptographicOperations.FixedTimeEquals(
            Tag(prefix, bytes.AsSpan(..^TagBytes)), bytes.AsSpan(^TagBytes..))
            ? bytes
            : null;
    }

    private ReadOnlySpan<byte> Tag(string prefix, ReadOnlySpan<byte> content)
    {
        byte[] tagged = [.. Encoding.ASCII.GetBytes(prefix), .. content];
        return HMACSHA256.HashData(tagKey, tagged).AsSpan(..TagBytes);
    }
}
