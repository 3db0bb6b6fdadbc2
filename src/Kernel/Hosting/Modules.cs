using System.Collections.Immutable;
using System.Text;
using Groundwork.Wire;

namespace Groundwork.Kernel.Hosting;

/// <summary>The layers, from the top down. References point down only.</summary>
public enum Layer { Communication, Services, Data }

/// <summary>A row of the module table.</summary>
/// <param name="Name">Lower case; the folder below the layer has the same name.</param>
/// <param name="Needs">Modules that must run before it, and whose public types it may use.</param>
public sealed record ModuleDefinition(string Name, Layer Layer, params ImmutableArray<string> Needs)
{
    /// <summary>
    /// True for a module that can run on a node that follows another: the followed node then meets its needs, and it
    /// gets along without a store.
    /// </summary>
    public bool RunsFollowing { get; init; }
}

/// <summary>What runs in a process, in start order; the reverse stops it.</summary>
/// <param name="IsEdge">True when it is exactly the gateway of a node that follows another.</param>
public sealed record ModuleSelection(ImmutableArray<ModuleDefinition> InStartOrder, bool IsEdge)
{
    public static ModuleSelection None { get; } = new([], IsEdge: false);

    public bool Has(string module) => InStartOrder.Any(definition => definition.Name == module);

    /// <summary>
    /// Like <see cref="Has"/>, and also true for what those that run here need. On a node that follows another such a
    /// module runs nothing of its own: it reads what the followed node has.
    /// </summary>
    public bool Involves(string module) =>
        InStartOrder.Any(definition => definition.Name == module || definition.Needs.Contains(module));
}

/// <summary>
/// The one table of modules. It selects, orders start and stop, prints itself, draws the picture in ARCHITECTURE.md,
/// and is what the architecture test holds the code to.
/// </summary>
public static class Modules
{
    public const string Gateway = "gateway";

    public static ImmutableArray<ModuleDefinition> Table { get; } =
    [
        new("registry", Layer.Services),
        new("settings", Layer.Services),
        new("keyvalue", Layer.Services, "registry"),
        new(Gateway, Layer.Communication, "registry") { RunsFollowing = true },
        new("dns", Layer.Communication, "registry") { RunsFollowing = true },
    ];

    /// <summary>The named modules and all that they need; every module when none is named.</summary>
    /// <param name="follows">True on a node that follows another: needs are met there, so only what is named runs
    /// here.</param>
    public static Outcome<ModuleSelection> Select(IReadOnlyCollection<string> names, bool follows = false) =>
        Select(Table, names, follows);

    /// <summary>The same over another table, for tests and for programs with modules of their own.</summary>
    public static Outcome<ModuleSelection> Select(
        ImmutableArray<ModuleDefinition> table, IReadOnlyCollection<string> names, bool follows = false)
    {
        var unknown = names.Where(name => table.All(module => module.Name != name)).ToArray();
        if (unknown.Length > 0)
            return Wrong($"has {string.Join(", ", unknown)}, which is no module; there are "
                + $"{string.Join(", ", table.Select(module => module.Name))}");
        if (follows) return SelectFollowing(table, names);
        var wanted = names.Count == 0 ? table.Select(module => module.Name) : names;
        return new ModuleSelection(InStartOrder(table, wanted), IsEdge: false);
    }

    /// <summary>The table as a Mermaid flowchart, an arrow for every need.</summary>
    public static string Picture()
    {
        var picture = new StringBuilder("flowchart TB\n");
        foreach (var layer in Table.GroupBy(module => module.Layer).OrderBy(group => group.Key))
        {
            picture.Append("  subgraph ").Append(layer.Key).Append('\n');
            foreach (var module in layer) picture.Append("    ").Append(module.Name).Append('\n');
            picture.Append("  end\n");
        }
        foreach (var module in Table)
            foreach (var need in module.Needs)
                picture.Append("  ").Append(module.Name).Append(" --> ").Append(need).Append('\n');
        return picture.ToString();
    }

    /// <summary>
    /// The wanted modules with their needs, each after what it needs. Throws for a table with a cycle or a need that is
    /// not in it.
    /// </summary>
    private static ImmutableArray<ModuleDefinition> InStartOrder(
        ImmutableArray<ModuleDefinition> table, IEnumerable<string> wanted)
    {
        var order = ImmutableArray.CreateBuilder<ModuleDefinition>();
        var done = new HashSet<string>(StringComparer.Ordinal);
        var path = new List<string>();
        foreach (var name in wanted) Visit(name);
        return order.ToImmutable();

        void Visit(string name)
        {
            if (done.Contains(name)) return;
            if (path.Contains(name))
                throw new ArgumentException(
                    $"Modules need each other in a circle: {string.Join(" → ", path)} → {name}.", nameof(table));
            var module = table.FirstOrDefault(module => module.Name == name)
                ?? throw new ArgumentException(
                    $"Module {path[^1]} needs {name}, which is not in the table.", nameof(table));
            path.Add(name);
            foreach (var need in module.Needs) Visit(need);
            path.RemoveAt(path.Count - 1);
            done.Add(name);
            order.Add(module);
        }
    }

    private static Outcome<ModuleSelection> SelectFollowing(
        ImmutableArray<ModuleDefinition> table, IReadOnlyCollection<string> names)
    {
        if (names.Count == 0) return Wrong("must be named on a node that follows another");
        var named = table.Where(module => names.Contains(module.Name)).ToImmutableArray();
        var bound = named.Where(module => !module.RunsFollowing).Select(module => module.Name).ToArray();
        return bound.Length > 0
            ? Wrong(
                $"has {string.Join(", ", bound)}, which needs a store and cannot run on a node that follows another")
            : new ModuleSelection(named, IsEdge: named is [{ Name: Gateway }]);
    }

    private static Fault Wrong(string detail) => new(ErrorCodes.ConfigurationInvalid, detail);
}
