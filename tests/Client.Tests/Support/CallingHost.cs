using Groundwork.Client.Discovery;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Groundwork.Client.Tests.Support;

/// <summary>A host that calls the service <c>catalog</c>, of two real instances, under given policies.</summary>
public sealed class CallingHost : IAsyncDisposable
{
    private CallingHost(PlatformStub platform, ServiceStub first, ServiceStub second, ClientHost host)
    {
        Platform = platform;
        First = first;
        Second = second;
        Host = host;
    }

    public PlatformStub Platform { get; }

    public ServiceStub First { get; }

    public ServiceStub Second { get; }

    public ClientHost Host { get; }

    public HttpClient Http => Host.Http;

    /// <summary>Requests that arrived at either instance.</summary>
    public int Requests => First.Requests.Count + Second.Requests.Count;

    /// <summary>What both instances do instead of answering.</summary>
    public Func<HttpContext, Task>? Instead
    {
        set => First.Instead = Second.Instead = value;
    }

    internal GroundworkServices Services => Host.App.Services.GetRequiredService<GroundworkServices>();

    /// <summary>The instances as the host knows them; after the first call.</summary>
    internal IReadOnlyList<ServiceTarget> Targets => [.. Services.Directory.Targets.Select(one => one.Target)];

    /// <param name="policies">Keys below <c>Groundwork:Calls:catalog</c>, or from the root where they begin with
    /// <c>/</c>.</param>
    public static Task<CallingHost> StartAsync(params (string Key, string Value)[] policies) =>
        StartAsync(_ => { }, policies);

    public static async Task<CallingHost> StartAsync(
        Action<GroundworkOptions> configure, params (string Key, string Value)[] policies)
    {
        var platform = await PlatformStub.StartAsync();
        var first = await ServiceStub.StartAsync();
        var second = await ServiceStub.StartAsync();
        platform.PublishService(platform.Service("catalog", 2, first.Port, second.Port));
        var host = await ClientHost.StartAsync(
            platform.Address,
            before: builder => Set(builder.Configuration, policies), configure: configure);
        return new CallingHost(platform, first, second, host);
    }

    public static void Set(IConfiguration configuration, params (string Key, string Value)[] policies)
    {
        foreach (var (key, value) in policies)
            configuration[key.StartsWith('/') ? key[1..] : $"Groundwork:Calls:catalog:{key}"] = value;
    }

    /// <summary>Changes policies while the host runs, as an edit of its appsettings does.</summary>
    public void Change(params (string Key, string Value)[] policies)
    {
        Set(Host.Configuration, policies);
        ((IConfigurationRoot)Host.Configuration).Reload();
    }

    /// <summary>Every place that a call took has been given back.</summary>
    public Task NothingIsUnderWayAsync() => Eventually.TrueAsync(
        () => Targets.All(target => target.InFlight == 0), "no place is taken");

    public static Task Status(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    public static Task Hang(HttpContext context) => Task
        .Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted)
        .ContinueWith(_ => { }, TaskScheduler.Default);

    public static Task Abort(HttpContext context)
    {
        context.Abort();
        return Task.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await Platform.DisposeAsync();
        await First.DisposeAsync();
        await Second.DisposeAsync();
    }
}
