using System.Collections.Concurrent;
using System.Net.Http.Json;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Presentation.Tests;

/// <summary>
/// A service of two real instances behind the gateway, and callers who call it without a pause while a person works in
/// the console. Every answer says which instance gave it.
/// </summary>
internal sealed class LoadedService : IAsyncDisposable
{
    /// <summary>Callers at the same time; each waits for its answer before it calls again.</summary>
    private const int Callers = 4;

    private readonly OpenConsole console;
    private readonly List<WebApplication> instances = [];
    private readonly ConcurrentDictionary<string, int> answers = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> failures = new();
    private readonly CancellationTokenSource ending = new();
    private readonly HttpClient client;
    private readonly List<Task> callers = [];

    private LoadedService(OpenConsole console, string name)
    {
        this.console = console;
        Name = name;
        client = new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = new Uri(console.Node.Address("gateway"), $"/{name}/"),
            Timeout = Eventually.Patience,
        };
    }

    public string Name { get; }

    /// <summary>Where people look at it.</summary>
    public string Page => $"services/default/default/{Name}";

    /// <summary>Calls that were not answered with success.</summary>
    public IReadOnlyCollection<string> Failures => failures;

    /// <summary>Starts two instances, <c>a</c> and <c>b</c>, with a route to them unless told otherwise.</summary>
    public static async Task<LoadedService> StartAsync(OpenConsole console, string name, bool withRoute = true)
    {
        var service = new LoadedService(console, name);
        using var local = console.Node.Local();
        foreach (var id in new[] { "a", "b" })
        {
            var address = await service.StartInstanceAsync(id);
            await MustAsync(local.PutAsJsonAsync("registry/instances", new
            {
                service = name, id, host = address.Host, port = address.Port, leaseSeconds = 3600,
            }));
        }
        if (!withRoute) return service;
        await MustAsync(local.PutAsJsonAsync(
            $"resources/route/default/{name}",
            new { spec = new { hosts = new[] { "*" }, path = $"/{name}/**", service = name } }));
        await Eventually.PassesAsync(async () => Assert.NotEqual("", await service.CallAsync()));
        return service;
    }

    public static async Task MustAsync(Task<HttpResponseMessage> call)
    {
        using var answer = await call;
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Begins to call, and returns when both instances have answered.</summary>
    public async Task BeginLoadAsync()
    {
        for (var caller = 0; caller < Callers; caller++) callers.Add(Task.Run(CallOnAsync));
        await AnsweredAsync("a");
        await AnsweredAsync("b");
    }

    /// <summary>Answers that an instance has given so far.</summary>
    public int Answers(string id) => answers.GetValueOrDefault(id);

    /// <summary>Waits until an instance has given so many more answers.</summary>
    public async Task AnsweredAsync(string id, int more = 50)
    {
        var before = Answers(id);
        await Eventually.TrueAsync(
            () => Answers(id) >= before + more, $"{id} answers {more} more; failures: {string.Join("; ", failures)}");
    }

    /// <summary>Proves that an instance is not called while the other answers.</summary>
    public async Task IsLeftAloneAsync(string id, string other)
    {
        // What was under way to it when its callers were told has ended by then.
        await AnsweredAsync(other);
        var before = Answers(id);
        await AnsweredAsync(other, 200);
        Assert.Equal(before, Answers(id));
    }

    /// <summary>One call; the id of the instance that answers, or the status that came instead.</summary>
    public async Task<string> CallAsync()
    {
        using var answer = await client.GetAsync(new Uri("x", UriKind.Relative));
        return answer.IsSuccessStatusCode
            ? await answer.Content.ReadAsStringAsync()
            : $"{(int)answer.StatusCode}";
    }

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        await Task.WhenAll(callers);
        client.Dispose();
        foreach (var instance in instances) await instance.DisposeAsync();
        ending.Dispose();
    }

    private async Task CallOnAsync()
    {
        while (!ending.IsCancellationRequested)
        {
            try
            {
                var answer = await CallAsync();
                if (answer.Length > 1) failures.Enqueue(answer);
                else answers.AddOrUpdate(answer, 1, (_, count) => count + 1);
            }
            catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException)
            {
                failures.Enqueue(failure.Message);
            }
        }
    }

    private async Task<Uri> StartInstanceAsync(string id)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(
            server => server.Listen(System.Net.IPAddress.Loopback, 0));
        var app = builder.Build();
        app.Run(context => context.Response.WriteAsync(id));
        await app.StartAsync();
        instances.Add(app);
        return new Uri(app.Urls.First());
    }
}
