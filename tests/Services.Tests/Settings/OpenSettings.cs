using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Settings;

/// <summary>A node with settings, and what the tests do with it.</summary>
internal sealed class OpenSettings : IAsyncDisposable
{
    private const string Root = "/groundwork/v1/settings/default";

    private OpenSettings(RunningNode node) => Running = node;

    public RunningNode Running { get; }

    public HttpClient Local => Running.Local;

    public static async Task<OpenSettings> StartAsync(
        string? directory = null, Func<ProcessConfiguration, ProcessConfiguration>? configure = null,
        TimeProvider? time = null, Func<string, string, string, string, bool>? isRegistered = null) =>
        new(await RunningNode.StartAsync([new SettingsModule(isRegistered)], configure, directory, time));

    public async Task<HttpResponseMessage> PublishAsync(
        string name, string text, string query = "", HttpClient? client = null, params (string, string)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"{Root}/{name}{query}")
        {
            Content = new ByteArrayContent(Encoding.UTF8.GetBytes(text)),
        };
        foreach (var (header, value) in headers) request.Headers.TryAddWithoutValidation(header, value);
        return await (client ?? Local).SendAsync(request);
    }

    /// <summary>Publishes, which must succeed, and returns the revision.</summary>
    public async Task<long> MustPublishAsync(string name, string text, string query = "")
    {
        using var answer = await PublishAsync(name, text, query);
        var body = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, body);
        return JsonSerializer.Deserialize(body, WireJson.Strict.ChangesetAnswer)?.Revision
            ?? throw new InvalidDataException(body);
    }

    public async Task<long> CommitAsync(params Change[] changes)
    {
        var log = Running.Node.Changes ?? throw new InvalidOperationException("There is no store.");
        var outcome = await log.CommitAsync(
            new Changeset(Principal.System("test"), [.. changes]), CancellationToken.None);
        return outcome.TryGet(out var commit, out var fault)
            ? commit.Revision
            : throw new InvalidOperationException(fault.ToString());
    }

    public Task<long> PutAsync(string name, SettingSpec spec) =>
        CommitAsync(Change.Put(SettingKind.Kind, "default", name, spec));

    public Task<long> GrantAsync(string role, params string[] verbs) => CommitAsync(Change.Put(
        SecurityKinds.Role, "", role, new RoleSpec([new Grant(verbs, [SettingKind.Name], ["default"])])));

    public Task<long> DeleteAsync(string kind, string @namespace, string name) =>
        CommitAsync(Change.Delete(new ResourceKey(kind, @namespace, name)));

    public Task<HttpResponseMessage> GetAsync(string path, HttpClient? client = null) =>
        (client ?? Local).GetAsync($"{Root}{path}");

    public async Task<SettingSnapshot> SnapshotAsync(string query = "", HttpClient? client = null) =>
        await (client ?? Local).GetFromJsonAsync($"{Root}{query}", WireJson.Strict.SettingSnapshot)
        ?? throw new InvalidDataException("The snapshot is null.");

    public Task<HttpResponseMessage> ReportAsync(
        string instance, IReadOnlyList<ReceiptDocument> receipts, string service = "s", HttpClient? client = null,
        IReadOnlyDictionary<string, IReadOnlyList<string>>? keys = null, IReadOnlyList<FlagExposure>? flags = null) =>
        (client ?? Local).PostAsJsonAsync(
            $"{Root}/receipts", new ReceiptBatch(service, instance, receipts, keys, flags),
            WireJson.Strict.ReceiptBatch);

    /// <summary>Reports as an instance of the service <c>s</c>, which must succeed.</summary>
    public async Task MustReportAsync(string instance, params ReceiptDocument[] receipts)
    {
        using var answer = await ReportAsync(instance, receipts);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    public Task<SettingReceipts> ReceiptsAsync(string name, long? revision = null) => MustGetAsync(
        $"receipts/default/{name}{(revision is null ? "" : $"?revision={revision}")}",
        WireJson.Strict.SettingReceipts);

    /// <summary>Reads a document of the API, which must succeed.</summary>
    public async Task<T> MustGetAsync<T>(
        string path, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> json, HttpClient? client = null)
    {
        using var answer = await (client ?? Local).GetAsync($"/groundwork/v1/{path}");
        var body = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, body);
        return JsonSerializer.Deserialize(body, json) ?? throw new InvalidDataException(body);
    }

    public async Task<ProblemDocument> ProblemAsync(HttpResponseMessage answer) =>
        await answer.Content.ReadFromJsonAsync(WireJson.Strict.ProblemDocument)
        ?? throw new InvalidDataException("The problem is null.");

    /// <summary>Opens a watch and returns when it has begun.</summary>
    public async Task<SettingsStream> WatchAsync(string query = "", HttpClient? client = null)
    {
        var stream = await SettingsStream.OpenAsync(client ?? Local, $"{Root}/watch{query}");
        if (!query.Contains("after=", StringComparison.Ordinal))
            Assert.Equal("progress", (await stream.NextAsync()).Event);
        return stream;
    }

    /// <summary>Signs the administrator in, with the password of the first start.</summary>
    public async Task<(HttpClient Client, string Token)> SignInAsync()
    {
        var file = Path.Combine(Running.Node.DataDirectory.Path, AdminBootstrap.FileName);
        var password = (await File.ReadAllTextAsync(file)).Trim();
        var client = Running.Client();
        using var answer = await client.PostAsJsonAsync(
            "/groundwork/v1/sign-in", new SignInRequest("admin", password), WireJson.Strict.SignInRequest);
        var signedIn = await answer.Content.ReadFromJsonAsync(WireJson.Strict.SignInAnswer)
            ?? throw new InvalidDataException("The answer is null.");
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", signedIn.AccessToken);
        return (client, signedIn.AccessToken);
    }

    public ValueTask DisposeAsync() => Running.DisposeAsync();
}

