namespace Groundwork.Services.Registry.Protocols.Eureka;

/// <summary>Eureka's words for the status of an instance.</summary>
internal static class EurekaStatus
{
    public const string Up = "UP";
    public const string Down = "DOWN";
    public const string Starting = "STARTING";
    public const string OutOfService = "OUT_OF_SERVICE";

    /// <summary>No status, or no override.</summary>
    public const string Unknown = "UNKNOWN";

    public static bool IsStatus(string? word) => word is Up or Down or Starting or OutOfService or Unknown;

    /// <summary>What an instance that says so is registered as. One that does not know is not called yet.</summary>
    public static InstanceStatus Read(string? word) => word switch
    {
        Down => InstanceStatus.Down,
        OutOfService => InstanceStatus.OutOfService,
        Starting or Unknown => InstanceStatus.Starting,
        _ => InstanceStatus.Up,
    };

    public static string Write(InstanceStatus status) => status switch
    {
        InstanceStatus.Up => Up,
        InstanceStatus.Down => Down,
        InstanceStatus.Starting => Starting,
        _ => OutOfService, // Draining, too: nothing new is sent there.
    };

    /// <summary>
    /// What clients are told, who call whatever is UP: an instance that traffic goes to, also one that protection
    /// keeps, is UP.
    /// </summary>
    public static string Of(Instance instance, bool callable) => instance switch
    {
        _ when callable => Up,
        { Status: InstanceStatus.Up, Weight: 0 } => OutOfService,
        { Status: InstanceStatus.Up } => Down,
        _ => Write(instance.Status),
    };

    /// <summary>
    /// The status that counts: an override holds while the instance says that it could be called; one that says of
    /// itself that it cannot knows best.
    /// </summary>
    public static string Effective(string own, string? over) =>
        over is not null && own is (Up or OutOfService) ? over : own;
}
