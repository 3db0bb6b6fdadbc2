namespace Groundwork.Communication.Gateway.Content.Caching;

/// <summary>What one answer is kept under, be the bytes its own or in a buffer that is only looked at.</summary>
internal readonly struct CacheKey : IEquatable<CacheKey>
{
    private readonly byte[] bytes;
    private readonly int length;
    private readonly int hash;

    public CacheKey(byte[] bytes, int length)
    {
        this.bytes = bytes;
        this.length = length;
        var sum = new HashCode();
        sum.AddBytes(bytes.AsSpan(0, length));
        hash = sum.ToHashCode();
    }

    public ReadOnlySpan<byte> Bytes => bytes.AsSpan(0, length);

    /// <summary>The same in bytes of its own, to be kept.</summary>
    public CacheKey Own() => new(Bytes.ToArray(), length);

    public bool Equals(CacheKey other) => hash == other.hash && Bytes.SequenceEqual(other.Bytes);

    public override bool Equals(object? obj) => obj is CacheKey other && Equals(other);

    public override int GetHashCode() => hash;
}
