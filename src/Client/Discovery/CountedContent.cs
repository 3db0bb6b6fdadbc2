using System.Net;
using Groundwork.Client.Platform;

namespace Groundwork.Client.Discovery;

/// <summary>An answer's body that gives the call's place back when it ends, however it is read.</summary>
internal sealed class CountedContent : HttpContent
{
    private readonly HttpContent inner;
    private readonly CallPlace place;

    public CountedContent(HttpContent inner, CallPlace place, TimeSpan took)
    {
        this.inner = inner;
        this.place = place;
        Took = took;
        place.HandOn();
        foreach (var (name, values) in inner.Headers.NonValidated)
        {
            // A single value is its own text, which the list of them would only be wrapped around.
            if (values.Count == 1) Headers.TryAddWithoutValidation(name, values.ToString());
            else Headers.TryAddWithoutValidation(name, values);
        }
    }

    /// <summary>How long the answer took to begin.</summary>
    public TimeSpan Took { get; }

    public CallPlace Place => place;

    protected override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        using (place) await inner.CopyToAsync(stream, context, cancellationToken);
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override void SerializeToStream(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        using (place) inner.CopyTo(stream, context, cancellationToken);
    }

    protected override async Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken) =>
        new CountedStream(await inner.ReadAsStreamAsync(cancellationToken), place);

    protected override Task<Stream> CreateContentReadStreamAsync() =>
        CreateContentReadStreamAsync(CancellationToken.None);

    protected override Stream CreateContentReadStream(CancellationToken cancellationToken) =>
        new CountedStream(inner.ReadAsStream(cancellationToken), place);

    protected override bool TryComputeLength(out long length)
    {
        length = inner.Headers.ContentLength ?? 0;
        return inner.Headers.ContentLength is not null;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
            place.Dispose();
        }
        base.Dispose(disposing);
    }

    /// <summary>Reads through, and is over at the end, at a fault, or when it is disposed.</summary>
    private sealed class CountedStream(Stream inner, CallPlace place) : ReadOnlyStream(inner)
    {
        public override bool CanTimeout => Inner.CanTimeout;

        public override async ValueTask<int> ReadAsync(
            Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            try
            {
                return Seen(await Inner.ReadAsync(buffer, cancellationToken), buffer.Length);
            }
            catch
            {
                place.Dispose();
                throw;
            }
        }

        public override int Read(Span<byte> buffer) => Seen(Inner.Read(buffer), buffer.Length);

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override async Task CopyToAsync(
            Stream destination, int bufferSize, CancellationToken cancellationToken)
        {
            using (place) await Inner.CopyToAsync(destination, bufferSize, cancellationToken);
        }

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            if (disposing) place.Dispose();
        }

        private int Seen(int count, int wanted)
        {
            if (count == 0 && wanted > 0) place.Dispose();
            return count;
        }
    }
}
