using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace Groundwork.Kernel.Hosting;

/// <summary>An address and port to listen on.</summary>
public readonly record struct ListenAddress(IPAddress Address, int Port)
{
    /// <summary>True when only programs of this machine can reach it.</summary>
    public bool IsLoopback => IPAddress.IsLoopback(Address);

    /// <summary>
    /// Reads <c>host:port</c>, where host is an IP address (IPv6 in brackets), <c>localhost</c> (127.0.0.1) or <c>*</c>
    /// (every address). Port 0 takes any free one. Names are not resolved: what a name means may change, a bind must
    /// not.
    /// </summary>
    public static bool TryParse(string? text, out ListenAddress address, [NotNullWhen(false)] out string? why)
    {
        address = default;
        why = null;
        var colon = text?.LastIndexOf(':') ?? -1;
        if (text is null || colon <= 0)
        {
            why = "must be host:port, such as 127.0.0.1:7400";
            return false;
        }
        if (!int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            || port > IPEndPoint.MaxPort)
        {
            why = $"must end in a port from 0 to {IPEndPoint.MaxPort}";
            return false;
        }
        var host = text[..colon];
        var ip = host switch
        {
            "localhost" => IPAddress.Loopback,
            "*" => IPAddress.IPv6Any,
            _ when host is ['[', .. var inner, ']'] && inner.Contains(':', StringComparison.Ordinal) => Parse(inner),
            _ when !host.Contains(':', StringComparison.Ordinal) => Parse(host),
            _ => null,
        };
        if (ip is null)
        {
            why = "must start with an IP address (IPv6 in brackets), localhost or *";
            return false;
        }
        address = new ListenAddress(ip, port);
        return true;
    }

    /// <summary>The same for text that is known to be right, such as a default in the code.</summary>
    public static ListenAddress Parse(string text, string what) =>
        TryParse(text, out var address, out var why) ? address : throw new ArgumentException($"{what} '{text}' {why}.");

    public IPEndPoint ToEndPoint() => new(Address, Port);

    public override string ToString() => ToEndPoint().ToString();

    // IPAddress.Parse also reads "1" and "0x7f.1"; four parts or an IPv6 address are what people mean.
    private static IPAddress? Parse(string host) =>
        IPAddress.TryParse(host, out var ip)
        && (host.Contains(':', StringComparison.Ordinal) || host.Count(c => c == '.') == 3) ? ip : null;
}
