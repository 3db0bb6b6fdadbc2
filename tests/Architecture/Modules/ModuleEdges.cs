using System.Collections.Immutable;
using Groundwork.Kernel.Hosting;
using Mono.Cecil;
using ModuleDefinition = Groundwork.Kernel.Hosting.ModuleDefinition;

namespace Groundwork.Tests.Architecture.Modules;

/// <summary>
/// The rule between modules. A module's types are those below <c>Groundwork.&lt;Layer&gt;.&lt;Module&gt;</c>; it may
/// use the public types of the modules that its row of the table needs, and nothing else of any other.
/// </summary>
internal sealed class ModuleEdges(string root, ImmutableArray<ModuleDefinition> table)
{
    private readonly ImmutableDictionary<string, ModuleDefinition> rows = table.ToImmutableDictionary(row => row.Name);

    /// <summary>What is wrong with the table itself.</summary>
    public IEnumerable<Violation> CheckTable()
    {
        foreach (var row in table)
        {
            foreach (var need in row.Needs)
            {
                if (!rows.TryGetValue(need, out var needed))
                    yield return new Violation(row.Name, $"needs {need}, which the table lacks");
                else if (needed.Layer < row.Layer)
                    yield return new Violation(row.Name, $"needs {need}, which is in a layer above its own");
            }
        }
        if (FindCycle(table.ToDictionary(row => row.Name, row => row.Needs.AsEnumerable())) is { } cycle)
            yield return new Violation("the table", $"has a cycle: {cycle}");
    }

    /// <summary>What is wrong with the code of one assembly.</summary>
    public IEnumerable<Violation> Check(Mono.Cecil.ModuleDefinition assembly)
    {
        foreach (var type in assembly.Types)
        {
            if (LayerOf(type) is { } layer && ModuleOf(type) is null)
                yield return new Violation(type.FullName, $"is in {layer} and in no module of it");
            else if (ModuleOf(type) is { } name && !rows.ContainsKey(name))
                yield return new Violation(type.FullName, $"is in the module {name}, which the table lacks");
            else if (ModuleOf(type) is { } known && LayerOf(type) != rows[known].Layer)
                yield return new Violation(type.FullName, $"is outside {rows[known].Layer}, the layer of {known}");
        }
        foreach (var use in TypeUses.Of(assembly))
        {
            var from = ModuleOf(use.From);
            var to = ModuleOf(use.Target);
            if (from is null || to is null || from == to || !rows.TryGetValue(from, out var row)) continue;
            if (!row.Needs.Contains(to))
                yield return new Violation(use.From.FullName, $"uses {use.TargetName}, and {from} does not need {to}");
            if (use.IsInternal)
                yield return new Violation(use.From.FullName, $"uses {use.TargetName}, which is internal to {to}");
        }
    }

    /// <summary>The module's name in the table: the first segment below the layer, in lower case.</summary>
    public string? ModuleOf(TypeReference type)
    {
        var segments = SegmentsOf(type);
        return segments.Length > 1 && LayerOf(type) is not null ? segments[1].ToLowerInvariant() : null;
    }

    private Layer? LayerOf(TypeReference type) =>
        Enum.TryParse<Layer>(SegmentsOf(type).FirstOrDefault(), out var layer) ? layer : null;

    private string[] SegmentsOf(TypeReference type)
    {
        var name = TypeUse.Outermost(type).Namespace;
        return name.StartsWith(root + ".", StringComparison.Ordinal) ? name[(root.Length + 1)..].Split('.') : [];
    }

    /// <summary>The first cycle, written as a path; null when there is none.</summary>
    public static string? FindCycle(IReadOnlyDictionary<string, IEnumerable<string>> edges)
    {
        var done = new HashSet<string>(StringComparer.Ordinal);
        var path = new List<string>();
        return edges.Keys.Order(StringComparer.Ordinal).Select(Visit).FirstOrDefault(cycle => cycle is not null);

        string? Visit(string node)
        {
            if (path.Contains(node)) return string.Join(" → ", path.SkipWhile(one => one != node).Append(node));
            if (done.Contains(node) || !edges.TryGetValue(node, out var targets)) return null;
            path.Add(node);
            var cycle = targets.Select(Visit).FirstOrDefault(found => found is not null);
            path.RemoveAt(path.Count - 1);
            done.Add(node);
            return cycle;
        }
    }
}
