using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Groundwork.Wire;

namespace Groundwork.Kernel.Documents;

/// <summary>A place in a text, both 1-based.</summary>
public readonly record struct TextPosition(int Line, int Column);

/// <summary>One document of a YAML or JSON text, as JSON, with the place of every value.</summary>
/// <param name="Root">The document as JSON; null for <c>null</c>.</param>
/// <param name="Positions">By path, such as <c>spec.hosts[0]</c>; the root's path is empty. A member's place is its
/// key's.</param>
public sealed record TextDocument(JsonNode? Root, ImmutableDictionary<string, TextPosition> Positions)
{
    /// <summary>The place of the value at the path, or of the nearest value above it that the text has.</summary>
    public TextPosition Locate(string path)
    {
        for (var rest = path; ; rest = rest[..Math.Max(0, rest.LastIndexOfAny(['.', '[']))])
        {
            if (Positions.TryGetValue(rest, out var position)) return position;
            if (rest.Length == 0) return new TextPosition(1, 1);
        }
    }

    /// <summary>The fault with its line and column in this document.</summary>
    public FieldFault Locate(FieldFault fault)
    {
        var (line, column) = Locate(fault.Path);
        return fault with { Line = fault.Line ?? line, Column = fault.Column ?? column };
    }

    internal static string Below(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";
}

/// <summary>The documents of a text, or everything wrong with it; never both.</summary>
public sealed record TextReading(ImmutableArray<TextDocument> Documents, ImmutableArray<FieldFault> Faults)
{
    public bool Succeeded => Faults.IsEmpty;
}
