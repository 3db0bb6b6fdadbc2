using System.Buffers;
using System.Text.Json;

namespace Groundwork.Client;

/// <summary>What a failed answer says of itself: <c>application/problem+json</c> (RFC 9457), if it is that.</summary>
/// <param name="Code">The member <c>code</c>, which the platform's and many services' problems have.</param>
/// <param name="Detail">The member <c>detail</c>, else <c>title</c>.</param>
internal sealed record Problem(string? Code, string? Detail)
{
    /// <summary>A problem is a few lines; more is not read.</summary>
    private const int MaxBytes = 64 * 1024;

    /// <summary>Characters of a text that go into an exception's message.</summary>
    private const int MaxTextLength = 1024;

    public static Problem None { get; } = new(null, null);

    /// <summary>Whatever the answer is, it gives what can be read of it.</summary>
    public static async Task<Problem> ReadAsync(HttpContent content, CancellationToken cancellationToken)
    {
        if (content.Headers.ContentType?.MediaType is not ("application/problem+json" or "application/json"))
            return None;
        var buffer = ArrayPool<byte>.Shared.Rent(MaxBytes);
        try
        {
            var stream = await content.ReadAsStreamAsync(cancellationToken);
            var read = await stream.ReadAtLeastAsync(
                buffer.AsMemory(0, MaxBytes), MaxBytes, throwOnEndOfStream: false, cancellationToken);
            using var document = JsonDocument.Parse(buffer.AsMemory(0, read));
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new Problem(
                    Text(document.RootElement, "code"),
                    Text(document.RootElement, "detail") ?? Text(document.RootElement, "title"))
                : None;
        }
        catch (Exception fault) when (fault is JsonException or IOException or HttpRequestException)
        {
            return None; // The status is the failure; what was to explain it is missing.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static string? Text(JsonElement problem, string name) =>
        problem.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.String
            && member.GetString() is { Length: > 0 } text
                ? text.Length <= MaxTextLength ? text : text[..MaxTextLength]
                : null;
}
