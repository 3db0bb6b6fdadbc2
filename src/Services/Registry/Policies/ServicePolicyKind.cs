using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;

namespace Groundwork.Services.Registry.Policies;

/// <summary>What operators want of a whole service, whatever its instances say.</summary>
public sealed record ServicePolicySpec(
    [Description("True: every instance is listed as out-of-service and none is called.")]
    bool Maintenance = false,
    [Description("Why, for everybody who looks at the service; at most 512 characters.")]
    string? Reason = null,
    [Description(
        "0 to 1: the share of instances that must be healthy, or all of them stay listed and callable. 0 turns "
        + "protection off for this service. Without it the registry's own holds, 0.5.")]
    [Range(0.0, 1.0)]
    double? ProtectionThreshold = null,
    [Description("How its persistent instances are probed; without it they are not.")]
    ProbeSpec? Probe = null);

/// <summary>
/// How one node of the platform looks after the persistent instances of a service. Ephemeral ones speak for themselves.
/// </summary>
public sealed record ProbeSpec(
    [Description("http: a GET with the instance's scheme. tcp: a connection is enough.")]
    [AllowedValues("http", "tcp")]
    string Type,
    [Description("What to get, such as /health?deep=1; / unless given. For http only.")]
    string? Path = null,
    [Description("Name of one of the instance's further ports; its primary port unless given.")]
    string? Port = null,
    [Description("1 to 3,600: from one probe to the next, give or take a tenth.")]
    [Range(1, 3_600)]
    int IntervalSeconds = 10,
    [Description("50 to 60,000 for connection and head of the answer together, within the interval.")]
    [Range(50, 60_000)]
    int TimeoutMs = 2_000,
    [Description("A status or a range such as 200-299, which is the default.")]
    string? ExpectedStatus = null,
    [Description("1 to 100 failures in a row make the check critical.")]
    [Range(1, 100)]
    int UnhealthyAfter = 3,
    [Description("1 to 100 successes in a row make it pass again.")]
    [Range(1, 100)]
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
