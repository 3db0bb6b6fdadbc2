using System.Collections.Frozen;

namespace Groundwork.Services.Registry;

/// <summary>The words that stand for the registry's enumerations on the wire and in the store.</summary>
internal static class InstanceWords
{
    public const string Statuses = "starting, up, draining, out-of-service or down";
    public const string CheckStates = "passing, warning or critical";
    public const string Outcomes = "answered, connect-failed or no-answer";

    public static string Of(InstanceStatus status) => status switch
    {
        InstanceStatus.Starting => "starting",
        InstanceStatus.Up => "up",
        InstanceStatus.Draining => "draining",
        InstanceStatus.OutOfService => "out-of-service",
        _ => "down",
    };

    public static InstanceStatus? Status(string? word) => word switch
    {
        "starting" => InstanceStatus.Starting,
        "up" => InstanceStatus.Up,
        "draining" => InstanceStatus.Draining,
        "out-of-service" => InstanceStatus.OutOfService,
        "down" => InstanceStatus.Down,
        _ => null,
    };

    public static string Of(CheckState state) => state switch
    {
        CheckState.Passing => "passing",
        CheckState.Warning => "warning",
        _ => "critical",
    };

    public static CheckState? Check(string? word) => word switch
    {
        "passing" => CheckState.Passing,
        "warning" => CheckState.Warning,
        "critical" => CheckState.Critical,
        _ => null,
    };

    public static string Of(HealthState state) => state switch
    {
        HealthState.Healthy => "healthy",
        HealthState.Suspect => "suspect",
        _ => "unhealthy",
    };

    /// <summary>A word that is not known is of a newer node; traffic then goes on.</summary>
    public static HealthState Health(string? word) => word switch
    {
        "unhealthy" => HealthState.Unhealthy,
        "suspect" => HealthState.Suspect,
        _ => HealthState.Healthy,
    };

    public static string Of(CallOutcome outcome) => outcome switch
    {
        CallOutcome.Answered => "answered",
        CallOutcome.ConnectFailed => "connect-failed",
        _ => "no-answer",
    };

    public static CallOutcome? Outcome(string? word) => word switch
    {
        "answered" => CallOutcome.Answered,
        "connect-failed" => CallOutcome.ConnectFailed,
        "no-answer" => CallOutcome.NoAnswer,
        _ => null,
    };

    public static string Of(RegistryEventKind kind) => kind switch
    {
        RegistryEventKind.Registered => "registered",
        RegistryEventKind.Updated => "updated",
        RegistryEventKind.Renewed => "renewed",
        RegistryEventKind.Suspect => "suspect",
        RegistryEventKind.Expired => "expired",
        RegistryEventKind.Held => "held",
        RegistryEventKind.Deregistered => "deregistered",
        RegistryEventKind.Draining => "draining",
        RegistryEventKind.Unhealthy => "unhealthy",
        RegistryEventKind.Healthy => "healthy",
        RegistryEventKind.Undrained => "undrained",
        RegistryEventKind.Probed => "probed",
        RegistryEventKind.Overridden => "overridden",
        RegistryEventKind.Policy => "policy",
        _ => "stalled",
    };

    /// <summary>A word that is not known is of a newer node: something changed.</summary>
    public static RegistryEventKind Event(string word) =>
        EventKinds.TryGetValue(word, out var kind) ? kind : RegistryEventKind.Updated;

    private static readonly FrozenDictionary<string, RegistryEventKind> EventKinds =
        Enum.GetValues<RegistryEventKind>().ToFrozenDictionary(Of, StringComparer.Ordinal);
}
