using System.Text;
using Groundwork.Communication.Gateway.Callers;
using Groundwork.Communication.Gateway.Listening;
using Groundwork.Communication.Gateway.Serving;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Exchanges;

/// <summary>
/// Writes the head that an instance gets. What the client names in <c>Connection</c> is taken out first, so that it
/// cannot take out what we add.
/// </summary>
internal static class RequestForm
{
    /// <summary>Our name in <c>Via</c>; the hops of it are counted against loops.</summary>
    private static ReadOnlySpan<byte> Pseudonym => "groundwork"u8;

    /// <summary>Bytes of what is ours in a head, besides what the client sent: names, addresses, the trace.</summary>
    private const int OursBytes = 1024;

    /// <summary>Room that suffices for the head.</summary>
    public static int RoomFor(Exchange exchange, ReadOnlySpan<byte> authority) =>
        exchange.Request.Fields.Filled + authority.Length + OursBytes + (exchange.Route.StrippedPrefix?.Length ?? 0)
        + (exchange.Transformed?.RequestBytes ?? 0) + RoomFor(exchange.RequestFields);

    private static int RoomFor(List<Transforms.WrittenField> fields)
    {
        var room = 0;
        foreach (var field in fields) room += field.Name.Length + field.Value.Length + 4;
        return room;
    }

    /// <summary>What an instance is told that it is called by.</summary>
    /// <param name="authority">The instance's own.</param>
    public static ReadOnlySpan<byte> HostOf(Exchange exchange, ReadOnlySpan<byte> authority) =>
        exchange.Transformed?.Host is { Length: > 0 } named ? named : authority;

    /// <summary>Writes the head; its bytes.</summary>
    /// <param name="authority">The instance's own.</param>
    /// <param name="attempt">Which try it is; the exchange's own when not given.</param>
    /// <param name="copied">Of a copy: the bytes of its body, which is not the client's any more.</param>
    public static int Write(
        Exchange exchange, ReadOnlySpan<byte> authority, Span<byte> output, int? copied = null, int? attempt = null)
    {
        var head = exchange.Request;
        var fields = head.Fields;
        var writer = new HeadWriter(output);
        writer.Write(head.MethodName);
        writer.Write((byte)' ');
        WriteTarget(ref writer, exchange);
        writer.Write(" HTTP/1.1\r\n"u8);
        writer.Field("Host"u8, HostOf(exchange, authority));
        WriteClients(ref writer, exchange, fields);
        if (exchange.Transformed is { } transformed)
            foreach (var field in transformed.RequestFields) writer.Field(field.Name, field.Value);
        foreach (var field in exchange.RequestFields) writer.Field(field.Name, field.Value);
        WriteForwarded(ref writer, exchange, fields);
        writer.Write("Via: "u8);
        WriteJoined(ref writer, fields, KnownField.Via);
        writer.Write(exchange.Client.Protocol);
        writer.Write((byte)' ');
        writer.Write(Pseudonym);
        writer.EndLine();
        exchange.Trace.Write(ref writer);
        if (exchange.Trace.IsContinued && fields.Has(KnownField.TraceState))
        {
            writer.Write("tracestate: "u8);
            WriteList(ref writer, fields, KnownField.TraceState, ","u8);
            writer.EndLine();
        }
        if (copied is null) WriteTry(ref writer, exchange, attempt ?? exchange.Attempt);
        WriteConnection(ref writer, exchange, copied);
        writer.EndLine();
        return writer.Length;
    }

    /// <summary>Room that suffices for the last chunk with these trailers.</summary>
    public static int RoomFor(FieldTable trailers) => trailers.Filled + Chunks.Last.Length;

    /// <summary>Writes the last chunk, with the trailers that the instance may get; its bytes.</summary>
    public static int WriteEnd(Exchange exchange, FieldTable? trailers, Span<byte> output)
    {
        var writer = new HeadWriter(output);
        writer.Write("0\r\n"u8);
        if (trailers is not null)
            foreach (ref readonly var field in trailers.Fields)
                if (IsPassedTrailer(exchange, trailers, field)) writer.Field(trailers, field);
        writer.EndLine();
        return writer.Length;
    }

    // None that says how to read, who asks, or what only we may say; and none that a field may not be.
    private static bool IsPassedTrailer(Exchange exchange, FieldTable trailers, in HeadField field) =>
        field.Known is not (KnownField.Cookie or KnownField.XRealIp)
        && AnswerHead.IsPassedTrailer(field)
        && !(field.Known == KnownField.Other && IsReserved(trailers.NameOf(field)))
        && IsPassed(exchange, trailers, field);

    private static void WriteTarget(ref HeadWriter writer, Exchange exchange)
    {
        var head = exchange.Request;
        var transformed = exchange.Transformed;
        var path = transformed?.Path is { } changed
            ? changed
            : head.Path[(exchange.Route.StrippedPrefix?.Length ?? 0)..];
        if (path.IsEmpty) writer.Write((byte)'/');
        else writer.Write(path);
        if (transformed?.Query is not { } query) writer.Write(head.Query);
        else if (query.Length > 0)
        {
            writer.Write((byte)'?');
            writer.Write(query);
        }
    }

