using System.Buffers;
using System.IO.Compression;
using Groundwork.Communication.Gateway.Serving;

namespace Groundwork.Communication.Gateway.Content.Compression;

/// <summary>Compresses one body, piece by piece, into a client. Not thread-safe.</summary>
internal abstract class ContentCoder : IDisposable
{
    public static ContentCoder Create(Coding coding, int level, IClient to) =>
        coding == Coding.Brotli ? new BrotliCoder(level, to) : new GzipCoder(level, to);

    public abstract void Write(ReadOnlySpan<byte> bytes);

    /// <summary>Brings out all that was written, so that it can be read.</summary>
    public abstract void Flush();

    /// <summary>Writes the end.</summary>
    public abstract void End();

    public abstract void Dispose();

    private sealed class BrotliCoder(int level, IClient to) : ContentCoder
    {
        /// <summary>256 KiB: pages are rarely larger, and the encoder's memory is a few times that.</summary>
        private const int WindowBits = 18;

        private const int PieceBytes = 16 * 1024;

        private BrotliEncoder encoder = new(level, WindowBits);

        public override void Write(ReadOnlySpan<byte> bytes) => Run(bytes, Step.Write);

        public override void Flush() => Run(default, Step.Flush);

        public override void End() => Run(default, Step.End);

        public override void Dispose() => encoder.Dispose();

        private void Run(ReadOnlySpan<byte> bytes, Step step)
        {
            var piece = ArrayPool<byte>.Shared.Rent(PieceBytes);
            try
            {
                OperationStatus status;
                do
                {
                    var (consumed, written) = (0, 0);
                    status = step == Step.Flush
                        ? encoder.Flush(piece, out written)
                        : encoder.Compress(bytes, piece, out consumed, out written, step == Step.End);
                    if (status == OperationStatus.InvalidData)
                        throw new InvalidOperationException("The encoder is in no state to go on.");
                    bytes = bytes[consumed..];
                    if (written > 0) to.Write(piece.AsSpan(0, written));
                }
                while (status == OperationStatus.DestinationTooSmall || !bytes.IsEmpty);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(piece);
            }
        }

        private enum Step { Write, Flush, End }
    }

    private sealed class GzipCoder : ContentCoder
    {
        private readonly ClientStream output;
        private readonly GZipStream stream;

        public GzipCoder(int level, IClient to)
        {
            output = new ClientStream(to);
            stream = new GZipStream(output, new ZLibCompressionOptions { CompressionLevel = level });
        }

        public override void Write(ReadOnlySpan<byte> bytes) => stream.Write(bytes);

        public override void Flush() => stream.Flush();

        public override void End() => stream.Dispose(); // Which writes it.

        public override void Dispose()
        {
            output.IsOver = true; // Who abandons it does not want its end, which is written here.
            stream.Dispose();
        }
    }

    /// <summary>A client's body as a stream that is written to.</summary>
    private sealed class ClientStream(IClient to) : Stream
    {
        public bool IsOver { get; set; }

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Flush()
        {
            // What is written goes out with the client's own flush.
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (!IsOver) to.Write(buffer);
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
