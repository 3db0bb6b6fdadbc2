using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Groundwork.Communication.Gateway.Recording;

/// <summary>
/// One request as it waits to be written: numbers, then texts one behind the other. What it costs to make a line of it
/// is paid by the writer.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct AccessEntry
{
    public int Length; // Of all of it, with the texts.
    public long At; // Ticks, UTC, at its end.
    public long Micros;
    public long BytesIn;
    public long BytesOut;
    public int Status;
    public ushort Attempts;
    public byte Protocol; // 0 and 1 for HTTP/1.0 and 1.1, 2 for HTTP/2.
    public byte IsSampled;
    public ushort Client;
    public ushort Method;
    public ushort Host;
    public ushort Path;
    public ushort Referer;
    public ushort Agent;
    public ushort Route;
    public ushort Instance;
    public ushort Code;
    // Behind it: 32 bytes of the trace's id and 16 of the request's, then the texts in this order.

    public const int IdBytes = 48;

    public static int Size => Unsafe.SizeOf<AccessEntry>();
}
