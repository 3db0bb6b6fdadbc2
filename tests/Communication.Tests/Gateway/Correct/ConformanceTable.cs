using System.Globalization;
using System.Text;

namespace Groundwork.Communication.Tests.Gateway.Correct;

/// <summary>What came of a case with each of the three.</summary>
internal sealed record CaseRow(ConformanceCase Case, CaseOutcome Ours, CaseOutcome Nginx, CaseOutcome Haproxy)
{
    public bool Agrees => Ours.Class == Nginx.Class && Ours.Class == Haproxy.Class;
}

/// <summary>The committed table of outcomes: written from a run, and read to compare the next.</summary>
internal static class ConformanceTable
{
    public const string Path = "docs/gateway/conformance.md";

    private const string Same = "same";
    private const string Arrow = " → ";
    private const string Bar = "\u0001"; // One that is escaped, while a line is cut into its cells.

    public static string Write(
        IReadOnlyList<CaseRow> rows, IReadOnlyDictionary<string, string> reasons, string nginx, string haproxy)
    {
        var text = new StringBuilder();
        var apart = rows.Count(row => !row.Agrees);
        text.Append(CultureInfo.InvariantCulture, $"""
            # Conformance of the HTTP/1 lane

            {rows.Count} raw cases, byte for byte the same, to Groundwork, nginx {nginx} and HAProxy {haproxy}, each in
            front of an instance that records what it gets and answers from a script. All three agree in
            {rows.Count - apart}; each of the other {apart} says why. The cases stand in
            `tests/Communication.Tests/Gateway/Correct/Cases/cases.txt`; `ConformanceTests` plays them and compares
            with this table, so that an outcome that changes is a red test. It is written by that test with
            `TESTS_WRITE=1`.

            An outcome is what the client saw (each status, with the body where it is not `ok`, `cut` for an answer that
            ended before its end, `unfinished` for one that goes on, `waits` for none; then whether the connection is
            `open` or `closed`) and, behind the arrow, each request that the instance saw: method, target, framing,
            body, and the fields that the case is about; `+` begins another connection. Two outcomes agree when
            requests are passed on alike and refused alike, by whatever status. nginx runs with
            `proxy_http_version 1.1`, kept connections, `proxy_request_buffering off` and the usual lines for
            WebSockets; HAProxy with its defaults.

            """);
        foreach (var section in rows.GroupBy(row => row.Case.Section))
        {
            text.Append(CultureInfo.InvariantCulture, $"""

                ## {section.Key}

                | case | Groundwork | nginx | HAProxy | why |
                |---|---|---|---|---|

                """);
            foreach (var row in section)
                text.Append(CultureInfo.InvariantCulture,
                    $"| {row.Case.Name} | {Cell(row.Ours)} | {Beside(row.Nginx, row.Ours)} | "
                    + $"{Beside(row.Haproxy, row.Ours)} | {Why(row)} |\n");
        }
        text.Append("\n## Why\n\n| word | because |\n|---|---|\n");
        var used = rows.Select(row => row.Case.Because).ToHashSet(StringComparer.Ordinal);
        foreach (var (word, reason) in reasons)
            if (used.Contains(word)) text.Append(CultureInfo.InvariantCulture, $"| {word} | {reason} |\n");
        return text.ToString();
    }

    /// <summary>The outcomes of the committed table: ours, nginx's and HAProxy's by the name of the case.</summary>
    public static Dictionary<string, (string Ours, string Nginx, string Haproxy)> Read(string text)
    {
        var read = new Dictionary<string, (string, string, string)>(StringComparer.Ordinal);
        foreach (var line in text.Split('\n'))
        {
            var cells = line.Replace("\\|", Bar, StringComparison.Ordinal).Split('|');
            if (cells.Length != 7 || !cells[2].Contains('`', StringComparison.Ordinal)) continue;
            for (var at = 0; at < cells.Length; at++)
                cells[at] = cells[at].Replace(Bar, "\\|", StringComparison.Ordinal);
            var ours = cells[2].Trim();
            read.Add(cells[1].Trim(), (ours, Or(cells[3], ours), Or(cells[4], ours)));
        }
        return read;
    }

    public static string Cell(CaseOutcome outcome) =>
        "`" + outcome.ToString().Replace('`', '\'').Replace("|", "\\|", StringComparison.Ordinal) + "`";

    /// <summary>What a cell of the table says.</summary>
    public static CaseOutcome Outcome(string cell)
    {
        var parts = cell.Trim('`').Replace("\\|", "|", StringComparison.Ordinal).Split(Arrow, 2);
        return new CaseOutcome(parts[0], parts.Length > 1 ? parts[1] : "");
    }

    private static string Beside(CaseOutcome outcome, CaseOutcome ours) => outcome == ours ? Same : Cell(outcome);

    private static string Why(CaseRow row) => row.Agrees ? "" : row.Case.Because ?? "**not told**";

    private static string Or(string cell, string ours) => cell.Trim() == Same ? ours : cell.Trim();
}
