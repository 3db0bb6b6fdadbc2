using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Groundwork.Client;

/// <summary>
/// One call while a generated client puts it together: path, query, headers, body. Used by one thread, once.
/// </summary>
public sealed class ServiceRequest
{
    private readonly HttpRequestMessage request;
    private readonly JsonSerializerOptions json;
    private readonly StringBuilder path = new();
    private bool hasQuery;

    internal ServiceRequest(HttpMethod method, string name, JsonSerializerOptions json)
    {
        this.json = json;
        Name = name;
        request = new HttpRequestMessage { Method = method };
        request.Options.Set(GroundworkRequest.Method, name);
    }

    /// <summary>Interface and method, such as <c>ICatalog.FindProductAsync</c>.</summary>
    internal string Name { get; }

    /// <summary>A part of the path as the template has it.</summary>
    public void Literal(string text) => path.Append(text);

    /// <summary>A parameter's value as one segment of the path.</summary>
    /// <exception cref="ArgumentException">It is empty, <c>.</c> or <c>..</c>, which would be another path.</exception>
    public void Segment<T>(T value, string parameter) => path.Append(Escaped(Text(value) ?? "", parameter));

    /// <summary>A parameter's value as the rest of the path; its slashes stay slashes.</summary>
    /// <exception cref="ArgumentException">A segment is empty, <c>.</c> or <c>..</c>.</exception>
    public void Rest<T>(T value, string parameter)
    {
        var separator = "";
        foreach (var segment in (Text(value) ?? "").Split('/'))
        {
            path.Append(separator).Append(Escaped(segment, parameter));
            separator = "/";
        }
    }

    /// <summary>A parameter of the query; null is left out.</summary>
    public void Query<T>(string name, T value)
    {
        if (Text(value) is not { } text) return;
        path.Append(hasQuery ? '&' : '?').Append(Uri.EscapeDataString(name)).Append('=')
            .Append(Uri.EscapeDataString(text));
        hasQuery = true;
    }

    /// <summary>A parameter of the query for each item; null items are left out.</summary>
    public void QueryList<T>(string name, IEnumerable<T>? values)
    {
        foreach (var value in values ?? []) Query(name, value);
    }

    /// <summary>A header; null is left out.</summary>
    /// <exception cref="FormatException">The value is none of that header, such as one with a line end.</exception>
    public void Header<T>(string name, T value)
    {
        if (Text(value) is { } text) request.Headers.Add(name, text);
    }

    /// <summary>
    /// The body: a content or a stream as it is, anything else as JSON; null sends none. JSON is written at once, so
    /// that its length is known and a call that did not arrive can be sent again.
    /// </summary>
    public void Body<T>(T value)
    {
        switch (value)
        {
            case null:
                return;
            case HttpContent content:
                request.Content = content;
                return;
            case Stream stream:
                request.Content = new StreamContent(stream);
                request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
                return;
            default:
                request.Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(value, json));
                request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json", "utf-8");
                return;
        }
    }

    internal HttpRequestMessage ToRequest(Uri address)
    {
        // Appended as text, because a path that begins with a slash would replace one that the address has.
        request.RequestUri = new Uri(string.Concat(address.AbsoluteUri.AsSpan().TrimEnd('/'), path.ToString()));
        return request;
    }

    private static string Escaped(string segment, string parameter) => segment is "" or "." or ".."
        ? throw new ArgumentException($"'{segment}' cannot stand as a segment of a path.", parameter)
        : Uri.EscapeDataString(segment);

    private static string? Text<T>(T value) => value switch
    {
        null => null,
        string text => text,
        bool truth => truth ? "true" : "false",
        Enum => value.ToString(),
        DateTime or DateTimeOffset or DateOnly or TimeOnly =>
            ((IFormattable)value).ToString("O", CultureInfo.InvariantCulture),
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString(),
    };
}
