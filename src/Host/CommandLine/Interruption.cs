using System.Runtime.InteropServices;

namespace Groundwork.Host.CommandLine;

/// <summary>Ctrl-C and SIGTERM: the first asks, the second insists, the third is the system's to handle.</summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource asked = new();
    private readonly CancellationTokenSource insisted = new();
    private readonly PosixSignalRegistration[] registrations;
    private int signals;

    private Interruption(params PosixSignal[] watched) =>
        registrations = [.. watched.Select(signal => PosixSignalRegistration.Create(signal, OnSignal))];

    /// <summary>The signal that came first; null while none has.</summary>
    public PosixSignal? First { get; private set; }

    /// <summary>End in good order.</summary>
    public CancellationToken Asked => asked.Token;

    /// <summary>End at once.</summary>
    public CancellationToken Insisted => insisted.Token;

    public static Interruption OfProcess() => new(PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP);

    /// <summary>For a test: no signal of the process reaches it.</summary>
    public static Interruption None() => new();

    public void Ask(PosixSignal signal)
    {
        switch (Interlocked.Increment(ref signals))
        {
            case 1:
                First = signal;
                asked.Cancel();
                break;
            case 2:
                insisted.Cancel();
                break;
        }
    }

    public void Dispose()
    {
        foreach (var registration in registrations) registration.Dispose();
        asked.Dispose();
        insisted.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        // The third one ends the process whatever it is doing.
        context.Cancel = Volatile.Read(ref signals) < 2;
        Ask(context.Signal);
    }
}
