using System.Text.Json;
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
    GroundworkOptions options, PlatformConnection platform, ServiceDirectory directory, ILogger log)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(2);

    /// <summary>What the platform takes in one call.</summary>
    private const int MaxBatch = 1000;

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
        foreach (var batch in Take().Chunk(MaxBatch))
        {
            var content = JsonSerializer.SerializeToUtf8Bytes(new OutcomeBatch(batch), WireJson.Strict.OutcomeBatch);
            await platform.SendAsync(HttpMethod.Post, "/registry/outcomes", content, CallLimit, cancellationToken);
        }
    }

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

    [LoggerMessage(Level = LogLevel.Error, Message = "How calls went could not be reported")]
    private partial void LogLoop(Exception fault);

    private static readonly (CallOutcome Outcome, string Word)[] Words =
    [
        (CallOutcome.Answered, "answered"),
        (CallOutcome.ConnectFailed, "connect-failed"),
        (CallOutcome.NoAnswer, "no-answer"),
    ];
}
