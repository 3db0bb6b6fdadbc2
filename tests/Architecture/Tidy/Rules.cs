using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace Groundwork.Tests.Architecture.Tidy;

/// <summary>A rule that one file keeps or breaks.</summary>
/// <param name="Exceptions">Paths (a folder ends in a slash) that may break it, each with the reason.</param>
internal sealed record TidyRule(
    string Name,
    Func<RepositoryFile, bool> Applies,
    Func<RepositoryFile, IEnumerable<(int Line, string What)>> Find,
    params ImmutableArray<(string Path, string Why)> Exceptions)
{
    public IEnumerable<Violation> Check(RepositoryFile file) =>
        !Applies(file) || Exceptions.Any(exception => Covers(exception.Path, file.Path))
            ? []
            : Find(file).Select(found => new Violation($"{file.Path}:{found.Line}", found.What));

    public static bool Covers(string exception, string path) =>
        exception.EndsWith('/') ? path.StartsWith(exception, StringComparison.Ordinal) : path == exception;
}

/// <summary>What every file of the repository is held to.</summary>
internal static partial class Rules
{
    /// <summary>As .editorconfig says: two files side by side on a laptop.</summary>
    private const int MaxLineLength = 120;

    /// <summary>
    /// Prose is read in a browser, and wrapped there; it is the difference of two versions that wants short lines.
    /// </summary>
    private const int MaxProseLength = 180;

    /// <summary>Lines of a source file; longer ones are listed below with the reason.</summary>
    private const int MaxFileLength = 500;

    /// <summary>Lines that no reason excuses.</summary>
    private const int NeverFileLength = 800;

    /// <summary>These files speak of what they forbid.</summary>
    private const string Here = "tests/Architecture/";

    private const string WhyHere = "the rules and their planted violations spell out what they forbid";

    private const string WhyAttacked = "what attackers ask for are paths of somebody's machine";

    private static readonly ImmutableArray<string> Sources =
        [".cs", ".ts", ".vue", ".css", ".sh", ".props", ".targets", ".csproj"];

    private const string WhyAsSent = "documents and scripts stand there as they are sent, each on its line";

    public static ImmutableArray<TidyRule> All { get; } =
    [
        new("line length", IsSource, file => Lines(file, line => line.Length > MaxLineLength
            ? $"is {line.Length} characters long; {MaxLineLength} is the limit" : null),
            ("tests/Host.Tests/CommandRun.cs", WhyAsSent),
            ("tests/Host.Tests/Importing/ImportTests.cs", WhyAsSent),
            ("tests/Host.Tests/Verbs/GatewayVerbTests.cs", WhyAsSent),
            ("tests/Host.Tests/Output/YamlWriterTests.cs", WhyAsSent),
            ("tests/Host.Tests/Up/UpTests.cs", WhyAsSent),
            ("tests/Host.Tests/Verbs/VerbTests.cs", WhyAsSent),
            ("tests/Host.Tests/Verbs/SettingVerbTests.cs", WhyAsSent),
            ("tests/Communication.Tests/Gateway/OpenApi/", WhyAsSent),
            ("tests/Services.Tests/Settings/Schemas/SettingSchemaTests.cs", WhyAsSent)),
        new("prose line length", file => file.Extension == ".md", file => Lines(file, IsTooLongProse)),
        new("file length", IsSource, file => Length(file, MaxFileLength)),
        new("file length, never", IsSource, file => Length(file, NeverFileLength)),
        new("tabs", Always, file => Lines(file, line => line.Contains('\t') ? "has a tab" : null)),
        new("trailing blanks", Always, file => Lines(file, line =>
            line.EndsWith(' ') ? "ends in a blank" : line.EndsWith('\r') ? "ends in a carriage return" : null)),
        new("last line end", Always, EndsWell),
        new("byte order mark", Always, file => file.Text.StartsWith(
            '\uFEFF') ? [(1, "starts with a byte order mark")] : []),
        new("regions", IsCSharp, file => Lines(
            file, line => Region().IsMatch(line) ? "has a region; split the file" : null)),
        new("banners", IsCSharp, file => Lines(file, line => Banner().IsMatch(line)
            ? "is a banner; split the file, or say it in a sentence" : null)),
        new("unfinished", Always, file => Lines(file, line =>
            Unfinished().Match(line) is { Success: true } match ? $"says {match.Value}" : null), (Here, WhyHere)),
        new("machine paths", Always, file => Lines(file, line =>
            MachinePath().Match(line) is { Success: true } match
                ? $"names a path of one machine: {match.Value}"
                : null),
            (Here, WhyHere),
            ("tests/Communication.Tests/Gateway/Inspection/corpus/", WhyAttacked),
            ("src/Communication/Gateway/Inspection/PathScanner.cs", WhyAttacked)),
        // A stream that cannot seek, read or write says so in just this way.
        new("stubs", file => IsCSharp(file)
            && !StreamType().IsMatch(file.Text), file => Matches(file.Text, Stub(), "is a stub"), (Here, WhyHere)),
        new("type names", IsCSharp, TypeNames),
        new("swallowed errors", IsCSharp, file =>
            Matches(
                CSharpText.Blank(file.Text, keepComments: true), EmptyCatch(), "swallows an error without saying why")),
        new("async void", IsCSharp, file => Code(file, AsyncVoid(), "loses its failure: return a Task")),
        new("service locator", file => IsCSharp(file) && file.IsBelow("src/"),
            file => Code(file, ServiceLocator(), "asks a container: pass it in"),
            ("src/Client/GroundworkHosting.cs", "extends the builder of its caller, whose container is the caller's")),
        new("SQL", file => IsCSharp(file) && file.IsBelow("src/") && !IsStore(file), file =>
            Matches(file.Text, Sql(), "has SQL outside a store")),
        new("assertions", file => IsCSharp(file) && file.IsBelow("tests/"), TestsWithoutAssertion),
        new("leftovers", Always, file => Leftover().IsMatch(file.Name) ? [(1, "is left over from a tool")] : []),
        new("empty files", Always, file => string.IsNullOrWhiteSpace(file.Text) ? [(1, "is empty")] : []),
    ];

