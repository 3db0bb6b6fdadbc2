using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Client.Calls;

/// <summary>
/// Reads what a request says of its caller: one whose time is over is answered without running, and one whose time runs
/// out is cancelled. Calls made for it know of both.
/// </summary>
internal sealed class IncomingCalls(GroundworkOptions options) : IStartupFilter
{
    /// <summary>A longer wait is none that anybody waits for.</summary>
    private const long MaxDeadlineMs = 24L * 60 * 60 * 1000;

    /// <summary>
    /// Timers count in milliseconds: a call made for the request may find its time over this much before we do.
    /// </summary>
    private static readonly TimeSpan TimerSlack = TimeSpan.FromMilliseconds(20);

    /// <summary>ASP.NET Core's own answer where a request was cancelled.</summary>
    private const int ClientClosedRequest = 499;

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(InvokeAsync);
        next(app);
    };

    private Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var headers = context.Request.Headers;
        var left = Number(headers[HeaderNames.Deadline]);
        var attempt = (int)Math.Clamp(Number(headers[HeaderNames.Attempt]) ?? 1, 1, 1000);
        if (left is null && attempt == 1) return next(context);
        if (left <= 0) return AnswerLateAsync(context);
        return RunAsync(context, next, left, attempt);
    }

    private async Task RunAsync(HttpContext context, RequestDelegate next, long? left, int attempt)
    {
        if (left is not { } milliseconds)
        {
            using (IncomingCall.Begin(null, attempt)) await next(context);
            return;
        }
        var time = options.Time;
        var length = TimeSpan.FromMilliseconds(Math.Min(milliseconds, MaxDeadlineMs));
        var gone = context.RequestAborted;
        using var late = new CancellationTokenSource(length, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(gone, late.Token);
        context.RequestAborted = either.Token;
        var deadline = time.GetTimestamp() + (long)(length.TotalSeconds * time.TimestampFrequency);
        using var call = IncomingCall.Begin(deadline, attempt);
        bool IsLate() => time.GetElapsedTime(time.GetTimestamp(), deadline) <= TimerSlack
            && !gone.IsCancellationRequested && !context.Response.HasStarted;
        try
        {
            await next(context);
            if (!IsLate() || context.Response.StatusCode != ClientClosedRequest) return;
        }
        catch (Exception fault) when (IsLate() && fault is OperationCanceledException or GroundworkCallException)
        {
            // What the handler ran into because its time was over is answered below.
        }
        finally
        {
            context.RequestAborted = gone;
        }
        await AnswerLateAsync(context);
    }

    private static async Task AnswerLateAsync(HttpContext context)
    {
        var error = ErrorCodes.DeadlineExceeded;
        context.Response.Clear();
        context.Response.StatusCode = error.Status;
        context.Response.ContentType = "application/problem+json";
        var problem = new ProblemDocument(
            "/docs/errors#" + error.Code, error.Title, error.Status,
            "The caller does not wait for the answer any longer.", error.Code, Activity.Current?.TraceId.ToString());
        await JsonSerializer.SerializeAsync(
            context.Response.Body, problem, WireJson.Strict.ProblemDocument, context.RequestAborted);
    }

    // Whoever sends something else says nothing that we could hold ourselves to.
    private static long? Number(string? text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;
}
