using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Groundwork.Communication.Tests.Gateway.Listening;

/// <summary>A client that speaks TLS as a test wants it.</summary>
internal sealed class TlsClient : IAsyncDisposable
{
    private readonly SslStream stream;

    private TlsClient(SslStream stream, X509Certificate2? seen)
    {
        this.stream = stream;
        Subject = seen?.Subject ?? "";
    }

    /// <summary>Of the certificate that it was shown.</summary>
    public string Subject { get; }

    public SslProtocols Protocol => stream.SslProtocol;

    public string Alpn => Encoding.ASCII.GetString(stream.NegotiatedApplicationProtocol.Protocol.Span);

    public static async Task<TlsClient> ConnectAsync(
        IPEndPoint address, string serverName, SslProtocols protocols = SslProtocols.None, X509Certificate2? own = null,
        params SslApplicationProtocol[] alpn)
    {
        var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(address);
        X509Certificate2? seen = null;
        var secured = new SslStream(client.GetStream());
        try
        {
            await secured.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = serverName,
                EnabledSslProtocols = protocols,
                ApplicationProtocols = [.. alpn],
                ClientCertificates = own is null ? null : [own],
                RemoteCertificateValidationCallback = (_, shown, _, _) =>
                {
                    seen = shown as X509Certificate2;
                    return seen is not null; // The test looks at it.
                },
            });
        }
        catch
        {
            await secured.DisposeAsync();
            throw;
        }
        return new TlsClient(secured, seen);
    }

    /// <summary>Asks for a path of a host over HTTP/1.1: head and body of the answer, whose chunks are put together.
    /// </summary>
    public async Task<string> GetAsync(string host, string path = "/")
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20), TimeProvider.System);
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"), patience.Token);
        var read = new StringBuilder();
        var buffer = new byte[4096];
        while (true)
        {
            var count = await stream.ReadAsync(buffer, patience.Token);
            if (count == 0) return read.ToString();
            read.Append(Encoding.Latin1.GetString(buffer, 0, count));
            var text = read.ToString();
            var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end < 0) continue;
            var at = text.IndexOf("Content-Length: ", StringComparison.OrdinalIgnoreCase);
            if (at >= 0)
            {
                var length = int.Parse(text.AsSpan(at + 16, text.IndexOf('\r', at) - at - 16), null);
                if (text.Length >= end + 4 + length) return text;
            }
            else if (text.EndsWith("0\r\n\r\n", StringComparison.Ordinal) && text.Length > end + 4)
            {
                var lines = text[(end + 4)..].Split("\r\n");
                return text[..(end + 4)] + string.Concat(lines.Where((_, index) => index % 2 == 1));
            }
        }
    }

    public ValueTask DisposeAsync() => stream.DisposeAsync();
}
