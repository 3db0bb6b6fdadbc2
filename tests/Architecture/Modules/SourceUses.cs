using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Groundwork.Kernel.Hosting;

namespace Groundwork.Tests.Architecture.Modules;

/// <summary>
/// Uses of another module that IL does not show, because the compiler copies constants: the file still has to name the
/// namespace.
/// </summary>
internal static partial class SourceUses
{
    public static IEnumerable<Violation> Check(RepositoryFile file, ImmutableArray<ModuleDefinition> table)
    {
        var own = Folder().Match(file.Path);
        if (!own.Success) yield break;
        var name = own.Groups["module"].Value.ToLowerInvariant();
        var needs = table.FirstOrDefault(row => row.Name == name)?.Needs ?? [];
        foreach (Match match in Mention().Matches(file.Text))
        {
            var other = match.Groups["module"].Value.ToLowerInvariant();
            if (other != name && !needs.Contains(other))
                yield return new Violation(file.Path, $"names {match.Value}, and {name} does not need {other}");
        }
    }

    [GeneratedRegex(
        @"^src/(Presentation|Communication|Services|Data)/(?<module>\w+)/", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Folder();

    [GeneratedRegex(
        @"\bGroundwork\.(Presentation|Communication|Services|Data)\.(?<module>\w+)",
        RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Mention();
}
