using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Groundwork.Client.Tests.Support;

/// <summary>An instance of a called service: answers its port, and keeps what it was asked.</summary>
public sealed class ServiceStub : IAsyncDisposable
{
    private readonly WebApplication app;

    private ServiceStub(WebApplication app) => this.app = app;

    public int Port => new Uri(app.Urls.First()).Port;

    public ConcurrentQueue<(string Method, string Path, IHeaderDictionary Headers)> Requests { get; } = new();

    /// <summary>What to do instead of answering.</summary>
    public Func<HttpContext, Task>? Instead { get; set; }

    public static async Task<ServiceStub> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var server = builder.Build();
        var stub = new ServiceStub(server);
        server.Run(async context =>
        {
            stub.Requests.Enqueue((context.Request.Method, context.Request.Path, new HeaderDictionary(
                context.Request.Headers.ToDictionary(StringComparer.OrdinalIgnoreCase))));
            if (stub.Instead is { } instead) await instead(context);
            else await context.Response.WriteAsync($"{stub.Port}");
        });
        await server.StartAsync();
        return stub;
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();
}
