using System.Collections.Concurrent;
using System.Net;

namespace Groundwork.Communication.Dns.Protocols.Plain;

/// <summary>
/// Bounds the answers that go to one network over UDP, where nothing proves that who is answered has asked: our answers
/// are not to be somebody's flood. Programs of this machine are not counted.
/// </summary>
internal sealed class AnswerRates(TimeProvider time)
{
    /// <summary>Answers a second to a /24, or a /56 of IPv6: a busy network of resolvers keeps below it.</summary>
    public const int PerSecond = 1_000;

    /// <summary>What may come at once after silence.</summary>
    private const int Burst = 2_000;

    /// <summary>Networks that are remembered; one more, and all begin anew. About 5 MB.</summary>
    private const int MaxNetworks = 65_536;

    private readonly ConcurrentDictionary<ulong, Bucket> buckets = new();

    /// <summary>Takes the place of one answer.</summary>
    /// <param name="answerShort">
    /// With false: every other time true, to be told to ask over TCP, which proves who asks.
    /// </param>
    public bool TryTake(IPAddress peer, out bool answerShort)
    {
        answerShort = false;
        if (IPAddress.IsLoopback(peer)) return true;
        var network = NetworkOf(peer);
        if (!buckets.TryGetValue(network, out var bucket))
        {
            if (buckets.Count >= MaxNetworks) buckets.Clear();
            bucket = buckets.GetOrAdd(network, new Bucket { Left = Burst, At = time.GetTimestamp() });
        }
        lock (bucket)
        {
            var now = time.GetTimestamp();
            bucket.Left = Math.Min(
                Burst, bucket.Left + (time.GetElapsedTime(bucket.At, now).TotalSeconds * PerSecond));
            bucket.At = now;
            if (bucket.Left >= 1)
            {
                bucket.Left--;
                return true;
            }
            answerShort = bucket.Slip = !bucket.Slip;
            return false;
        }
    }

    private static ulong NetworkOf(IPAddress peer)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        peer.TryWriteBytes(bytes, out var length);
        // The upper bit tells the families apart.
        return length == 4
            ? ((ulong)bytes[0] << 16) | ((ulong)bytes[1] << 8) | bytes[2]
            : (1UL << 63) | (System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(bytes) >> 8);
    }

    private sealed class Bucket
    {
        public double Left { get; set; }

        public long At { get; set; }

        public bool Slip { get; set; }
    }
}
