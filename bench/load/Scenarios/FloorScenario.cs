using System.Net;
using System.Net.Sockets;
using Groundwork.Load.Peers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Groundwork.Load.Scenarios;

/// <summary>
/// What a call costs before anything is done in it: Kestrel with an empty handler beside a TCP echo of the same size.
/// Any figure of ours over HTTP stands on the first.
/// </summary>
internal sealed class FloorScenario : Scenario
{
    private const int BodyBytes = 100;

    public override string Name => "floor";

    public override string Question => "What does an empty call cost, over HTTP and over TCP?";

    public override IReadOnlyList<Contender> Contenders =>
        [new("Kestrel, HttpClient", StartHttpAsync), new("TCP echo", StartTcpAsync)];

    public override async Task<int> ServeAsync(string[] arguments)
    {
        if (arguments is not [var protocol, var text] || !int.TryParse(text, out var port)) return 2;
        if (protocol == "http") await ServeHttpAsync(port);
        else await ServeTcpAsync(port);
        return 0;
    }

    private async Task<Running> StartHttpAsync(LoadOptions options)
    {
        var port = LoopbackPort.Free();
        var server = ServerProcess.StartSelf(Name, "http", $"{port}");
        await LoopbackPort.ConnectableAsync(port);
        var client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = options.Workers });
        var address = new Uri($"http://127.0.0.1:{port}/");
        return new Running(
            async (_, cancellation) =>
            {
                var body = await client.GetByteArrayAsync(address, cancellation);
                if (body.Length != BodyBytes) throw new InvalidDataException($"{body.Length} bytes");
            },
            server,
            async () =>
            {
                client.Dispose();
                await server.DisposeAsync();
            });
    }

    private async Task<Running> StartTcpAsync(LoadOptions options)
    {
        var port = LoopbackPort.Free();
        var server = ServerProcess.StartSelf(Name, "tcp", $"{port}");
        await LoopbackPort.ConnectableAsync(port);
        var streams = new NetworkStream[options.Workers];
        var buffers = new byte[options.Workers][];
        for (var i = 0; i < streams.Length; i++)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(IPAddress.Loopback, port);
            streams[i] = new NetworkStream(socket, ownsSocket: true);
            buffers[i] = new byte[BodyBytes];
        }
        return new Running(
            async (worker, cancellation) =>
            {
                await streams[worker].WriteAsync(buffers[worker], cancellation);
                await streams[worker].ReadExactlyAsync(buffers[worker], cancellation);
            },
            server,
            async () =>
            {
                foreach (var stream in streams) await stream.DisposeAsync();
                await server.DisposeAsync();
            });
    }

    private static async Task ServeHttpAsync(int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        await using var app = builder.Build();
        var body = new byte[BodyBytes];
        app.Urls.Add($"http://127.0.0.1:{port}");
        app.Run(context =>
        {
            context.Response.ContentLength = BodyBytes;
            return context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
        });
        await app.StartAsync();
        await ServerProcess.ParentEndsAsync();
    }

    private static async Task ServeTcpAsync(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start();
        var parent = ServerProcess.ParentEndsAsync();
        var connections = new List<Task>();
        while (true)
        {
            var accept = listener.AcceptSocketAsync();
            if (await Task.WhenAny(accept, parent) == parent) break;
            connections.Add(EchoAsync(await accept));
        }
    }

    private static async Task EchoAsync(Socket socket)
    {
        socket.NoDelay = true;
        await using var stream = new NetworkStream(socket, ownsSocket: true);
        var buffer = new byte[BodyBytes];
        int read;
        while ((read = await stream.ReadAsync(buffer)) > 0) await stream.WriteAsync(buffer.AsMemory(0, read));
    }
}
