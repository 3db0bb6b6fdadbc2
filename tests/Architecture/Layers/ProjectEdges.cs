using System.Collections.Immutable;
using System.Xml.Linq;

namespace Groundwork.Tests.Architecture.Layers;

/// <summary>A project file: what it is called in the table of ARCHITECTURE.md, and what it references.</summary>
internal sealed record Project(
    string Name, string Path, ImmutableArray<string> References, ImmutableArray<string> Packages, bool UsesFramework)
{
    private const string Sample = "samples";

    public static Project Parse(RepositoryFile file)
    {
        var root = XDocument.Parse(file.Text).Root!; // A parsed document has a root.
        ImmutableArray<string> Includes(string element) =>
            [.. root.Descendants(element).Select(item => item.Attribute("Include")?.Value ?? "")];
        return new Project(
            NameOf(file.Path),
            file.Path,
            [.. Includes("ProjectReference").Select(path => NameOf(Resolve(file.Path, path)))],
            Includes("PackageReference"),
            Includes("FrameworkReference").Length > 0);
    }

    // `src/Kernel/Groundwork.Kernel.csproj` is Kernel; all samples share one row.
    private static string NameOf(string path)
    {
        var parts = path.Split('/');
        return parts[0] == "src" ? parts[1] : parts[0] == Sample ? Sample : path;
    }

    private static string Resolve(string from, string relative)
    {
        var absolute = System.IO.Path.GetFullPath(
            System.IO.Path.Combine("/", System.IO.Path.GetDirectoryName(from)!, relative.Replace('\\', '/')));
        return absolute[1..];
    }
}

/// <summary>
/// Which project may reference which: the table of ARCHITECTURE.md, kept here in code and compared with the page, so
/// that the picture, the rule and the projects cannot part.
/// </summary>
internal static class ProjectEdges
{
    public static readonly ImmutableDictionary<string, ImmutableArray<string>> Allowed =
        new Dictionary<string, ImmutableArray<string>>
        {
            ["Wire"] = [],
            ["Client"] = ["Client.Generators", "Wire"],
            ["Client.Generators"] = [],
            ["Kernel"] = ["Wire"],
            ["Data"] = ["Kernel", "Wire"],
            ["Services"] = ["Data", "Kernel", "Wire"],
            ["Communication"] = ["Services", "Data", "Kernel", "Wire"],
            ["Presentation"] = [],
            ["Host"] = ["Presentation", "Communication", "Services", "Data", "Kernel", "Client", "Wire"],
            ["samples"] = ["Client", "Client.Generators"],
        }.ToImmutableDictionary(StringComparer.Ordinal);

    public static IEnumerable<Violation> Check(IEnumerable<Project> projects)
    {
        foreach (var project in projects)
        {
            if (!Allowed.TryGetValue(project.Name, out var allowed))
            {
                yield return new Violation(project.Path, "has no row in the table of projects");
                continue;
            }
            foreach (var reference in project.References)
                if (!allowed.Contains(reference))
                    yield return new Violation(project.Path, $"{project.Name} may not reference {reference}");
            if (project.Name == "Wire" && (project.Packages.Length > 0 || project.UsesFramework))
                yield return new Violation(project.Path, "Wire stands on the base class library alone");
        }
    }
}
