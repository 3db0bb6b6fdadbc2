using System.Net.Http.Json;
using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Registry.Protocols.Nacos;

/// <summary>A node with the registry, called as clients of Nacos call it.</summary>
internal sealed class OpenNacos : IAsyncDisposable
{
    private OpenNacos(RunningNode running, HttpClient client)
    {
        Running = running;
        Client = client;
    }

    public RunningNode Running { get; }

    /// <summary>A caller who may do everything.</summary>
    public HttpClient Client { get; }

    public static async Task<OpenNacos> StartAsync(
        string? directory = null, Func<ProcessConfiguration, ProcessConfiguration>? configure = null)
    {
        var running = await RunningNode.StartAsync([new RegistryModule()], configure, directory);
        return await OverAsync(running);
    }

    public static async Task<OpenNacos> OverAsync(RunningNode running, string name = "all") =>
        new(running, running.Client(await running.MintAsync(name, [BuiltInRoles.Administrator])));

    /// <summary>Sends parameters in the query, as the client of npm does.</summary>
    /// <returns>The status and the body.</returns>
    public async Task<(int Status, string Body)> SendAsync(
        string method, string path, string query = "", HttpClient? client = null, HttpContent? body = null)
    {
        using var request = new HttpRequestMessage(
            new HttpMethod(method), $"/nacos/{path}{(query.Length == 0 ? "" : "?")}{query}") { Content = body };
        using var answer = await (client ?? Client).SendAsync(request);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Sends what must succeed.</summary>
    public async Task<string> MustAsync(string method, string path, string query, HttpContent? sent = null)
    {
        var (status, body) = await SendAsync(method, path, query, body: sent);
        Assert.True(status == 200, $"{status} {body}");
        return body;
    }

    public Task<string> RegisterAsync(string query) =>
        MustAsync("POST", "v1/ns/instance", query);

    /// <summary>The hosts of a list.</summary>
    public async Task<JsonElement[]> HostsAsync(string query)
    {
        using var json = JsonDocument.Parse(await MustAsync("GET", "v1/ns/instance/list", query));
        return [.. json.RootElement.Clone().GetProperty("hosts").EnumerateArray()];
    }

    public Task<(int Status, string Body)> BeatAsync(string json, string more = "", HttpClient? client = null) =>
        SendAsync("PUT", "v1/ns/instance/beat", $"beat={Uri.EscapeDataString(json)}{more}", client);

    /// <summary>The service as our own API shows it.</summary>
    public async Task<ServiceDocument> ServiceAsync(string service = "orders", string more = "") =>
        await Running.Local.GetFromJsonAsync(
            $"/groundwork/v1/registry/services/default/{service}{more}", WireJson.Strict.ServiceDocument)
        ?? throw new InvalidDataException("The service is null.");

    public async Task RegisterOursAsync(InstanceDocument document)
    {
        using var answer = await Running.Local.PutAsJsonAsync(
            "/groundwork/v1/registry/instances", document, WireJson.Strict.InstanceDocument);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    public ValueTask DisposeAsync() => Running.DisposeAsync();
}
