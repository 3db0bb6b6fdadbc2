using System.Globalization;
using Groundwork.Host.Output;

namespace Groundwork.Host.Up;

/// <summary>What <c>up</c> prints once everything has been started.</summary>
internal static class UpTable
{
    public static void Print(Terminal terminal, IEnumerable<Replica> replicas)
    {
        var table = new Table("SERVICE", "INSTANCE", "ADDRESS", "STATE", "");
        foreach (var replica in replicas)
        {
            var status = replica.Status;
            table.Add(
                replica.Service.Name,
                replica.Id,
                status.Port == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{status.Port}"),
                Word(status.State),
                status.State == ReplicaState.Waiting
                    ? $"for {string.Join(", ", replica.Service.DependsOn)}"
                    : status.Reason);
        }
        table.Print(terminal.Out);
    }

    private static string Word(ReplicaState state) => state switch
    {
        ReplicaState.Waiting => "waiting",
        ReplicaState.Starting => "starting",
        ReplicaState.Healthy => "healthy",
        ReplicaState.Unhealthy => "unhealthy",
        ReplicaState.BackingOff => "restarting",
        ReplicaState.Stopping => "stopping",
        _ => "stopped",
    };
}
