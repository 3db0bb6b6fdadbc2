using System.Text.Json;
using System.Text.Json.Nodes;

namespace Groundwork.Kernel.Resources;

/// <summary>Brings a spec of an older version of its kind up to the current one.</summary>
internal static class SpecConversion
{
    public static object Read(Resource resource)
    {
        var kind = resource.Kind
            ?? throw new InvalidOperationException($"The kind of {resource.Key} is not loaded here.");
        if (resource.Spec.IsEmpty)
            throw new InvalidOperationException($"{resource.Key} is of a stored kind; read it by query.");
        return kind.Read(Upgrade(kind, resource.Version, resource.Spec));
    }

    /// <summary>
    /// The spec in the kind's current version. A spec of a newer version, written by a newer node, is returned as it
    /// is.
    /// </summary>
    public static ReadOnlyMemory<byte> Upgrade(Kind kind, int version, ReadOnlyMemory<byte> spec)
    {
        if (version >= kind.Version) return spec;
        var document = JsonNode.Parse(spec.Span)?.AsObject()
            ?? throw new InvalidDataException($"A stored spec of kind {kind.Name} is null.");
        for (var from = version; from < kind.Version; from++) document = kind.Converters[from - 1](document);
        return JsonSerializer.SerializeToUtf8Bytes(document);
    }
}
