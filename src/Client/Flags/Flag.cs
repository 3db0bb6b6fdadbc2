using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace Groundwork.Client.Flags;

/// <summary>A flag as published: immutable, and evaluated without a lock or an allocation.</summary>
/// <param name="Name">As the code asks for it.</param>
/// <param name="IsEnabled">False: no rule is looked at.</param>
/// <param name="Default">When no rule matches.</param>
/// <param name="Off">When it is not enabled.</param>
/// <param name="Rules">In order; the first that matches serves.</param>
/// <param name="Salt">What stands before the user key in the hash: name, 00, salt, 00, in UTF-8.</param>
internal sealed record Flag(
    string Name, bool IsEnabled, FlagVariant Default, FlagVariant Off, ImmutableArray<FlagRule> Rules, byte[] Salt)
{
    /// <summary>Bytes that are hashed on the stack: names, salts and user keys are far shorter.</summary>
    private const int MaxStackBytes = 1024;

    /// <summary>Which variant these labels and this user get, and why.</summary>
    public FlagChoice Choose(in FlagContext context, ImmutableSortedDictionary<string, string> readersLabels)
    {
        if (!IsEnabled) return new FlagChoice(Off, FlagReason.Disabled, null);
        var user = context.User;
        var dealt = default(Deal);
        foreach (var rule in Rules)
        {
            if (!rule.MatchesUser(user) || !rule.MatchesLabels(context, readersLabels)) continue;
            if (rule.NeedsDeal)
            {
                if (string.IsNullOrEmpty(user)) continue;
                if (!dealt.IsKnown) dealt = Hash(user);
                if (dealt.Share >= rule.Percent) continue;
            }
            return new FlagChoice(rule.Serve(dealt.Draw), FlagReason.Rule, rule.Name);
        }
        return new FlagChoice(Default, FlagReason.Default, null);
    }

    // Share and draw are bytes 0 to 7 and 8 to 15 of the hash, modulo 10,000: docs/settings.md.
    private Deal Hash(string user)
    {
        var length = Salt.Length + Encoding.UTF8.GetMaxByteCount(user.Length);
        byte[]? rented = null;
        Span<byte> bytes = length <= MaxStackBytes
            ? stackalloc byte[MaxStackBytes] : (rented = ArrayPool<byte>.Shared.Rent(length));
        Salt.CopyTo(bytes);
        var written = Salt.Length + Encoding.UTF8.GetBytes(user, bytes[Salt.Length..]);
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes[..written], digest);
        if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        return new Deal(
            (int)(BinaryPrimitives.ReadUInt64BigEndian(digest) % FlagRule.Whole),
            (int)(BinaryPrimitives.ReadUInt64BigEndian(digest[8..]) % FlagRule.Whole), IsKnown: true);
    }

    private readonly record struct Deal(int Share, int Draw, bool IsKnown);
}

/// <summary>What an evaluation came to.</summary>
internal readonly record struct FlagChoice(FlagVariant Variant, FlagReason Reason, string? Rule);

/// <summary>One rule: conditions that must all hold, and what is served then.</summary>
/// <param name="Name">For reports.</param>
/// <param name="Users">Null: everybody.</param>
/// <param name="Labels">Each label with the values that match.</param>
/// <param name="Percent">Hundredths of a percent.</param>
/// <param name="Variants">Where each ends on the line from 0 to 10,000, in order; one when there are no
/// weights.</param>
/// <param name="HasWeights">Whether the variant is drawn.</param>
internal sealed record FlagRule(
    string Name,
    FrozenSet<string>? Users,
    ImmutableArray<KeyValuePair<string, FrozenSet<string>>> Labels,
    int Percent,
    ImmutableArray<(int End, FlagVariant Variant)> Variants,
    bool HasWeights)
{
    /// <summary>All there is, in hundredths of a percent.</summary>
    public const int Whole = 10_000;

    /// <summary>Whether it takes a user key to know.</summary>
    public bool NeedsDeal { get; } = HasWeights || Percent < Whole;

    public bool MatchesUser(string? user) =>
        Users is null || (!string.IsNullOrEmpty(user) && Users.Contains(user));

    public bool MatchesLabels(in FlagContext context, ImmutableSortedDictionary<string, string> readersLabels)
    {
        foreach (var (name, values) in Labels)
        {
            if ((context.Labels is not { } own || !own.TryGetValue(name, out var value))
                && !readersLabels.TryGetValue(name, out value)) return false;
            if (!values.Contains(value)) return false;
        }
        return true;
    }

    public FlagVariant Serve(int draw)
    {
        foreach (var (end, variant) in Variants)
            if (draw < end) return variant;
        return Variants[^1].Variant;
    }
}
