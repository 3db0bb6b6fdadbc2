using System.Net.WebSockets;
using System.Text;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Forwarding;

public sealed class UpgradeTests
{
    [Fact]
    public async Task A_web_socket_passes_messages_both_ways_and_its_close()
    {
        await using var instance = await WebInstance.StartAsync(EchoAsync);
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("chat");
        await socket.ConnectAsync(new Uri($"ws://{edge.Address}/"), CancellationToken.None)
            .WaitAsync(Eventually.Patience);

        Assert.Equal("chat", socket.SubProtocol);
        var buffer = new byte[100_000];
        foreach (var text in new[] { "hello", new string('x', 50_000) })
        {
            await socket.SendAsync(
                Encoding.ASCII.GetBytes(text), WebSocketMessageType.Text, true, CancellationToken.None);
            var count = 0;
            for (var end = false; !end;)
            {
                var part = await socket.ReceiveAsync(buffer.AsMemory(count), CancellationToken.None).AsTask()
                    .WaitAsync(Eventually.Patience);
                count += part.Count;
                end = part.EndOfMessage;
            }
            Assert.Equal(text, Encoding.ASCII.GetString(buffer, 0, count));
        }
        await socket.CloseAsync((WebSocketCloseStatus)4001, "done", CancellationToken.None)
            .WaitAsync(Eventually.Patience);
        Assert.Equal(((WebSocketCloseStatus)4001, "done"), (socket.CloseStatus!.Value, socket.CloseStatusDescription!));
    }

    [Fact]
    public async Task An_instance_that_does_not_want_a_web_socket_answers_as_usual()
    {
        await using var instance = await WebInstance.StartAsync(context =>
        {
            context.Response.StatusCode = 403;
            return context.Response.WriteAsync("no");
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        using var socket = new ClientWebSocket();
        var refusal = await Assert.ThrowsAsync<WebSocketException>(
            () => socket.ConnectAsync(new Uri($"ws://{edge.Address}/"), CancellationToken.None));
        Assert.Contains("403", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_leaves_ends_the_web_socket_at_the_instance()
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            try
            {
                await EchoAsync(context);
            }
            catch (WebSocketException)
            {
                // The connection was cut, which is what the test waits for.
            }
            ended.TrySetResult();
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{edge.Address}/"), CancellationToken.None)
            .WaitAsync(Eventually.Patience);
        socket.Dispose();
        await ended.Task.WaitAsync(Eventually.Patience);
    }

    [Fact]
    public async Task No_other_upgrade_is_passed_on()
    {
        string? seen = null;
        await using var instance = RawInstance.Start(async connection =>
        {
            seen = await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        using var client = await RawConnection.ToAsync(edge.Address);
        await client.WriteAsync("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: "
            + "h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200 ", await client.ReadAnswerAsync());
        Assert.DoesNotContain("h2c", seen, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_instance_that_switches_to_another_protocol_than_asked_has_failed()
    {
        await using var instance = RawInstance.Answering(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n");
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        using var client = await RawConnection.ToAsync(edge.Address);
        await client.WriteAsync(
            "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 502 ", await client.ReadAnswerAsync());
    }

    private static async Task EchoAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync(
            context.WebSockets.WebSocketRequestedProtocols.FirstOrDefault());
        var buffer = new byte[4096];
        for (; ; )
        {
            var part = await socket.ReceiveAsync(buffer, CancellationToken.None);
            if (part.MessageType == WebSocketMessageType.Close)
            {
                await socket.CloseAsync(part.CloseStatus!.Value, part.CloseStatusDescription, CancellationToken.None);
                return;
            }
            await socket.SendAsync(
                buffer.AsMemory(0, part.Count), part.MessageType, part.EndOfMessage, CancellationToken.None);
        }
    }
}
