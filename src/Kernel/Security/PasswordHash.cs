using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Groundwork.Kernel.Security;

/// <summary>
/// Hashes of passwords, in the format of ASP.NET Core Identity's hasher, version 3, so that hashes from there can be
/// brought along: 0x01, function, iterations, salt length (each 4 bytes, big-endian), salt, key.
/// </summary>
public static class PasswordHash
{
    /// <summary>What OWASP's cheat sheet asks of PBKDF2-HMAC-SHA512; about a tenth of a second of one core.</summary>
    public const int Iterations = 220_000;

    /// <summary>What is accepted from elsewhere: OWASP's figures of 2023.</summary>
    public const int MinSha512Iterations = 210_000;

    /// <inheritdoc cref="MinSha512Iterations"/>
    public const int MinSha256Iterations = 600_000;

    /// <summary>A hash that takes more than about a second would hold up everybody's sign-in.</summary>
    public const int MaxIterations = 2_000_000;

    /// <summary>Characters of a password that is verified; more is a mistake or an attack.</summary>
    public const int MaxPasswordLength = 1024;

    private const byte Marker = 1;
    private const int HeaderBytes = 13;
    private const int SaltBytes = 16;
    private const int KeyBytes = 32;
    private const uint Sha256 = 1;
    private const uint Sha512 = 2;

    /// <summary>Hashes a password with a fresh salt.</summary>
    public static string Create(string password, int iterations = Iterations)
    {
        var bytes = new byte[HeaderBytes + SaltBytes + KeyBytes];
        WriteHeader(bytes, iterations);
        var salt = bytes.AsSpan(HeaderBytes, SaltBytes);
        RandomNumberGenerator.Fill(salt);
        Rfc2898DeriveBytes.Pbkdf2(
            Encoding.UTF8.GetBytes(password), salt, bytes.AsSpan(HeaderBytes + SaltBytes), iterations,
            HashAlgorithmName.SHA512);
        return Convert.ToBase64String(bytes);
    }

    /// <summary>
    /// A hash that no password has, and that takes as long to verify as one that <see cref="Create"/> makes.
    /// </summary>
    internal static string CreateDecoy()
    {
        var bytes = RandomNumberGenerator.GetBytes(HeaderBytes + SaltBytes + KeyBytes);
        WriteHeader(bytes, Iterations);
        return Convert.ToBase64String(bytes);
    }

    /// <summary>Says why a text is no hash that we take; null when it is one.</summary>
    public static string? FindFault(string hash)
    {
        if (Parse(hash) is not { } parsed)
        {
            return "must be a password's hash, not the password: 'groundwork operator hash' makes one "
                + "(ASP.NET Core Identity's format, version 3)";
        }
        var least = parsed.Function == HashAlgorithmName.SHA512 ? MinSha512Iterations : MinSha256Iterations;
        return parsed.Iterations < least || parsed.Iterations > MaxIterations
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"has {parsed.Iterations} iterations of {parsed.Function.Name}, {least} to {MaxIterations} are allowed")
            : null;
    }

    /// <summary>Whether the password is the one that was hashed. Compares in constant time.</summary>
    public static bool Verify(string hash, string password)
    {
        if (password.Length > MaxPasswordLength || Parse(hash) is not { } parsed) return false;
        Span<byte> key = stackalloc byte[parsed.Key.Length];
        Rfc2898DeriveBytes.Pbkdf2(
            Encoding.UTF8.GetBytes(password), parsed.Salt, key, parsed.Iterations, parsed.Function);
        return CryptographicOperations.FixedTimeEquals(key, parsed.Key);
    }

    private static void WriteHeader(Span<byte> bytes, int iterations)
    {
        bytes[0] = Marker;
        BinaryPrimitives.WriteUInt32BigEndian(bytes[1..], Sha512);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[5..], (uint)iterations);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[9..], SaltBytes);
    }

    private static Parsed? Parse(string hash)
    {
        // 13 bytes, and salt and key of at least 16 bytes each and at most 64.
        var bytes = new byte[HeaderBytes + 128];
        if (hash.Length > 200 || !Convert.TryFromBase64String(hash, bytes, out var written)) return null;
        var content = bytes.AsSpan(..written);
        if (content.Length < HeaderBytes + 2 * SaltBytes || content[0] != Marker) return null;
        HashAlgorithmName? function = BinaryPrimitives.ReadUInt32BigEndian(content[1..]) switch
        {
            Sha256 => HashAlgorithmName.SHA256,
            Sha512 => HashAlgorithmName.SHA512,
            _ => null,
        };
        var iterations = BinaryPrimitives.ReadUInt32BigEndian(content[5..]);
        var saltBytes = BinaryPrimitives.ReadUInt32BigEndian(content[9..]);
        if (function is null || iterations is 0 or > int.MaxValue || saltBytes is < SaltBytes or > 64) return null;
        var key = content[(HeaderBytes + (int)saltBytes)..];
        return key.Length is < SaltBytes or > 64
            ? null
            : new Parsed(
                function.Value, (int)iterations, content.Slice(HeaderBytes, (int)saltBytes).ToArray(), key.ToArray());
    }

    private sealed record Parsed(HashAlgorithmName Function, int Iterations, byte[] Salt, byte[] Key);
}
