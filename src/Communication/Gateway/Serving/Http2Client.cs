using System.Buffers;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Wire;
using Groundwork.Wire.Http1;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace Groundwork.Communication.Gateway.Serving;

/// <summary>
/// One request of HTTP/2, whose frames the server software reads. Its head is written as one of HTTP/1.1 and read by
/// the one parser there is, so that every rule of it holds here too.
/// </summary>
internal sealed class Http2Client : IClient, ITraffic
{
    private readonly HttpContext context;
    private readonly Exchange exchange;
    private readonly ClientLimits limits;
    private readonly byte[] addressText;
    private readonly CancellationTokenSource bodyEnd = new();
    private AnswerHead? answer; // Begun and not yet written.
    private bool ended;

    public Http2Client(HttpContext context, Exchange exchange, ClientLimits limits)
    {
        this.context = context;
        this.exchange = exchange;
        this.limits = limits;
        Address = context.Connection.RemoteIpAddress is { } address
            ? address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address
            : null;
        addressText = Encoding.ASCII.GetBytes(Address?.ToString() ?? "unknown");
    }

    public IPAddress? Address { get; }

    public ReadOnlySpan<byte> AddressText => addressText;

    public bool IsSecure => context.Request.IsHttps;

    public X509Certificate2? Certificate => context.Features.Get<ITlsConnectionFeature>()?.ClientCertificate;

    public ReadOnlySpan<byte> Protocol => "2"u8;

    public bool IsGone => context.RequestAborted.IsCancellationRequested;

    public bool BodyTouched { get; private set; }

    public bool HasBegun { get; private set; }

    public int Status { get; private set; }

    public long BytesIn { get; private set; }

    public long BytesOut { get; private set; }

    public async Task ServeAsync(GatewayRequests requests)
    {
        using var ending = bodyEnd;
        if (!TryWriteHead(exchange.Request))
        {
            exchange.BeginRefused(this);
            await requests.RefuseAsync(exchange, HeadFault.FieldName);
            return;
        }
        switch (exchange.Request.Parse())
        {
            case HeadProgress.Complete when exchange.Request.ContentLength > limits.BodyBytes:
                exchange.Begin(this);
                await requests.RefuseAsync(exchange, 413);
                break;
            case HeadProgress.Complete:
                exchange.Begin(this);
                await using (context.RequestAborted.UnsafeRegister(
                    static self => ((Exchange)self!).Interrupt(), exchange))
                    await requests.HandleAsync(exchange);
                break;
            default:
                exchange.BeginRefused(this);
                await requests.RefuseAsync(exchange, exchange.Request.Fault);
                break;
        }
    }

    public ValueTask AskForBodyAsync() => ValueTask.CompletedTask; // The first read does.

    public async ValueTask<int> ReadBodyAsync(Memory<byte> into)
    {
        BodyTouched = true;
        try
        {
            var count = await context.Request.Body.ReadAsync(into, bodyEnd.Token);
            BytesIn += count;
            return count;
        }
        catch (BadHttpRequestException bad)
        {
            throw new ClientBodyException(HeadFault.None, bad.StatusCode);
        }
        catch (Exception fault) when (fault is IOException or OperationCanceledException)
        {
            throw new ClientBodyException(HeadFault.None, 0);
        }
    }

    public FieldTable? Trailers
    {
        get
        {
            if (context.Features.Get<IHttpRequestTrailersFeature>() is not { Available: true } sent) return null;
            try
            {
                return TrailerFields.Read(sent.Trailers.SelectMany(
                    one => one.Value, (one, value) => KeyValuePair.Create(one.Key, value ?? "")));
            }
            catch (InvalidDataException)
            {
                throw new ClientBodyException(HeadFault.Trailers, 400);
            }
        }
    }

    public void GiveUpBody() => bodyEnd.Cancel();

    public ValueTask InterimAsync(ResponseHead head) => ValueTask.CompletedTask; // The server software sends none.

    public void Begin(AnswerHead head) => answer = head;

