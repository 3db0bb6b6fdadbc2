using System.Net;
using System.Net.Sockets;

namespace Groundwork.Communication.Dns.Protocols.Plain;

/// <summary>A datagram while its receiver looks at it; nothing of it lasts longer.</summary>
/// <param name="socket">That it came to, and that an answer leaves by.</param>
/// <param name="bytes">What it says.</param>
/// <param name="answer">Room for an answer.</param>
/// <param name="from">Where it came from, as the system writes it.</param>
/// <param name="peer">The same without its port.</param>
/// <param name="listener">That the socket is bound to.</param>
internal readonly ref struct Datagram(
    Socket socket, ReadOnlySpan<byte> bytes, Span<byte> answer, SocketAddress from, IPAddress peer, IPAddress listener)
{
    public Socket Socket { get; } = socket;

    public ReadOnlySpan<byte> Bytes { get; } = bytes;

    public Span<byte> Answer { get; } = answer;

    public SocketAddress From { get; } = from;

    public IPAddress Peer { get; } = peer;

    public IPAddress Listener { get; } = listener;
}
