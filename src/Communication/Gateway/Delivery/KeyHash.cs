using System.Text;

namespace Groundwork.Communication.Gateway.Delivery;

/// <summary>
/// Spreads keys evenly, the same on every node and in every version: FNV-1a, whose bits are then mixed (Murmur3's end).
/// Not for secrets.
/// </summary>
internal static class KeyHash
{
    private const ulong Offset = 14_695_981_039_346_656_037;
    private const ulong Prime = 1_099_511_628_211;

    public static ulong Of(ReadOnlySpan<byte> bytes, ulong salt = 0)
    {
        var hash = Offset ^ Mix(salt);
        foreach (var one in bytes) hash = (hash ^ one) * Prime;
        return Mix(hash);
    }

    public static ulong Of(string text) => Of(Encoding.UTF8.GetBytes(text));

    /// <summary>Another number for every number, with no likeness between those of neighbours.</summary>
    public static ulong Mix(ulong number)
    {
        number ^= number >> 33;
        number *= 0xFF51AFD7ED558CCD;
        number ^= number >> 33;
        number *= 0xC4CEB9FE1A85EC53;
        return number ^ (number >> 33);
    }
}
