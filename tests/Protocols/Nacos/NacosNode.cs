using System.Net.Http.Json;
using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Services.Registry;
using Groundwork.Services.Settings;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Tests.Protocols.Nacos;

/// <summary>A node with what Nacos's protocol is a view of, and clients of npm that call it.</summary>
internal sealed class NacosNode : IAsyncDisposable
{
    private NacosNode(RunningNode running, string key)
    {
        Running = running;
        Key = key;
    }

    public RunningNode Running { get; }

    /// <summary>An access key that may do everything.</summary>
    public string Key { get; }

    /// <summary>As clients name it: host and port.</summary>
    public string Server => Running.Node.Listeners.UrlOf(ListenerDefinition.Api).Authority;

    /// <summary>What clients of npm append to every call; an access key may stand as the password.</summary>
    public string Credentials => JsonSerializer.Serialize(
        new Dictionary<string, string>(StringComparer.Ordinal) { ["username"] = "app", ["password"] = Key });

    public static async Task<NacosNode> StartAsync(int port = 0, string? directory = null)
    {
        var address = ListenAddress.Parse($"127.0.0.1:{port}", "The test's address");
        var running = await RunningNode.StartAsync(
            [new RegistryModule(), new SettingsModule()],
            configuration => configuration with
            {
                Listeners = configuration.Listeners.SetItem(
                    ListenerDefinition.Api, new ListenerOptions { Address = address }),
            },
            directory);
        return new NacosNode(running, await running.MintAsync($"nacos-{port}", ["administrator"]));
    }

    /// <summary>The service as our own API shows it.</summary>
    public async Task<ServiceDocument> ServiceAsync(string service) =>
        await Running.Local.GetFromJsonAsync(
            $"/groundwork/v1/registry/services/default/{service}", WireJson.Strict.ServiceDocument)
        ?? throw new InvalidDataException("The service is null.");

    /// <summary>Registers over our own API.</summary>
    public async Task RegisterAsync(InstanceDocument document)
    {
        using var answer = await Running.Local.PutAsJsonAsync(
            "/groundwork/v1/registry/instances", document, WireJson.Strict.InstanceDocument);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    public ValueTask DisposeAsync() => Running.DisposeAsync();
}

/// <summary>How tests tell the scripts of <c>Clients</c> what to do.</summary>
internal static class NacosScripts
{
    public static Task CallAsync(this NpmClient client, object call) =>
        client.TellAsync(JsonSerializer.Serialize(call));

    /// <summary>The client's version, once it is there.</summary>
    public static async Task ReadyAsync(this NpmClient client)
    {
        var version = (await client.NextAsync("version")).GetProperty("version").GetString();
        TestContext.Current.SendDiagnosticMessage("nacos {0}", version);
        Assert.Equal("2.6.3", version);
        await client.NextAsync("ready");
    }
}
