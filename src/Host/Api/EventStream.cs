using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text;
using Groundwork.Host.CommandLine;
using Groundwork.Wire;

namespace Groundwork.Host.Api;

/// <summary>
/// Follows a stream of server-sent events across lost connections: each new one resumes after the last id seen.
/// </summary>
internal sealed class EventStream(ApiConnection connection, TimeProvider time)
{
    /// <summary>Before the first attempt to connect again; doubles up to <see cref="MaxDelay"/>.</summary>
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The platform says something at least every 15 s; silence of three times that is a dead connection.
    /// </summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(45);

    /// <summary>Set by the first answer; the one reader's alone.</summary>
    private string? startedAt;

    /// <summary>Said when the connection is lost and when it is back.</summary>
    public Action<string> Notice { get; init; } = _ => { };

    /// <summary>
    /// All events but the platform's own <c>progress</c>, without end. A <c>problem</c> ends it as a failure.
    /// </summary>
    public async IAsyncEnumerable<SseItem<string>> ReadAsync(
        string path, string? lastId, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var delay = FirstDelay;
        var connected = false;
        while (true)
        {
            // Until an event has named a place, the place is the revision at which the first connection began.
            var resume = lastId is null && startedAt is not null && !NamesPlace(path)
                ? ApiPaths.With(path, ("after", startedAt))
                : path;
            var request = ApiRequest.Get(resume) with { Accept = "text/event-stream", LastEventId = lastId };
            var events = OpenAsync(request, connected, cancellationToken).GetAsyncEnumerator(cancellationToken);
            await using (events.ConfigureAwait(false))
            {
                while (await NextAsync(events, cancellationToken) is { } next)
                {
                    delay = FirstDelay;
                    if (next.EventId is { Length: > 0 } id) lastId = id;
                    if (next.EventType == "problem")
                    {
                        var problem = Problem(next.Data);
                        // A sign-in's token lives for minutes: the next connection has a new one, or says why not.
                        if (problem.ExitCode == ExitCodes.Refused) break;
                        throw problem;
                    }
                    if (next.EventType != "progress") yield return next;
                }
            }
            connected = true;
            Notice($"connection lost; trying again in {delay.TotalSeconds:0.##} s");
            await Task.Delay(delay, time, cancellationToken);
            delay = delay * 2 < MaxDelay ? delay * 2 : MaxDelay;
        }
    }

    private async IAsyncEnumerable<SseItem<string>> OpenAsync(
        ApiRequest request, bool again, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        HttpResponseMessage answer;
        try
        {
            answer = await connection.OpenAsync(request, cancellationToken);
        }
        catch (VerbFailure failure) when (again && failure.ExitCode == ExitCodes.Unreachable)
        {
            yield break; // It was there before, so it is worth waiting for.
        }
        using (answer)
        {
            if (answer.Headers.TryGetValues(HeaderNames.Revision, out var revision)) startedAt ??= revision.First();
            var body = await answer.Content.ReadAsStreamAsync(cancellationToken);
            var parser = SseParser.Create(body, (_, data) => Encoding.UTF8.GetString(data));
            // A timer of our own could fire on a source that is disposed of at that moment.
            using var watchdog = new CancellationTokenSource(Silence, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, watchdog.Token);
            await foreach (var item in parser.EnumerateAsync(either.Token))
            {
                watchdog.CancelAfter(Silence);
                yield return item;
            }
        }
    }

    /// <summary>The next event, or null when the connection is gone.</summary>
    private static async Task<SseItem<string>?> NextAsync(
        IAsyncEnumerator<SseItem<string>> events, CancellationToken cancellationToken)
    {
        try
        {
            return await events.MoveNextAsync() ? events.Current : null;
        }
        catch (Exception fault) when (fault is IOException or HttpRequestException)
        {
            return null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null; // Silence for too long.
        }
    }

    private static bool NamesPlace(string path) =>
        path.Contains("after=", StringComparison.Ordinal) || path.Contains("token=", StringComparison.Ordinal);

    private static VerbFailure Problem(string data) =>
        System.Text.Json.JsonSerializer.Deserialize(data, WireJson.Lenient.ProblemDocument) is { } problem
            ? VerbFailure.From(problem)
            : new VerbFailure(ExitCodes.Fault, "the watch ended without a reason");
}
