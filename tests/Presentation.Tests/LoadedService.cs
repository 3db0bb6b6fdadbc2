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
    private readonly Dictionary<string, WebApplication> instances = new(StringComparer.Ordinal);
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

    /// <summary>Starts two instances, <c>a</c> and <c>b</c>, each of a version called like it, with a route to them unless told otherwise.</summary>
    public static async Task<LoadedService> StartAsync(OpenConsole console, string name, bool withRoute = true)
    {
        var service = new LoadedService(console, name);
        using var local = console.Node.Local();
        foreach (var id in new[] { "a", "b" })
        {
            var address = await service.StartInstanceAsync(id);
            await MustAsync(local.PutAsJsonAsync("registry/instances", new
            {
                service = name, id, host = address.Host, port = address.Port, leaseSeconds = 3600, version = id,
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

    /// <summary>Ends an instance at once, whatever is under way, as a crash would.</summary>
    public Task KillAsync(string id) => instances[id].StopAsync(new CancellationToken(canceled: true));

    /// <summary>Starts a killed instance again, where it was.</summary>
    public async Task RestartAsync(string id)
    {
        var port = new Uri(instances[id].Urls.First()).Port;
        await instances[id].DisposeAsync();
        await StartInstanceAsync(id, port);
    }

    /// <summary>One call; the id of the instance that answers, or the status that came instead.</summary>
    /// <param name="isWrite">A call that nobody may repeat, so that what becomes of it is not made good.</param>
    public async Task<string> CallAsync(bool isWrite = false)
    {
        var path = new Uri("x", UriKind.Relative);
        using var body = new StringContent("write");
        using var answer = isWrite ? await client.PostAsync(path, body) : await client.GetAsync(path);
        return answer.IsSuccessStatusCode
            ? await answer.Content.ReadAsStringAsync()
            : $"{(int)answer.StatusCode}";
    }

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        await Task.WhenAll(callers);
        client.Dispose();
        foreach (var instance in instances.Values) await instance.DisposeAsync();
        ending.Dispose();
    }

    private async Task CallOnAsync()
    {
        for (var call = 0; !ending.IsCancellationRequested; call++)
        {
            try
            {
                var answer = await CallAsync(isWrite: call % 2 == 0);
                if (answer.Length > 1) failures.Enqueue(answer);
                else answers.AddOrUpdate(answer, 1, (_, count) => count + 1);
            }
            catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException)
            {
                failures.Enqueue(failure.Message);
            }
        }
    }

    private async Task<Uri> StartInstanceAsync(string id, int port = 0)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(
            server => server.Listen(System.Net.IPAddress.Loopback, port));
        var app = builder.Build();
        app.Run(context => context.Response.WriteAsync(id));
        await app.StartAsync();
        instances[id] = app;
        return new Uri(app.Urls.First());
    }
}