    /// <summary>How often the request has passed a gateway of ours.</summary>
    public static int Hops(FieldTable fields)
    {
        if (!fields.Has(KnownField.Via)) return 0;
        var hops = 0;
        foreach (ref readonly var field in fields.Fields)
        {
            if (field.Known != KnownField.Via) continue;
            var rest = fields.ValueOf(field);
            while (FieldTable.TryNextElement(ref rest, out var element))
                if (element.EndsWith(Pseudonym)) hops++;
        }
        return hops;
    }

    private static void WriteClients(ref HeadWriter writer, Exchange exchange, FieldTable fields)
    {
        var (from, to) = (0, 0); // Whole lines that wait to be copied together.
        var cookies = false;
        foreach (ref readonly var field in fields.Fields)
        {
            if (!IsPassed(exchange, fields, field)) continue;
            if (field.Known == KnownField.Cookie)
            {
                // A client may cut them over several fields; HTTP/1.1 has one.
                if (cookies) continue;
                cookies = true;
                writer.Write("Cookie: "u8);
                WriteList(ref writer, fields, KnownField.Cookie, "; "u8);
                writer.EndLine();
            }
            else if (!field.IsPlain) writer.Field(fields, field);
            else if (field.NameAt == to) to = field.LineEnd;
            else
            {
                writer.Write(fields.Slice(from, to - from));
                (from, to) = (field.NameAt, field.LineEnd);
            }
        }
        writer.Write(fields.Slice(from, to - from));
    }

    private static bool IsPassed(Exchange exchange, FieldTable fields, in HeadField field)
    {
        switch (field.Known)
        {
            case KnownField.Other:
                var name = fields.NameOf(field);
                // To many servers X_Forwarded_For is X-Forwarded-For.
                if (name.Contains((byte)'_') || exchange.Trace.Replaces(name)) return false;
                if (IsReserved(name) && (!exchange.Trusted || IsOurs(name))) return false;
                if (!exchange.Trusted && NamesCaller(exchange, name)) return false;
                break;
            // Set below, or made from the body and the address.
            case KnownField.Host or KnownField.ContentLength or KnownField.Expect or KnownField.Via
                or KnownField.TraceParent or KnownField.TraceState or KnownField.AltUsed:
            // We speak X-Forwarded-*; two stories about one client are one too many.
            case KnownField.Forwarded or KnownField.XForwardedFor or KnownField.XForwardedProto
                or KnownField.XForwardedHost or KnownField.XForwardedPrefix:
                return false;
            case KnownField.XRealIp or KnownField.GroundworkRevision or KnownField.GroundworkRequestId:
                if (!exchange.Trusted
                    || (field.Known == KnownField.XRealIp && exchange.Arrival.Plan.Caller.TellsRealIp)) return false;
                break;
            default:
                if (KnownFields.IsHopByHop(field.Known)) return false;
                break;
        }
        return !IsWithheld(exchange.WithheldFields, fields.NameOf(field))
            && exchange.Transformed?.RemovesFromRequest(fields.NameOf(field)) != true
            && !exchange.Request.Names(fields.NameOf(field));
    }

    // The header by which a CDN names the caller, from somebody who is not the CDN.
    private static bool NamesCaller(Exchange exchange, ReadOnlySpan<byte> name) =>
        exchange.Arrival.Plan.Caller.Header is { Length: > 0 } header && Ascii.EqualsIgnoreCase(name, header);

    /// <summary>True for what only we, or a peer that is trusted, may say.</summary>
    private static bool IsReserved(ReadOnlySpan<byte> name) => (name[0] | 0x20) switch
    {
        'x' => name.Length >= 12 && Ascii.EqualsIgnoreCase(name[..12], "x-forwarded-"u8),
        'g' => name.Length >= 11 && Ascii.EqualsIgnoreCase(name[..11], "groundwork-"u8),
        _ => false,
    };

    /// <summary>
    /// True for what only we say, whoever else says it: a proxy that is believed about addresses passes on what its
    /// clients send. <c>Groundwork-Identity</c> of such a one is left: it is signed.
    /// </summary>
    private static bool IsOurs(ReadOnlySpan<byte> name) =>
        Ascii.EqualsIgnoreCase(name, "groundwork-deadline-ms"u8)
        || Ascii.EqualsIgnoreCase(name, "groundwork-attempt"u8)
        || Ascii.EqualsIgnoreCase(name, "groundwork-user"u8)
        || Ascii.EqualsIgnoreCase(name, "groundwork-key"u8)
        || Ascii.EqualsIgnoreCase(name, "groundwork-tenant"u8);

    private static bool IsWithheld(List<byte[]> withheld, ReadOnlySpan<byte> name)
    {
        foreach (var one in withheld)
            if (Ascii.EqualsIgnoreCase(name, one)) return true;
        return false;
    }

