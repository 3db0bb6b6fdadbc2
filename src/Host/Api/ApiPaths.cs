using System.Globalization;
using System.Text;
using Groundwork.Wire;

namespace Groundwork.Host.Api;

/// <summary>Writes the addresses of the API: every part escaped, empty queries left out.</summary>
internal static class ApiPaths
{
    /// <summary><c>area/kind/namespace/name</c>, where the empty namespace is <c>_</c>.</summary>
    public static string Resource(string area, string kind, string @namespace, string name) =>
        $"{area}/{Uri.EscapeDataString(kind)}/{Namespace(@namespace)}/{Name(name)}";

    public static string Namespace(string @namespace) =>
        @namespace.Length == 0 ? Names.NodeWide : Uri.EscapeDataString(@namespace);

    /// <summary>A name's segments stay segments.</summary>
    public static string Name(string name) => string.Join('/', name.Split('/').Select(Uri.EscapeDataString));

    /// <summary>Appends the parameters that have a value.</summary>
    public static string With(string path, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var text = new StringBuilder(path);
        var separator = path.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        foreach (var (name, value) in parameters)
        {
            if (value is null or false or "") continue;
            var written = value is true ? "true" : Convert.ToString(value, CultureInfo.InvariantCulture);
            // Not null: value is not.
            text.Append(separator).Append(name).Append('=').Append(Uri.EscapeDataString(written!));
            separator = '&';
        }
        return text.ToString();
    }
}
