using System.Collections.Immutable;
using System.Xml.Linq;

namespace Groundwork.Tests.Architecture.Tidy;

public sealed class TidyTests
{
    /// <summary>A file that breaks the rule, for every rule.</summary>
    private static readonly ImmutableArray<(string Rule, string Path, string Text)> Planted =
    [
        ("line length", "src/A.cs", "// " + new string('x', 118) + "\n"),
        ("prose line length", "docs/a.md", new string('x', 181) + "\n"),
        ("file length", "src/A.cs", string.Concat(Enumerable.Repeat("\n", 501))),
        ("file length, never", "src/A.cs", string.Concat(Enumerable.Repeat("\n", 801))),
        ("tabs", "src/A.cs", "\tclass A;\n"),
        ("trailing blanks", "docs/a.md", "A line. \n"),
        ("trailing blanks", "docs/a.md", "A line.\r\n"),
        ("last line end", "src/A.cs", "class A;"),
        ("last line end", "src/A.cs", "class A;\n\n"),
        ("byte order mark", "src/A.cs", "\uFEFFclass A;\n"),
        ("regions", "src/A.cs", "  #region A\n"),
        ("banners", "src/A.cs", "    // --- one secret\n"),
        ("banners", "src/A.cs", "// Reading ----------\n"),
        ("unfinished", "src/A.cs", "// TODO later\n"),
        ("unfinished", "docs/a.md", "FIXME: write this page\n"),
        ("machine paths", "docs/a.md", "Look into /work/main first.\n"),
        ("machine paths", "src/A.cs", "var path = \"/home/somebody/a\";\n"),
        ("stubs", "src/A.cs", "void A() => throw new NotImplementedException();\n"),
        ("stubs", "src/A.cs", "void A() => throw new NotSupportedException();\n"),
        ("type names", "src/A.cs", "internal sealed class RouteManager;\n"),
        ("type names", "src/A.cs", "record struct StringUtils(int A);\n"),
        ("type names", "src/A.cs", "public enum InstanceInfo { A }\n"),
        ("swallowed errors", "src/A.cs", "try { A(); } catch (IOException) { }\n"),
        ("swallowed errors", "src/A.cs", "try { A(); } catch (Exception e) when (e is IOException)\n{\n}\n"),
        ("async void", "src/A.cs", "private async void Run() { }\n"),
        ("service locator", "src/A.cs", "var clock = services.GetRequiredService<TimeProvider>();\n"),
        ("SQL", "src/Services/Registry/RegistryApi.cs", "const string Sql = \"SELECT name, id FROM instance\";\n"),
        ("assertions", "tests/A.cs", "[Fact]\npublic void Nothing_is_said() { Run(); }\nvoid Run() { }\n"),
        ("assertions", "tests/A.cs", "[Fact]\npublic async Task Nothing() => await Run(\"Assert.True\");\n"),
        ("leftovers", "src/A.cs.orig", "class A;\n"),
        ("leftovers", "src/A .cs", "class A;\n"),
        ("empty files", "src/A.cs", "\n"),
    ];

    /// <summary>Files that look like a violation and are none.</summary>
    private static readonly ImmutableArray<(string Rule, string Path, string Text)> Innocent =
    [
        ("type names", "src/A.cs", "/// <summary>Not a class RouteManager.</summary>\nclass Database;\n"),
        ("type names", "src/A.cs", "class Database { string a = \"class AInfo\"; }\n"),
        ("type names", "src/A.cs", "class DataDirectoryLock;\n"),
        ("stubs", "src/A.cs", "throw new NotSupportedException(\"The engine has no savepoints.\");\n"),
        ("stubs", "src/A.cs",
            "class A(int b) : Stream\n{\n    void Flush() => throw new NotSupportedException();\n}\n"),
        ("swallowed errors", "src/A.cs",
            "try { A(); } catch (IOException)\n{\n    // The file is gone, as wanted.\n}\n"),
        ("SQL", "src/Services/Registry/RegistryStore.cs", "const string Sql = \"SELECT name FROM instance\";\n"),
        ("SQL", "src/Services/Registry/RegistryApi.cs", "const string Text = \"Select a name from the list\";\n"),
        ("assertions", "tests/A.cs",
            "[Fact]\npublic void A() => B();\nvoid B() => C(1);\nvoid C(int c) { Assert.Equal(1, c); }\n"),
        ("assertions", "tests/A.cs",
            "[Theory]\n[InlineData(\"{\")]\npublic async Task A(string a)\n{\n    await Eventually.TrueAsync(a);\n}\n"),
        ("assertions", "tests/A.cs", "[Fact(Explicit = true)]\npublic void A() { B(); }\n"),
        ("machine paths", "docs/a.md", "The API has /network/ and docs/work/notes under its root.\n"),
    ];

