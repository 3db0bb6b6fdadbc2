using System.Net.ServerSentEvents;
using System.Text.Json;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Registry;

/// <summary>An open watch, read event by event.</summary>
internal sealed class EventStream : IAsyncDisposable
{
    private readonly HttpClient client;
    private readonly HttpResponseMessage response;
    private readonly IAsyncEnumerator<SseItem<ServiceDocument?>> events;

    private EventStream(HttpClient client, HttpResponseMessage response, Stream body)
    {
        this.client = client;
        this.response = response;
        events = SseParser
            .Create(body, (_, content) => JsonSerializer.Deserialize(content, WireJson.Strict.ServiceDocument))
            .EnumerateAsync().GetAsyncEnumerator();
    }

    /// <param name="claim">The instance that the watcher says it is.</param>
    public static async Task<EventStream> OpenAsync(
        OpenRegistry open, string path, string may = OpenRegistry.All, string? claim = null)
    {
        var caller = open.Client(may);
        if (claim is not null) caller.DefaultRequestHeaders.Add(HeaderNames.Caller, claim);
        var answer = await caller.GetAsync("/groundwork/v1/registry/" + path, HttpCompletionOption.ResponseHeadersRead);
        answer.EnsureSuccessStatusCode();
        return new EventStream(caller, answer, await answer.Content.ReadAsStreamAsync());
    }

    public async Task<ServiceDocument> NextAsync() =>
        await TryNextAsync() ?? throw new InvalidOperationException("The watch ended.");

    /// <summary>Null when the watch has ended.</summary>
    public async Task<ServiceDocument?> TryNextAsync() =>
        await events.MoveNextAsync().AsTask().WaitAsync(Eventually.Patience, TimeProvider.System)
            ? events.Current.Data
            : null;

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
        client.Dispose();
    }
}
