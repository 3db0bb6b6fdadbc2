using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using Groundwork.Wire;

namespace Groundwork.Kernel.Security;

/// <summary>
/// The file that holds the root key: one line, <c>gwroot1_</c> and 43 characters of base64url, readable by its owner
/// alone. The prefix lets people and secret scanners recognise it.
/// </summary>
public static class RootKeyFile
{
    /// <summary>Names the file when it is not <c>root.key</c> in the data directory.</summary>
    public const string PathVariable = "GROUNDWORK_ROOT_KEY_FILE";

    public const string DefaultName = "root.key";

    internal const string Prefix = "gwroot1_";

    private const UnixFileMode OthersMask =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    // Base64url of 32 bytes without padding.
    private const int EncodedLength = 43;

    /// <summary>Reads the key; at the first start of an install, makes it.</summary>
    public static Outcome<RootKey> ReadOrCreate(string path)
    {
        if (!File.Exists(path) && !SecretFile.TryCreate(path, Encode(RootKey.Generate())) && !File.Exists(path))
            return new Fault(ErrorCodes.RootKeyInvalid, $"{path} could not be created.");
        return Read(path); // Also after creating it: what counts is what the next start will find.
    }

    public static Outcome<RootKey> Read(string path)
    {
        if (!File.Exists(path)) return new Fault(ErrorCodes.RootKeyInvalid, $"{path} does not exist.");
        var mode = File.GetUnixFileMode(path);
        if ((mode & OthersMask) != UnixFileMode.None)
        {
            return new Fault(
                ErrorCodes.RootKeyInvalid,
                $"{path} can be reached by others (mode {Convert.ToString((int)mode, 8)}); chmod 600 it.");
        }
        var length = new FileInfo(path).Length;
        if (length is < EncodedLength or > 256)
            return new Fault(ErrorCodes.RootKeyInvalid, $"{path} has {length} bytes and holds no root key.");
        var line = File.ReadAllText(path).TrimEnd('\n', '\r');
        return Decode(line) is { } key
            ? key
            : new Fault(
                ErrorCodes.RootKeyInvalid,
                $"{path} holds no root key: one line, '{Prefix}' and {EncodedLength} characters.");
    }

    /// <summary>Writes a key that came from another node. False when there is a file already.</summary>
    public static bool TryWrite(string path, RootKey key) => SecretFile.TryCreate(path, Encode(key));

    internal static string Encode(RootKey key)
    {
        var bytes = key.Export();
        var text = Prefix + Base64Url.EncodeToString(bytes) + "\n";
        CryptographicOperations.ZeroMemory(bytes);
        return text;
    }

    internal static RootKey? Decode(string line)
    {
        if (!line.StartsWith(Prefix, StringComparison.Ordinal) || line.Length != Prefix.Length + EncodedLength)
            return null;
        Span<byte> bytes = stackalloc byte[RootKey.KeyBytes];
        return Base64Url.DecodeFromChars(
            line.AsSpan(Prefix.Length), bytes, out _, out var written) == OperationStatus.Done
            && written == RootKey.KeyBytes
            ? RootKey.Of(bytes)
            : null;
    }
}
