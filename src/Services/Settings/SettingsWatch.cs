using System.Globalization;
using System.IO.Pipelines;
using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Hosting.Streaming;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings.Readers;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Groundwork.Services.Settings;

/// <summary>
/// Follows the settings of some groups for one reader. What is sent is the difference between what it has and a
/// snapshot, and a snapshot holds whole changesets, so a reader never sees half of one; publications in quick
/// succession travel as one.
/// </summary>
internal sealed class SettingsWatch(
    ISnapshotSource snapshots, Authorizer authorizer, SettingReader reader, LiveReaders readers, SettingsSignal signal,
    TimeProvider time, CancellationToken ending)
{
    /// <summary>A reader without news learns its place so often.</summary>
    private static readonly TimeSpan ProgressEvery = TimeSpan.FromSeconds(15);

    private readonly SharedEvents events = new();
    private readonly StreamPulse pulse = new(time, ProgressEvery);

    public async Task FollowAsync(HttpContext context, SettingCaller caller, SettingSelection selection, long? after)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, ending);
        try
        {
            if (await RefuseAsync(context, after, stop.Token)) return;
            await BeginAsync(context, stop.Token);
            if (await FollowAsync(context, caller, selection, after, stop.Token) is { } fault)
                await FailAsync(context, fault, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The reader has gone, or the node drains.
        }
    }

    /// <summary>What is wrong with the place to begin at, answered before the stream begins.</summary>
    private async Task<bool> RefuseAsync(HttpContext context, long? after, CancellationToken stop)
    {
        Fault? fault = null;
        if (after < 0) fault = new Fault(ErrorCodes.RevisionUnknown, $"There is no revision {after}; they begin at 1.");
        else if (after > snapshots.Current.Revision)
        {
            var reached = await snapshots.ReachAsync(after.Value, ApiRequests.MaxWait, stop);
            if (!reached.Succeeded) fault = reached.Fault;
        }
        if (fault is not null) await Problems.WriteAsync(context, fault);
        return fault is not null;
    }

    private async Task<Fault?> FollowAsync(
        HttpContext context, SettingCaller caller, SettingSelection selection, long? after, CancellationToken stop)
    {
        var wait = new StreamWait();
        using var atEnd = wait.EndWith(stop);
        signal.Join(wait);
        pulse.Join(wait);
        try
        {
            return await DeliverAsync(context, caller, selection, after, wait, stop);
        }
        finally
        {
            pulse.Leave(wait);
            signal.Leave(wait);
        }
    }

    /// <summary>Sends until the reader goes; returns what ends the stream otherwise.</summary>
    private async Task<Fault?> DeliverAsync(
        HttpContext context, SettingCaller caller, SettingSelection selection, long? after, StreamWait wait,
        CancellationToken stop)
    {
        var lasting = LastingCaller.Of(context, authorizer, time);
        if (!(await lasting.AskAsync()).TryGet(out var principal, out var fault)) return fault;
        caller = caller with { Principal = principal };
        using var connection = readers.Begin(caller, selection);
        var begun = await BeginAsync(context, caller, selection, connection, after, stop);
        if (!begun.TryGet(out var held, out fault)) return fault;
        var rights = lasting.Generation;
        wait.ToldAt = time.GetTimestamp();
        do
        {
            if (!(await lasting.AskAsync()).TryGet(out principal, out fault)) return fault;
            if (!ReferenceEquals(caller.Principal, principal)) caller = caller with { Principal = principal };
            var current = snapshots.Current;
            var changes = await reader.ReadChangesAsync(
                current, caller, selection, held, lasting.Generation != rights, stop);
            if (!changes.TryGet(out var news, out fault)) return fault;
            rights = lasting.Generation;
            if (news is not null)
            {
                await SendAsync(context, news, selection, stop);
                connection?.Sent(news, current);
                wait.ToldAt = time.GetTimestamp();
            }
            else if (time.GetElapsedTime(wait.ToldAt) >= ProgressEvery)
            {
                await ProgressAsync(context, current.Revision, stop);
                wait.ToldAt = time.GetTimestamp();
            }
        }
        while (await wait.WaitAsync() != Woken.Ended);
        return null;
    }

    /// <summary>
    /// Brings a reader that is behind up to date. What was removed in between, and what it might see then, is only
    /// known by sending everything.
    /// </summary>
    private async Task<Outcome<HeldSettings>> BeginAsync(
        HttpContext context, SettingCaller caller, SettingSelection selection, ReaderConnection? connection,
        long? after, CancellationToken stop)
    {
        var current = snapshots.Current;
        if (after is null || after == current.Revision)
        {
            var assumed = await reader.HoldAsync(current, caller, selection, stop);
            await ProgressAsync(context, current.Revision, stop);
            if (assumed.Succeeded && assumed.Value.Names.Count > 0) connection?.See();
            return assumed;
        }
        var held = new HeldSettings();
        var whole = await reader.ReadAsync(current, caller, selection, held, stop);
        if (!whole.TryGet(out var settings, out var fault)) return fault;
        await SendAsync(context, settings, selection, stop);
        connection?.Sent(settings, current);
        return held;
    }

    private static async Task BeginAsync(HttpContext context, CancellationToken stop)
    {
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.StartAsync(stop);
    }

    private ValueTask<FlushResult> SendAsync(
        HttpContext context, SettingSnapshot settings, SettingSelection selection, CancellationToken stop) =>
        context.Response.BodyWriter.WriteAsync(events.Of(settings, selection.Key), stop);

    private static Task ProgressAsync(HttpContext context, long revision, CancellationToken stop) => WriteAsync(
        context, string.Create(CultureInfo.InvariantCulture, $"event: progress\nid: {revision}\ndata: {{}}\n\n"), stop);

    private static Task FailAsync(HttpContext context, Fault fault, CancellationToken stop)
    {
        var problem = JsonSerializer.Serialize(Problems.ToDocument(fault, context), WireJson.Strict.ProblemDocument);
        return WriteAsync(context, $"event: problem\ndata: {problem}\n\n", stop);
    }

    private static async Task WriteAsync(HttpContext context, string text, CancellationToken stop)
    {
        await context.Response.WriteAsync(text, stop);
        await context.Response.Body.FlushAsync(stop);
    }
}