    // How long somebody still waits, and which try it is; the first says nothing.
    private static void WriteTry(ref HeadWriter writer, Exchange exchange, int attempt)
    {
        if (exchange.LeftMs is { } left)
        {
            writer.Write("Groundwork-Deadline-Ms: "u8);
            writer.Write(left);
            writer.EndLine();
        }
        if (attempt == 1) return;
        writer.Write("Groundwork-Attempt: "u8);
        writer.Write(attempt);
        writer.EndLine();
    }

    private static void WriteForwarded(ref HeadWriter writer, Exchange exchange, FieldTable fields)
    {
        var trusted = exchange.Trusted;
        writer.Write("X-Forwarded-For: "u8);
        WriteBelieved(ref writer, exchange, fields);
        writer.Write(exchange.Client.AddressText);
        writer.Write("\r\nX-Forwarded-Proto: "u8);
        writer.Write(exchange.CallerIsSecure ? "https"u8 : "http"u8);
        writer.EndLine();
        WriteTold(ref writer, exchange);
        if (trusted && fields.Has(KnownField.XForwardedHost))
            writer.Field("X-Forwarded-Host"u8, fields.First(KnownField.XForwardedHost));
        else if (exchange.Request.Authority is { IsEmpty: false } authority)
            writer.Field("X-Forwarded-Host"u8, authority);
        var before = trusted ? fields.First(KnownField.XForwardedPrefix) : default;
        if (before.IsEmpty && exchange.Route.StrippedPrefix is null) return;
        writer.Write("X-Forwarded-Prefix: "u8);
        writer.Write(before);
        writer.Write(exchange.Route.StrippedPrefix ?? "");
        writer.EndLine();
    }

    // What others have said and is believed, and a comma behind it.
    private static void WriteBelieved(ref HeadWriter writer, Exchange exchange, FieldTable fields)
    {
        if (!exchange.Trusted) return;
        if (exchange.Arrival.Plan.Caller.Source == CallerSource.XForwardedFor)
        {
            Span<(int At, int Length)> room = stackalloc (int, int)[ListenerRules.MaxHops];
            var count = CallerRules.LastElements(fields, KnownField.XForwardedFor, room);
            foreach (var (at, length) in room[(count - exchange.BelievedHops)..count])
            {
                writer.Write(fields.Slice(at, length));
                writer.Write(", "u8);
            }
        }
        else if (exchange.CallerAddress is { } caller && !caller.Equals(exchange.Client.Address))
        {
            Write(ref writer, caller);
            writer.Write(", "u8);
        }
    }

    // The same in other words, where the listener wants them.
    private static void WriteTold(ref HeadWriter writer, Exchange exchange)
    {
        var rules = exchange.Arrival.Plan.Caller;
        if (exchange.CallerAddress is not { } caller) return;
        if (rules.TellsRealIp)
        {
            writer.Write("X-Real-IP: "u8);
            Write(ref writer, caller);
            writer.EndLine();
        }
        if (!rules.TellsForwarded) return;
        var isIpv6 = caller.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6;
        writer.Write(isIpv6 ? "Forwarded: for=\"["u8 : "Forwarded: for="u8);
        Write(ref writer, caller);
        if (isIpv6) writer.Write("]\""u8);
        writer.Write(exchange.CallerIsSecure ? ";proto=https"u8 : ";proto=http"u8);
        if (exchange.Request.Authority is { IsEmpty: false } authority && authority.IndexOfAny("\"\\"u8) < 0)
        {
            writer.Write(";host=\""u8);
            writer.Write(authority);
            writer.Write((byte)'"');
        }
        writer.EndLine();
    }

    private static void Write(ref HeadWriter writer, System.Net.IPAddress address)
    {
        Span<byte> text = stackalloc byte[64]; // The longest has 45.
        address.TryFormat(text, out var length);
        writer.Write(text[..length]);
    }

    private static void WriteConnection(ref HeadWriter writer, Exchange exchange, int? copied)
    {
        var head = exchange.Request;
        if (head.Body == BodyKind.Chunked && copied is null) writer.Write("Transfer-Encoding: chunked\r\n"u8);
        else if (head.Body != BodyKind.None
            || head.Method is KnownMethod.Post or KnownMethod.Put or KnownMethod.Patch)
        {
            writer.Write("Content-Length: "u8);
            writer.Write(copied ?? head.ContentLength);
            writer.EndLine();
        }
        if (exchange.Upgrade) writer.Write("Connection: Upgrade\r\nUpgrade: websocket\r\n"u8);
        else if (exchange.TakesTrailers) writer.Write("TE: trailers\r\nConnection: TE\r\n"u8);
    }

    // What others have said already, and a comma behind it.
    private static void WriteJoined(ref HeadWriter writer, FieldTable fields, KnownField known)
    {
        if (!fields.Has(known)) return;
        WriteList(ref writer, fields, known, ", "u8);
        writer.Write(", "u8);
    }

    private static void WriteList(
        ref HeadWriter writer, FieldTable fields, KnownField known, ReadOnlySpan<byte> separator)
    {
        var first = true;
        foreach (ref readonly var field in fields.Fields)
        {
            if (field.Known != known) continue;
            if (!first) writer.Write(separator);
            first = false;
            writer.Write(fields.ValueOf(field));
        }
    }
}
