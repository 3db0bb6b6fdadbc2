using System.Text;

namespace Groundwork.Host.Processes;

/// <summary>Reads the lines of a child's output, none longer than a bound.</summary>
internal static class LineReader
{
    /// <summary>
    /// Characters after which a line is broken: a child that never ends its line must not fill our memory.
    /// </summary>
    public const int MaxLineLength = 16 * 1024;

    /// <summary>Calls <paramref name="line"/> for each, until the output ends.</summary>
    public static async Task ReadAsync(
        TextReader output, Func<string, ValueTask> line, CancellationToken cancellationToken)
    {
        var buffer = new char[4096];
        var pending = new StringBuilder();
        int read;
        while ((read = await output.ReadAsync(buffer, cancellationToken)) > 0)
        {
            var rest = buffer.AsMemory(0, read);
            while (rest.Length > 0)
            {
                var end = rest.Span.IndexOf('\n');
                var part = end < 0 ? rest : rest[..end];
                part = part[..Math.Min(part.Length, MaxLineLength - pending.Length)];
                pending.Append(part.Span);
                var ends = end == part.Length;
                rest = rest[(ends ? part.Length + 1 : part.Length)..];
                if (!ends && pending.Length < MaxLineLength) continue;
                await line(Take(pending));
            }
        }
        if (pending.Length > 0) await line(Take(pending));
    }

    private static string Take(StringBuilder pending)
    {
        if (pending.Length > 0 && pending[^1] == '\r') pending.Length--;
        var text = pending.ToString();
        pending.Clear();
        return text;
    }
}
