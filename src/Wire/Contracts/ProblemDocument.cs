namespace Groundwork.Wire.Contracts;

/// <summary>An error answer: RFC 9457 problem details with a stable code and the trace id.</summary>
/// <param name="Type">Address of the code's line in the error reference.</param>
/// <param name="Title">The code's title from the catalogue.</param>
/// <param name="Status">HTTP status.</param>
/// <param name="Detail">The particulars of this case.</param>
/// <param name="Code">Stable code from <see cref="ErrorCodes"/>.</param>
/// <param name="TraceId">Finds the request in the platform's log.</param>
/// <param name="Fields">Every field at fault, not only the first.</param>
/// <param name="Extensions">What a machine may need to react, such as <c>floor</c>.</param>
public sealed record ProblemDocument(
    string Type,
    string Title,
    int Status,
    string Detail,
    string Code,
    string? TraceId = null,
    IReadOnlyList<FieldFault>? Fields = null,
    IReadOnlyDictionary<string, string>? Extensions = null);
