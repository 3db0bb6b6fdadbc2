using System.Globalization;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings.Texts;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Settings.Protocols.Apollo;

/// <summary>What a client of Apollo is given for a namespace.</summary>
/// <param name="Cluster">The one that it was found in.</param>
/// <param name="ReleaseKey">Another for each change, and for each gray release.</param>
/// <param name="Settings">What it is made of, the one that counts first in front.</param>
internal sealed record ApolloConfig(
    string Cluster, IReadOnlyDictionary<string, string> Configurations, string ReleaseKey,
    IReadOnlyList<SettingDocument> Settings);

/// <summary>
/// Finds settings by the names that Apollo has for them: an application's own namespace over the public one, each in
/// the first cluster that has it.
/// </summary>
internal sealed class ApolloConfigs(SettingReader reader, Authorizer authorizer)
{
    /// <summary>The one key of a namespace that is no properties.</summary>
    public const string Content = "content";

    private readonly ApolloIndex index = new();

    /// <summary>Null when there is no such namespace, or the caller must not know of it.</summary>
    public async ValueTask<Outcome<ApolloConfig?>> ReadAsync(
        Snapshot now, SettingCaller caller, ApolloName name, CancellationToken cancellationToken)
    {
        var settings = new List<SettingDocument>();
        string? cluster = null;
        foreach (var group in name.Groups)
        {
            foreach (var one in name.Clusters)
            {
                var found = Find(now, caller.Principal, name, one, group);
                if (!found.TryGet(out var key, out var fault)) return fault;
                if (key is null) continue;
                var read = await reader.ReadOneAsync(now, caller, key.Value, cancellationToken);
                if (!read.TryGet(out var setting, out fault)) return fault;
                settings.Add(setting);
                cluster ??= one;
                break;
            }
        }
        if (cluster is null) return (ApolloConfig?)null;
        var configurations = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var setting in Enumerable.Reverse(settings))
            foreach (var (key, value) in Read(setting)) configurations[key] = value;
        return new ApolloConfig(cluster, configurations, string.Join('+', settings.Select(ReleaseKeyOf)), settings);
    }

    /// <summary>Whether there is such a namespace in that cluster and group for the caller to know of.</summary>
    public bool Has(Snapshot now, Principal caller, ApolloName name, string cluster, string group) =>
        Find(now, caller, name, cluster, group) is { Succeeded: false } or { Value: not null };

    private Outcome<ResourceKey?> Find(Snapshot now, Principal caller, ApolloName name, string cluster, string group)
    {
        var all = index.Find(
            now, ApolloNames.NamespaceOf(cluster), group, ApolloNames.DataIdOf(name.Namespace));
        ResourceKey? found = null;
        foreach (var key in all)
        {
            if (!authorizer.Allows(caller, Verb.Read, key)) continue;
            if (found is not null)
            {
                return new Fault(
                    ErrorCodes.NameInvalid,
                    $"'{group}/{name.Namespace}' is ambiguous: there are {found.Value.Name} and {key.Name}, and Apollo "
                    + "ignores case.");
            }
            found = key;
        }
        return found;
    }

    private static string ReleaseKeyOf(SettingDocument setting) =>
        string.Create(CultureInfo.InvariantCulture, $"r{setting.Revision}");

    private static IEnumerable<KeyValuePair<string, string>> Read(SettingDocument setting)
    {
        if (setting.Format != "properties") return [KeyValuePair.Create(Content, setting.Content)];
        return PropertiesLine.ReadAll(setting.Content).Select(line => KeyValuePair.Create(
            line.Name.Replace(SettingSyntax.KeptDot, '.'), line.Value));
    }
}
