using System.Text.RegularExpressions;
using Groundwork.Kernel.Hosting;

namespace Groundwork.Tests.Architecture.Documentation;

public sealed partial class PagesTests
{
    [Fact]
    public void Every_relative_link_leads_somewhere() => Violation.None(BrokenLinks(Pages(), [.. Repository.Paths]));

    [Fact]
    public void Every_page_of_the_documentation_is_reached_from_the_readme() =>
        Violation.None(Unreached(Pages()));

    [Fact]
    public void The_picture_of_the_modules_is_the_tables_own() => Assert.Contains(
        Picture(Kernel.Hosting.Modules.Table), Repository.Read("ARCHITECTURE.md").Text, StringComparison.Ordinal);

    [Fact]
    public void A_planted_module_that_the_picture_lacks_is_found() => Assert.DoesNotContain(
        Picture(Kernel.Hosting.Modules.Table.Add(new ModuleDefinition("planted", Layer.Data))),
        Repository.Read("ARCHITECTURE.md").Text,
        StringComparison.Ordinal);

    [Fact]
    public void Planted_broken_links_are_found()
    {
        RepositoryFile[] pages =
        [
            new("README.md",
                "[a](docs/a.md) [b](docs/b.md#here) [c](https://example.org) [e](#top)\n# Top\n![d](docs/d.svg)\n"),
            new("docs/a.md", "[up](../README.md) [dir](../docs) [gone](gone.md) [b](b.md#there)\n"),
            new("docs/b.md", "## Here\n\n```\n[not a link](nowhere.md)\n```\n"),
        ];
        var paths = pages.Select(page => page.Path).ToHashSet(StringComparer.Ordinal);

        Assert.Equal(
            ["README.md: docs/d.svg", "docs/a.md: b.md#there", "docs/a.md: gone.md"],
            BrokenLinks(pages, paths).Select(violation => $"{violation.Where}: {violation.What.Split(' ')[^1]}")
                .Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_planted_page_that_nothing_links_to_is_found()
    {
        RepositoryFile[] pages =
        [
            new("README.md", "[docs](docs/README.md)\n"), new(
                "docs/README.md", "# Index\n"), new("docs/lost.md", "# Lost\n"),
        ];
        Assert.Equal("docs/lost.md", Assert.Single(Unreached(pages)).Where);
    }

    private static IEnumerable<RepositoryFile> Pages() => Repository.Files.Where(file => file.Extension == ".md");

    private static string Picture(IEnumerable<ModuleDefinition> table) =>
        string.Concat(table.Select(row => $"    {row.Name}[{row.Name}<br/>{row.Layer}]\n"))
        + string.Concat(table.SelectMany(row => row.Needs.Select(need => $"    {row.Name} --> {need}\n")));

    private static IEnumerable<Violation> BrokenLinks(IEnumerable<RepositoryFile> pages, HashSet<string> paths)
    {
        var byPath = pages.ToDictionary(page => page.Path, StringComparer.Ordinal);
        foreach (var page in byPath.Values)
        {
            foreach (var (link, path, anchor) in Links(page))
            {
                var exists = paths.Contains(path)
                    || paths.Any(one => one.StartsWith(path + "/", StringComparison.Ordinal));
                var leads = exists
                    && (anchor.Length == 0 || !byPath.TryGetValue(path, out var target) || Anchors(target)
                        .Contains(anchor));
                if (!leads) yield return new Violation(page.Path, $"has a link to nothing: {link}");
            }
        }
    }

    private static IEnumerable<Violation> Unreached(IEnumerable<RepositoryFile> pages)
    {
        var byPath = pages.ToDictionary(page => page.Path, StringComparer.Ordinal);
        var reached = new HashSet<string>(StringComparer.Ordinal);
        var next = new Queue<string>(["README.md"]);
        while (next.TryDequeue(out var path))
        {
            if (!byPath.TryGetValue(path, out var page) || !reached.Add(path)) continue;
            foreach (var link in Links(page))
            {
                next.Enqueue(link.Path);
                next.Enqueue(link.Path + "/README.md");
            }
        }
        return byPath.Keys.Where(path => path.StartsWith("docs/", StringComparison.Ordinal) && !reached.Contains(path))
            .Select(path => new Violation(path, "is not reached by links from the README"));
    }

    private static IEnumerable<(string Link, string Path, string Anchor)> Links(RepositoryFile page)
    {
        foreach (Match match in Link().Matches(Fence().Replace(page.Text, "")))
        {
            var link = match.Groups["to"].Value;
            if (Uri.TryCreate(link, UriKind.Absolute, out _)) continue;
            var parts = link.Split('#');
            var path = parts[0].Length == 0
                ? page.Path
                : Path.GetFullPath(
                    Path.Combine("/", Path.GetDirectoryName(page.Path) ?? "", parts[0]))[1..].TrimEnd('/');
            yield return (link, path, parts.Length > 1 ? parts[1] : "");
        }
    }

    // As GitHub makes them: lower case, blanks to hyphens, other punctuation dropped.
    private static IEnumerable<string> Anchors(RepositoryFile page) => Heading().Matches(page.Text)
        .Select(match => NotInAnchor().Replace(match.Groups["text"].Value.Trim().ToLowerInvariant(), "")
            .Replace(' ', '-'));

    [GeneratedRegex(@"\]\((?<to>[^)\s]+)\)", RegexOptions.None, 1000)]
    private static partial Regex Link();

    [GeneratedRegex(@"^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline, 1000)]
    private static partial Regex Fence();

    [GeneratedRegex(@"^#{1,6} (?<text>.*)$", RegexOptions.Multiline, 1000)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]", RegexOptions.None, 1000)]
    private static partial Regex NotInAnchor();
}
