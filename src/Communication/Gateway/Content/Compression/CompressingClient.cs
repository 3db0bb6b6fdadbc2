using System.Text;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Serving;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Content.Compression;

/// <summary>
/// Compresses the answer on its way to the client, where that is right: never parts of a whole, what is coded already,
/// what says that nobody may, or secrets beside what the client can choose (their length would tell them).
/// </summary>
internal sealed class CompressingClient(
    Exchange exchange, CompressionStep step, CompressionMaker maker, Coding coding, bool hasCredentials)
    : PassingClient(exchange.Client), IHeld
{
    // What they say of the bytes does not hold for other bytes.
    private static readonly string[] OfTheBytes =
        ["Accept-Ranges", "Content-MD5", "Digest", "Content-Digest", "Repr-Digest"];

    private static readonly KeyValuePair<string, string> VaryByCoding = new("Vary", "Accept-Encoding");

    private ContentCoder? coder;
    private bool streams; // Nobody knows when more comes: what is there goes out.
    private bool holds; // Something was written since the last flush.

    public override void Begin(AnswerHead head)
    {
        GiveBack();
        if (head.Status == 304) Vary(head);
        else if (IsCompressible(head))
        {
            Vary(head);
            if (coding != Coding.None && exchange.Request.Method != KnownMethod.Head && maker.TryBegin())
                Compress(head);
        }
        Next.Begin(head);
    }

    public override void Write(ReadOnlySpan<byte> bytes)
    {
        if (coder is null)
        {
            Next.Write(bytes);
            return;
        }
        if (bytes.IsEmpty) return;
        coder.Write(bytes);
        holds = true;
    }

    public override Memory<byte> Room(int bytes) => coder is null ? Next.Room(bytes) : default;

    public override void End(FieldTable? trailers)
    {
        coder?.End();
        GiveBack();
        Next.End(trailers);
    }

    public override ValueTask<bool> FlushAsync()
    {
        if (streams && holds) coder?.Flush();
        holds = false;
        return Next.FlushAsync();
    }

    public override void Abort()
    {
        Next.Abort();
        GiveBack();
    }

    public void End(Exchange ended) => GiveBack();

    private bool IsCompressible(AnswerHead head)
    {
        if (head.Status is < 200 or 204 or 206) return false;
        if (head.ContentLength >= 0 && head.ContentLength < step.MinBytes) return false;
        if (head.Body == BodyKind.None && exchange.Request.Method != KnownMethod.Head) return false;
        if (!step.Types.Has(TypeOf(head)) || !head.Find("content-encoding"u8).IsEmpty
            || !head.Find("content-range"u8).IsEmpty) return false;
        if (head.From is { } from && from.Fields.HasToken(KnownField.CacheControl, "no-transform"u8)) return false;
        if (step.WithCredentials) return true;
        if (!hasCredentials && head.Find("set-cookie"u8).IsEmpty && !Adds(head, "Set-Cookie")) return true;
        exchange.Note(Stage.Compression, "left alone beside credentials");
        return false;
    }

    private void Compress(AnswerHead head)
    {
        streams = head.Body != BodyKind.Length || MediaTypes.IsEvents(TypeOf(head));
        var tag = head.Find("etag"u8);
        if (!tag.IsEmpty)
        {
            // The same content in other bytes (RFC 9110, 8.8.1).
            var text = Encoding.Latin1.GetString(tag);
            head.Dropped.Add("ETag");
            head.Own.RemoveAll(static field => field.Key == "ETag");
            head.Own.Add(new("ETag", text.StartsWith("W/", StringComparison.Ordinal) ? text : "W/" + text));
        }
        head.Dropped.AddRange(OfTheBytes);
        head.Own.RemoveAll(static field => field.Key == "Accept-Ranges");
        head.Own.Add(new("Content-Encoding", AcceptedCodings.NameOf(coding)));
        head.Body = BodyKind.Chunked;
        head.ContentLength = -1;
        coder = ContentCoder.Create(coding, step.Level, Next);
        exchange.Note(Stage.Compression, coding == Coding.Brotli ? "br" : "gzip");
    }

    private static void Vary(AnswerHead head)
    {
        if (head.From is { } from && (from.Fields.HasToken(KnownField.Vary, "accept-encoding"u8)
            || from.Fields.HasToken(KnownField.Vary, "*"u8))) return;
        head.Own.Add(VaryByCoding);
    }

    // Our own answers have their fields with what is added for the client.
    private static ReadOnlySpan<byte> TypeOf(AnswerHead head)
    {
        var type = head.Find("content-type"u8);
        if (!type.IsEmpty || head.From is not null) return type;
        foreach (var (name, value) in head.Added)
            if (name == "Content-Type") return Encoding.Latin1.GetBytes(value);
        return default;
    }

    private static bool Adds(AnswerHead head, string field)
    {
        foreach (var (name, _) in head.Added)
            if (name == field) return true;
        return false;
    }

    private void GiveBack()
    {
        if (coder is null) return;
        var mine = coder;
        coder = null;
        streams = holds = false;
        mine.Dispose();
        maker.End();
    }
}
