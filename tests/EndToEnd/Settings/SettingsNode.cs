using System.Net.Http.Json;
using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Tests.EndToEnd.Settings;

/// <summary>
/// The real executable on one port that it keeps over restarts, with a key for readers and what an operator does to it.
/// </summary>
internal sealed class SettingsNode : IAsyncDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly int port = FreePort.Next();
    private GroundworkProcess? process;

    private SettingsNode()
    {
    }

    public string Address => $"http://127.0.0.1:{port}";

    public int Port => port;

    private GroundworkProcess Process => process ?? throw new InvalidOperationException("The node does not run.");

    public static async Task<SettingsNode> StartAsync()
    {
        var node = new SettingsNode();
        await node.RunAsync();
        using var local = node.Process.Local();
        using var answer = await local.PostAsJsonAsync(
            "access-keys", new AccessKeyRequest("readers", [BuiltInRoles.Administrator]));
        var key = await answer.Content.ReadFromJsonAsync<AccessKeyAnswer>();
        node.directory.Write("key", key!.Secret); // A failure has no key, and the test ends here.
        return node;
    }

    /// <summary>What a client's process is started with.</summary>
    public Dictionary<string, string> Variables(string? address = null) => new(StringComparer.Ordinal)
    {
        ["GROUNDWORK_ADDRESS"] = address ?? Address,
        ["GROUNDWORK_ACCESS_KEY_FILE"] = directory.Combine("key"),
    };

    /// <summary>Starts it, and again after <see cref="KillAsync"/>: the same data, the same port.</summary>
    public async Task RunAsync() => process = await GroundworkProcess.StartAsync(
        directory.Combine("data"), "run",
        "--set", $"listeners.api.address=127.0.0.1:{port}", "--set", "listeners.gateway.address=127.0.0.1:0",
        "--set", "listeners.dns=off", "--set", "listeners.httpdns=off", "--set", "listeners.grpc=off");

    public async Task KillAsync()
    {
        await Process.DisposeAsync();
        process = null;
    }

    /// <summary>Publishes the clients' value, and returns the revision.</summary>
    public Task<long> PublishAsync(string percent) => PutAsync(
        "resources/setting/default/reader/front",
        new { spec = new { format = "json", content = $$$"""{"Front":{"Percent":{{{percent}}}}}""" } });

    public async Task<long> PutAsync(string path, object resource)
    {
        using var local = Process.Local();
        using var answer = await local.PutAsJsonAsync(path, resource);
        return await RevisionAsync(answer);
    }

    public async Task<long> PostAsync(string path)
    {
        using var local = Process.Local();
        using var answer = await local.PostAsync(path, content: null);
        return await RevisionAsync(answer);
    }

    /// <summary>Runs a verb of the command line.</summary>
    public Task<(int ExitCode, string Output, string Error)> VerbAsync(params string[] arguments) =>
        Process.VerbAsync("", arguments);

    public async Task<SettingReceipts> ReceiptsAsync(long? revision)
    {
        using var local = Process.Local();
        var query = revision is null ? "" : FormattableString.Invariant($"?revision={revision}");
        var receipts = await local.GetFromJsonAsync(
            $"receipts/default/reader/front{query}", WireJson.Lenient.SettingReceipts);
        return receipts!; // A failure threw.
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null) await process.DisposeAsync();
        directory.Dispose();
    }

    private static async Task<long> RevisionAsync(HttpResponseMessage answer)
    {
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        var changed = await answer.Content.ReadFromJsonAsync(WireJson.Lenient.ChangesetAnswer);
        return changed!.Revision; // A success has one.
    }
}
