using System.Globalization;
using Groundwork.Communication.Gateway;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Content;

/// <summary>A service that counts its answers, behind a route that keeps them, and the gateway's clock.</summary>
internal sealed class CachedService : IAsyncDisposable
{
    private CachedService(TestEdge edge, WebInstance origin, ManualTimeProvider time) =>
        (Edge, Origin, Time) = (edge, origin, time);

    public TestEdge Edge { get; }

    public WebInstance Origin { get; }

    public ManualTimeProvider Time { get; }

    public static async Task<CachedService> StartAsync(
        CacheSpec cache, Action<HttpContext>? change, Func<int, HttpContext, Task>? wait, string? body,
        Func<RouteSpec, RouteSpec>? route)
    {
        var time = new ManualTimeProvider(DateTimeOffset.UnixEpoch.AddDays(20_000));
        var count = 0;
        var origin = await WebInstance.StartAsync(async context =>
        {
            var number = Interlocked.Increment(ref count);
            if (wait is not null) await wait(number, context);
            var text = body ?? $"{number} {context.Request.Path}";
            var response = context.Response;
            response.ContentType = "text/plain";
            response.ContentLength = text.Length;
            response.Headers.CacheControl = "max-age=60";
            response.Headers.Date = time.GetUtcNow().ToString("R", CultureInfo.InvariantCulture);
            response.Headers["X-Origin"] = "yes";
            change?.Invoke(context);
            if (response.StatusCode is 204 or 304) response.ContentLength = null;
            else await response.WriteAsync(text);
        });
        var edge = await TestEdge.StartAsync(time: time);
        edge.RouteAll(spec => (route?.Invoke(spec) ?? spec) with { Cache = cache }).Instances(origin.Address);
        return new CachedService(edge, origin, time);
    }

    public static string Status(HttpResponseMessage answer) =>
        Assert.Single(answer.Headers.GetValues("Cache-Status"));

    public Task<HttpResponseMessage> GetAsync(string path, params (string Name, string Value)[] fields) =>
        SendAsync(HttpMethod.Get, path, fields);

    public Task<HttpResponseMessage> GetAsync(string path, CancellationToken cancellationToken) =>
        Edge.Client.GetAsync(path, cancellationToken);

    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, params (string Name, string Value)[] fields)
    {
        using var request = new HttpRequestMessage(method, path);
        foreach (var (name, value) in fields) request.Headers.TryAddWithoutValidation(name, value);
        return await Edge.Client.SendAsync(request);
    }

    /// <summary>True when the second of two requests does not reach the origin.</summary>
    public async Task<bool> IsKeptAsync(string path, params (string Name, string Value)[] fields)
    {
        using var first = await GetAsync(path, fields);
        using var second = await GetAsync(path, fields);
        Assert.Equal(Status(second).Contains("hit", StringComparison.Ordinal), Origin.Requests == 1);
        return Origin.Requests == 1;
    }

    public void Purge(CachePurgeSpec spec) => Edge.Snapshots.Put(Purges.Resource(spec));

    public async ValueTask DisposeAsync()
    {
        await Edge.DisposeAsync();
        await Origin.DisposeAsync();
    }
}
