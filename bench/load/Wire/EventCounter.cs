namespace Groundwork.Load.Wire;

/// <summary>
/// Counts whole events of one name in an event stream as it comes from the socket. The chunks' lengths stand in lines
/// of their own, which end in a carriage return and so are never the empty line that ends an event.
/// </summary>
internal sealed class EventCounter(byte[] firstLine)
{
    private int matched; // Bytes of the line that match; -1 when it does not.
    private bool isOurs;
    private bool isEmptyLine = true;

    /// <summary>Reads on; returns how many events have ended.</summary>
    public int Add(ReadOnlySpan<byte> bytes)
    {
        var count = 0;
        foreach (var one in bytes)
        {
            if (one == '\n')
            {
                if (isEmptyLine && isOurs)
                {
                    count++;
                    isOurs = false;
                }
                isOurs |= matched == firstLine.Length;
                (matched, isEmptyLine) = (0, true);
                continue;
            }
            isEmptyLine = false;
            if (matched >= 0) matched = matched < firstLine.Length && firstLine[matched] == one ? matched + 1 : -1;
        }
        return count;
    }
}