    // The inputs of table tests are wrong on purpose.
    private static bool Always(RepositoryFile file) => !file.Path.Contains("/Cases/", StringComparison.Ordinal);

    private static bool IsCSharp(RepositoryFile file) => file.Extension == ".cs";

    private static bool IsSource(RepositoryFile file) => Sources.Contains(file.Extension) || file.Path == ".ci/run";

    private static bool IsStore(RepositoryFile file) =>
        file.IsBelow("src/Kernel/Storage/")
        || file.Name.EndsWith("Store.cs", StringComparison.Ordinal)
        || file.Name.EndsWith("Schema.cs", StringComparison.Ordinal);

    private static IEnumerable<(int, string)> Lines(RepositoryFile file, Func<string, string?> find) =>
        file.Lines.Select((line, index) => (index + 1, find(line))).Where(found => found.Item2 is not null)
            .Select(found => (found.Item1, found.Item2!)); // Null was filtered out above.

    private static IEnumerable<(int, string)> Code(RepositoryFile file, Regex pattern, string what) =>
        Matches(CSharpText.Blank(file.Text), pattern, what);

    private static IEnumerable<(int, string)> Matches(string text, Regex pattern, string what) =>
        pattern.Matches(text).Select(match =>
            (text.AsSpan(0, match.Index).Count('\n') + 1, $"{match.Value.Trim().Split('\n')[0]} {what}"));

    private static IEnumerable<(int, string)> Length(RepositoryFile file, int limit)
    {
        if (file.Lines.Length > limit) yield return (limit, $"has {file.Lines.Length} lines; {limit} is the limit");
    }

    // Tables and links cannot be broken.
    private static string? IsTooLongProse(string line) =>
        line.Length > MaxProseLength && !line.StartsWith('|') && !line.Contains("](", StringComparison.Ordinal)
            ? $"is {line.Length} characters long; {MaxProseLength} is the limit of prose" : null;

    private static IEnumerable<(int, string)> EndsWell(RepositoryFile file)
    {
        if (file.Text.Length == 0) yield break;
        if (!file.Text.EndsWith('\n')) yield return (file.Lines.Length, "does not end its last line");
        else if (file.Text.EndsWith("\n\n", StringComparison.Ordinal)) yield return (
            file.Lines.Length, "ends in empty lines");
    }

    private static readonly ImmutableArray<string> VagueWords =
    [
        "Manager", "Managers", "Helper", "Helpers", "Util", "Utils", "Utility", "Utilities", "Common", "Wrapper",
            "Impl",
        "Base", "Data", "Info",
    ];

    /// <summary>Names whose vague word is the field's own.</summary>
    private static readonly ImmutableDictionary<string, string> NamedSo = new Dictionary<string, string>
    {
        ["DataDirectory"] = "what every server calls the directory that holds its files",
    }.ToImmutableDictionary(StringComparer.Ordinal);

