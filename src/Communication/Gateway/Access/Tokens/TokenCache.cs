using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Groundwork.Communication.Gateway.Access.Tokens;

/// <summary>
/// Tokens that were verified, found by their bytes. A table of small sets, read without a lock and without allocating;
/// who finds his set full takes a place there. Whether what is found still holds is asked each time.
/// </summary>
/// <remarks>
/// The whole token is compared, so that a hash need not be one that nobody can forge: of a token only its signature
/// says where to look. That costs a tenth of a digest.
/// </remarks>
internal sealed class TokenCache
{
    /// <summary>Places of one set.</summary>
    private const int Ways = 4;

    /// <summary>Sets, a power of two: with 10,000 tokens hardly one is full.</summary>
    private const int Sets = 16_384;

    /// <summary>Bytes of a token that is kept; larger ones are verified each time.</summary>
    private const int MaxTokenBytes = 4 * 1_024;

    /// <summary>Bytes of all tokens; with their claims they take about twice that.</summary>
    private const long MaxBytes = 64 * 1_024 * 1_024;

    /// <summary>Bytes at the end that say where to look.</summary>
    private const int TailBytes = 24;

    private readonly ulong seed = BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(8)) | 1;
    private VerifiedToken?[]? places; // Made with the first token: most gateways have none.
    private long bytes;

    /// <summary>The token if it was verified and still holds.</summary>
    public VerifiedToken? Find(ReadOnlySpan<byte> token, double now)
    {
        var all = Volatile.Read(ref places);
        if (all is null || token.Length < TailBytes) return null;
        var at = SetOf(token);
        for (var way = 0; way < Ways; way++)
        {
            var one = Volatile.Read(ref all[at + way]);
            if (one is not null && token.SequenceEqual(one.Text)) return one.Holds(now) ? one : null;
        }
        return null;
    }

    public void Add(VerifiedToken token, double now)
    {
        if (token.Text.Length is < TailBytes or > MaxTokenBytes) return;
        var all = Volatile.Read(ref places);
        if (all is null)
        {
            var made = new VerifiedToken?[Sets * Ways];
            all = Interlocked.CompareExchange(ref places, made, null) ?? made;
        }
        var at = SetOf(token.Text);
        var (place, worst) = (-1, double.MaxValue);
        for (var way = 0; way < Ways; way++)
        {
            var one = Volatile.Read(ref all[at + way]);
            // Its own old place, then a free one, then that of who expires first.
            var worth = one is null ? 0 : one.Holds(now) ? one.ExpiresAt : -1;
            if (one is not null && one.Text.AsSpan().SequenceEqual(token.Text)) worth = double.MinValue;
            if (worth >= worst) continue;
            (place, worst) = (at + way, worth);
        }
        if (Volatile.Read(ref bytes) + token.Text.Length > MaxBytes && all[place] is null) return;
        var before = Interlocked.Exchange(ref all[place], token);
        Interlocked.Add(ref bytes, token.Text.Length - (before?.Text.Length ?? 0));
    }

    private int SetOf(ReadOnlySpan<byte> token)
    {
        var tail = token[^TailBytes..];
        var first = BinaryPrimitives.ReadUInt64LittleEndian(tail);
        var second = BinaryPrimitives.ReadUInt64LittleEndian(tail[8..]);
        var mixed = ((first ^ (second * 0x9E3779B97F4A7C15)) * seed) ^ (second >> 29);
        mixed *= 0xBF58476D1CE4E5B9;
        return (int)(mixed >> 50) * Ways; // The upper 14 bits: there are 2^14 sets.
    }
}
