using System.Globalization;
using System.Runtime.CompilerServices;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Serving;
using Groundwork.Wire;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Content.Caching;

/// <summary>Gives clients what is kept: the whole, a part of it, or that they have it already.</summary>
internal sealed class KeptAnswers(OwnAnswers answers, GatewayCounters counters)
{
    /// <summary>Our name in <c>Cache-Status</c> (RFC 9211).</summary>
    public const string Name = "groundwork";

    /// <summary>Bytes that are written before the client is waited for.</summary>
    private const int PieceBytes = 64 * 1024;

    // They describe a body, which 304 has none of (RFC 9110, 15.4.5).
    private static readonly string[] OfBody =
        ["Content-Type", "Content-Encoding", "Content-Language", "Accept-Ranges"];

    /// <summary>Answers with what is kept.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask GiveAsync(Exchange exchange, StoredAnswer kept, string status, DateTimeOffset now)
    {
        var client = exchange.Client;
        var body = Begin(exchange, kept, status, now, client);
        for (var at = 0; at < body.Length; at += PieceBytes)
        {
            client.Write(body.Span[at..Math.Min(body.Length, at + PieceBytes)]);
            if (at + PieceBytes < body.Length && !await client.FlushAsync()) return;
        }
        client.End(null);
        await client.FlushAsync();
    }

    /// <summary>The same in place of another answer, to be flushed by who gives that.</summary>
    public void Give(Exchange exchange, StoredAnswer kept, string status, DateTimeOffset now, IClient to)
    {
        var body = Begin(exchange, kept, status, now, to);
        if (!body.IsEmpty) to.Write(body.Span);
        to.End(null);
    }

    /// <summary>Makes 304 of an answer of which the client has the body.</summary>
    public static void Spare(AnswerHead head)
    {
        head.Status = 304;
        head.Body = BodyKind.None;
        head.ContentLength = -1;
        head.Dropped.AddRange(OfBody);
        head.Own.RemoveAll(static field => field.Key is "Content-Encoding" or "Content-Type");
    }

    private ReadOnlyMemory<byte> Begin(
        Exchange exchange, StoredAnswer kept, string status, DateTimeOffset now, IClient to)
    {
        var head = exchange.Head;
        var (closes, fields) = (head.Closes, exchange.Request.Fields);
        head.Clear();
        head.Closes = closes;
        head.Status = kept.Head.Status;
        head.From = kept.Head;
        answers.Stamp(exchange);
        var age = kept.AgeAt(now);
        head.Added.Add(new("Age", age.ToString(CultureInfo.InvariantCulture)));
        head.Added.Add(new("Cache-Status", status));
        var body = kept.Body;
        var isOk = head.Status == 200;
        if (isOk && Preconditions.HasIt(fields, kept.ClientTag, kept.Modified))
        {
            Spare(head);
            body = default;
        }
        else
        {
            if (isOk && fields.Has(KnownField.Range) && exchange.Request.Method == KnownMethod.Get
                && Preconditions.IsOfSame(fields, kept.ClientTag, kept.Modified)) body = Cut(head, fields, body);
            head.ContentLength = body.Length;
            if (exchange.Request.Method == KnownMethod.Head || head.Status == 204) body = default;
            head.Body = body.IsEmpty ? BodyKind.None : BodyKind.Length;
        }
        counters.Answered(exchange.Route, head.Status);
        to.Begin(head);
        return body;
    }

    private static ReadOnlyMemory<byte> Cut(AnswerHead head, FieldTable fields, ReadOnlyMemory<byte> body)
    {
        switch (ByteRange.Read(fields, body.Length, out var from, out var count))
        {
            case RangeWish.Part:
                head.Status = 206;
                head.Added.Add(new("Content-Range", string.Create(
                    CultureInfo.InvariantCulture, $"bytes {from}-{from + count - 1}/{body.Length}")));
                return body.Slice((int)from, (int)count);
            case RangeWish.None:
                head.Status = 416;
                head.Dropped.AddRange(OfBody);
                head.Added.Add(new("Content-Range", string.Create(
                    CultureInfo.InvariantCulture, $"bytes */{body.Length}")));
                return default;
            default:
                return body;
        }
    }
}
