using System.Text.RegularExpressions;

namespace Groundwork.Tests.Architecture.Layers;

public sealed partial class ProjectEdgesTests
{
    [Fact]
    public void Every_project_references_only_what_its_row_allows()
    {
        var projects = Repository.Files
            .Where(file => file.Extension == ".csproj" && file.IsBelow("src/", "samples/"))
            .Select(Project.Parse)
            .ToList();

        Assert.Superset(
            new HashSet<string>
            {
                "Wire", "Client", "Client.Generators", "Kernel", "Services", "Communication", "Host",
            },
            projects.Select(project => project.Name).ToHashSet());
        Violation.None(ProjectEdges.Check(projects));
    }

    [Fact]
    public void The_page_shows_the_table_that_the_rule_holds()
    {
        var page = Repository.Read("ARCHITECTURE.md").Text;
        var rows = Row().Matches(page)
            .Select(match => (Name: match.Groups["name"].Value.Trim(), Text: match.Groups["may"].Value.Trim()))
            .Where(row => ProjectEdges.Allowed.ContainsKey(row.Name))
            .ToDictionary(row => row.Name, row => row.Text, StringComparer.Ordinal);

        var wrong = ProjectEdges.Allowed
            .Where(row => !rows.TryGetValue(row.Key, out var text) || text != Written(row.Key, row.Value))
            .Select(
                row => new Violation("ARCHITECTURE.md", $"{row.Key} should read | {Written(row.Key, row.Value)} |"));
        Violation.None(wrong);
    }

    [Theory]
    [InlineData("src/Wire/W.csproj", "../Kernel/K.csproj", "Wire may not reference Kernel")]
    [InlineData("src/Kernel/K.csproj", "../Services/S.csproj", "Kernel may not reference Services")]
    [InlineData("src/Client/C.csproj", "..\\Kernel\\K.csproj", "Client may not reference Kernel")]
    [InlineData("src/Client.Generators/G.csproj", "../Wire/W.csproj", "Client.Generators may not reference Wire")]
    [InlineData("src/Data/D.csproj", "../Services/S.csproj", "Data may not reference Services")]
    [InlineData("src/Services/S.csproj", "../Communication/C.csproj", "Services may not reference Communication")]
    [InlineData("src/Communication/C.csproj", "../Host/H.csproj", "Communication may not reference Host")]
    [InlineData("src/Presentation/P.csproj", "../Wire/W.csproj", "Presentation may not reference Wire")]
    [InlineData("src/Host/H.csproj", "../../samples/Shop/Shop.csproj", "Host may not reference samples")]
    [InlineData("samples/Shop/Catalog/C.csproj", "../../../src/Kernel/K.csproj", "samples may not reference Kernel")]
    [InlineData("src/Tools/T.csproj", "../Wire/W.csproj", "has no row in the table of projects")]
    public void A_planted_reference_is_found(string path, string reference, string expected)
    {
        var file = new RepositoryFile(
            path, $"""<Project><ItemGroup><ProjectReference Include="{reference}" /></ItemGroup></Project>""");

        Assert.Equal(expected, Assert.Single(ProjectEdges.Check([Project.Parse(file)])).What);
    }

    [Theory]
    [InlineData("PackageReference", "Npgsql")]
    [InlineData("FrameworkReference", "Microsoft.AspNetCore.App")]
    public void A_dependency_planted_in_Wire_is_found(string element, string include)
    {
        var file = new RepositoryFile(
            "src/Wire/W.csproj", $"""<Project><ItemGroup><{element} Include="{include}" /></ItemGroup></Project>""");

        Assert.Single(ProjectEdges.Check([Project.Parse(file)]));
    }

    private static string Written(string name, IReadOnlyCollection<string> references) =>
        name == "Host" ? "all but samples" : references.Count == 0 ? "–" : string.Join(", ", references);

    [GeneratedRegex(@"^\| (?<name>[A-Za-z.]+) \| (?<may>[^|]*)\|", RegexOptions.Multiline, 1000)]
    private static partial Regex Row();
}
