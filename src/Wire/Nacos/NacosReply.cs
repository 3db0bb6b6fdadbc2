using System.Text.Json;

namespace Groundwork.Wire.Nacos;

/// <summary>
/// How Nacos answers: version 1 with a bare text, version 2 with <c>{code, message, data}</c> whose code is one of
/// Nacos's own beside the status.
/// </summary>
public static class NacosReply
{
    public const string JsonType = "application/json;charset=UTF-8";
    public const string TextType = "text/plain;charset=UTF-8";

    public const int Success = 0;
    public const int ParameterMissing = 10000;
    public const int AccessDenied = 10001;
    public const int ParameterInvalid = 20002;
    public const int ResourceNotFound = 20004;
    public const int ResourceConflict = 20005;
    public const int InstanceNotFound = 21003;
    public const int NamespaceNotFound = 22001;
    public const int ServerError = 30000;

    /// <summary>The status and Nacos's code of a fault. Nacos refuses with 403 whoever it does not know.</summary>
    public static (int Status, int Code) Of(Fault fault)
    {
        if (fault.Error == ErrorCodes.NamespaceUnknown || fault.Error == ErrorCodes.NamespaceInvalid)
            return (400, NamespaceNotFound);
        if (fault.Error == ErrorCodes.InstanceNotFound) return (404, InstanceNotFound);
        return fault.Error.Status switch
        {
            401 or 403 => (403, AccessDenied),
            404 => (404, ResourceNotFound),
            409 or 412 => (409, ResourceConflict),
            413 => (413, ParameterInvalid),
            429 => (429, ServerError),
            >= 400 and < 500 => (400, ParameterInvalid),
            503 => (503, ServerError),
            _ => (500, ServerError),
        };
    }

    /// <summary>What is wrong, in one text for people: version 1 has nothing else.</summary>
    public static string TextOf(Fault fault) => fault.Fields.IsDefaultOrEmpty
        ? fault.Detail
        : $"{fault.Detail} {string.Join("; ", fault.Fields.Select(Describe))}";

    /// <summary>A document without an envelope.</summary>
    public static byte[] Bare(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer)) write(json);
        return buffer.ToArray();
    }

    /// <summary><c>{code, message, data}</c>.</summary>
    /// <param name="write">Writes the value of <c>data</c>.</param>
    public static byte[] Envelope(int code, string message, Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("code", code);
            json.WriteString("message", message);
            json.WritePropertyName("data");
            write(json);
            json.WriteEndObject();
        }
        return buffer.ToArray();
    }

    /// <summary>The envelope of a fault.</summary>
    public static byte[] Envelope(Fault fault)
    {
        var text = TextOf(fault);
        return Envelope(Of(fault).Code, fault.Error.Title, json => json.WriteStringValue(text));
    }

    private static string Describe(FieldFault field)
    {
        var place = field.Line is { } line ? $" (line {line}, column {field.Column})" : "";
        return field.Path.Length == 0 ? $"{field.Message}{place}" : $"{field.Path} {field.Message}{place}";
    }
}
