using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Groundwork.Kernel.Hosting;

/// <summary>
/// Listening sockets that were open before this process was: those of a service manager
/// (<c>sd_listen_fds(3)</c>: <c>LISTEN_PID</c>, <c>LISTEN_FDS</c>, <c>LISTEN_FDNAMES</c>), or of the process that stood
/// in its place. What connects while nobody accepts waits in them.
/// </summary>
public sealed class InheritedSockets
{
    /// <summary>How a process tells its successor: <c>PID;NAME=DESCRIPTOR,…</c>.</summary>
    public const string Variable = "GROUNDWORK_INHERITED_SOCKETS";

    /// <summary>Sockets that are taken over: more than there are listeners is a mistake.</summary>
    private const int MaxSockets = 64;

    private const int FirstDescriptor = 3; // SD_LISTEN_FDS_START
    private const int SetDescriptorFlags = 2; // F_SETFD
    private const int CloseOnExec = 1; // FD_CLOEXEC

    private readonly Lock gate = new();
    private readonly Dictionary<string, Socket> sockets = new(StringComparer.Ordinal); // Under the gate.

    private InheritedSockets(IEnumerable<(string Name, int Descriptor)> given)
    {
        foreach (var (name, descriptor) in given)
        {
            // What this process starts is not to hold them.
            _ = DescriptorControl(descriptor, SetDescriptorFlags, CloseOnExec);
            try
            {
                sockets[name] = new Socket(new SafeSocketHandle(descriptor, ownsHandle: true));
            }
            catch (SocketException)
            {
                // Something else than a socket: a service manager may pass pipes, too.
            }
        }
    }

    public static InheritedSockets None { get; } = new([]);

    /// <summary>Those of this process, once: what it starts hears nothing of them.</summary>
    public static InheritedSockets OfProcess()
    {
        var given = Read(Environment.GetEnvironmentVariable, Environment.ProcessId);
        foreach (var variable in new[] { Variable, "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES" })
            Environment.SetEnvironmentVariable(variable, null);
        return given.IsEmpty ? None : new InheritedSockets(given);
    }

    /// <summary>The names and descriptors that variables tell; none when they are meant for another process.</summary>
    internal static ImmutableArray<(string Name, int Descriptor)> Read(Func<string, string?> variable, int processId)
    {
        var own = processId.ToString(CultureInfo.InvariantCulture);
        if (variable(Variable)?.Split(';') is [var successor, var list] && successor == own)
        {
            return
            [
                .. list.Split(',', StringSplitOptions.RemoveEmptyEntries).Take(MaxSockets)
                    .Select(item => item.Split('='))
                    .Where(parts => parts.Length == 2 && int.TryParse(
                        parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out _))
                    .Select(parts => (parts[0], int.Parse(parts[1], CultureInfo.InvariantCulture))),
            ];
        }
        if (variable("LISTEN_PID") != own
            || !int.TryParse(variable("LISTEN_FDS"), NumberStyles.None, CultureInfo.InvariantCulture, out var count))
            return [];
        var names = variable("LISTEN_FDNAMES")?.Split(':') ?? [];
        return
        [
            .. Enumerable.Range(0, Math.Min(count, MaxSockets)).Select(index => (
                // Of several with one name, the others go by their address.
                index < names.Length && !names.Take(index).Contains(names[index]) ? names[index] : $"#{index}",
                FirstDescriptor + index)),
        ];
    }

    /// <summary>The socket of a listener, by name or else by address; null when there is none.</summary>
    internal Socket? Take(string listener, IPEndPoint wanted, SocketType type = SocketType.Stream)
    {
        lock (gate)
        {
            foreach (var (name, socket) in sockets.OrderBy(pair => pair.Key == listener ? 0 : 1).ToList())
            {
                if (!Fits(socket, wanted, type, isNamed: name == listener)) continue;
                sockets.Remove(name);
                return socket;
            }
            return null;
        }
    }

    /// <summary>Closes what no listener has taken: where nobody accepts, clients would wait for ever.</summary>
    internal void CloseRest()
    {
        lock (gate)
        {
            foreach (var socket in sockets.Values) socket.Dispose();
            sockets.Clear();
        }
    }

    private static bool Fits(Socket socket, IPEndPoint wanted, SocketType type, bool isNamed)
    {
        if (socket.SocketType != type || socket.LocalEndPoint is not IPEndPoint bound) return false;
        return bound.Address.Equals(wanted.Address) && (bound.Port == wanted.Port || (isNamed && wanted.Port == 0));
    }

    [DllImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static extern int DescriptorControl(int descriptor, int command, int argument);

    /// <summary>Copies of sockets that stay open when this process gives way to another program.</summary>
    internal static Dictionary<string, int> Keep(IEnumerable<(string Name, Socket Socket)> listening)
    {
        const int Duplicate = 0; // F_DUPFD: a copy that goes along when another program takes over.
        var kept = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (name, socket) in listening)
        {
            var descriptor = (int)socket.Handle;
            // The framework ends a socket for everybody who has it, unless it is marked as one that others have.
            _ = DescriptorControl(descriptor, SetDescriptorFlags, 0);
            var copy = DescriptorControl(descriptor, Duplicate, FirstDescriptor);
            if (copy >= 0) kept[name] = copy;
        }
        return kept;
    }
}
