using System.Collections.Immutable;

namespace Groundwork.Kernel.Hosting;

/// <summary>The layers, from the top down. References point down only.</summary>
public enum Layer { Presentation, Communication, Services, Data }

/// <summary>A row of the module table.</summary>
/// <param name="Name">Lower case; the folder below the layer has the same name.</param>
/// <param name="Needs">Modules that must run before it, and whose public types it may use.</param>
public sealed record ModuleDefinition(string Name, Layer Layer, params ImmutableArray<string> Needs);

/// <summary>
/// The one table of modules. It selects, orders start and stop, prints itself, draws the picture in ARCHITECTURE.md, and
/// is what the architecture test holds the code to.
/// </summary>
public static class Modules
{
    public static ImmutableArray<ModuleDefinition> Table { get; } =
    [
        new("registry", Layer.Services),
        new("settings", Layer.Services),
        new("gateway", Layer.Communication, "registry"),
    ];
}
