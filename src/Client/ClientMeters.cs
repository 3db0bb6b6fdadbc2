using System.Diagnostics.Metrics;

namespace Groundwork.Client;

/// <summary>The SDK's counters, of the meter <c>Groundwork.Client</c>.</summary>
internal sealed class ClientMeters : IDisposable
{
    public const string MeterName = "Groundwork.Client";

    private readonly Meter meter;

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
    }

    public Counter<long> Reloads { get; }

    public Counter<long> ReloadFaults { get; }

    public Counter<long> Calls { get; }

    public Counter<long> Retries { get; }

    public Counter<long> Ejections { get; }

    public Counter<long> Renewals { get; }

    public void Dispose() => meter.Dispose();
}
