using System.Text.Json;

namespace Groundwork.Tests.Protocols.Xds;

/// <summary>What calls came to: how many reached which port, and what was said of those that failed.</summary>
internal sealed record Calls(IReadOnlyDictionary<string, int> Ports, IReadOnlyList<string> Failures)
{
    public bool Has(int port) => Ports.ContainsKey($"{port}");

    public override string ToString() =>
        string.Join(", ", Ports.Select(one => $"{one.Key}: {one.Value}").Concat(Failures));
}

/// <summary>The script that calls <c>xds:///SERVICE</c>, and is itself the servers that are called.</summary>
internal sealed class XdsClient(NpmClient script) : IAsyncDisposable
{
    /// <summary>Starts a server; its port.</summary>
    public async Task<int> ServeAsync() => (await DoAsync(new { @do = "serve" })).GetProperty("port").GetInt32();

    /// <summary>Ends a server once the calls that it has are answered.</summary>
    public Task StopAsync(int port) => DoAsync(new { @do = "stop", port });

    /// <summary>Calls the service so often, one after the other.</summary>
    /// <param name="seconds">That a call may take.</param>
    public async Task<Calls> CallAsync(string service = "orders", int count = 1, double seconds = 10) =>
        Read(await DoAsync(new { @do = "calls", service, count, seconds }));

    /// <summary>Calls the service from now on, all the time.</summary>
    public Task FlowAsync(string service = "orders") => DoAsync(new { @do = "flow", service });

    /// <summary>What those calls have come to since this was last asked.</summary>
    public async Task<Calls> FlownAsync() => Read(await DoAsync(new { @do = "flown" }));

    public ValueTask DisposeAsync() => script.DisposeAsync();

    private async Task<JsonElement> DoAsync(object what)
    {
        await script.TellAsync(JsonSerializer.Serialize(what));
        return await script.NextAsync("done");
    }

    private static Calls Read(JsonElement done) => new(
        done.GetProperty("ports").EnumerateObject().ToDictionary(
            one => one.Name, one => one.Value.GetInt32(), StringComparer.Ordinal),
        [.. done.GetProperty("failures").EnumerateArray().Select(one => one.GetString() ?? "")]);
}
