using System.Globalization;
using System.Text;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;

namespace Groundwork.Services.Tests.Settings.Protocols.Nacos;

/// <summary>A node with settings, called as clients of Nacos call it.</summary>
internal sealed class OpenNacosConfigs : IAsyncDisposable
{
    private OpenNacosConfigs(OpenSettings settings, HttpClient client)
    {
        Settings = settings;
        Client = client;
    }

    public OpenSettings Settings { get; }

    /// <summary>A caller who may do everything.</summary>
    public HttpClient Client { get; }

    /// <param name="name">Of the access key; two nodes of one store have different ones.</param>
    public static async Task<OpenNacosConfigs> StartAsync(
        string? directory = null, Func<ProcessConfiguration, ProcessConfiguration>? configure = null,
        string name = "all")
    {
        var settings = await OpenSettings.StartAsync(directory, configure);
        var key = await settings.Running.MintAsync(name, [BuiltInRoles.Administrator]);
        return new OpenNacosConfigs(settings, settings.Running.Client(key));
    }

    public async Task<(int Status, string Body)> SendAsync(
        string method, string path, string query = "", HttpClient? client = null, HttpContent? body = null,
        params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(
            new HttpMethod(method), $"/nacos/{path}{(query.Length == 0 ? "" : "?")}{query}") { Content = body };
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        using var answer = await (client ?? Client).SendAsync(request);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    public async Task<(int Status, string Body)> PublishAsync(
        string dataId, string content, HttpClient? client = null, string type = "",
        params (string Name, string Value)[] headers)
    {
        using var form = new StringContent(
            $"dataId={dataId}&group=DEFAULT_GROUP&content={Uri.EscapeDataString(content)}&tenant=&type={type}&appName=",
            Encoding.UTF8);
        // As the client of npm writes it; .NET knows no such encoding.
        form.Headers.Remove("Content-Type");
        form.Headers.TryAddWithoutValidation("Content-Type", "application/x-www-form-urlencoded; charset=utf8");
        return await SendAsync("POST", "v1/cs/configs", "", client, form, headers);
    }

    public async Task MustPublishAsync(string dataId, string content)
    {
        var (status, body) = await PublishAsync(dataId, content);
        Assert.True((status, body) == (200, "true"), $"{status} {body}");
    }

    public Task<(int Status, string Body)> GetAsync(string dataId, string more = "") =>
        SendAsync("GET", "v1/cs/configs", $"dataId={dataId}&group=DEFAULT_GROUP&tenant={more}");

    /// <summary>A long poll for what a client has.</summary>
    /// <param name="keys">Records of three or four fields.</param>
    public async Task<(int Status, string Body)> ListenAsync(
        IReadOnlyList<string[]> keys, int seconds = 30, HttpClient? client = null)
    {
        var text = string.Concat(keys.Select(key => string.Join('\u0002', key) + '\u0001'));
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("Listening-Configs", text)]);
        return await SendAsync(
            "POST", "v1/cs/configs/listener", "", client, form,
            ("Long-Pulling-Timeout", (seconds * 1000).ToString(CultureInfo.InvariantCulture)));
    }

    public ValueTask DisposeAsync() => Settings.DisposeAsync();
}
