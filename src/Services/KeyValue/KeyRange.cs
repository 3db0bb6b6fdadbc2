using System.Text;

namespace Groundwork.Services.KeyValue;

/// <summary>One key, or all from one up to another, which is not in it. Compared bytewise.</summary>
internal sealed class KeyRange
{
    private KeyRange(byte[] from, byte[]? below, bool isSingle)
    {
        From = from;
        Below = below;
        IsSingle = isSingle;
    }

    /// <summary>The first key that can be in it.</summary>
    public byte[] From { get; }

    /// <summary>The first key after it; null when there is no end. Not read of a single key.</summary>
    public byte[]? Below { get; }

    public bool IsSingle { get; }

    public static KeyRange All { get; } = StartingAt([]);

    /// <summary>True when no key can be in it.</summary>
    public bool IsEmpty => !IsSingle && Below is not null && From.AsSpan().SequenceCompareTo(Below) >= 0;

    public static KeyRange One(byte[] key) => new(key, null, isSingle: true);

    public static KeyRange StartingAt(byte[] from) => new(from, null, isSingle: false);

    public static KeyRange Between(byte[] from, byte[] below) => new(from, below, isSingle: false);

    /// <summary>All keys that begin so.</summary>
    public static KeyRange Prefix(byte[] prefix) =>
        After(prefix) is { } below ? Between(prefix, below) : StartingAt(prefix);

    public bool Contains(ReadOnlySpan<byte> key) => IsSingle
        ? key.SequenceEqual(From)
        : key.SequenceCompareTo(From) >= 0 && (Below is null || key.SequenceCompareTo(Below) < 0);

    public bool Overlaps(KeyRange other)
    {
        if (IsSingle) return other.Contains(From);
        if (other.IsSingle) return Contains(other.From);
        return !IsEmpty && !other.IsEmpty
            && (other.Below is null || From.AsSpan().SequenceCompareTo(other.Below) < 0)
            && (Below is null || other.From.AsSpan().SequenceCompareTo(Below) < 0);
    }

    /// <summary>True when all that can be in it is in the other.</summary>
    public bool IsWithin(KeyRange other)
    {
        if (IsSingle) return other.Contains(From);
        if (other.IsSingle || other.From.AsSpan().SequenceCompareTo(From) > 0) return false;
        return other.Below is null || (Below is not null && Below.AsSpan().SequenceCompareTo(other.Below) <= 0);
    }

    /// <summary>
    /// What stands for it in grants: the key itself; for more than one, what they all begin with and a star, which no
    /// grant of a single name matches.
    /// </summary>
    public string ToGrantName() => IsSingle ? Text(From) : Text(Shared()) + "*";

    /// <summary>The key as text; bytes that are no ASCII match no grant of a name.</summary>
    public static string Text(ReadOnlySpan<byte> key) => Encoding.Latin1.GetString(key);

    private ReadOnlySpan<byte> Shared()
    {
        if (Below is null) return [];
        if (After(From) is { } after && after.AsSpan().SequenceEqual(Below)) return From;
        return From.AsSpan(..From.AsSpan().CommonPrefixLength(Below));
    }

    /// <summary>The first key after all that begin so; null when there is none.</summary>
    private static byte[]? After(ReadOnlySpan<byte> prefix)
    {
        var length = prefix.TrimEnd((byte)0xff).Length;
        if (length == 0) return null;
        var after = prefix[..length].ToArray();
        after[^1]++;
        return after;
    }
}
