using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace Groundwork.Tests.Architecture.Documentation;

/// <summary>What tests demand of a machine, CI installs: what lies there by chance hides a missing step.</summary>
public sealed partial class DemandedToolsTests
{
    /// <summary>Node is presupposed, as the README says, and comes with npm.</summary>
    private static readonly ImmutableArray<string> Presupposed = ["nodejs", "npm"];

    [Fact]
    public void Every_package_that_a_test_demands_is_installed_in_CI() => Violation.None(Check(
        Repository.Read(".ci/run").Text,
        // The tests of the demand itself want what nobody has.
        Repository.CSharp.Where(file => file.IsBelow("tests/") && !file.IsBelow("tests/Support.Tests/", Here))));

    [Fact]
    public void Planted_demands_are_found()
    {
        const string ci = "tools=(\n  \"git git\"\n  \"initdb postgresql\"\n)\n";
        RepositoryFile[] files =
        [
            new("tests/A.cs", "Tools.Require(\"git\", \"git\"); Tools.Require(\n    \"absent\", \"absent-tools\");\n"),
            new("tests/B.cs", "const string Package = \"postgresql\"; Tools.Require(\"initdb\", Package);\n"),
            new("tests/C.cs", "const string Package = \"other\"; Tools.Require(\"initdb\", Package);\n"),
        ];
        Assert.Equal(
            ["tests/A.cs: demands absent-tools, which .ci/run does not install",
                "tests/C.cs: demands other, which .ci/run does not install"],
            Check(ci, files).Select(violation => $"{violation}"));
    }

    private const string Here = "tests/Architecture/";

    private static IEnumerable<Violation> Check(string ci, IEnumerable<RepositoryFile> tests)
    {
        var installed = Installed().Matches(ci).Select(match => match.Groups["package"].Value)
            .Concat(Presupposed).ToHashSet(StringComparer.Ordinal);
        return
            from file in tests
            from demand in Demand().Matches(file.Text)
            let package = demand.Groups["package"].Success
                ? demand.Groups["package"].Value
                : Constant().Match(file.Text).Groups["package"].Value
            where !installed.Contains(package)
            select new Violation(file.Path, $"demands {package}, which .ci/run does not install");
    }

    [GeneratedRegex("""^  "\S+ (?<package>\S+)"$""", RegexOptions.Multiline, 1000)]
    private static partial Regex Installed();

    [GeneratedRegex("""Tools\.Require\(\s*"[^"]*",\s*(?:"(?<package>[^"]*)"|Package)\)""", RegexOptions.None, 1000)]
    private static partial Regex Demand();

    [GeneratedRegex("""const string Package = "(?<package>[^"]*)";""", RegexOptions.None, 1000)]
    private static partial Regex Constant();
}
