using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Groundwork.Communication.Gateway.Forwarding;

/// <summary>
/// WebSockets (RFC 6455): once both sides have agreed, bytes pass untouched. No other protocol is upgraded to: an
/// <c>Upgrade: h2c</c>
/// passed on would open a connection past every rule here. Such a wish is dropped, as RFC 9110 (7.8) allows.
/// </summary>
internal static class Upgrades
{
    private const string WebSocket = "websocket";

    public static bool IsWanted(HttpContext context) =>
        context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true }
        && HttpMethods.IsGet(context.Request.Method)
        && HopHeaders.HasToken(context.Request.Headers.Connection, "Upgrade")
        && HopHeaders.HasToken(context.Request.Headers.Upgrade, WebSocket);

    public static void Ask(HttpRequestMessage message)
    {
        message.Headers.TryAddWithoutValidation("Connection", "Upgrade");
        message.Headers.TryAddWithoutValidation("Upgrade", WebSocket);
    }

    /// <summary>Passes bytes both ways until either side ends or nothing comes for the idle time.</summary>
    public static async Task<BodyEnd> RunAsync(Exchange exchange, HttpResponseMessage answer)
    {
        var context = exchange.Context;
        context.Response.Headers.Upgrade = WebSocket;
        // Never null here: the wish was only taken up where the server offers it.
        await using var client = await context.Features.Get<IHttpUpgradeFeature>()!.UpgradeAsync();
        await using var instance = await answer.Content.ReadAsStreamAsync(exchange.Deadline.Token);
        var deadline = exchange.Deadline;
        deadline.Arm(exchange.Route.IdleTimeout);
        var fromInstance = PassAsync(instance, client, deadline, exchange.Route.IdleTimeout);
        var fromClient = PassAsync(client, instance, deadline, exchange.Route.IdleTimeout);
        var first = await Task.WhenAny(fromInstance, fromClient);
        // Without one direction the other has nothing to say: a WebSocket closes by messages, which have passed by now.
        deadline.Arm(TimeSpan.Zero);
        await Task.WhenAll(fromInstance, fromClient);
        return first == fromClient || deadline.ClientGone ? BodyEnd.ClientGone
            : await fromInstance ? BodyEnd.Complete
            : BodyEnd.InstanceFailed;
    }

    /// <summary>True when the source ended of itself.</summary>
    private static async Task<bool> PassAsync(Stream from, Stream to, Deadline deadline, TimeSpan idle)
    {
        var buffer = new byte[4 * 1024]; // A message of a chat or a ticker; larger ones take several turns.
        try
        {
            for (; ; )
            {
                var count = await from.ReadAsync(buffer, deadline.Token);
                if (count == 0) return true;
                deadline.Arm(idle);
                await to.WriteAsync(buffer.AsMemory(0, count), deadline.Token);
                await to.FlushAsync(deadline.Token);
            }
        }
        catch (Exception fault) when (fault is IOException or OperationCanceledException or ObjectDisposedException)
        {
            return false;
        }
    }
}
