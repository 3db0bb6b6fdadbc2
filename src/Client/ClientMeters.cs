using System.Diagnostics.Metrics;
using Groundwork.Client.Calls;
using Groundwork.Client.Flags;

namespace Groundwork.Client;

/// <summary>The SDK's counters, of the meter <c>Groundwork.Client</c>.</summary>
internal sealed class ClientMeters : IDisposable
{
    public const string MeterName = "Groundwork.Client";

    private readonly Meter meter;
    private readonly Counter<long> breakerChanges;

    public ClientMeters()
    {
        meter = new Meter(MeterName);
        Reloads = meter.CreateCounter<long>(
            "groundwork.client.settings.reloads", "{reload}", "Publications of settings that this process took over.");
        ReloadFaults = meter.CreateCounter<long>(
            "groundwork.client.settings.faults", "{fault}",
            "Settings, or users of them, that failed on a publication.");
        Calls = meter.CreateCounter<long>(
            "groundwork.client.calls", "{call}", "Tries of calls by service name, by service and outcome.");
        Retries = meter.CreateCounter<long>(
            "groundwork.client.retries", "{call}", "Calls that were tried again on another instance, by service.");
        Ejections = meter.CreateCounter<long>(
            "groundwork.client.ejections", "{ejection}", "Instances left out for a while after failures, by service.");
        Renewals = meter.CreateCounter<long>(
            "groundwork.client.renewals", "{renewal}", "Renewals of this instance's registration, by outcome.");
        Hedges = meter.CreateCounter<long>(
            "groundwork.client.hedges", "{call}", "Tries made beside one that was slow or had failed, by service.");
        Refusals = meter.CreateCounter<long>(
            "groundwork.client.refusals", "{call}",
            "Calls and retries that were not made, by service and reason: circuit-open, bulkhead-full, retry-budget.");
        Degraded = meter.CreateCounter<long>(
            "groundwork.client.degraded", "{call}",
            "Calls that were answered in place of the service, by service and reason: fallback, failsafe.");
        breakerChanges = meter.CreateCounter<long>(
            "groundwork.client.breaker.changes", "{change}", "Circuit breakers that changed, by service and state.");
    }

    public Counter<long> Reloads { get; }

    public Counter<long> ReloadFaults { get; }

    public Counter<long> Calls { get; }

    public Counter<long> Retries { get; }

    public Counter<long> Ejections { get; }

    public Counter<long> Renewals { get; }

    public Counter<long> Hedges { get; }

    public Counter<long> Refusals { get; }

    public Counter<long> Degraded { get; }

    public static KeyValuePair<string, object?> Service(string name) => new("service", name);

    public static KeyValuePair<string, object?> Outcome(string outcome) => new("outcome", outcome);

    public static KeyValuePair<string, object?> Reason(string reason) => new("reason", reason);

    public void BreakerChanged(string service, string? method, string state) => breakerChanges.Add(
        1, Service(service), new KeyValuePair<string, object?>("method", method ?? "*"),
        new KeyValuePair<string, object?>("state", state));

    /// <summary>Shows the breakers there are: 0 closed, 1 half-open, 2 open.</summary>
    public void Show(Func<IEnumerable<CallBreaker>> breakers) => meter.CreateObservableGauge(
        "groundwork.client.breaker.state",
        () => breakers().Select(breaker => new Measurement<int>(
            breaker.State.Level, Service(breaker.Service),
            new KeyValuePair<string, object?>("method", breaker.Policy.Method ?? "*"))),
        unit: null, "0: closed, 1: half-open, 2: open; by service and method.");

    /// <summary>Shows how often flags answered with which variant.</summary>
    public void Show(FlagExposures exposures) => meter.CreateObservableCounter(
        "groundwork.client.flags", exposures.Measure, "{evaluation}", "Evaluations of flags, by flag and variant.");

    public void Dispose() => meter.Dispose();
}
