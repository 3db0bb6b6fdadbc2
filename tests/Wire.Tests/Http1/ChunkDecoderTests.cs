using System.Text;
using Groundwork.Wire.Http1;

namespace Groundwork.Wire.Tests.Http1;

/// <summary>Chunked bodies as they come over the wire; written as in <see cref="RequestHeadTests"/>.</summary>
public sealed class ChunkDecoderTests
{
    public static TheoryData<string, string, string> Good => new()
    {
        { "5\nhello\n0\n\n", "hello", "" },
        { "0\n\n", "", "" },
        { "000\n\n", "", "" },
        { "1\na\n2\nbc\n0\n\n", "abc", "" },
        { "A\n0123456789\na\n0123456789\n0\n\n", "01234567890123456789", "" },
        { "000000000005\nhello\n0\n\n", "hello", "" },
        { "5;a=b\nhello\n0;c\n\n", "hello", "" },
        { "5;a=\"b\tc\"\nhello\n0\n\n", "hello", "" },
        { "5\nhello\n0\nX-Sum: 42\nY: 1\n\n", "hello", "X-Sum Y" },
        { "7\na\nb\nc\n0\n\n", "a\r\nb\r\nc"[..7], "" },
    };

    public static TheoryData<string, HeadFault> Bad => new()
    {
        { "zz\n", HeadFault.Chunk },
        { "\n", HeadFault.Chunk },
        { "0x5\nhello\n", HeadFault.Chunk },
        { "+5\nhello\n", HeadFault.Chunk },
        { "-5\nhello\n", HeadFault.Chunk },
        { " 5\nhello\n", HeadFault.Chunk },
        { "5 \nhello\n", HeadFault.Chunk },
        { "5\\nhello\n", HeadFault.Chunk },
        { "5\\r\\rhello\n", HeadFault.Chunk },
        { "5;a\\nhello\n", HeadFault.Chunk },
        { "5;a\\rb\nhello\n", HeadFault.Chunk },
        { "5;a\\0\nhello\n", HeadFault.Chunk },
        { "5\nhellox", HeadFault.Chunk },
        { "5\nhello\\n0\n\n", HeadFault.Chunk },
        { "5\nhello\\r0\n\n", HeadFault.Chunk },
        { "5\nhel\n0\n\nxx", HeadFault.Chunk },
        { "0000000000005\nhello\n", HeadFault.Chunk },
        { "ffffffffffffffff\n", HeadFault.Chunk },
        { "0\nX : 1\n\n", HeadFault.Trailers },
        { "0\n folded\n\n", HeadFault.Trailers },
        { "0\nX: 1\\n\n", HeadFault.Trailers },
        { "0\n\\n", HeadFault.Trailers },
    };

    [Theory]
    [MemberData(nameof(Good))]
    public void A_good_body_is_read_however_it_is_cut(string raw, string content, string trailers)
    {
        var bytes = RequestHeadTests.Bytes(raw + "next");
        foreach (var piece in new[] { int.MaxValue, 1, 2, 3 })
        {
            var decoder = new ChunkDecoder();
            var (read, progress, rest) = Read(decoder, bytes, piece);
            Assert.Equal(ChunkProgress.Complete, progress);
            Assert.Equal(content, read);
            Assert.Equal(4, rest); // What follows is not touched.
            Assert.Equal(trailers, string.Join(' ', decoder.Trailers.Fields.ToArray()
                .Select(field => Encoding.ASCII.GetString(decoder.Trailers.NameOf(field)))));
        }
    }

    [Theory]
    [MemberData(nameof(Bad))]
    public void A_bad_body_is_refused_however_it_is_cut(string raw, HeadFault fault)
    {
        foreach (var piece in new[] { int.MaxValue, 1, 2 })
        {
            var decoder = new ChunkDecoder();
            var (_, progress, _) = Read(decoder, RequestHeadTests.Bytes(raw), piece);
            Assert.Equal((ChunkProgress.Bad, fault), (progress, decoder.Fault));
        }
    }

    [Fact]
    public void Extensions_and_trailers_have_bounds()
    {
        var decoder = new ChunkDecoder();
        var flood = string.Concat(Enumerable.Repeat($"1;{new string('x', 1000)}\r\na\r\n", 5));
        Assert.Equal(ChunkProgress.Bad, Read(decoder, Encoding.ASCII.GetBytes(flood), int.MaxValue).Progress);
        decoder.Reset();
        var trailers = "0\r\n" + string.Concat(Enumerable.Repeat($"X: {new string('x', 1000)}\r\n", 9)) + "\r\n";
        Assert.Equal(ChunkProgress.Bad, Read(decoder, Encoding.ASCII.GetBytes(trailers), 100).Progress);
    }

    [Fact]
    public void What_is_written_is_read_again()
    {
        var output = new byte[100];
        foreach (var size in new[] { 1, 15, 16, 255, 65_535, int.MaxValue })
        {
            var length = Chunks.WriteSize(output, size);
            Assert.True(length <= Chunks.MaxSizeLine);
            Assert.Equal($"{size:x}\r\n", Encoding.ASCII.GetString(output, 0, length));
        }
    }

    private static (string Content, ChunkProgress Progress, int Left) Read(
        ChunkDecoder decoder, byte[] bytes, int piece)
    {
        var content = new StringBuilder();
        var at = 0;
        var progress = ChunkProgress.Incomplete;
        while (at < bytes.Length && progress is ChunkProgress.Incomplete or ChunkProgress.Content)
        {
            var offered = bytes.AsSpan(at, Math.Min(piece, bytes.Length - at));
            progress = decoder.Read(offered, out var consumed, out var length);
            content.Append(Encoding.Latin1.GetString(offered.Slice(consumed - length, length)));
            at += consumed;
            if (progress == ChunkProgress.Incomplete) Assert.Equal(offered.Length, consumed);
        }
        return (content.ToString(), progress, bytes.Length - at);
    }
}
