using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Registry.Protocols;

/// <summary>A node with the registry, called over Consul's API with nothing but HTTP.</summary>
internal sealed class ConsulNode : IAsyncDisposable
{
    private readonly TemporaryDirectory directory = new();

    private ConsulNode()
    {
    }

    public RunningNode Node { get; private set; } = null!; // Started before anybody has this.

    /// <summary>May register, renew and discover in the namespace <c>default</c>.</summary>
    public HttpClient Client { get; private set; } = null!; // The same.

    public string Key { get; private set; } = "";

    public static async Task<ConsulNode> StartAsync()
    {
        var started = new ConsulNode();
        started.Node = await RunningNode.StartAsync(
            [new RegistryModule()], directory: started.directory.Combine("data"));
        started.Key = await started.Node.MintAsync(
            "app", [], [new Grant(["register", "renew", "discover"], ["instance"], ["default"])]);
        started.Client = started.As(started.Key);
        return started;
    }

    public async Task RestartAsync()
    {
        await Node.DisposeAsync();
        Node = await RunningNode.StartAsync([new RegistryModule()], directory: directory.Combine("data"));
        Client = As(Key);
    }

    public HttpClient As(string? key)
    {
        var client = Node.Client();
        if (key is not null) client.DefaultRequestHeaders.Add("X-Consul-Token", key);
        return client;
    }

    public static async Task<(HttpStatusCode Status, string Text)> SendAsync(
        HttpClient client, string method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), $"/v1{path}");
        if (body is not null) request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)); // Without a type.
        using var answer = await client.SendAsync(request);
        var type = answer.Content.Headers.ContentType?.MediaType;
        var text = await answer.Content.ReadAsStringAsync();
        if (text.Length > 0) Assert.Equal(answer.IsSuccessStatusCode ? "application/json" : "text/plain", type);
        return (answer.StatusCode, text);
    }

    public async Task PutAsync(string path, string? body = null)
    {
        var (status, text) = await SendAsync(Client, "PUT", path, body);
        Assert.True(status == HttpStatusCode.OK, $"{path}: {status} {text}");
    }

    public async Task<JsonNode?> GetAsync(string path, HttpClient? client = null) =>
        (await ReadAsync(path, client)).Content;

    public async Task<(JsonNode? Content, long Index)> ReadAsync(string path, HttpClient? client = null)
    {
        using var answer = await (client ?? Client).GetAsync($"/v1{path}");
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{path}: {answer.StatusCode} {text}");
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
        var index = answer.Headers.TryGetValues("X-Consul-Index", out var values)
            ? long.Parse(values.Single(), CultureInfo.InvariantCulture)
            : 0;
        return (JsonNode.Parse(text), index);
    }

    public async Task RegisterOursAsync(InstanceDocument document)
    {
        using var answer = await Node.Local.PutAsJsonAsync(
            "/groundwork/v1/registry/instances", document, WireJson.Strict.InstanceDocument);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    public async Task<InstanceDocument> OursAsync(string service) => Assert.Single((await Node.Local.GetFromJsonAsync(
        // A success.
        $"/groundwork/v1/registry/services/default/{service}", WireJson.Strict.ServiceDocument))!.Instances);

    public async ValueTask DisposeAsync()
    {
        await Node.DisposeAsync();
        directory.Dispose();
    }
}