    private static IEnumerable<(int, string)> TypeNames(RepositoryFile file)
    {
        var code = CSharpText.Blank(file.Text);
        foreach (Match match in TypeDeclaration().Matches(code))
        {
            var name = match.Groups["name"].Value;
            var vague = Word().Matches(name).Select(word => word.Value)
                .FirstOrDefault(word => VagueWords.Contains(word));
            if (vague is null || NamedSo.Keys.Any(known => name.StartsWith(known, StringComparison.Ordinal))) continue;
            var line = code.AsSpan(0, match.Index).Count('\n') + 1;
            yield return (line, $"calls a type {name}: say what it is instead of {vague}");
        }
    }

    private static IEnumerable<(int, string)> TestsWithoutAssertion(RepositoryFile file)
    {
        var methods = CSharpText.Methods(file.Text).ToList();
        // A test may leave the asserting to another method of its file; that method may do so too.
        var asserting = new HashSet<string>(StringComparer.Ordinal);
        while (true)
        {
            var more = methods
                .Where(method => !asserting.Contains(method.Name) && Asserts(method.Body, asserting))
                .Select(method => method.Name).ToList();
            if (more.Count == 0) break;
            asserting.UnionWith(more);
        }
        return methods.Where(method => method.IsTest && !asserting.Contains(method.Name))
            .Select(method => (method.Line, $"{method.Name} asserts nothing"));
    }

    private static bool Asserts(string body, HashSet<string> asserting) =>
        Assertion().IsMatch(body) || Call().Matches(body).Any(call => asserting.Contains(call.Groups["name"].Value));

    [GeneratedRegex(@"^\s*#\s*(end)?region\b", RegexOptions.None, 1000)]
    private static partial Regex Region();

    [GeneratedRegex(@"^\s*//+\s*[-=*#~_]{3,}|[-=*#~_]{4,}\s*$", RegexOptions.None, 1000)]
    private static partial Regex Banner();

    [GeneratedRegex(@"\b(TODO|HACK|FIXME|XXX)\b", RegexOptions.None, 1000)]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"(?<![\w.])/(work|home|Users|root)/[\w.-]+|bash_jobs|[A-Z]:\\Users\\", RegexOptions.None, 1000)]
    private static partial Regex MachinePath();

    [GeneratedRegex(@"\bclass\s+\w+[^{]*:\s*Stream\b", RegexOptions.None, 1000)]
    private static partial Regex StreamType();

    [GeneratedRegex(@"NotImplementedException|throw new NotSupportedException\(\s*\)", RegexOptions.None, 1000)]
    private static partial Regex Stub();

    [GeneratedRegex(
        @"\b(class|record|struct|interface|enum|delegate\s+[\w<>?\[\]]+)\s+(?<name>[A-Z]\w*)", RegexOptions.None, 5000)]
    private static partial Regex TypeDeclaration();

    [GeneratedRegex(@"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*", RegexOptions.None, 1000)]
    private static partial Regex Word();

    [GeneratedRegex(@"\bcatch\s*(\([^)]*\)\s*)?(when\s*\([^{]*\)\s*)?\{\s*\}", RegexOptions.None, 5000)]
    private static partial Regex EmptyCatch();

    [GeneratedRegex(@"\basync\s+void\b", RegexOptions.None, 1000)]
    private static partial Regex AsyncVoid();

    [GeneratedRegex(@"\bGet(Required|Keyed)?Services?\s*[<(]|\bIServiceProvider\b", RegexOptions.None, 1000)]
    private static partial Regex ServiceLocator();

    [GeneratedRegex(
        @"""[^""\n]*\b(INSERT INTO|DELETE FROM|CREATE (TABLE|INDEX)|SELECT [\w*,. ()]+ FROM|UPDATE \w+ SET)\b",
        RegexOptions.None, 5000)]
    private static partial Regex Sql();

    [GeneratedRegex(
        @"\bAssert\s*\.|\bEventually\s*\.|\.AdvanceUntil\w*\(|\bViolation\s*\.\s*None"
        + @"|\b(Assert|Expect|Verify|Check|Must)\w*\s*(<[^<>()]*>)?\(",
        RegexOptions.None, 5000)]
    private static partial Regex Assertion();

    [GeneratedRegex(@"\b(?<name>[A-Za-z_]\w*)\s*(<[^<>()]*>)?\(", RegexOptions.None, 5000)]
    private static partial Regex Call();

    [GeneratedRegex(@"\.(orig|rej|bak|swp|tmp|log|trx)$|~$|\s|^\.DS_Store$|^nohup\.out$", RegexOptions.None, 1000)]
    private static partial Regex Leftover();
}
