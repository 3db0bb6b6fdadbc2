using System.Globalization;
using Groundwork.Load.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Groundwork.Load.Peers;

/// <summary>The same server software with a handler that reads a body and answers 32 bytes: what a call costs at
/// least.</summary>
internal static class EmptyServer
{
    public static async Task<int> ServeAsync(string[] arguments)
    {
        if (arguments is not [var text] || !int.TryParse(text, CultureInfo.InvariantCulture, out var port)) return 2;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        await using var app = builder.Build();
        var body = new byte[32];
        app.Urls.Add($"http://127.0.0.1:{port}");
        app.Run(async context =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
            context.Response.ContentLength = body.Length;
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
        });
        await app.StartAsync();
        await ServerProcess.ParentEndsAsync();
        return 0;
    }

    /// <param name="scenario">The one that serves it.</param>
    /// <param name="request">What it is sent.</param>
    public static async Task<Running> StartAsync(LoadOptions options, string scenario, byte[] request)
    {
        var port = LoopbackPort.Free();
        var server = ServerProcess.StartSelf(scenario, $"{port}");
        await LoopbackPort.ConnectableAsync(port);
        return await Running.OverConnectionsAsync(
            options, () => Http1Connection.OpenAsync(port), (connection, _) => connection.SendAsync(request), server,
            server);
    }
}
