using System.CommandLine;
using Groundwork.Host.CommandLine;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Host.Api;

/// <summary>A resource, as the API names it; the namespace of a node-wide kind is empty.</summary>
internal readonly record struct ResourceName(string Kind, string Namespace, string Name)
{
    public static Argument<string> KindArgument { get; } = new(
        "kind") { Description = "Kind, such as route or setting" };

    public static Argument<string> NameArgument { get; } = new(
        "name") { Description = "Name, such as catalog/app.yaml" };

    /// <summary>
    /// What <c>KIND NAME [-n NAMESPACE]</c> names. Asks the node whether the kind has namespaces when none is given.
    /// </summary>
    public static Task<ResourceName> FromAsync(Call call, ApiConnection connection) =>
        FromAsync(call, connection, call.Required(KindArgument), call.Required(NameArgument));

    public static async Task<ResourceName> FromAsync(Call call, ApiConnection connection, string kind, string name)
    {
        if (!Names.IsName(name))
            throw VerbFailure.Usage($"'{name}' is not a name: segments of A-Z a-z 0-9 . _ : @ - joined by /");
        var @namespace = Checked(call.Get(SharedOptions.Namespace))
            ?? await DefaultNamespaceAsync(connection, kind, call.Cancellation);
        return new ResourceName(kind, @namespace, name);
    }

    /// <summary>The namespace as typed, <c>_</c> for none; null when not given.</summary>
    public static string? Checked(string? typed)
    {
        if (typed is null) return null;
        if (typed == Names.NodeWide) return "";
        return Names.IsNamespace(typed)
            ? typed
            : throw VerbFailure.Usage(
                $"'{typed}' is not a namespace: 1 to {Names.MaxNamespaceLength} of a-z, 0-9 and -");
    }

    public string Path(string area) => ApiPaths.Resource(area, Kind, Namespace, Name);

    public override string ToString() => Namespace.Length == 0 ? $"{Kind} {Name}" : $"{Kind} {Namespace}/{Name}";

    private static async Task<string> DefaultNamespaceAsync(
        ApiConnection connection, string kind, CancellationToken cancellationToken)
    {
        var answer = await connection.GetAsync("kinds", cancellationToken);
        var kinds = answer.Read(WireJson.Lenient.IReadOnlyListKindDocument);
        // A kind that the node does not list is the node's to refuse, in its own words.
        return kinds.FirstOrDefault(known => known.Name == kind) is { Namespaced: false } ? "" : Names.DefaultNamespace;
    }

    public static ResourceName Of(ResourceDocument document) =>
        new(document.Kind, document.Namespace ?? Names.DefaultNamespace, document.Name);
}
