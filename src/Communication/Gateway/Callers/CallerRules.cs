using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Listening;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Callers;

/// <summary>Where proxies say who called them.</summary>
internal enum CallerSource { XForwardedFor, Forwarded, Single }

/// <summary>
/// Finds out who the caller is: the peer, unless it is a proxy that is believed; then whom that one names; and so on,
/// from the nearest to the farthest, for as many proxies as may stand before us. Compiled.
/// </summary>
internal sealed class CallerRules
{
    private readonly NetworkList trusted;
    private readonly int hops;

    private CallerRules(NetworkList trusted, NetworkList proxies, int hops, string source, bool realIp, bool forwarded)
    {
        this.trusted = trusted;
        this.hops = hops;
        Proxies = proxies;
        Source = source switch
        {
            "x-forwarded-for" => CallerSource.XForwardedFor,
            "forwarded" => CallerSource.Forwarded,
            _ => CallerSource.Single,
        };
        Header = Source == CallerSource.Single ? Encoding.ASCII.GetBytes(source) : [];
        TellsRealIp = realIp;
        TellsForwarded = forwarded;
    }

    /// <summary>Nobody is believed.</summary>
    public static CallerRules Nobody { get; } =
        new(NetworkList.Empty, NetworkList.Empty, ListenerRules.MaxHops, "x-forwarded-for", false, false);

    public CallerSource Source { get; }

    /// <summary>The one header that names the caller, where it is one; in lower case.</summary>
    public byte[] Header { get; }

    /// <summary>Whose connections begin with a header of the PROXY protocol.</summary>
    public NetworkList Proxies { get; }

    /// <summary>True when instances get <c>X-Real-IP</c>.</summary>
    public bool TellsRealIp { get; }

    /// <summary>True when instances get <c>Forwarded</c>.</summary>
    public bool TellsForwarded { get; }

    /// <param name="proxies">The process configuration's, where the listener names none.</param>
    public static CallerRules Compile(CallerSpec? spec, NetworkList proxies) => spec is null
        ? new(proxies, NetworkList.Empty, ListenerRules.MaxHops, "x-forwarded-for", false, false)
        : new(
            spec.Trusted is { } own ? NetworkList.Parse(own) : proxies,
            NetworkList.Parse(spec.ProxyProtocol ?? []),
            Math.Clamp(spec.Hops, 1, ListenerRules.MaxHops),
            spec.Source.ToLowerInvariant(),
            spec.Tell?.Contains("x-real-ip") == true,
            spec.Tell?.Contains("forwarded") == true);

    /// <summary>Decides whom the exchange is with.</summary>
    public void Resolve(Exchange exchange)
    {
        var peer = exchange.Client.Address;
        exchange.CallerAddress = peer;
        exchange.CallerIsSecure = exchange.Client.IsSecure || exchange.Arrival.CameOverTls;
        exchange.BelievedHops = 0;
        exchange.Trusted = !trusted.IsEmpty && trusted.Contains(peer);
        if (!exchange.Trusted) return;
        var fields = exchange.Request.Fields;
        switch (Source)
        {
            case CallerSource.XForwardedFor:
                Walk(exchange, fields, KnownField.XForwardedFor);
                TakeScheme(exchange, fields);
                break;
            case CallerSource.Forwarded:
                Walk(exchange, fields, KnownField.Forwarded);
                break;
            default:
                if (fields.TryGet(Header, out var value) && TryParse(value, out var caller))
                    exchange.CallerAddress = caller;
                TakeScheme(exchange, fields);
                break;
        }
    }

