using Groundwork.Wire;

namespace Groundwork.Services.Settings.Protocols.Apollo;

/// <summary>A namespace of Apollo as somebody asks for it: of an application, in some clusters.</summary>
/// <param name="Namespace">As it is written.</param>
/// <param name="Clusters">In the order that they are looked into.</param>
internal sealed record ApolloName(string AppId, string Namespace, IReadOnlyList<string> Clusters)
{
    /// <summary>The namespace that every application has of its own.</summary>
    public const string Application = "application";

    /// <summary>The cluster that is looked into last.</summary>
    public const string DefaultCluster = "default";

    /// <summary>The group whose settings are public namespaces.</summary>
    public const string Public = "shared";

    /// <summary>Characters of an application, a cluster, a data centre or a namespace.</summary>
    public const int MaxLength = Names.MaxSegmentLength;

    /// <summary>Null when a part cannot be the name of anything.</summary>
    public static ApolloName? Of(string appId, string cluster, string? dataCenter, string @namespace)
    {
        if (!IsPart(appId) || !IsPart(cluster) || !IsPart(@namespace)) return null;
        var clusters = new List<string> { cluster };
        if (!string.IsNullOrEmpty(dataCenter) && IsPart(dataCenter)) clusters.Add(dataCenter);
        clusters.Add(DefaultCluster);
        return new ApolloName(appId, @namespace, [.. clusters.Distinct(StringComparer.OrdinalIgnoreCase)]);
    }

    /// <summary>The groups that it may be in: the application's own, which counts first, and the public one.</summary>
    public IReadOnlyList<string> Groups => IsOwn ? [AppId] : [AppId, Public];

    /// <summary>What a change that concerns it is known by, in all clusters and groups.</summary>
    public IEnumerable<(string Key, string Message)> WatchKeys =>
        Clusters.SelectMany(cluster => Groups.Select(group => (
        ApolloNews.KeyOf(ApolloNames.NamespaceOf(cluster), group, ApolloNames.DataIdOf(Namespace)),
        $"{group}+{cluster}+{ApolloNames.DataIdOf(Namespace)}")));

    private bool IsOwn => AppId.Equals(Public, StringComparison.OrdinalIgnoreCase)
        || ApolloNames.DataIdOf(Namespace).Equals(Application, StringComparison.OrdinalIgnoreCase);

    private static bool IsPart(string text) => Names.IsSegment(text);
}
