using System.Collections.Immutable;
using System.Threading.Channels;
using Groundwork.Host.Output;

namespace Groundwork.Host.Up;

/// <summary>
/// Prints the lines of all instances, each whole and with its prefix. One task writes; a full queue makes the children
/// wait, as a slow terminal would.
/// </summary>
internal sealed class LogPrinter : IAsyncDisposable
{
    /// <summary>Lines that may wait for the terminal.</summary>
    private const int MaxWaiting = 4096;

    /// <summary>ANSI colours that are readable on dark and on light ground; red is left for errors.</summary>
    private static readonly ImmutableArray<int> Colours = [36, 33, 35, 32, 34, 96, 93, 95, 92, 94];

    private readonly Channel<string> lines =
        Channel.CreateBounded<string>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });

    private readonly ImmutableDictionary<string, int> colours;
    private readonly Terminal terminal;
    private readonly int width;
    private readonly Task printing;
    private readonly TaskCompletionSource opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="sources">Ids in the order in which they get their colours.</param>
    public LogPrinter(Terminal terminal, IEnumerable<string> sources)
    {
        this.terminal = terminal;
        var ids = sources.ToImmutableArray();
        width = ids.Select(id => id.Length).DefaultIfEmpty(0).Max();
        colours = ids.Select((id, index) => (id, Colour: Colours[index % Colours.Length]))
            .ToImmutableDictionary(entry => entry.id, entry => entry.Colour, StringComparer.Ordinal);
        printing = PrintAsync();
    }

    /// <summary>A line that an instance wrote.</summary>
    public ValueTask LineAsync(string source, string line) => lines.Writer.WriteAsync($"{Prefix(source)}{line}");

    /// <summary>Something that <c>up</c> says of an instance.</summary>
    public ValueTask EventAsync(string source, string what) =>
        lines.Writer.WriteAsync($"{Prefix(source)}{terminal.Dim($"[{source} {what}]")}");

    /// <summary>Starts printing; what came before was kept, so that the table stands above all lines.</summary>
    public void Open() => opened.TrySetResult();

    /// <summary>Text without a prefix, such as the table.</summary>
    public ValueTask TextAsync(string text) => lines.Writer.WriteAsync(text);

    /// <summary>Prints what waits, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        Open();
        lines.Writer.TryComplete();
        await printing;
    }

    private async Task PrintAsync()
    {
        await opened.Task;
        await foreach (var line in lines.Reader.ReadAllAsync()) await terminal.Out.WriteLineAsync(line);
        await terminal.Out.FlushAsync();
    }

    private string Prefix(string source)
    {
        var text = $"{source.PadRight(width)} | ";
        return colours.TryGetValue(source, out var colour) ? terminal.Coloured(text, colour) : text;
    }
}
