using System.Diagnostics.CodeAnalysis;
using Groundwork.Wire;

namespace Groundwork.Services.Registry;

/// <summary>Names a service. A route's <c>ns/name</c> and <c>group@@name</c> forms are parsed into it.</summary>
public readonly record struct ServiceKey(string Namespace, string Group, string Service)
{
    public const string DefaultGroup = "default";

    /// <summary>Stands between group and service wherever one text names both; part of neither.</summary>
    public const string GroupSeparator = "@@";

    /// <summary>
    /// Reads <c>[namespace/][group@@]service</c>. Without a namespace it is <paramref name="defaultNamespace"/>;
    /// without a group it is <c>default</c>.
    /// </summary>
    public static bool TryParse(string? text, string defaultNamespace, [NotNullWhen(true)] out ServiceKey? key)
    {
        key = null;
        if (text is null) return false;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var @namespace = slash < 0 ? defaultNamespace : text[..slash];
        var rest = slash < 0 ? text : text[(slash + 1)..];
        var (group, service) = Split(rest);
        if (!Names.IsNamespace(@namespace) || !IsPart(group ?? DefaultGroup) || !IsPart(service)) return false;
        key = new ServiceKey(@namespace, group ?? DefaultGroup, service);
        return true;
    }

    /// <summary>True for what may be a group or a service: a name's segment without the separator in it.</summary>
    public static bool IsPart(string text) =>
        Names.IsSegment(text) && !text.Contains(GroupSeparator, StringComparison.Ordinal);

    /// <summary>Parts <c>group@@service</c>; the group is null when the text has none.</summary>
    internal static (string? Group, string Service) Split(string text)
    {
        var at = text.IndexOf(GroupSeparator, StringComparison.Ordinal);
        return at < 0 ? (null, text) : (text[..at], text[(at + GroupSeparator.Length)..]);
    }

    /// <summary><c>namespace/group@@service</c>, the group always written.</summary>
    public string ToFullName() => $"{Namespace}/{Group}{GroupSeparator}{Service}";

    public override string ToString() => Group == DefaultGroup
        ? $"{Namespace}/{Service}"
        : $"{Namespace}/{Group}{GroupSeparator}{Service}";
}

/// <summary>Names an instance.</summary>
public readonly record struct InstanceKey(ServiceKey Service, string Id)
{
    /// <summary>Reads <c>namespace/[group@@]service/id</c>.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out InstanceKey? key)
    {
        key = null;
        var slash = text?.LastIndexOf('/') ?? -1;
        if (slash < 0 || !text.AsSpan(..slash).Contains('/') || !Names.IsSegment(text.AsSpan(slash + 1))) return false;
        // Not null: it has a slash.
        if (!ServiceKey.TryParse(text![..slash], Names.DefaultNamespace, out var service)) return false;
        key = new InstanceKey(service.Value, text[(slash + 1)..]);
        return true;
    }

    public override string ToString() => $"{Service}/{Id}";
}
