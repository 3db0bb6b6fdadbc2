using System.Text.Json;
using Groundwork.Client.Flags;
using Groundwork.Client.Platform;
using Groundwork.Client.Settings;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Logging;

namespace Groundwork.Client.Receipts;

/// <summary>
/// Sends receipts within a second of what they are about, and once in a while which keys were read and how flags
/// answered. Thousands of readers hear of a publication at once, so each has its own moment within the second. What
/// could not be sent stays and is sent later. One task.
/// </summary>
internal sealed partial class ReceiptReporter(
    GroundworkOptions options, PlatformConnection platform, ReaderIdentity reader, ReceiptBook book,
    SettingOrigins origins, FlagExposures exposures, ILogger log)
{
    /// <summary>
    /// Intervals between two reports of keys and flags, which change nothing for anybody who waits.
    /// </summary>
    private const int UseIntervals = 30;

    /// <summary>Intervals until the first of these: when most of what is read at start was read.</summary>
    private const int FirstUse = 5;

    /// <summary>
    /// Intervals over which the readers of a platform that came back spread what they tell again.
    /// </summary>
    private const int AgainSpread = 3;

    /// <summary>Intervals between tries that fail, at most.</summary>
    private const int LongestBackoff = 60;

    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(5);

    /// <summary>At the end one try is made for what was counted since the last report.</summary>
    private static readonly TimeSpan LastCallLimit = TimeSpan.FromSeconds(1);

    /// <summary>What the platform takes in one call.</summary>
    private const int MaxReceipts = 1000;

    /// <summary>Keys of one call, so that its body stays some 100 KiB.</summary>
    private const int MaxKeys = 2000;

    /// <summary>Flags and variants of one call, as the platform takes them.</summary>
    private const int MaxFlags = 1000;

    private readonly TimeSpan interval = options.ReceiptInterval;
    private readonly Backoff backoff = new(options.ReceiptInterval, options.ReceiptInterval * LongestBackoff);
    private long began;
    private TimeSpan notBefore;
    private TimeSpan nextUse = options.ReceiptInterval * FirstUse;
    private string? refusal;
    private bool hasSent;

    // Set by the follower, taken by the loop.
    private bool again;

    /// <summary>The platform was reached anew. Never blocks.</summary>
    public void SendAgain() => Volatile.Write(ref again, true);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        began = options.Time.GetTimestamp();
        try
        {
            await Task.Delay(interval * Random.Shared.NextDouble(), options.Time, cancellationToken);
            using var timer = new PeriodicTimer(interval, options.Time);
            while (await timer.WaitForNextTickAsync(cancellationToken)) await RoundAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await LastAsync();
        }
    }

    private async Task LastAsync()
    {
        if (refusal is not null || platform.AwaySince is not null) return;
        nextUse = TimeSpan.Zero;
        using var late = new CancellationTokenSource(LastCallLimit, options.Time);
        try
        {
            await ReportAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            // The platform does not answer; the stop is worth more than the last counts.
        }
        catch (Exception fault)
        {
            LogLoop(fault);
        }
    }

    private async Task RoundAsync(CancellationToken cancellationToken)
    {
        var now = options.Time.GetElapsedTime(began);
        if (Interlocked.Exchange(ref again, false) && hasSent)
        {
            book.SendAgain();
            notBefore = now + (interval * (AgainSpread * Random.Shared.NextDouble()));
        }
        if (reader.Id is null || now < notBefore) return;
        try
        {
            if (await ReportAsync(cancellationToken))
            {
                backoff.Reset();
                return;
            }
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            // A bug must not end the loop, nor the stop of the host that waits for it.
            LogLoop(fault);
        }
        notBefore = now + backoff.Next();
    }

    // False: something could not be sent.
    private async Task<bool> ReportAsync(CancellationToken cancellationToken)
    {
        if (reader.Id is not { } id) return true;
        var now = options.Time.GetElapsedTime(began);
        var isTimeForUse = now >= nextUse;
        while (true)
        {
            var receipts = book.Take(MaxReceipts);
            var keys = origins.TakeUnreported(isTimeForUse ? MaxKeys : 0);
            var flags = isTimeForUse ? exposures.TakeUnreported(MaxFlags) : [];
            if (receipts.Count + keys.Count + flags.Count == 0) break;
            var batch = new ReceiptBatch(
                reader.Service, id, receipts, keys.Count > 0 ? keys : null, flags.Count > 0 ? flags : null);
            if (!await SendAsync(batch, cancellationToken))
            {
                origins.GiveBack(keys);
                exposures.GiveBack(flags);
                return false;
            }
            book.Confirm(receipts);
            hasSent = true;
        }
        if (isTimeForUse) nextUse = now + (interval * UseIntervals);
        return true;
    }

    private async Task<bool> SendAsync(ReceiptBatch batch, CancellationToken cancellationToken)
    {
        var content = JsonSerializer.SerializeToUtf8Bytes(batch, WireJson.Strict.ReceiptBatch);
        var path = $"/settings/{options.Namespace}/receipts";
        var fault = await platform.SendAsync(HttpMethod.Post, path, content, CallLimit, cancellationToken);
        var code = fault is null || fault.Error == PlatformConnection.Away ? null : fault.Error.Code;
        if (fault is not null && code is not null && code != refusal) LogRefused(fault);
        refusal = code;
        return fault is null;
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The platform does not take what became of its settings here; tries again later. {Fault}")]
    private partial void LogRefused(Fault fault);

    [LoggerMessage(Level = LogLevel.Error, Message = "What became of settings could not be reported")]
    private partial void LogLoop(Exception fault);
}
