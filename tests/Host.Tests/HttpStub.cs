using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Groundwork.Host.Tests;

/// <summary>An HTTP server with one handler, for what the real one cannot be made to answer on demand.</summary>
internal sealed class HttpStub : IAsyncDisposable
{
    private readonly WebApplication server;

    private HttpStub(WebApplication server) => this.server = server;

    public static Task<HttpStub> OnPortAsync(int port, RequestDelegate handler) =>
        StartAsync(options => options.ListenLocalhost(port), handler);

    public static Task<HttpStub> OnSocketAsync(string path, RequestDelegate handler) =>
        StartAsync(options => options.ListenUnixSocket(path), handler);

    public async ValueTask DisposeAsync()
    {
        await server.StopAsync(new CancellationToken(canceled: true)); // Streams have no end: cut them.
        await server.DisposeAsync();
    }

    private static async Task<HttpStub> StartAsync(Action<KestrelServerOptions> listen, RequestDelegate handler)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(listen);
        var built = builder.Build();
        built.Run(handler);
        await built.StartAsync();
        return new HttpStub(built);
    }
}
