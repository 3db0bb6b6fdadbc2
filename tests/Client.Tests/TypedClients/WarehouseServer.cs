using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.Extensions.Logging;

namespace Groundwork.Client.Tests.TypedClients;

/// <summary>What <see cref="IWarehouse"/> calls, on a real server.</summary>
public sealed class WarehouseServer : IAsyncDisposable
{
    private readonly WebApplication app;

    private WarehouseServer(WebApplication app) => this.app = app;

    public Uri Address => new(app.Urls.First());

    /// <summary>Method and encoded target of every request.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    public ConcurrentQueue<string> Bodies { get; } = new();

    public ConcurrentQueue<IHeaderDictionary> Headers { get; } = new();

    public static async Task<WarehouseServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var server = new WarehouseServer(builder.Build());
        server.app.Use(server.KeepAsync);
        Map(server.app);
        await server.app.StartAsync();
        return server;
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private async Task KeepAsync(HttpContext context, RequestDelegate next)
    {
        Requests.Enqueue($"{context.Request.Method} {context.Request.GetEncodedPathAndQuery()}");
        Headers.Enqueue(new HeaderDictionary(context.Request.Headers.ToDictionary(StringComparer.OrdinalIgnoreCase)));
        context.Request.EnableBuffering();
        using var reader = new StreamReader(context.Request.Body, leaveOpen: true);
        Bodies.Enqueue(await reader.ReadToEndAsync());
        context.Request.Body.Position = 0;
        await next(context);
    }

    private static void Map(WebApplication routes)
    {
        routes.MapGet("/items/{id}", (string id) => id == "gone"
            ? Results.Problem("No such item.", statusCode: 404)
            : Results.Json(new { id, name = "Kettle", price = 54.90m }));
        routes.MapGet("/items/{id}/count", (string id) => id == "gone" ? Results.NotFound() : Results.Json(7));
        routes.MapPost("/items", (Item item) => Results.Json(item, statusCode: 201));
        routes.MapPut("/items/{id}", () => Results.NoContent());
        routes.MapPatch("/items/{id}", (HttpRequest request) => Results.Text(request.ContentType));
        routes.MapDelete("/items/{shelf}/{colour}", () => Results.NoContent());
        routes.MapMethods("/items/{id}", ["HEAD"], (string id) => Results.StatusCode(id == "gone" ? 404 : 200));
        routes.MapGet("/echo/{**path}", (HttpRequest request) => Results.Text(request.GetEncodedPathAndQuery()));
        routes.MapGet("/text/{id}", (string id) => id == "gone" ? Results.NotFound() : Results.Text($"text of {id}"));
        routes.MapPost("/stream", async (HttpRequest request) =>
        {
            using var reader = new StreamReader(request.Body);
            return Results.Text($"{request.ContentType} {(await reader.ReadToEndAsync()).Length}");
        });
        routes.MapGet("/failures/{status:int}", (int status) => Results.Json(
            new { type = "about:blank", title = "Conflict", detail = "It is sold.", status, code = "item_sold" },
            statusCode: status, contentType: "application/problem+json"));
        routes.MapGet("/html", () => Results.Text("<html>", "text/html"));
        routes.MapGet("/nothing", () => Results.NoContent());
        routes.MapGet("/method", () => Results.Text("""{"a":[1,null]}""", "application/json"));
    }
}
