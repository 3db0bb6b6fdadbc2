using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace Groundwork.Client.Generators;

/// <summary>What was read of one interface: a client to write, or what is wrong with it.</summary>
internal sealed record ClientReading(ClientModel? Client, EquatableList<Complaint> Complaints);

/// <summary>A client to write. Text only, no symbols: they would keep whole compilations alive.</summary>
/// <param name="Namespace">Null for the global one.</param>
internal sealed record ClientModel(
    string? Namespace, string Name, string Service, EquatableList<Operation> Operations);

/// <summary>One method of the interface.</summary>
/// <param name="Returns">The whole return type.</param>
/// <param name="Result">What <see cref="Answer.Json"/> reads; else empty.</param>
/// <param name="Parameters">As declared, in order.</param>
/// <param name="Token">The parameter that is the cancellation token.</param>
internal sealed record Operation(
    string Name,
    string Verb,
    string Returns,
    Answer Answer,
    string Result,
    bool NullWhenMissing,
    EquatableList<PathPart> Path,
    EquatableList<Parameter> Parameters,
    string? Token);

/// <summary>What becomes of the answer.</summary>
internal enum Answer
{
    Nothing,
    Json,
    Text,
    Bytes,
    Stream,
    Response,
}

/// <summary>A part of the path: a literal, or a parameter's value.</summary>
/// <param name="Text">The literal, or the parameter's name as the code writes it.</param>
internal sealed record PathPart(PathPartKind Kind, string Text);

internal enum PathPartKind
{
    Literal,
    Segment,

    /// <summary>Written <c>{**name}</c>: its slashes stay slashes.</summary>
    Rest,
}

/// <summary>A parameter of a method.</summary>
/// <param name="Name">As the code writes it, with <c>@</c> where it needs one.</param>
/// <param name="WireName">Of the query or the header; else empty.</param>
internal sealed record Parameter(string Name, string Type, ParameterPlace Place, string WireName);

internal enum ParameterPlace
{
    Path,
    Query,
    QueryList,
    Header,
    Body,
    Token,
}

/// <summary>Something wrong with an interface, and where.</summary>
internal sealed record Complaint(string Rule, Place Place, EquatableList<string> Arguments)
{
    public Diagnostic ToDiagnostic() =>
        Diagnostic.Create(ClientRules.ById[Rule], Place.ToLocation(), [.. Arguments.Cast<object>()]);
}

/// <summary>A place in a file, without the syntax tree that a location holds on to.</summary>
internal sealed record Place(string Path, TextSpan Span, LinePositionSpan Lines)
{
    public static Place Of(Location location) =>
        new(location.SourceTree?.FilePath ?? "", location.SourceSpan, location.GetLineSpan().Span);

    public Location ToLocation() => Location.Create(Path, Span, Lines);
}
