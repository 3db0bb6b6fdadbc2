namespace Groundwork.Host.Processes;

/// <summary>
/// Whether what awaits a socket goes on upon the socket threads of this process. It saves an edge gateway a hop per
/// read; anywhere else it is a fault in waiting, because these threads are few and one that computes or blocks holds up
/// every other connection (four continuations that slept 2 s stalled an unrelated request for 6 s). So exactly the edge
/// profile has it, whatever the environment says.
/// </summary>
internal static class SocketCompletions
{
    /// <summary>What the runtime reads, once, when the first socket of the process is used.</summary>
    public const string Variable = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>To be called before the process opens a socket.</summary>
    public static void Choose(bool inline) => Environment.SetEnvironmentVariable(Variable, inline ? "1" : null);
}
