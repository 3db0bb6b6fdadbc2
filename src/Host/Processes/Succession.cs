using System.Collections;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Groundwork.Kernel.Hosting;

namespace Groundwork.Host.Processes;

/// <summary>
/// Gives this process over to a new one of the same program, as it lies on the disk now: the process id stays, so that
/// whoever supervises it sees nothing, and so do the listening sockets, in which clients wait meanwhile. Asked for by
/// SIGUSR2, as of nginx.
/// </summary>
internal sealed class Succession : IDisposable
{
    private readonly CancellationTokenSource asked = new();
    private readonly PosixSignalRegistration registration;

    private Succession() => registration = PosixSignalRegistration.Create((PosixSignal)Posix.SigUsr2, context =>
    {
        context.Cancel = true;
        asked.Cancel();
    });

    public CancellationToken Asked => asked.Token;

    public static Succession OfProcess() => new();

    /// <summary>Replaces this process. Returns only when that fails, with the reason.</summary>
    /// <param name="sockets">Descriptors by the names of their listeners.</param>
    public static string Give(IReadOnlyDictionary<string, int> sockets)
    {
        var own = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        var list = string.Join(',', sockets.Select(pair => $"{pair.Key}={pair.Value}"));
        var variables = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Select(pair => $"{pair.Key}={pair.Value}")
            .Append($"{InheritedSockets.Variable}={own};{list}");
        var arguments = Encoding.UTF8.GetString(File.ReadAllBytes("/proc/self/cmdline")).TrimEnd('\0').Split('\0');
        return Environment.ProcessPath is { } program
            ? Posix.Replace(program, arguments, [.. variables]).Message
            : "the path of the program is not known";
    }

    public void Dispose()
    {
        registration.Dispose();
        asked.Dispose();
    }
}
