using System.Text;
using System.Text.RegularExpressions;

namespace Groundwork.Kernel.Hosting.Configuration;

/// <summary>How a key is written in the environment and on the command line.</summary>
internal static partial class ConfigurationNames
{
    public const string Prefix = "GROUNDWORK_";

    private const string ListenersPrefix = Prefix + "LISTENERS_";

    /// <summary>
    /// What belongs to the CLI, to the SDK or to a service that <c>up</c> started; never process configuration.
    /// </summary>
    private static readonly HashSet<string> Foreign = new(StringComparer.Ordinal)
    {
        "GROUNDWORK_CONFIG", "GROUNDWORK_ADDRESS", "GROUNDWORK_INSTANCE_ID", "GROUNDWORK_ACCESS_KEY",
        "GROUNDWORK_ACCESS_KEY_FILE", "GROUNDWORK_NAMESPACE", "GROUNDWORK_GROUP", "GROUNDWORK_SERVICE",
            "GROUNDWORK_ZONE",
        "GROUNDWORK_STATE_DIRECTORY", "GROUNDWORK_SQLITE",
        InheritedSockets.Variable,
    };

    private static readonly string[] ListenerFields =
        ["address", "tls.certificateFile", "tls.keyFile", "tlsTerminatedBy", "plain", "hostNames"];

    public static string ToEnvironment(string key) => Prefix + Words(key, '_').ToUpperInvariant();

    public static string ToFlag(string key) => "--" + Words(key, '-');

    /// <summary>
    /// True for variables that start like ours and are not. Kubernetes puts SERVICE_HOST, SERVICE_PORT and PORT_* of
    /// every service into every pod, and a service may well be called groundwork.
    /// </summary>
    public static bool IsForeign(string variable) =>
        Foreign.Contains(variable) || KubernetesService().IsMatch(variable);

    /// <summary>The key that a variable sets, or null.</summary>
    public static string? FromEnvironment(string variable)
    {
        foreach (var option in ProcessConfiguration.Options)
            if (!option.Key.Contains("NAME", StringComparison.Ordinal) && ToEnvironment(option.Key) == variable)
                return option.Key;
        if (!variable.StartsWith(ListenersPrefix, StringComparison.Ordinal)) return null;
        foreach (var field in ListenerFields)
        {
            var suffix = "_" + Words(field, '_').ToUpperInvariant();
            // Longer than prefix and suffix, so that a name is left between them.
            if (variable.Length <= ListenersPrefix.Length + suffix.Length
                || !variable.EndsWith(suffix, StringComparison.Ordinal)) continue;
            var name = variable[ListenersPrefix.Length..^suffix.Length].ToLowerInvariant().Replace('_', '-');
            return $"listeners.{name}.{field}";
        }
        // What is left is the name alone, which is switched off; a field that is mistyped is none.
        var rest = variable[ListenersPrefix.Length..].ToLowerInvariant();
        return rest.Length > 0 && !rest.Contains('_', StringComparison.Ordinal) ? $"listeners.{rest}" : null;
    }

    /// <summary>True when the key is one of the options, with any name where the option says NAME.</summary>
    public static bool IsKnown(string key)
    {
        foreach (var option in ProcessConfiguration.Options)
            if (option.Key == key) return true;
        var parts = key.Split('.', 3);
        return IsSwitch(key)
            || (parts is ["listeners", { Length: > 0 }, var field] && ListenerFields.Contains(field));
    }

    /// <summary>True for the name of a listener alone, which can be <c>off</c>.</summary>
    public static bool IsSwitch(string key) =>
        key.Split('.') is ["listeners", { Length: > 0 } and not "wellKnownPorts"];

    private static string Words(string key, char separator)
    {
        var words = new StringBuilder();
        foreach (var c in key)
        {
            if (c == '.') words.Append(separator);
            else if (char.IsAsciiLetterUpper(c) && words.Length > 0 && words[^1] != separator && !IsUpperRun(words, c))
                words.Append(separator).Append(char.ToLowerInvariant(c));
            else words.Append(c);
        }
        return words.ToString();
    }

    // NAME stays one word.
    private static bool IsUpperRun(StringBuilder words, char c) =>
        char.IsAsciiLetterUpper(words[^1]) && char.IsAsciiLetterUpper(c);

    [GeneratedRegex(
        "^GROUNDWORK(_[A-Z0-9_]+)?_(SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)|PORT(_[0-9]+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)?)$",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex KubernetesService();
}
