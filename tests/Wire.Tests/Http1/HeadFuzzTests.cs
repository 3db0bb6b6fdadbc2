using Groundwork.Tests.Support;
using Groundwork.Wire.Http1;

namespace Groundwork.Wire.Tests.Http1;

/// <summary>
/// Heads and bodies that are broken at random, from heads and bodies that are not. Nothing that is read may throw, run
/// on, or grow; and what is let through says the same when it is written again and read again. <c>TESTS_COUNT</c> sets
/// how many: ten million take some minutes.
/// </summary>
public sealed class HeadFuzzTests
{
    private const int Usual = 100_000;
    private const int Whole = 10_000_000;

    private static readonly HeadLimits Limits = new(LineBytes: 1024, FieldsBytes: 2048, Fields: 20);

    private static readonly string[] Pieces =
    [
        "\r\n", "\n", "\r", "\0", " ", "\t", ":", ",", "\r\n\r\n", "\r\n ", "GET ", "/", "..", "%2e", "%2F", "%", ";",
        "HTTP/1.1", "HTTP/1.0", "Host: a\r\n", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n",
        "Connection: close\r\n", "chunked", "\u007f", "\u00ff", "http://b", "[::1]", "999999999999999999", "-", "+",
        "0",
    ];

    [Fact]
    public void No_mutated_head_breaks_the_parser()
    {
        var seeds = RequestHeadTests.Good.Select(row => RequestHeadTests.Bytes(row.Data.Item1))
            .Concat(RequestHeadTests.Bad.Select(row => RequestHeadTests.Bytes(row.Data.Item1))).ToArray();
        var random = LongRun.Random();
        var head = new RequestHead(Limits);
        var again = new RequestHead(Limits);
        var output = new byte[8 * 1024];
        var bytes = new byte[4 * 1024];
        var complete = 0;
        var count = LongRun.Count(Usual, Whole);
        for (var round = 0; round < count; round++)
        {
            var length = Mutate(seeds[random.Next(seeds.Length)], bytes, random);
            head.Clear();
            var progress = Feed(head, bytes.AsSpan(0, length), random);
            if (progress != HeadProgress.Complete) continue;
            complete++;
            Assert.True(head.Length <= length);
            again.Clear();
            again.Append(Rewrite(head, output));
            Assert.True(again.Parse() == HeadProgress.Complete, again.Fault.ToString());
            Assert.Equal(RequestHeadTests.Describe(head), RequestHeadTests.Describe(again));
            Assert.Equal(head.Fields.Count, again.Fields.Count);
        }
        // Mutations are small enough that many heads survive them: the second half is not idle.
        Assert.InRange(complete, count / 50, count);
        TestContext.Current.TestOutputHelper?.WriteLine($"{count} heads, {complete} let through");
    }

    [Fact]
    public void No_mutated_answer_breaks_the_parser()
    {
        var seeds = ResponseHeadTests.Good.Select(row => RequestHeadTests.Bytes(row.Data.Item2))
            .Concat(ResponseHeadTests.Bad.Select(row => RequestHeadTests.Bytes(row.Data.Item1))).ToArray();
        var random = LongRun.Random();
        var head = new ResponseHead(Limits);
        var bytes = new byte[4 * 1024];
        var count = LongRun.Count(Usual, Whole) / 2;
        for (var round = 0; round < count; round++)
        {
            var length = Mutate(seeds[random.Next(seeds.Length)], bytes, random);
            head.Clear();
            head.Append(bytes.AsSpan(0, length));
            if (head.Parse() == HeadProgress.Complete) Assert.InRange(head.Status, 100, 599);
        }
    }

    [Fact]
    public void No_mutated_body_breaks_the_decoder()
    {
        var seeds = ChunkDecoderTests.Good.Select(row => RequestHeadTests.Bytes(row.Data.Item1)).ToArray();
        var random = LongRun.Random();
        var decoder = new ChunkDecoder();
        var bytes = new byte[4 * 1024];
        var count = LongRun.Count(Usual, Whole) / 2;
        for (var round = 0; round < count; round++)
        {
            var length = Mutate(seeds[random.Next(seeds.Length)], bytes, random);
            decoder.Reset();
            var (at, total) = (0, 0);
            while (at < length)
            {
                var progress = decoder.Read(
                    bytes.AsSpan(at, random.Next(1, length - at + 1)), out var consumed, out var content);
                Assert.True(consumed > 0 || progress is ChunkProgress.Bad or ChunkProgress.Complete);
                at += consumed;
                total += content;
                if (progress is ChunkProgress.Bad or ChunkProgress.Complete) break;
            }
            Assert.True(total <= length);
        }
    }

    private static HeadProgress Feed(RequestHead head, ReadOnlySpan<byte> bytes, Random random)
    {
        // Most arrive whole; the rest in two.
        var cut = random.Next(3) == 0 ? random.Next(bytes.Length + 1) : bytes.Length;
        head.Append(bytes[..cut]);
        var progress = head.Parse();
        if (progress != HeadProgress.Incomplete) return progress;
        head.Append(bytes[cut..]);
        return head.Parse();
    }

    private static ReadOnlySpan<byte> Rewrite(RequestHead head, byte[] output)
    {
        var writer = new HeadWriter(output);
        writer.Write(head.MethodName);
        writer.Write((byte)' ');
        var hasHost = head.Fields.Has(KnownField.Host);
        // What the absolute form alone says of an HTTP/1.0 request.
        if (!hasHost && head.Method != KnownMethod.Connect && !head.Host.IsEmpty)
        {
            writer.Write("http://"u8);
            writer.Write(head.Host);
        }
        writer.Write(head.Method == KnownMethod.Connect || head.Path.IsEmpty ? head.Target : head.Path);
        writer.Write(head.Query);
        writer.Write(head.MinorVersion == 1 ? " HTTP/1.1\r\n"u8 : " HTTP/1.0\r\n"u8);
        foreach (var field in head.Fields.Fields)
        {
            if (field.Known == KnownField.Host && head.Method != KnownMethod.Connect) writer.Field("Host"u8, head.Host);
            else writer.Field(head.Fields, field);
        }
        writer.EndLine();
        return output.AsSpan(0, writer.Length);
    }

    private static int Mutate(byte[] seed, byte[] into, Random random)
    {
        var length = seed.Length;
        seed.CopyTo(into, 0);
        for (var change = random.Next(4); change > 0; change--)
        {
            var at = random.Next(length + 1);
            switch (random.Next(5))
            {
                case 0 when at < length:
                    into[at] = (byte)random.Next(256);
                    break;
                case 1 when at < length:
                    into.AsSpan(at + 1, length - at - 1).CopyTo(into.AsSpan(at));
                    length--;
                    break;
                case 2:
                    var piece = System.Text.Encoding.Latin1.GetBytes(Pieces[random.Next(Pieces.Length)]);
                    into.AsSpan(at, length - at).CopyTo(into.AsSpan(at + piece.Length));
                    piece.CopyTo(into.AsSpan(at));
                    length += piece.Length;
                    break;
                case 3 when at < length:
                    // A part of it once more.
                    var part = Math.Min(random.Next(1, 40), length - at);
                    var copy = into.AsSpan(at, part).ToArray();
                    into.AsSpan(at, length - at).CopyTo(into.AsSpan(at + part));
                    copy.CopyTo(into.AsSpan(at));
                    length += part;
                    break;
                default:
                    length = Math.Max(1, at);
                    break;
            }
        }
        return length;
    }
}
