using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Groundwork.Tests.Support;

namespace Groundwork.Tests.Protocols.Faults;

/// <summary>
/// The real executable on a port that it keeps over its deaths, with a service, a configuration and a key that clients
/// without a credential may read.
/// </summary>
internal sealed class FaultNode : IAsyncDisposable
{
    public const string Kept = "10.0.0.1:8080";
    public const string Added = "10.0.0.2:8080";

    private readonly TemporaryDirectory directory = new();
    private readonly int port = FreePort.Next();
    private GroundworkProcess process = null!; // Started at once.

    private FaultNode()
    {
    }

    public Uri Api => new($"http://127.0.0.1:{port}");

    public GroundworkProcess Process => process;

    public static async Task<FaultNode> StartAsync()
    {
        var node = new FaultNode();
        await node.RunAsync();
        await node.PutAsync("resources/role/_/anonymous-loopback", """
            {"spec":{"grants":[
                {"verbs":["discover"],"kinds":["instance"],"names":["*"]},
                {"verbs":["read"],"kinds":["setting"],"names":["*"]},
                {"verbs":["read"],"kinds":["kv-key"],"names":["*"]}]}}
            """);
        await node.RegisterAsync("a", "10.0.0.1");
        await node.PublishAsync(1);
        return node;
    }

    /// <summary>Starts it, or starts it again upon what it had written.</summary>
    public async Task RunAsync() => process = await GroundworkProcess.StartAsync(
        directory.Combine("data"),
        [
            "run", .. GroundworkProcess.AnyPorts,
            "--set", string.Create(CultureInfo.InvariantCulture, $"listeners.api.address=127.0.0.1:{port}"),
        ]);

    public async Task KillAsync()
    {
        process.Signal(Signals.Kill);
        await process.ExitAsync();
        await process.DisposeAsync();
    }

    public Task RegisterAsync(string id, string host) => PutAsync(
        "registry/instances",
        $$"""{"service":"kept","id":"{{id}}","host":"{{host}}","port":8080,"leaseSeconds":3600,"incarnation":1}""");

    /// <summary>A version of the configuration and of the key.</summary>
    public async Task PublishAsync(int version)
    {
        await PutAsync(
            "resources/setting/default/orders/application.properties",
            $$$"""{"spec":{"format":"properties","content":"version={{{version}}}\n"}}""");
        using var client = process.Local();
        using var answer = await client.PutAsync(
            new Uri("http://localhost/v1/kv/watched"),
            new StringContent(version.ToString(CultureInfo.InvariantCulture)));
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>What each protocol numbers its states with, which must never go back.</summary>
    public async Task<SortedDictionary<string, long>> IndexesAsync()
    {
        using var client = new HttpClient { BaseAddress = Api };
        var found = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var path in (string[])["v1/health/service/kept", "v1/kv/watched", "v1/catalog/services"])
        {
            using var answer = await client.GetAsync(path);
            answer.EnsureSuccessStatusCode();
            found[path] = long.Parse(
                answer.Headers.GetValues("X-Consul-Index").Single(), NumberStyles.None, CultureInfo.InvariantCulture);
        }
        var notifications = await client.GetFromJsonAsync<JsonElement>(
            "apollo/notifications/v2?appId=orders&cluster=default&notifications="
            + Uri.EscapeDataString("""[{"namespaceName":"application","notificationId":-1}]"""));
        found["apollo"] = notifications[0].GetProperty("notificationId").GetInt64();
        using var local = process.Local();
        using var setting = await local.GetAsync("resources/setting/default/orders/application.properties");
        setting.EnsureSuccessStatusCode();
        found["revision"] = long.Parse(
            setting.Headers.GetValues("Groundwork-Revision").Single(), CultureInfo.InvariantCulture);
        return found;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Signal(Signals.Continue);
        await process.DisposeAsync();
        directory.Dispose();
    }

    private async Task PutAsync(string path, string body)
    {
        using var client = process.Local();
        using var content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        using var answer = await client.PutAsync(path, content);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }
}
