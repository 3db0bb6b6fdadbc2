using System.Buffers;
using Groundwork.Wire.Grpc;

namespace Groundwork.Wire.Tests.Grpc;

public sealed class GrpcFramesTests
{
    private const int Most = 10;

    [Fact]
    public void Messages_come_off_one_by_one_however_they_were_cut()
    {
        var written = new ArrayBufferWriter<byte>();
        foreach (var message in new[] { "abc"u8.ToArray(), [], "0123456789"u8.ToArray() })
        {
            GrpcFrames.WriteHead(written, message.Length);
            written.Write(message);
        }
        for (var cut = 0; cut <= written.WrittenCount; cut++)
        {
            var buffer = Cut(written.WrittenSpan.ToArray(), cut);
            Assert.Equal(GrpcFrames.Found.Message, GrpcFrames.TryTake(ref buffer, Most, out var first));
            Assert.Equal("abc"u8.ToArray(), first.ToArray());
            Assert.Equal(GrpcFrames.Found.Message, GrpcFrames.TryTake(ref buffer, Most, out var empty));
            Assert.True(empty.IsEmpty);
            Assert.Equal(GrpcFrames.Found.Message, GrpcFrames.TryTake(ref buffer, Most, out var last));
            Assert.Equal(Most, last.Length);
            Assert.True(buffer.IsEmpty);
        }
    }

    [Theory]
    [InlineData(new byte[] { }, GrpcFrames.Found.TooLittle)]
    [InlineData(new byte[] { 0, 0, 0, 0 }, GrpcFrames.Found.TooLittle)]
    [InlineData(new byte[] { 0, 0, 0, 0, 2, 1 }, GrpcFrames.Found.TooLittle)]
    [InlineData(new byte[] { 0, 0, 0, 0, 11 }, GrpcFrames.Found.TooLarge)]
    [InlineData(new byte[] { 0, 255, 255, 255, 255 }, GrpcFrames.Found.TooLarge)]
    [InlineData(new byte[] { 1, 0, 0, 0, 1, 1 }, GrpcFrames.Found.Compressed)]
    [InlineData(new byte[] { 2, 0, 0, 0, 1, 1 }, GrpcFrames.Found.Malformed)]
    public void What_is_no_whole_message_is_told_and_left_where_it_is(byte[] bytes, GrpcFrames.Found expected)
    {
        var buffer = new ReadOnlySequence<byte>(bytes);
        Assert.Equal(expected, GrpcFrames.TryTake(ref buffer, Most, out _));
        Assert.Equal(bytes.Length, buffer.Length);
    }

    [Theory]
    [InlineData("etcdserver: permission denied", "etcdserver: permission denied")]
    [InlineData("100%\n", "100%25%0A")]
    [InlineData("ä", "%C3%A4")]
    public void Text_is_carried_as_plain_ascii(string text, string encoded) =>
        Assert.Equal(encoded, GrpcFrames.EncodeText(text));

    private static ReadOnlySequence<byte> Cut(byte[] bytes, int at)
    {
        var first = new Part(bytes.AsMemory(..at), null);
        var second = new Part(bytes.AsMemory(at..), first);
        return new ReadOnlySequence<byte>(first, 0, second, second.Memory.Length);
    }

    private sealed class Part : ReadOnlySequenceSegment<byte>
    {
        public Part(ReadOnlyMemory<byte> memory, Part? before)
        {
            Memory = memory;
            if (before is null) return;
            RunningIndex = before.RunningIndex + before.Memory.Length;
            before.Next = this;
        }
    }
}