    public static TheoryData<string> RuleNames => [.. Rules.All.Select(rule => rule.Name)];

    [Theory]
    [MemberData(nameof(RuleNames))]
    public void The_repository_keeps_the_rule(string name) =>
        Violation.None(Repository.Files.SelectMany(file => Named(name).Check(file)));

    [Theory]
    [MemberData(nameof(RuleNames))]
    public void Every_rule_finds_its_planted_violations(string name)
    {
        var planted = Planted.Where(one => one.Rule == name).ToList();
        Assert.NotEmpty(planted);
        Assert.All(planted, one => Assert.NotEmpty(Named(name).Check(new RepositoryFile(one.Path, one.Text))));
    }

    [Fact]
    public void What_only_looks_like_a_violation_is_none() => Assert.All(
        Innocent, one => Assert.Empty(Named(one.Rule).Check(new RepositoryFile(one.Path, one.Text))));

    [Fact]
    public void Every_exception_is_still_needed()
    {
        var unneeded =
            from rule in Rules.All
            from exception in rule.Exceptions
            let files = Repository.Files.Where(file => TidyRule.Covers(exception.Path, file.Path))
            where !files.Any(file => rule.Applies(file) && rule.Find(file).Any())
            select new Violation(exception.Path, $"no longer breaks the rule on {rule.Name}");
        Violation.None(unneeded);
    }

    [Fact]
    public void Every_project_is_in_the_solution() => Violation.None(MissingProjects(
        Repository.Read("Groundwork.slnx").Text, Repository.Paths.Where(path => Path.GetExtension(path) == ".csproj")));

    [Fact]
    public void A_planted_project_outside_the_solution_is_found() => Assert.Single(MissingProjects(
        """<Solution><Project Path="src/A/A.csproj" /></Solution>""", ["src/A/A.csproj", "src/B/B.csproj"]));

    [Fact]
    public void Test_folders_mirror_source_folders() => Violation.None(Unmirrored(Repository.Paths));

    [Fact]
    public void A_planted_test_folder_without_its_source_is_found() => Assert.Single(Unmirrored(
        ["src/Kernel/Storage/A.cs", "tests/Kernel.Tests/Storage/ATests.cs", "tests/Kernel.Tests/Storing/BTests.cs"]));

    private static TidyRule Named(string name) => Rules.All.Single(rule => rule.Name == name);

    private static IEnumerable<Violation> MissingProjects(string solution, IEnumerable<string> projects)
    {
        var listed = XDocument.Parse(solution).Descendants("Project")
            .Select(project => project.Attribute("Path")?.Value).ToHashSet();
        return projects.Where(project => !listed.Contains(project))
            .Select(project => new Violation(project, "is not in the solution"));
    }

    private static IEnumerable<Violation> Unmirrored(IEnumerable<string> paths)
    {
        var all = paths.ToList();
        foreach (var path in all)
        {
            var parts = path.Split('/');
            if (parts is not ["tests", var project, var folder, _, ..]
                || !path.EndsWith("Tests.cs", StringComparison.Ordinal))
                continue;
            var source = $"src/{project.Replace(".Tests", "", StringComparison.Ordinal)}/";
            var isMirror = all.Exists(one => one.StartsWith(source, StringComparison.Ordinal));
            if (isMirror && !all.Exists(one => one.StartsWith($"{source}{folder}/", StringComparison.Ordinal)))
                yield return new Violation(path, $"mirrors {source}{folder}, which does not exist");
        }
    }
}
