namespace Groundwork.Services.Settings.Protocols.Apollo;

/// <summary>
/// Apollo's row of <c>docs/protocols/names.md</c>: how its words stand for a setting. Of services it knows nothing.
/// </summary>
public static class ApolloNames
{
    /// <summary>The ending that namespaces of Apollo have when they have none.</summary>
    public const string Properties = ".properties";

    /// <summary>
    /// The namespace whose settings a cluster, or a data centre, reads: that of its name in lower case.
    /// </summary>
    public static string NamespaceOf(string cluster) => cluster.ToLowerInvariant();

    /// <summary>
    /// The dataId that a namespace of Apollo stands for: the same, without <see cref="Properties"/>. Its group is the
    /// application, and both are matched without regard to case.
    /// </summary>
    public static string DataIdOf(string namespaceName) =>
        namespaceName.EndsWith(Properties, StringComparison.OrdinalIgnoreCase)
            ? namespaceName[..^Properties.Length]
            : namespaceName;
}
