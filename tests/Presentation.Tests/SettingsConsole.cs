using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Groundwork.Tests.Support;

namespace Groundwork.Presentation.Tests;

/// <summary>One node for the tests of settings; each has names of its own.</summary>
public sealed class SettingsConsole : IAsyncLifetime
{
    private readonly TemporaryDirectory directory = new();
    private OpenConsole? console;

    public OpenConsole Console => console ?? throw new InvalidOperationException("The console is not open.");

    /// <summary>What a real reader is started with.</summary>
    public IReadOnlyDictionary<string, string> Variables => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["GROUNDWORK_ADDRESS"] = Console.Address.ToString(),
        ["GROUNDWORK_ACCESS_KEY_FILE"] = directory.Combine("key"),
    };

    public async ValueTask InitializeAsync()
    {
        console = await OpenConsole.StartAsync();
        using var local = console.Node.Local();
        foreach (var name in new[] { "dev", "prod", "gray", "flags" })
            await MustAsync(local.PutAsJsonAsync($"resources/namespace/_/{name}", new { spec = new { } }));
        using var key = JsonDocument.Parse(await MustAsync(local.PostAsJsonAsync(
            "access-keys", new { name = "readers", roles = new[] { "administrator" } })));
        directory.Write("key", key.RootElement.GetProperty("secret").GetString() ?? "");
    }

    /// <summary>Publishes as somebody else would, and returns the revision.</summary>
    public async Task<long> PutAsync(
        string @namespace, string name, string format, string content, string? schema = null)
    {
        using var local = Console.Node.Local();
        using var answer = JsonDocument.Parse(await MustAsync(local.PutAsJsonAsync(
            $"resources/setting/{@namespace}/{name}",
            new { spec = new { format, content, schema = schema is null ? null : JsonNode.Parse(schema) } })));
        return answer.RootElement.GetProperty("revision").GetInt64();
    }

    /// <summary>Writes any resource, as the node itself.</summary>
    public async Task PutResourceAsync(string resource, object spec)
    {
        using var local = Console.Node.Local();
        await MustAsync(local.PutAsJsonAsync($"resources/{resource}", new { spec }));
    }

    /// <summary>Publishes the text alone.</summary>
    public async Task WriteAsync(string @namespace, string name, string content)
    {
        using var local = Console.Node.Local();
        await MustAsync(local.PutAsync($"settings/{@namespace}/{name}", new StringContent(content)));
    }

    /// <summary>From dev to prod, where it is not yet.</summary>
    public async Task PromoteAsync(string group, string dataId, long revision)
    {
        using var local = Console.Node.Local();
        await MustAsync(local.PostAsJsonAsync("settings-promotions", new
        {
            from = "dev", to = "prod",
            settings = new[] { new { group, dataId, fromRevision = revision, toRevision = 0 } },
        }));
    }

    public async Task<string> TextAsync(string @namespace, string name)
    {
        using var local = Console.Node.Local();
        return await local.GetStringAsync($"settings/{@namespace}/{name}");
    }

    public async ValueTask DisposeAsync()
    {
        if (console is not null) await console.DisposeAsync();
        directory.Dispose();
    }

    private static async Task<string> MustAsync(Task<HttpResponseMessage> call)
    {
        using var answer = await call;
        var body = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, body);
        return body;
    }
}
