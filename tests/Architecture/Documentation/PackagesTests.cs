using System.Collections.Immutable;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Groundwork.Tests.Architecture.Documentation;

public sealed partial class PackagesTests
{
    [Fact]
    public void Every_pinned_package_is_used_and_its_licence_is_listed() => Violation.None(Check(
        Repository.Read("Directory.Packages.props").Text,
        Repository.Read("THIRD-PARTY.md").Text,
        Repository.Files.Where(file => file.Extension is ".csproj" or ".props").Select(file => file.Text)));

    [Fact]
    public void Planted_packages_without_use_or_licence_are_found()
    {
        const string pins = """
            <Project>
              <ItemGroup Label="Product">
                <PackageVersion Include="Used" Version="1" />
                <PackageVersion Include="Unused" Version="1" />
              </ItemGroup>
              <ItemGroup Label="Transitive versions"><PackageVersion Include="Below" Version="1" /></ItemGroup>
            </Project>
            """;
        const string licences = "| Used | MIT | Somebody |\n| Unused | MIT | Somebody |\n";
        string[] projects = ["""<Project><ItemGroup><PackageReference Include="Used" /></ItemGroup></Project>"""];

        Assert.Equal(
            ["Below: has no licence in THIRD-PARTY.md", "Unused: is pinned and used by no project"],
            Check(pins, licences, projects).Select(violation => $"{violation}").Order(StringComparer.Ordinal));
    }

    private static IEnumerable<Violation> Check(string pins, string licences, IEnumerable<string> projects)
    {
        var used = projects.SelectMany(text => Includes(XDocument.Parse(text), "PackageReference")).ToHashSet();
        var listed = Row().Matches(licences).Select(match => match.Groups["name"].Value.Trim()).ToHashSet();
        foreach (var group in XDocument.Parse(pins).Descendants("ItemGroup"))
        {
            // What our packages need themselves is pinned to what the registry has, and referenced by nobody.
            var isTransitive = group.Attribute(
                "Label")?.Value.StartsWith("Transitive", StringComparison.Ordinal) == true;
            foreach (var name in group.Elements("PackageVersion").Select(pin => pin.Attribute("Include")?.Value ?? ""))
            {
                if (!isTransitive && !used.Contains(name))
                    yield return new Violation(name, "is pinned and used by no project");
                if (!listed.Contains(name)) yield return new Violation(name, "has no licence in THIRD-PARTY.md");
            }
        }
    }

    private static ImmutableArray<string> Includes(XDocument project, string element) =>
        [.. project.Descendants(element).Select(item => item.Attribute("Include")?.Value).OfType<string>()];

    [GeneratedRegex(@"^\| (?<name>[^|]+)\|", RegexOptions.Multiline, 1000)]
    private static partial Regex Row();
}
