using System.Runtime.InteropServices;
using System.Text;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Wire.Http1;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway.Recording;

/// <summary>
/// The access log: a line for each request. What is written of a request is copied into a bounded buffer of its
/// processor, and made into lines and written by one thread in batches; where that does not keep up, lines are dropped
/// and counted, and no request waits. Queries are left out, as are all fields but <c>User-Agent</c> and
/// <c>Referer</c> without its query: they may hold credentials.
/// </summary>
internal sealed class AccessLog : IDisposable
{
    /// <summary>Bytes of a text of a client's: a longer one is cut.</summary>
    private const int MaxText = 512;

    /// <summary>Bytes of a path.</summary>
    private const int MaxPath = 2048;

    /// <summary>Room that any entry fits into.</summary>
    private const int MaxEntry = 8 * 1024;

    private readonly Shard[] shards;
    private readonly AccessLogWriter writer;
    private long dropped; // Interlocked.

    public AccessLog(AccessLogOptions options, TimeProvider time, ILogger logger)
    {
        shards = new Shard[Math.Min(8, Environment.ProcessorCount)];
        for (var index = 0; index < shards.Length; index++) shards[index] = new Shard(options.BufferBytes);
        writer = new AccessLogWriter(options, Take, time, logger);
    }

    /// <summary>Lines that were written.</summary>
    public long Written => writer.Written;

    /// <summary>Lines that found no room, or could not be written.</summary>
    public long Dropped => Interlocked.Read(ref dropped) + writer.Lost;

    /// <summary>Takes a request that is over. Never waits for the writer.</summary>
    public void Write(Exchange exchange, long micros, int status, string? code)
    {
        var now = exchange.Came.Ticks + (micros * TimeSpan.TicksPerMicrosecond);
        var shard = shards[Thread.GetCurrentProcessorId() % shards.Length];
        var crowded = false;
        lock (shard.Gate)
        {
            if (shard.Room is { Length: >= MaxEntry } room)
            {
                var before = shard.Filled;
                shard.Filled += Fill(room, exchange, now, micros, status, code);
                crowded = before <= shard.Half && shard.Filled > shard.Half;
            }
            else Interlocked.Increment(ref dropped);
        }
        if (crowded) writer.Hurry();
    }

    /// <summary>Writes what waits, and ends.</summary>
    public void Dispose() => writer.Dispose();

    /// <summary>What waits at one of the processors; the writer's until it asks again. Null behind the last.</summary>
    private ReadOnlyMemory<byte>? Take(int shard)
    {
        // No conditional expression: in one of these types null would become an empty memory.
        if (shard >= shards.Length) return null;
        return shards[shard].Take();
    }

    private static int Fill(Span<byte> entry, Exchange exchange, long now, long micros, int status, string? code)
    {
        var head = exchange.Request;
        var fields = head.Fields;
        ref var fixedPart = ref MemoryMarshal.AsRef<AccessEntry>(entry);
        fixedPart = default;
        fixedPart.At = now;
        fixedPart.Micros = micros;
        fixedPart.BytesIn = exchange.BytesIn;
        fixedPart.BytesOut = exchange.BytesOut;
        fixedPart.Status = status;
        fixedPart.Attempts = (ushort)Math.Min(ushort.MaxValue, exchange.Attempts);
        fixedPart.Protocol = exchange.Client.Protocol[0] == '2' ? (byte)2 : (byte)head.MinorVersion;
        fixedPart.IsSampled = exchange.Trace.IsSampled ? (byte)1 : (byte)0;
        var at = AccessEntry.Size;
        exchange.Trace.TraceIdBytes.CopyTo(entry[at..]);
        exchange.Trace.SpanId.CopyTo(entry[(at + 32)..]);
        at += AccessEntry.IdBytes;
        if (exchange.CallerAddress is { } address && address.TryFormat(entry[at..], out var written))
            at += fixedPart.Client = (ushort)written;
        at += fixedPart.Method = Copy(head.MethodName, entry[at..], MaxText);
        at += fixedPart.Host = Copy(head.Host, entry[at..], MaxText);
        at += fixedPart.Path = Copy(head.Path, entry[at..], MaxPath);
        at += fixedPart.Referer = Copy(WithoutSecrets(fields.First(KnownField.Referer)), entry[at..], MaxText);
        at += fixedPart.Agent = Copy(fields.First(KnownField.UserAgent), entry[at..], MaxText);
        at += fixedPart.Route = Copy(exchange.Route?.Name, entry[at..]);
        at += fixedPart.Instance = Copy(exchange.Instance?.Key.Id, entry[at..]);
        at += fixedPart.Code = Copy(code, entry[at..]);
        // Whole words, so that the next one's numbers are where the processor likes them.
        return fixedPart.Length = (at + 7) & ~7;
    }

    // A query may hold a token, and so may what stands before the host.
    private static ReadOnlySpan<byte> WithoutSecrets(ReadOnlySpan<byte> address)
    {
        var end = address.IndexOfAny("?#"u8);
        if (end >= 0) address = address[..end];
        return address.Contains((byte)'@') ? default : address;
    }

    private static ushort Copy(ReadOnlySpan<byte> text, Span<byte> into, int most)
    {
        if (text.Length > most) text = text[..most];
        text.CopyTo(into);
        return (ushort)text.Length;
    }

    private static ushort Copy(string? text, Span<byte> into)
    {
        if (text is null) return 0;
        // Names are bounded where they are made; a text that did not fit would be no name.
        return Encoding.UTF8.TryGetBytes(text, into[..MaxText], out var written) ? (ushort)written : (ushort)0;
    }

    /// <summary>The entries of one processor: one buffer is filled while the other is written.</summary>
    private sealed class Shard(int bytes)
    {
        private byte[] filling = new byte[bytes]; // Under the gate.
        private byte[] other = new byte[bytes]; // The writer's.

        public Lock Gate { get; } = new();

        /// <summary>Bytes that wait. Under the gate, as is the rest.</summary>
        public int Filled { get; set; }

        public int Half => filling.Length / 2;

        public Span<byte> Room => filling.AsSpan(Filled);

        public ReadOnlyMemory<byte> Take()
        {
            lock (Gate)
            {
                var taken = filling.AsMemory(0, Filled);
                (filling, other) = (other, filling);
                Filled = 0;
                return taken;
            }
        }
    }
}
