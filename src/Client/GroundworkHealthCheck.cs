using Groundwork.Client.Calls;
using Groundwork.Client.Platform;
using Groundwork.Client.Registration;
using Groundwork.Client.Settings;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Groundwork.Client;

/// <summary>
/// The health check <c>groundwork</c>, tagged <c>ready</c>: unhealthy while the instance drains, degraded while it is
/// not registered or the platform is away, which is no reason to restart it.
/// </summary>
internal sealed class GroundworkHealthCheck(
    GroundworkOptions options, PlatformConnection platform, InstanceRegistration registration,
    SettingsProvider settings, CallPlans calls)
    : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(Check());

    private HealthCheckResult Check()
    {
        var revision = settings.Current.Revision;
        var facts = new Dictionary<string, object>(StringComparer.Ordinal) { ["settingsRevision"] = revision };
        if (registration.Id is { } id) facts["registeredAs"] = id;
        foreach (var breaker in calls.Breakers.Where(breaker => breaker.State.State != BreakerState.Closed))
        {
            var state = breaker.State;
            facts[$"breaker {breaker.Service} {breaker.Policy.Method ?? "*"}"] =
                $"{state.State} since {state.Since:u}: {state.Reason}";
        }
        if (calls.Fault is { } fault) facts["callPoliciesRefused"] = fault;
        if (platform.AwaySince is { } since) facts["platformAwaySince"] = since;

        if (registration.IsDraining) return HealthCheckResult.Unhealthy("draining", data: facts);
        if (platform.AwaySince is { } away)
        {
            return HealthCheckResult.Degraded(
                $"serving stale since {away:u}: no platform node answers; settings are of revision {revision}",
                data: facts);
        }
        if (!options.Register) return HealthCheckResult.Healthy("not registered, as configured", facts);
        return registration.Id is null
            ? HealthCheckResult.Degraded(
                $"not registered: {registration.Refused?.ToString() ?? "not yet tried"}", data: facts)
            : HealthCheckResult.Healthy($"registered as {registration.Id}", facts);
    }
}