    /// <summary>The last elements of lists, in the order in which they stand; as many as the room holds.</summary>
    /// <returns>How many there are.</returns>
    public static int LastElements(FieldTable fields, KnownField known, Span<(int At, int Length)> room)
    {
        if (!fields.Has(known)) return 0;
        var count = 0;
        foreach (ref readonly var field in fields.Fields)
        {
            if (field.Known != known) continue;
            var value = fields.ValueOf(field);
            var at = 0;
            while (at <= value.Length)
            {
                var length = EndOfElement(value[at..]);
                var element = value.Slice(at, length);
                var begin = at + element.Length - element.TrimStart(" \t"u8).Length;
                var trimmed = element.Trim(" \t"u8).Length;
                if (trimmed > 0)
                {
                    if (count >= room.Length)
                    {
                        room[1..].CopyTo(room);
                        count = room.Length - 1;
                    }
                    room[count++] = (field.ValueAt + begin, trimmed);
                }
                at += length + 1;
            }
        }
        return count;
    }

    private void Walk(Exchange exchange, FieldTable fields, KnownField known)
    {
        Span<(int At, int Length)> room = stackalloc (int, int)[ListenerRules.MaxHops];
        var elements = room[..LastElements(fields, known, room)];
        var current = exchange.CallerAddress;
        while (exchange.BelievedHops < Math.Min(hops, elements.Length) && trusted.Contains(current))
        {
            var (at, length) = elements[^(exchange.BelievedHops + 1)];
            var element = fields.Slice(at, length);
            if (known == KnownField.Forwarded)
            {
                if (!ForwardedElement.TryRead(element, out var read)) break;
                if (read.IsHttps is { } secure) exchange.CallerIsSecure = secure;
                element = read.For;
            }
            // Who does not name the next one, or hides it, is the last that is known.
            if (!TryParse(element, out var next)) break;
            current = next;
            exchange.BelievedHops++;
        }
        exchange.CallerAddress = current;
    }

    // The scheme survives where TLS ended before us.
    private static void TakeScheme(Exchange exchange, FieldTable fields)
    {
        if (!fields.Has(KnownField.XForwardedProto)) return;
        var scheme = fields.First(KnownField.XForwardedProto);
        // Of a list the farthest one is the client's own.
        if (FieldTable.TryNextElement(ref scheme, out var first))
            exchange.CallerIsSecure = Ascii.EqualsIgnoreCase(first, "https"u8)
                || Ascii.EqualsIgnoreCase(first, "wss"u8);
    }

    // Commas inside quotes end nothing.
    private static int EndOfElement(ReadOnlySpan<byte> rest)
    {
        var quoted = false;
        for (var at = 0; at < rest.Length; at++)
        {
            if (rest[at] == '"') quoted = !quoted;
            else if (rest[at] == '\\' && quoted) at++;
            else if (rest[at] == ',' && !quoted) return at;
        }
        return rest.Length;
    }

    /// <summary>Reads an address with or without a port, such as <c>192.0.2.1:80</c> or <c>[2001:db8::1]:80</c>.
    /// </summary>
    internal static bool TryParse(ReadOnlySpan<byte> text, out IPAddress address)
    {
        address = IPAddress.None;
        if (text.Length is 0 or > 64) return false;
        if (text[0] == '[')
        {
            var end = text.IndexOf((byte)']');
            if (end < 0 || !IsPort(text[(end + 1)..])) return false;
            text = text[1..end];
            if (!text.Contains((byte)':')) return false;
        }
        else if (text.Count((byte)':') == 1)
        {
            var colon = text.IndexOf((byte)':');
            if (!IsPort(text[colon..])) return false;
            text = text[..colon];
        }
        // What the framework takes besides: "1", "0x7f.1", zones.
        if (text.Contains((byte)'%') || (!text.Contains((byte)':') && text.Count((byte)'.') != 3)) return false;
        if (!IPAddress.TryParse(text, out var parsed)) return false;
        address = parsed.IsIPv4MappedToIPv6 ? parsed.MapToIPv4() : parsed;
        return address.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6;
    }

    private static bool IsPort(ReadOnlySpan<byte> text) =>
        text.IsEmpty
        || (text[0] == ':' && text.Length <= 6 && Utf8Parser.TryParse(text[1..], out ushort _, out var used)
            && used == text.Length - 1);
}
