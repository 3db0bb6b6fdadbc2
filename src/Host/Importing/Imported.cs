using System.Text.Json.Nodes;

namespace Groundwork.Host.Importing;

/// <summary>What another gateway's configuration has become, and what of it could not be expressed.</summary>
internal sealed class Imported
{
    private readonly HashSet<string> names = new(StringComparer.Ordinal);

    public List<JsonObject> Resources { get; } = [];

    /// <summary>One line each: where, what, and why where that helps.</summary>
    public List<string> LeftOut { get; } = [];

    public void Add(string kind, string name, JsonObject spec) => Resources.Add(new JsonObject
    {
        ["kind"] = kind, ["name"] = name, ["spec"] = spec,
    });

    public void LeaveOut(NginxDirective directive, string? why = null) =>
        LeftOut.Add($"line {directive.Line}: {directive.Text}{(why is null ? "" : $" ({why})")}");

    /// <summary>A name that resources may have and none has yet.</summary>
    public string NameOf(string kind, string wish)
    {
        var words = string.Concat(wish.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' ? c : ' '))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var plain = string.Join('-', words).Trim('-', '.');
        if (plain.Length is 0 or > 100) plain = plain.Length == 0 ? kind : plain[..100];
        var name = plain;
        for (var number = 2; !names.Add($"{kind} {name}"); number++) name = $"{plain}-{number}";
        return name;
    }
}
