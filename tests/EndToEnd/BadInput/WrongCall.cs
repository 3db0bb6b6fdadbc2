using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Groundwork.Tests.EndToEnd.BadInput;

/// <summary>One row of the table: something wrong, and exactly what is answered.</summary>
/// <param name="Name">What is wrong with it, as a sentence.</param>
/// <param name="Http">
/// <c>METHOD path</c>, below <c>/groundwork/v1/</c> unless it starts with a slash; null for a row of the command line.
/// </param>
/// <param name="As">Who calls: <c>administrator</c> unless given, <c>reader</c>, <c>shop</c> or <c>nobody</c>.</param>
/// <param name="Body">An object or a list is sent as JSON, a text as it stands.</param>
/// <param name="Bytes">The body in hexadecimal, where it is no text.</param>
/// <param name="Run">Arguments of <c>groundwork</c>.</param>
/// <param name="Files">Files in the working directory, by name; a name that ends with a slash is a directory.</param>
/// <param name="Environment">Variables on top of the usual ones; an empty text removes one.</param>
/// <param name="Answer">What came; null in a row whose answer has not been written down yet.</param>
internal sealed record WrongCall(
    string Name,
    string? Http = null,
    string? As = null,
    IReadOnlyDictionary<string, string>? Headers = null,
    JsonNode? Body = null,
    string? Bytes = null,
    IReadOnlyList<string>? Run = null,
    string? Input = null,
    IReadOnlyDictionary<string, string>? Files = null,
    IReadOnlyDictionary<string, string>? Environment = null,
    WrongAnswer? Answer = null);

/// <summary>What a wrong call is answered with. Equal answers are equal texts of <see cref="ToString"/>.</summary>
/// <param name="Status">The HTTP status, or the exit code.</param>
/// <param name="Code">The error's code; null on the command line, whose message starts with it.</param>
/// <param name="Detail">The message.</param>
/// <param name="Fields">What is wrong where: <c>path, line L, column C: message</c>; or the lines below the message.
/// </param>
internal sealed record WrongAnswer(int Status, string? Code, string Detail, IReadOnlyList<string>? Fields = null)
{
    public override string ToString() =>
        string.Join("\n    ", [$"{Status} {Code}: {Detail}", .. Fields ?? []]);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false)]
[JsonSerializable(typeof(List<WrongCall>))]
internal sealed partial class WrongCallJson : JsonSerializerContext;
