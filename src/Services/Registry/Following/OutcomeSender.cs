using System.Net.Http.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.Registry.Following;

/// <summary>
/// Gathers how calls went and tells the followed node once a second. What cannot be sent is forgotten: it ages fast.
/// </summary>
internal sealed partial class OutcomeSender(HttpClient client, TimeProvider time, ILogger logger)
{
    /// <summary>Between two reports.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Instances of which one report tells, each in up to three ways; more are left out until the next.
    /// </summary>
    private const int MaxInstances = RegistryLimits.MaxOutcomesPerBatch / 3;

    // The answered ones are nearly all, on every core: they only clear a mark, and only where there is one.
    private readonly System.Collections.Concurrent.ConcurrentDictionary<InstanceKey, Tally> tallies = new();

    public void Add(InstanceKey instance, CallOutcome outcome)
    {
        if (outcome == CallOutcome.Answered)
        {
            if (tallies.TryGetValue(instance, out var tally)) Interlocked.Increment(ref tally.Answered);
            return;
        }
        if (!tallies.TryGetValue(instance, out var failed))
        {
            if (tallies.Count >= MaxInstances) return;
            failed = tallies.GetOrAdd(instance, static _ => new Tally());
        }
        if (outcome == CallOutcome.ConnectFailed) Interlocked.Increment(ref failed.ConnectFailed);
        else Interlocked.Increment(ref failed.NoAnswer);
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            var reports = Take();
            if (reports.Count == 0) continue;
            try
            {
                using var response = await client.PostAsJsonAsync(
                    Listeners.ApiRoot + "/registry/outcomes",
                    new OutcomeBatch(reports),
                    WireJson.Strict.OutcomeBatch,
                    cancellationToken);
                if (!response.IsSuccessStatusCode) LogRefused((int)response.StatusCode);
            }
            catch (Exception failure) when (failure is HttpRequestException or IOException or TimeoutException)
            {
                LogNotSent(failure.Message);
            }
        }
    }

    private List<OutcomeDocument> Take()
    {
        var reports = new List<OutcomeDocument>();
        foreach (var (key, _) in tallies)
        {
            if (!tallies.TryRemove(key, out var tally)) continue;
            Report(reports, key, CallOutcome.ConnectFailed, tally.ConnectFailed);
            Report(reports, key, CallOutcome.NoAnswer, tally.NoAnswer);
            Report(reports, key, CallOutcome.Answered, tally.Answered);
        }
        return reports;
    }

    private static void Report(List<OutcomeDocument> reports, InstanceKey key, CallOutcome outcome, int count)
    {
        if (count > 0)
            reports.Add(new OutcomeDocument(
                key.Service.Service, key.Id, InstanceWords.Of(
                    outcome), count, key.Service.Namespace, key.Service.Group));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The followed node refused outcomes with status {Status}")]
    private partial void LogRefused(int status);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Outcomes could not be sent: {Reason}")]
    private partial void LogNotSent(string reason);

    // Interlocked, by any thread. An increment that meets the removal is lost, which nobody will miss.
    private sealed class Tally
    {
        public int Answered;
        public int ConnectFailed;
        public int NoAnswer;
    }
}
