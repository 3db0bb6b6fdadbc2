using System.Runtime.CompilerServices;

namespace Groundwork.Communication.Gateway.Routing;

/// <summary>Where in a request's path the parameters of its route stand, in the order of their names.</summary>
internal struct PathParameters
{
    /// <summary>Bytes of a path whose parts can be told; no listener takes a head so long.</summary>
    public const int MaxPathBytes = ushort.MaxValue;

    private Places places;

    public int Count { get; private set; }

    /// <summary>The value of one, as it stands in the path: escapes are kept.</summary>
    public readonly ReadOnlySpan<byte> Of(ReadOnlySpan<byte> path, int index)
    {
        var place = places[index];
        return path.Slice((int)(place >> 16), (int)(place & 0xFFFF));
    }

    internal void Add(int start, int length) => places[Count++] = (uint)start << 16 | (uint)length;

    internal void RemoveLast() => Count--;

    internal void Clear() => Count = 0;

    [InlineArray(PathPattern.MaxParameters)]
    private struct Places
    {
        private uint first;
    }
}
