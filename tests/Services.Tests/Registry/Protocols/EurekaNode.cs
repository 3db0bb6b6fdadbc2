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

/// <summary>A node with the registry, called as clients of Eureka in Java do.</summary>
internal sealed class EurekaNode : IAsyncDisposable
{
    private readonly TemporaryDirectory directory = new();

    private EurekaNode()
    {
    }

    public RunningNode Node { get; private set; } = null!; // Started before anybody has this.

    /// <summary>May register, renew and discover in the namespace <c>default</c>.</summary>
    public HttpClient Client { get; private set; } = null!; // The same.

    public static async Task<EurekaNode> StartAsync()
    {
        var started = new EurekaNode();
        started.Node = await RunningNode.StartAsync(
            [new RegistryModule()], directory: started.directory.Combine("data"));
        started.Client = started.Node.Client(await started.Node.MintAsync(
            "app", [], [new Grant(["register", "renew", "discover"], ["instance"], ["default"])]));
        return started;
    }

    public async Task RestartAsync()
    {
        var key = Client.DefaultRequestHeaders.Authorization?.Parameter;
        await Node.DisposeAsync();
        Node = await RunningNode.StartAsync([new RegistryModule()], directory: directory.Combine("data"));
        Client = Node.Client(key);
    }

    /// <summary>The instance of a Java client, as it registers.</summary>
    public static JsonObject Instance(string app, string id, Action<JsonObject>? change = null)
    {
        var instance = new JsonObject
        {
            ["instanceId"] = id, ["hostName"] = $"{id}.example", ["app"] = app.ToUpperInvariant(),
            ["ipAddr"] = "10.0.0.1", ["status"] = "UP", ["overriddenstatus"] = "UNKNOWN",
            ["port"] = new JsonObject { ["$"] = 8080, ["@enabled"] = "true" },
            ["securePort"] = new JsonObject { ["$"] = 443, ["@enabled"] = "false" },
            ["countryId"] = 1,
            ["dataCenterInfo"] = new JsonObject
            {
                ["@class"] = "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", ["name"] = "MyOwn",
            },
            ["leaseInfo"] = new JsonObject { ["renewalIntervalInSecs"] = 30, ["durationInSecs"] = 90 },
            ["metadata"] = new JsonObject { ["management.port"] = "9090" },
            ["homePageUrl"] = "http://10.0.0.1:8080/", ["vipAddress"] = app, ["secureVipAddress"] = app,
            ["isCoordinatingDiscoveryServer"] = "false", ["lastUpdatedTimestamp"] = "1700000000000",
            ["lastDirtyTimestamp"] = "1700000000000",
        };
        change?.Invoke(instance);
        return instance;
    }

    public async Task<HttpStatusCode> RegisterAsync(string app, string id, Action<JsonObject>? change = null)
    {
        using var answer = await PostAsync(
            app, new JsonObject { ["instance"] = Instance(app, id, change) }.ToJsonString());
        return answer.StatusCode;
    }

    public Task<HttpResponseMessage> PostAsync(string app, string body, string type = "application/json") =>
        Client.PostAsync($"/eureka/apps/{app.ToUpperInvariant()}", new StringContent(body, Encoding.UTF8, type));

    /// <summary>The status of a call whose answer must have no body.</summary>
    public async Task<HttpStatusCode> SendAsync(string method, string path, HttpClient? client = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var answer = await (client ?? Client).SendAsync(request);
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync());
        Assert.Null(answer.Content.Headers.ContentType);
        return answer.StatusCode;
    }

    public async Task<JsonObject> GetAsync(string path, HttpClient? client = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.ParseAdd("application/json");
        using var answer = await (client ?? Client).SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
        return (await answer.Content.ReadFromJsonAsync<JsonObject>())!; // A success has a body.
    }

    /// <summary>Application, id, status and, of a delta, action of everything in an answer.</summary>
    public static string[] Outline(JsonObject answer, bool actions = false) =>
        // As written.
        [.. answer["applications"]!["application"]!.AsArray().SelectMany(app => app!["instance"]!.AsArray()
            .Select(one => $"{app["name"]}/{one!["instanceId"]} {one["status"]}"
                + (actions ? $" {one["actionType"]}" : "")))];

    public async Task RegisterOursAsync(InstanceDocument document)
    {
        using var answer = await Node.Local.PutAsJsonAsync(
            "/groundwork/v1/registry/instances", document, WireJson.Strict.InstanceDocument);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    public async ValueTask DisposeAsync()
    {
        await Node.DisposeAsync();
        directory.Dispose();
    }
}
