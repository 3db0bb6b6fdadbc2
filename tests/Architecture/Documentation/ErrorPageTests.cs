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
            | <a id="here"></a>`here` | 404 | It is not there. | Look elsewhere. |
            | <a id="wrong_status"></a>`wrong_status` | 400 | It is not there. | Look elsewhere. |
            | <a id="says_nothing"></a>`says_nothing` | 400 | It is not there. | |
            | <a id="gone"></a>`gone` | 400 | It is not there. | Look elsewhere. |
            | <a id="here"></a>`here` | 404 | Twice. | Look elsewhere. |
            | `no_anchor` | 400 | It is not there. | Look elsewhere. |
            | <a id="elsewhere"></a>`other_anchor` | 400 | It is not there. | Look elsewhere. |
            """;
        ErrorCode[] codes =
        [
            new("here", 404, ""), new("wrong_status", 404, ""), new("says_nothing", 400, ""), new("unwritten", 400, ""),
            new("no_anchor", 400, ""), new("other_anchor", 400, ""),
        ];

        Assert.Equal(
            ["gone", "here", "no_anchor", "other_anchor", "says_nothing", "unwritten", "wrong_status"],
            Check(page, codes).Select(violation => violation.Where).Order(StringComparer.Ordinal));
    }

    private static IEnumerable<Violation> Check(string page, IEnumerable<ErrorCode> codes)
    {
        var rows = Row().Matches(page).Select(match => match.Groups)
            .Select(row => (
                Code: row["code"].Value, Anchor: row["anchor"].Value, Status: row["status"].Value,
                Cells: row["cells"].Value))
            .ToList();
        var byCode = codes.ToDictionary(code => code.Code, StringComparer.Ordinal);
        foreach (var row in rows)
        {
            // Problems.TypePrefix and the code lead here.
            if (row.Anchor != row.Code) yield return new Violation(row.Code, $"needs the anchor <a id=\"{row.Code}\">");
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

    [GeneratedRegex(
        @"^\s*\| (<a id=""(?<anchor>[a-z_]+)""></a>)?`(?<code>[a-z_]+)` \| (?<status>\d+) \|(?<cells>.*)\|\s*$",
        RegexOptions.Multiline, 1000)]
    private static partial Regex Row();
}
