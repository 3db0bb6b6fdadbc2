using System.Text.Json;
using Groundwork.Client.Calls;
using Groundwork.Client.Platform;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Logging;

namespace Groundwork.Client.Discovery;

/// <summary>
/// Tells the platform once a second how calls went, so that others learn from them. What cannot be sent is dropped: it
/// is worth something for seconds only. One task.
/// </summary>
internal sealed partial class OutcomeReporter(
    GroundworkOptions options, PlatformConnection platform, ServiceDirectory directory, CallPlans calls,
    CallerName self, ILogger log)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(2);

    /// <summary>What the platform takes in one call.</summary>
    private const int MaxBatch = 1000;

    /// <summary>
    /// How long a platform that did not know what it was told hears of outcomes alone: it may be a newer one by then.
    /// </summary>
    private static readonly TimeSpan PlainFor = TimeSpan.FromMinutes(5);

    // Timestamp until which outcomes alone are sent.
    private long plainUntil = long.MinValue;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Interval, options.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                try
                {
                    await ReportAsync(cancellationToken);
                }
                catch (Exception fault) when (fault is not OperationCanceledException)
                {
                    // A bug must not end the loop, nor the stop of the host that waits for it.
                    LogLoop(fault);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    private async Task ReportAsync(CancellationToken cancellationToken)
    {
        var breakers = calls.TakeBreakerReport();
        var outcomes = Take().ToList();
        for (var at = 0; at < Math.Max(outcomes.Count, breakers.Count); at += MaxBatch)
        {
            var some = breakers.Skip(at).Take(MaxBatch).ToList();
            var batch = new OutcomeBatch(
                [.. outcomes.Skip(at).Take(MaxBatch)], self.Text, some.Count > 0 ? some : null);
            await SendAsync(batch, cancellationToken);
        }
    }

    private async Task SendAsync(OutcomeBatch batch, CancellationToken cancellationToken)
    {
        var isPlain = options.Time.GetTimestamp() < plainUntil;
        if (!isPlain)
        {
            var refused = await PostAsync(batch, cancellationToken);
            if (refused is not { Error.Status: 400 or 422 }) return;
            LogRefused(refused);
        }
        if (batch.Outcomes.Count == 0) return;
        var plain = await PostAsync(new OutcomeBatch(batch.Outcomes), cancellationToken);
        // Outcomes alone were taken, so it was the rest that was not understood.
        if (plain is not null || isPlain) return;
        plainUntil = options.Time.GetTimestamp() + (long)(PlainFor.TotalSeconds * options.Time.TimestampFrequency);
    }

    private Task<Fault?> PostAsync(OutcomeBatch batch, CancellationToken cancellationToken) => platform.SendAsync(
        HttpMethod.Post, "/registry/outcomes",
        JsonSerializer.SerializeToUtf8Bytes(batch, WireJson.Strict.OutcomeBatch), CallLimit, cancellationToken);

    private IEnumerable<OutcomeDocument> Take()
    {
        foreach (var (service, target) in directory.Targets)
        {
            foreach (var (outcome, word) in Words)
            {
                var count = target.TakeUnreported(outcome);
                if (count > 0)
                    yield return new OutcomeDocument(service, target.Id, word, count, options.Namespace, options.Group);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The platform does not take the report as it is: {Fault}")]
    private partial void LogRefused(Fault fault);

    [LoggerMessage(Level = LogLevel.Error, Message = "How calls went could not be reported")]
    private partial void LogLoop(Exception fault);

    private static readonly (CallOutcome Outcome, string Word)[] Words =
    [
        (CallOutcome.Answered, "answered"),
        (CallOutcome.ConnectFailed, "connect-failed"),
        (CallOutcome.NoAnswer, "no-answer"),
    ];
}
