using System.Globalization;
using System.Text.Json.Nodes;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Settings.Protocols.Spring.Sources;
using Groundwork.Tests.Support;

namespace Groundwork.Services.Tests.Settings.Protocols.Spring.Sources;

/// <summary>A node with settings that may read this machine's temporary files, and what the tests ask of it.</summary>
internal sealed class SourcesNode : IAsyncDisposable
{
    private SourcesNode(OpenSettings settings) => Settings = settings;

    public OpenSettings Settings { get; }

    public HttpClient Local => Settings.Local;

    public static async Task<SourcesNode> StartAsync(
        string? directory = null, Func<ProcessConfiguration, ProcessConfiguration>? configure = null) =>
        new(await OpenSettings.StartAsync(directory, one => (configure ?? (same => same))(
            one with { FileRoots = [Path.GetTempPath()] })));

    public Task SourceAsync(string name, ConfigSourceSpec spec) =>
        Settings.CommitAsync(Change.Put(ConfigSourceKind.Kind, "", name, spec));

    /// <summary>Asks for properties: the status, and the body.</summary>
    public async Task<(int Status, JsonNode Body)> GetAsync(string path, HttpClient? client = null)
    {
        using var answer = await (client ?? Local).GetAsync($"/config/{path}");
        var text = await answer.Content.ReadAsStringAsync();
        return ((int)answer.StatusCode, JsonNode.Parse(text)!); // Answers are JSON.
    }

    /// <summary>The value that counts for a key, or the status where there is no answer.</summary>
    public async Task<string> ValueAsync(string path, string key, HttpClient? client = null)
    {
        var (status, body) = await GetAsync(path, client);
        if (status != 200) return status.ToString(CultureInfo.InvariantCulture);
        return body["propertySources"]!.AsArray()
            .Select(source => source!["source"]![key]).FirstOrDefault(value => value is not null)?.ToString() ?? "none";
    }

    /// <summary>Waits until a value is there: a source looks now and then.</summary>
    public Task BecomesAsync(string path, string key, string value) => Eventually.ValueAsync(
        () => ValueAsync(path, key), seen => seen == value, $"{key} of {path} is {value}");

    /// <summary>The text of a file endpoint, which must be there.</summary>
    public async Task<string> TextAsync(string path, HttpClient? client = null)
    {
        using var answer = await (client ?? Local).GetAsync($"/config/{path}");
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return text;
    }

    public async Task<int> StatusAsync(string path, HttpClient? client = null)
    {
        using var answer = await (client ?? Local).GetAsync($"/config/{path}");
        return (int)answer.StatusCode;
    }

    public async Task<string> NamesAsync(string path) => string.Join(
        ' ', (await GetAsync(path)).Body["propertySources"]!.AsArray().Select(source => $"{source!["name"]}"));

    /// <summary>Waits until the node says of its own condition what is wrong with a source.</summary>
    public Task SaysAsync(string text) => Eventually.TrueAsync(
        () => Settings.Running.Node.Health.Read().Reasons.Any(one => one.Contains(text, StringComparison.Ordinal)),
        $"the node says: {text}");

    public ValueTask DisposeAsync() => Settings.DisposeAsync();
}
