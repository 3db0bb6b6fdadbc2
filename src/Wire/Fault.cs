using System.Collections.Immutable;

namespace Groundwork.Wire;

/// <summary>One thing wrong with one field of a document.</summary>
/// <param name="Path">JSON path from the document's root, such as <c>spec.match.path</c>; empty for the document
/// itself.</param>
/// <param name="Message">What is wrong and what would be right, one sentence.</param>
/// <param name="Line">1-based line in a text, where the field is text.</param>
/// <param name="Column">1-based column in that line.</param>
public sealed record FieldFault(string Path, string Message, int? Line = null, int? Column = null);

/// <summary>An expected failure, as a value: a catalogued code, the particulars, and the fields at fault.</summary>
public sealed record Fault(ErrorCode Error, string Detail)
{
    public ImmutableArray<FieldFault> Fields { get; init; } = [];

    /// <summary>
    /// What a machine may need to react, such as the floor of a compacted revision; flat values only.
    /// </summary>
    public ImmutableDictionary<string, string> Extensions { get; init; } =
        ImmutableDictionary<string, string>.Empty;

    /// <summary>When to try again, for errors that pass.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public override string ToString() => Fields.IsDefaultOrEmpty
        ? $"{Error.Code}: {Detail}"
        : $"{Error.Code}: {Detail} ({string.Join("; ", Fields.Select(field => $"{field.Path}: {field.Message}"))})";
}
