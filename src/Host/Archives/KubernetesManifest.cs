using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Groundwork.Host.CommandLine;

namespace Groundwork.Host.Archives;

/// <summary>
/// A group of settings as a ConfigMap or a Secret of Kubernetes, equal in its data to what <c>kubectl create configmap
/// --from-file</c> makes of the same files. Settings are text, so there is no <c>binaryData</c>.
/// </summary>
internal static partial class KubernetesManifest
{
    /// <summary>Characters of a key, as Kubernetes has it.</summary>
    private const int MaxKeyLength = 253;

    public static JsonObject Of(string kind, string group, IReadOnlyList<ArchivedSetting> settings)
    {
        if (!ObjectName().IsMatch(group))
            throw VerbFailure.Usage($"'{group}' cannot be the name of a {kind}: lower case, digits, '-' and '.' can");
        var wrong = settings.Where(one => !IsKey(one.DataId)).Select(one => one.DataId).ToList();
        if (wrong.Count > 0)
            throw VerbFailure.Usage(
                $"these cannot be keys of a {kind}, which are made of A-Z a-z 0-9 - _ . alone: "
                + string.Join(", ", wrong));
        var data = new JsonObject();
        foreach (var setting in settings)
        {
            var text = setting.Text ?? throw VerbFailure.Usage(
                $"{setting.Name} is a secret; write --reveal, or leave it out with another --group");
            data[setting.DataId] = kind == "Secret" ? Convert.ToBase64String(Encoding.UTF8.GetBytes(text)) : text;
        }
        return new JsonObject
        {
            ["apiVersion"] = "v1", ["data"] = data, ["kind"] = kind, ["metadata"] = new JsonObject { ["name"] = group },
        };
    }

    private static bool IsKey(string dataId) =>
        dataId.Length <= MaxKeyLength && Key().IsMatch(dataId) && dataId is not ("." or "..")
        && !dataId.StartsWith("..", StringComparison.Ordinal);

    [GeneratedRegex(@"\A[-._a-zA-Z0-9]+\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Key();

    [GeneratedRegex(@"\A[a-z0-9]([-a-z0-9.]*[a-z0-9])?\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex ObjectName();
}
