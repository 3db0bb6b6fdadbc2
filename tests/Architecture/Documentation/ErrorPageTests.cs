using System.Text.RegularExpressions;
using Groundwork.Wire;

namespace Groundwork.Tests.Architecture.Documentation;

public sealed partial class ErrorPageTests
{
    [Fact]
    public void Every_code_has_its_line_and_every_line_its_code() =>
        Violation.None(Check(Repository.Read("docs/errors.md").Text, ErrorCodes.ByCode.Values));

    [Fact]
    public void Planted_faults_of_the_page_are_found()
    {
        const string page = """
            | `here` | 404 | It is not there. | Look elsewhere. |
            | `wrong_status` | 400 | It is not there. | Look elsewhere. |
            | `says_nothing` | 400 | It is not there. | |
            | `gone` | 400 | It is not there. | Look elsewhere. |
            | `here` | 404 | Twice. | Look elsewhere. |
            """;
        ErrorCode[] codes =
        [
            new("here", 404, ""), new("wrong_status", 404, ""), new("says_nothing", 400, ""), new("unwritten", 400, ""),
        ];

        Assert.Equal(
            ["gone", "here", "says_nothing", "unwritten", "wrong_status"],
            Check(page, codes).Select(violation => violation.Where).Order(StringComparer.Ordinal));
    }

    private static IEnumerable<Violation> Check(string page, IEnumerable<ErrorCode> codes)
    {
        var rows = Row().Matches(page).Select(match => match.Groups)
            .Select(row => (Code: row["code"].Value, Status: row["status"].Value, Cells: row["cells"].Value)).ToList();
        var byCode = codes.ToDictionary(code => code.Code, StringComparer.Ordinal);
        foreach (var row in rows)
        {
            if (!byCode.TryGetValue(row.Code, out var code))
                yield return new Violation(row.Code, "is on the page and not in the catalogue");
            else if (row.Status != $"{code.Status}")
                yield return new Violation(row.Code, $"has status {code.Status}, and the page says {row.Status}");
            if (row.Cells.Split('|').Count(cell => !string.IsNullOrWhiteSpace(cell)) < 2)
                yield return new Violation(row.Code, "needs its meaning and what to do next");
        }
        foreach (var twice in rows.GroupBy(row => row.Code).Where(group => group.Count() > 1))
            yield return new Violation(twice.Key, "is on the page more than once");
        foreach (var code in byCode.Keys.Except(rows.Select(row => row.Code)))
            yield return new Violation(code, "is in the catalogue and not on the page");
    }

    [GeneratedRegex(@"^\s*\| `(?<code>[a-z_]+)` \| (?<status>\d+) \|(?<cells>.*)\|\s*$", RegexOptions.Multiline, 1000)]
    private static partial Regex Row();
}
