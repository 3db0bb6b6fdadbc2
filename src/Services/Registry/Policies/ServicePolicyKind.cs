using System.Globalization;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;

namespace Groundwork.Services.Registry.Policies;

/// <summary>What operators want of a whole service, whatever its instances say.</summary>
/// <param name="Maintenance">True: every instance is listed as <c>out-of-service</c> and none is called.</param>
/// <param name="Reason">Why, for everybody who looks at the service; at most 512 characters.</param>
/// <param name="ProtectionThreshold">0 to 1: the share of instances that must be healthy, or all of them stay listed
/// and callable. 0 turns protection off for this service. Without it the registry's own holds, 0.5.</param>
/// <param name="Probe">How its persistent instances are probed; without it they are not.</param>
public sealed record ServicePolicySpec(
    bool Maintenance = false, string? Reason = null, double? ProtectionThreshold = null, ProbeSpec? Probe = null);

/// <summary>
/// How one node of the platform looks after the persistent instances of a service. Ephemeral ones speak for themselves.
/// </summary>
/// <param name="Type"><c>http</c>: a GET with the instance's scheme. <c>tcp</c>: a connection is enough.</param>
/// <param name="Path">What to get, such as <c>/health?deep=1</c>; <c>/</c> unless given. For <c>http</c> only.</param>
/// <param name="Port">Name of one of the instance's further ports; its primary port unless given.</param>
/// <param name="IntervalSeconds">1 to 3,600: from one probe to the next, give or take a tenth.</param>
/// <param name="TimeoutMs">50 to 60,000 for connection and head of the answer together, within the interval.</param>
/// <param name="ExpectedStatus">A status or a range such as <c>200-299</c>, which is the default.</param>
/// <param name="UnhealthyAfter">1 to 100 failures in a row make the check critical.</param>
/// <param name="HealthyAfter">1 to 100 successes in a row make it pass again.</param>
public sealed record ProbeSpec(
    string Type,
    string? Path = null,
    string? Port = null,
    int IntervalSeconds = 10,
    int TimeoutMs = 2_000,
    string? ExpectedStatus = null,
    int UnhealthyAfter = 3,
    int HealthyAfter = 2);

/// <summary>
/// The kind <c>service-policy</c>, named <c>group/service</c>. It may be there before its service is.
/// </summary>
public static class ServicePolicyKind
{
    /// <summary>The kind's name.</summary>
    public const string Name = "service-policy";

    /// <summary>Characters of a probe's path: a request line of 8 KiB is refused by many servers.</summary>
    private const int MaxPathLength = 1024;

    public static Kind<ServicePolicySpec> Kind { get; } =
        new(Name, PolicyJson.Default.ServicePolicySpec)
        {
            Module = RegistryModule.ModuleName,
            Summary = "Maintenance, protection threshold and probe of a service.",
            Validate = Validate,
            ValidateAgainst = ValidateName,
        };

    /// <summary>The service that a resource of this kind is about; null for a name that is of no service.</summary>
    internal static ServiceKey? KeyOf(ResourceKey key) =>
        key.Name.Split('/') is [var group, var service] && ServiceKey.IsPart(group) && ServiceKey.IsPart(service)
            ? new ServiceKey(key.Namespace, group, service)
            : null;

    /// <summary>Reads <c>200</c> or <c>200-299</c>; null for anything else.</summary>
    internal static (int From, int To)? ReadStatus(string? text)
    {
        if (text is null) return (200, 299);
        var parts = text.Split('-');
        if (parts.Length > 2 || !TryStatus(parts[0], out var from) || !TryStatus(parts[^1], out var to)) return null;
        return from <= to ? (from, to) : null;
    }

    private static bool TryStatus(string text, out int status) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out status) && status is >= 100 and <= 599;

    private static void Validate(ServicePolicySpec spec, ICollection<FieldFault> faults)
    {
        if (spec.ProtectionThreshold is < 0 or > 1 or double.NaN)
            faults.Add(new FieldFault("spec.protectionThreshold", "must be 0 (off) to 1"));
        PolicyRules.CheckReason(spec.Reason, faults);
        if (spec.Probe is { } probe) Validate(probe, faults);
    }

    private static void Validate(ProbeSpec probe, ICollection<FieldFault> faults)
    {
        void Check(bool right, string field, string rule)
        {
            if (!right) faults.Add(new FieldFault($"spec.probe.{field}", rule));
        }
        Check(probe.Type is "http" or "tcp", "type", "must be http or tcp");
        if (probe.Type == "tcp")
        {
            Check(probe.Path is null, "path", "is for http");
            Check(probe.ExpectedStatus is null, "expectedStatus", "is for http");
        }
        Check(probe.Path is null || IsPath(probe.Path), "path",
            $"must be a path of printable ASCII from / on, of at most {MaxPathLength} characters");
        Check(probe.Port is null || Names.IsSegment(probe.Port), "port", "must be the name of a further port");
        Check(probe.IntervalSeconds is >= 1 and <= 3600, "intervalSeconds", "must be 1 to 3600");
        Check(probe.TimeoutMs is >= 50 and <= 60_000 && probe.TimeoutMs <= probe.IntervalSeconds * 1000L, "timeoutMs",
            "must be 50 to 60000, and not longer than the interval");
        Check(ReadStatus(probe.ExpectedStatus) is not null, "expectedStatus",
            "must be a status such as 204 or a range such as 200-299");
        Check(probe.UnhealthyAfter is >= 1 and <= 100, "unhealthyAfter", "must be 1 to 100");
        Check(probe.HealthyAfter is >= 1 and <= 100, "healthyAfter", "must be 1 to 100");
    }

    private static bool IsPath(string path) =>
        path.Length is > 0 and <= MaxPathLength && path[0] == '/' && path.All(c => c is > ' ' and <= '~' and not '#');

    private static void ValidateName(
        Snapshot head, ResourceKey key, ServicePolicySpec? spec, ICollection<FieldFault> faults)
    {
        if (KeyOf(key) is null) faults.Add(new FieldFault("name", "must be group/service, such as default/orders"));
    }
}
