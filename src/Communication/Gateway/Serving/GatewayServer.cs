using System.Buffers;
using System.Globalization;
using System.Text;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Timing;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Gateway.Serving;

/// <summary>
/// Serves the clients of the gateway's listener: those that speak HTTP/1 by our own loop, those of HTTP/2 request by
/// request as the server software hands them over. Both come to the same exchange.
/// </summary>
internal sealed class GatewayServer(
    GatewayRequests requests, ExchangePool exchanges, Deadlines deadlines, ClientLimits limits, TimeProvider time)
{
    private CachedDate date = new(0, []);

    public GatewayRequests Requests => requests;

    public ExchangePool Exchanges => exchanges;

    /// <summary>Of the waits for clients.</summary>
    public Deadlines Deadlines => deadlines;

    public ClientLimits Limits => limits;

    public TimeProvider Time => time;

    /// <summary>
    /// Serves one connection of HTTP/1 to its end. False when it begins as HTTP/2; then nothing is consumed of it.
    /// </summary>
    public async Task<bool> ServeAsync(ConnectionContext connection)
    {
        requests.Traffic.ConnectionOpened();
        try
        {
            return await new Http1Client(connection, this).RunAsync();
        }
        finally
        {
            requests.Traffic.ConnectionClosed();
        }
    }

    /// <summary>Answers one request of HTTP/2.</summary>
    public async Task ServeAsync(HttpContext context)
    {
        var exchange = exchanges.Rent();
        try
        {
            await new Http2Client(context, exchange, limits).ServeAsync(requests);
        }
        finally
        {
            exchanges.Return(exchange);
        }
    }

    /// <summary>The time as the Date field has it.</summary>
    public ReadOnlySpan<byte> Date()
    {
        var now = time.GetUtcNow();
        var second = now.ToUnixTimeSeconds();
        var known = Volatile.Read(ref date);
        if (known.Second != second)
        {
            known = new CachedDate(second, Encoding.ASCII.GetBytes(now.ToString("R", CultureInfo.InvariantCulture)));
            Volatile.Write(ref date, known);
        }
        return known.Text;
    }

    private sealed record CachedDate(long Second, byte[] Text);
}
