using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Groundwork.Kernel.Security;

namespace Groundwork.Services.KeyValue.Protocols.Etcd;

/// <summary>
/// What <c>Authenticate</c> gives for a name and a password, so that the password is not verified with every call: who
/// it is and until when, signed with a key that all nodes of the store have.
/// </summary>
internal sealed class EtcdTokens(ReadOnlyMemory<byte> key, TimeProvider time)
{
    private const string Prefix = "gwe.";

    /// <summary>Set before what is signed: nothing else that this key signs begins so.</summary>
    private const string Purpose = "etcd-token\n";

    private const int MaxLength = 2_048;

    public static bool Looks(string token) => token.StartsWith(Prefix, StringComparison.Ordinal);

    public string Issue(Principal principal)
    {
        var until = (time.GetUtcNow() + EtcdLimits.TokenLife).ToUnixTimeMilliseconds();
        var content = Encoding.UTF8.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"{until}\n{principal.Name}"));
        return $"{Prefix}{Base64Url.EncodeToString(content)}.{Base64Url.EncodeToString(Sign(content))}";
    }

    /// <summary>The name of whom it was given to; null when it was not given here, or is over.</summary>
    public string? Verify(string token)
    {
        if (token.Length > MaxLength || token.Split('.') is not [_, var content, var signature]
            || !Base64Url.IsValid(content) || !Base64Url.IsValid(signature))
            return null;
        var bytes = Base64Url.DecodeFromChars(content);
        if (!CryptographicOperations.FixedTimeEquals(Sign(bytes), Base64Url.DecodeFromChars(signature))) return null;
        var lines = Encoding.UTF8.GetString(bytes).Split('\n', 2);
        return long.Parse(lines[0], CultureInfo.InvariantCulture) > time.GetUtcNow().ToUnixTimeMilliseconds()
            ? lines[1] : null;
    }

    private byte[] Sign(byte[] content) =>
        HMACSHA256.HashData(key.Span, [.. Encoding.UTF8.GetBytes(Purpose), .. content]);
}
