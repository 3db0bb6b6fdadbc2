namespace Groundwork.Host.Output;

/// <summary>
/// Rows under a heading, in columns as wide as their content: readable by people, cut by <c>awk</c>. Nothing is
/// shortened.
/// </summary>
internal sealed class Table(params string[] headings)
{
    private const string Gap = "  ";

    private readonly List<string[]> rows = [];

    /// <summary>Said instead of an empty table.</summary>
    public string Empty { get; init; } = "nothing found";

    public bool IsEmpty => rows.Count == 0;

    public Table Add(params string?[] cells)
    {
        if (cells.Length != headings.Length)
            throw new ArgumentException($"A row has {cells.Length} cells and the table {headings.Length} columns.");
        rows.Add([.. cells.Select(OneLine)]);
        return this;
    }

    public void Print(TextWriter output)
    {
        if (IsEmpty)
        {
            output.WriteLine(Empty);
            return;
        }
        var widths = headings.Select((heading, column) => Math.Max(heading.Length, rows.Max(row => row[column].Length)))
            .ToArray();
        PrintRow(output, headings, widths);
        foreach (var row in rows) PrintRow(output, row, widths);
    }

    private static void PrintRow(TextWriter output, string[] cells, int[] widths)
    {
        var padded = cells.Select((cell, column) => column == cells.Length - 1 ? cell : cell.PadRight(widths[column]));
        output.WriteLine(string.Join(Gap, padded).TrimEnd());
    }

    // A line break or an escape sequence in somebody's text must not forge a row or drive the terminal.
    private static string OneLine(string? cell) =>
        cell is null ? "" : string.Concat(cell.Select(c => char.IsControl(c) ? ' ' : c));
}
