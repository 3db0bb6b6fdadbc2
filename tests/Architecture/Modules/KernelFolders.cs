using System.Collections.Immutable;

namespace Groundwork.Tests.Architecture.Modules;

/// <summary>Which folder of the kernel may use which.</summary>
internal static class KernelFolders
{
    public static readonly ImmutableDictionary<string, ImmutableArray<string>> MayUse =
        new Dictionary<string, ImmutableArray<string>>
        {
            ["Documents"] = [],
            ["Schemas"] = [],
            ["Storage"] = [],
            ["Cluster"] = ["Storage"],
            // One knot, on purpose: a change is authorised, sealed and linked inside its own transaction, and
            // principals, roles and policies are themselves resources.
            ["Resources"] = ["Documents", "Storage", "Cluster", "Security"],
            ["Security"] = ["Documents", "Storage", "Cluster", "Resources"],
            ["Hosting"] = ["Documents", "Storage", "Cluster", "Resources", "Security"],
        }.ToImmutableDictionary(StringComparer.Ordinal);

    public static IEnumerable<Violation> Check(Mono.Cecil.ModuleDefinition assembly, string root)
    {
        foreach (var type in assembly.Types)
            if (FolderOf(type, root) is { } folder && !MayUse.ContainsKey(folder))
                yield return new Violation(type.FullName, $"is in {folder}, which is no folder of the kernel");
        foreach (var use in TypeUses.Of(assembly))
        {
            var from = FolderOf(use.From, root);
            var to = FolderOf(use.Target, root);
            if (from is null || to is null || from == to || !MayUse.TryGetValue(from, out var allowed)) continue;
            if (to == "Hosting" && IsEndpoint(use.From)) continue;
            if (!allowed.Contains(to))
                yield return new Violation(use.From.FullName, $"uses {use.TargetName}: {from} may not use {to}");
        }
    }

    // Endpoints stand beside what they expose, and are mapped with what Hosting offers for that. Who makes a request is
    // also told by the connection it came in on, which Hosting knows.
    private static bool IsEndpoint(Mono.Cecil.TypeReference type) =>
        type.Name.EndsWith("Api", StringComparison.Ordinal) || type.Name.EndsWith("Events", StringComparison.Ordinal)
        || type.Name is "ApiRequests" or "Authenticator" or "LoopbackTrust";

    private static string? FolderOf(Mono.Cecil.TypeReference type, string root)
    {
        var name = TypeUse.Outermost(type).Namespace;
        if (name == root) return "";
        return name.StartsWith(root + ".", StringComparison.Ordinal) ? name[(root.Length + 1)..].Split('.')[0] : null;
    }
}
