using Groundwork.Kernel.Resources;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway;

/// <summary>What the fields of all kinds of the gateway are held to alike.</summary>
internal static class FieldRules
{
    public static void CheckRange(string at, long? value, long least, long most, ICollection<FieldFault> faults)
    {
        if (value < least || value > most) faults.Add(new FieldFault(at, $"must be {least} to {most}"));
    }

    /// <summary>Reads <c>[namespace/]name</c>, where the name is one segment.</summary>
    public static bool TryReadName(string text, string defaultNamespace, string kind, out ResourceKey key) =>
        TryReadLongName(text, defaultNamespace, kind, out key) && Names.IsSegment(key.Name);

    /// <summary>The same, where the name may be several segments.</summary>
    public static bool TryReadLongName(string text, string defaultNamespace, string kind, out ResourceKey key)
    {
        key = default;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var (ns, name) = slash < 0 ? (defaultNamespace, text) : (text[..slash], text[(slash + 1)..]);
        if (!Names.IsNamespace(ns) || !Names.IsName(name)) return false;
        key = new ResourceKey(kind, ns, name);
        return true;
    }
}
