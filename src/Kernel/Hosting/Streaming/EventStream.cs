using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Groundwork.Kernel.Hosting.Streaming;

/// <summary>
/// An answer of server-sent events (WHATWG HTML, 9.2) that several sources write to in turn. Its head goes out with the
/// first event, so that what is wrong before it is still an answer.
/// </summary>
/// <param name="token">The id of the last event that the reader has seen; null when it says none.</param>
/// <param name="after">The revision that the reader has seen, when there is no token.</param>
public sealed class EventStream(
    HttpContext context, string? token, long? after, Authorizer authorizer, TimeProvider time) : IDisposable
{
    /// <summary>
    /// A comment goes out when nothing else has for so long: both ends notice a dead connection, and proxies close
    /// those that are silent for a minute.
    /// </summary>
    private static readonly TimeSpan BeatEvery = TimeSpan.FromSeconds(15);

    private readonly SemaphoreSlim turn = new(1, 1);
    private long writtenAt = time.GetTimestamp();

    public HttpContext Context => context;

    /// <summary>The id of the last event that the reader has seen; null when it says none.</summary>
    public string? Token { get; } =
        context.Request.Headers["Last-Event-ID"].ToString() is { Length: > 0 } last ? last : token;

    /// <summary>The revision that the reader has seen, when there is no token.</summary>
    public long? After => after;

    /// <summary>The reader, to be asked anew while the stream goes on; each source asks for its own.</summary>
    public LastingCaller Caller() => LastingCaller.Of(context, authorizer, time);

    /// <summary>Writes whole events and sends them; waits while the reader does not take them.</summary>
    public async Task WriteAsync<TNews>(
        TNews news, Action<IBufferWriter<byte>, TNews> write, CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            write(await BeginAsync(), news);
            await context.Response.BodyWriter.FlushAsync(cancellationToken);
            Volatile.Write(ref writtenAt, time.GetTimestamp());
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>The answer, when nothing was sent yet; else the stream's last event, <c>problem</c>.</summary>
    public async Task FailAsync(Fault fault)
    {
        if (!context.Response.HasStarted)
        {
            await Problems.WriteAsync(context, fault);
            return;
        }
        var problem = JsonSerializer.Serialize(Problems.ToDocument(fault, context), WireJson.Strict.ProblemDocument);
        await context.Response.WriteAsync($"event: problem\ndata: {problem}\n\n", context.RequestAborted);
    }

    /// <summary>Keeps a silent stream open; ends on the token.</summary>
    public async Task BeatAsync(CancellationToken ended)
    {
        while (true)
        {
            var silent = time.GetElapsedTime(Volatile.Read(ref writtenAt));
            if (silent < BeatEvery) await Task.Delay(BeatEvery - silent, time, ended);
            else await WriteAsync(0, static (writer, _) => writer.Write(": \n\n"u8), ended);
        }
    }

    public void Dispose() => turn.Dispose();

    private async ValueTask<PipeWriter> BeginAsync()
    {
        var response = context.Response;
        if (response.HasStarted) return response.BodyWriter;
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store";
        await response.StartAsync(context.RequestAborted);
        return response.BodyWriter;
    }
}
