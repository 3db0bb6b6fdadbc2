using System.Globalization;
using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Groundwork.Services.Settings;

/// <summary>
/// Follows the settings of some groups for one reader. What is sent is the difference of two snapshots, and a snapshot
/// holds whole changesets, so a reader never sees half of one; publications in quick succession travel as one.
/// </summary>
internal sealed class SettingsWatch(
    ISnapshotSource snapshots, SettingReader reader, SettingsSignal signal, TimeProvider time, CancellationToken ending)
{
    /// <summary>A reader without news learns its place so often.</summary>
    private static readonly TimeSpan ProgressEvery = TimeSpan.FromSeconds(15);

    public async Task FollowAsync(HttpContext context, SettingSelection selection, long? after)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, ending);
        var caller = SettingCaller.Of(context);
        try
        {
            var seen = await StartAsync(context, caller, selection, after, stop.Token);
            while (seen is not null) seen = await NextAsync(context, caller, selection, seen, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The reader has gone, or the node drains.
        }
    }

    /// <summary>Brings a reader that is behind up to date; null when it cannot be, and has been told.</summary>
    private async Task<Snapshot?> StartAsync(
        HttpContext context, SettingCaller caller, SettingSelection selection, long? after, CancellationToken stop)
    {
        if (after > snapshots.Current.Revision)
        {
            var reached = await snapshots.ReachAsync(after.Value, ApiRequests.MaxWait, stop);
            if (!reached.Succeeded)
            {
                await Problems.WriteAsync(context, reached.Fault);
                return null;
            }
        }
        await BeginAsync(context, stop);
        var current = snapshots.Current;
        if (after is null || after == current.Revision)
        {
            await ProgressAsync(context, current.Revision, stop);
            return current;
        }
        // What was removed in between is only known by sending everything.
        var whole = await reader.ReadAsync(current, caller, selection, stop);
        if (!whole.TryGet(out var settings, out var fault)) return await FailAsync(context, fault, stop);
        await SendAsync(context, settings, stop);
        return current;
    }

    private async Task<Snapshot?> NextAsync(
        HttpContext context, SettingCaller caller, SettingSelection selection, Snapshot seen, CancellationToken stop)
    {
        var next = signal.Next;
        var current = snapshots.Current;
        var changes = await reader.ReadChangesAsync(seen, current, caller, selection, stop);
        if (!changes.TryGet(out var news, out var fault)) return await FailAsync(context, fault, stop);
        if (news is not null)
        {
            await SendAsync(context, news, stop);
            return current;
        }
        try
        {
            await next.WaitAsync(ProgressEvery, time, stop);
        }
        catch (TimeoutException)
        {
            await ProgressAsync(context, current.Revision, stop);
        }
        return current;
    }

    private static async Task BeginAsync(HttpContext context, CancellationToken stop)
    {
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.StartAsync(stop);
    }

    private static async Task SendAsync(HttpContext context, SettingSnapshot settings, CancellationToken stop)
    {
        var json = JsonSerializer.Serialize(settings, WireJson.Strict.SettingSnapshot);
        await WriteAsync(
            context, string.Create(
                CultureInfo.InvariantCulture, $"event: settings\nid: {settings.Revision}\ndata: {json}\n\n"), stop);
    }

    private static Task ProgressAsync(HttpContext context, long revision, CancellationToken stop) => WriteAsync(
        context, string.Create(CultureInfo.InvariantCulture, $"event: progress\nid: {revision}\ndata: {{}}\n\n"), stop);

    private static async Task<Snapshot?> FailAsync(HttpContext context, Fault fault, CancellationToken stop)
    {
        var problem = JsonSerializer.Serialize(Problems.ToDocument(fault, context), WireJson.Strict.ProblemDocument);
        await WriteAsync(context, $"event: problem\ndata: {problem}\n\n", stop);
        return null;
    }

    private static async Task WriteAsync(HttpContext context, string text, CancellationToken stop)
    {
        await context.Response.WriteAsync(text, stop);
        await context.Response.Body.FlushAsync(stop);
    }
}