    public void Write(ReadOnlySpan<byte> bytes)
    {
        WriteAnswerHead();
        context.Response.BodyWriter.Write(bytes);
        BytesOut += bytes.Length;
    }

    public Memory<byte> Room(int bytes) => default; // Frames are the server software's.

    public void Advance(int bytes) => throw new InvalidOperationException("There was no room to fill.");

    public void End(FieldTable? trailers)
    {
        WriteAnswerHead();
        ended = true;
        if (trailers is null || !context.Response.SupportsTrailers()) return;
        foreach (ref readonly var field in trailers.Fields)
            if (AnswerHead.IsPassedTrailer(field))
                context.Response.AppendTrailer(Text(trailers.NameOf(field)), Text(trailers.ValueOf(field)));
    }

    public async ValueTask<bool> FlushAsync()
    {
        WriteAnswerHead();
        try
        {
            if (ended)
            {
                // With the last frame, be it the head: a gRPC client takes a head for its trailers only then.
                var isThere = !IsGone; // A body that was not read to its end counts as gone afterwards.
                await context.Response.CompleteAsync();
                return isThere;
            }
            var flushed = await context.Response.BodyWriter.FlushAsync();
            return !flushed.IsCompleted && !IsGone;
        }
        catch (Exception fault) when (fault is IOException or OperationCanceledException or InvalidOperationException)
        {
            return false;
        }
    }

    public void Abort() => context.Abort();

    // False for fields that HTTP/2 does not have (RFC 9113, 8.2), or that would be others in HTTP/1.
    private bool TryWriteHead(RequestHead head)
    {
        var request = context.Request;
        Append(head, request.Method);
        head.Append(" "u8);
        // Never null: the server sets it for every request.
        Append(head, context.Features.Get<IHttpRequestFeature>()!.RawTarget);
        head.Append(" HTTP/1.1\r\nHost: "u8);
        Append(head, request.Host.Value ?? "");
        head.Append("\r\n"u8);
        foreach (var (name, values) in request.Headers)
        {
            if (name[0] == ':') continue;
            var known = KnownFields.Find(Encoding.Latin1.GetBytes(name));
            if (known == KnownField.Host) continue;
            if (name.Contains(':', StringComparison.Ordinal) || known is KnownField.Connection
                or KnownField.TransferEncoding or KnownField.KeepAlive or KnownField.Upgrade
                or KnownField.ProxyConnection) return false;
            foreach (var value in values) AppendField(head, name, value);
        }
        if (request.ContentLength is null
            && context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true })
            AppendField(head, "Transfer-Encoding", "chunked");
        head.Append("\r\n"u8);
        return true;
    }

    private static void AppendField(RequestHead head, string name, string? value)
    {
        Append(head, name);
        head.Append(": "u8);
        Append(head, value ?? "");
        head.Append("\r\n"u8);
    }

    // Latin-1, as the server read it: every byte stays what it was.
    private static void Append(RequestHead head, string text) => head.Append(Encoding.Latin1.GetBytes(text));

    private void WriteAnswerHead()
    {
        if (answer is not { } head) return;
        answer = null;
        HasBegun = true;
        var response = context.Response;
        response.StatusCode = Status = head.Status;
        response.Headers.Append(HeaderNames.RequestId, Text(exchange.Trace.SpanId));
        if (head.From is { } from)
            foreach (ref readonly var field in from.Fields.Fields)
                if (head.NameOf(from, field) is { IsEmpty: false } name)
                    response.Headers.Append(Text(name), Text(from.Fields.ValueOf(field)));
        if (head.Transformed is { } transformed)
            foreach (var field in transformed.AnswerFields)
                if (!head.IsDropped(field.Name))
                    response.Headers.Append(Text(field.Name), Text(field.Value));
        foreach (var (name, value) in head.Own) response.Headers.Append(name, value);
        foreach (var (name, value) in head.Added) response.Headers.Append(name, value);
        if (head.ContentLength >= 0 && head.Status is not (204 or < 200)
            && head.Body is BodyKind.None or BodyKind.Length) response.ContentLength = head.ContentLength;
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);
}