/// <summary>An open watch of settings, read event by event.</summary>
internal sealed class SettingsStream : IAsyncDisposable
{
    private readonly HttpResponseMessage response;
    private readonly IAsyncEnumerator<SseItem<string>> events;

    private SettingsStream(HttpResponseMessage response, Stream body)
    {
        this.response = response;
        events = SseParser.Create(body).EnumerateAsync().GetAsyncEnumerator();
    }

    public static async Task<SettingsStream> OpenAsync(HttpClient client, string path)
    {
        var answer = await client.GetAsync(path, HttpCompletionOption.ResponseHeadersRead);
        answer.EnsureSuccessStatusCode();
        return new SettingsStream(answer, await answer.Content.ReadAsStreamAsync());
    }

    /// <summary>The next event; <c>end</c> when the stream has ended.</summary>
    public async Task<(string Event, string Content)> NextAsync() =>
        await events.MoveNextAsync().AsTask().WaitAsync(Eventually.Patience, TimeProvider.System)
            ? (events.Current.EventType, events.Current.Data)
            : ("end", "");

    /// <summary>The next publication, whatever progress is told before it.</summary>
    public async Task<SettingSnapshot> NewsAsync()
    {
        var (kind, content) = await NextButProgressAsync();
        Assert.Equal("settings", kind);
        return JsonSerializer.Deserialize(content, WireJson.Strict.SettingSnapshot)
            ?? throw new InvalidDataException(content);
    }

    /// <summary>The code of the problem that ends the stream.</summary>
    public async Task<string> EndAsync()
    {
        var (kind, content) = await NextButProgressAsync();
        Assert.Equal("problem", kind);
        Assert.Equal("end", (await NextAsync()).Event);
        return JsonSerializer.Deserialize(content, WireJson.Strict.ProblemDocument)?.Code ?? "";
    }

    /// <summary>A stream that tells nothing but its progress for half a minute will not tell it at all.</summary>
    private async Task<(string Event, string Content)> NextButProgressAsync()
    {
        for (var quiet = 0; quiet < 2; quiet++)
            if (await NextAsync() is { Event: not "progress" } next) return next;
        return await NextAsync();
    }

    public async ValueTask DisposeAsync()
    {
        response.Dispose();
        try
        {
            await events.DisposeAsync();
        }
        catch (NotSupportedException)
        {
            // A read is under way, which the disposed response ends.
        }
    }
}
