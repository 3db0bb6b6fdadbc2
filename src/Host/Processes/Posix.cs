using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Groundwork.Host.Processes;

/// <summary>The calls of the operating system that the framework has no name for. Linux.</summary>
internal static partial class Posix
{
    public const int SigInt = 2;
    public const int SigKill = 9;
    public const int SigTerm = 15;

    public const int SigUsr2 = 12;

    private const int SigPipe = 13;
    private const int NoSuchProcess = 3; // ESRCH
    private const int SetParentDeathSignal = 1; // PR_SET_PDEATHSIG
    private const int OpenFilesLimit = 7; // RLIMIT_NOFILE

    /// <summary>
    /// Sends the signal to the process's group, or to the process alone while it has none of its own.
    /// </summary>
    /// <returns>False when there is no such process any more.</returns>
    public static bool SignalProcessOrGroup(int processId, int signal) =>
        SignalGroup(processId, signal) || Sent(Kill(processId, signal));

    /// <summary>Sends the signal to what is left of the group that the process leads or led.</summary>
    /// <returns>False when nobody is left.</returns>
    public static bool SignalGroup(int processId, int signal) => Sent(Kill(-processId, signal));

    private static bool Sent(int result)
    {
        if (result == 0) return true;
        var error = Marshal.GetLastPInvokeError();
        return error == NoSuchProcess ? false : throw new Win32Exception(error);
    }

    /// <summary>Puts this process at the head of a new process group.</summary>
    public static void LeadNewGroup()
    {
        if (SetProcessGroup(0, 0) != 0) throw new Win32Exception(Marshal.GetLastPInvokeError());
    }

    /// <summary>
    /// This process gets SIGKILL when the <em>thread</em> that started it ends; stays so across exec.
    /// </summary>
    public static void DieWithParent()
    {
        if (ProcessControl(SetParentDeathSignal, SigKill, 0, 0, 0) != 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError());
    }

    /// <summary>
    /// Replaces this process by the program, found on the PATH. Returns only when that fails.
    /// </summary>
    /// <returns>What went wrong.</returns>
    public static Win32Exception Execute(IReadOnlyList<string> command)
    {
        // The runtime ignores SIGPIPE, and an ignored signal stays ignored across exec: the program would never notice.
        _ = SetSignalAction(SigPipe, 0);
        string?[] arguments = [.. command, null];
        _ = ExecuteOnPath(command[0], arguments);
        return new Win32Exception(Marshal.GetLastPInvokeError());
    }

    /// <summary>The same with an environment of its own; the program's path is taken as it is.</summary>
    public static Win32Exception Replace(
        string program, IReadOnlyList<string> arguments, IReadOnlyList<string> environment)
    {
        _ = SetSignalAction(SigPipe, 0);
        _ = ReplaceImage(program, [.. arguments, null], [.. environment, null]);
        return new Win32Exception(Marshal.GetLastPInvokeError());
    }

    [LibraryImport("libc", EntryPoint = "execve", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ReplaceImage(string program, string?[] arguments, string?[] environment);

    [LibraryImport("libc", EntryPoint = "getppid")]
    public static partial int ParentProcessId();

    /// <summary>The soft and the hard limit of open files.</summary>
    public static (ulong Soft, ulong Hard) OpenFiles() =>
        GetLimit(OpenFilesLimit, out var limit) == 0
            ? (limit.Soft, limit.Hard)
            : throw new Win32Exception(Marshal.GetLastPInvokeError());

    /// <summary>
    /// What the kernel's clock discipline says: state (5: not synchronised) and the largest error in microseconds.
    /// </summary>
    public static (int State, long MaxErrorMicroseconds) ClockDiscipline()
    {
        var time = default(Timex);
        var state = AdjustTime(ref time);
        return state < 0 ? throw new Win32Exception(Marshal.GetLastPInvokeError()) : (state, time.MaxError);
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int processId, int signal);

    [LibraryImport("libc", EntryPoint = "setpgid", SetLastError = true)]
    private static partial int SetProcessGroup(int processId, int group);

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    private static partial int ProcessControl(int option, nuint a, nuint b, nuint c, nuint d);

    [LibraryImport("libc", EntryPoint = "signal", SetLastError = true)]
    private static partial nint SetSignalAction(int signal, nint action);

    [LibraryImport("libc", EntryPoint = "execvp", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ExecuteOnPath(string file, string?[] arguments);

    [LibraryImport("libc", EntryPoint = "getrlimit", SetLastError = true)]
    private static partial int GetLimit(int resource, out Limit limit);

    [LibraryImport("libc", EntryPoint = "adjtimex", SetLastError = true)]
    private static partial int AdjustTime(ref Timex time);

    private struct Limit
    {
        public ulong Soft;
        public ulong Hard;
    }

    /// <summary><c>struct timex</c> of 64-bit Linux; only what is read has a name.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 208)]
    private struct Timex
    {
        [FieldOffset(0)]
        public uint Modes;

        [FieldOffset(24)]
        public long MaxError;
    }
}
