using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Groundwork.Wire;

namespace Groundwork.Services.Registry.Protocols.Etcd;

/// <summary>
/// The value of a key of etcd's naming: <c>{"Op":0,"Addr":"host:port","Metadata":…}</c>. Metadata may be anything;
/// what is a member of an object is metadata of the instance, and a member that is no text stands there as its JSON.
/// </summary>
internal sealed record NamingEndpoint(string Host, int Port, Dictionary<string, string>? Metadata)
{
    private const string Operation = "Op";
    private const string Address = "Addr";
    private const string Attributes = "Metadata";

    private static readonly JsonDocumentOptions OnceEach = new() { AllowDuplicateProperties = false };

    // As it was put, not escaped for a page of HTML.
    private static readonly JsonWriterOptions AsIs = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Outcome<NamingEndpoint> Read(ReadOnlyMemory<byte> value)
    {
        try
        {
            if (!JsonText.IsUnicode(value.Span)) return Wrong("is no Unicode");
            using var document = JsonDocument.Parse(value, OnceEach);
            return Read(document.RootElement);
        }
        catch (JsonException)
        {
            return Wrong("is not JSON that can be read");
        }
    }

    /// <summary>
    /// The value of an instance: as it was put, as long as that is true; what has changed since stands in its place,
    /// and everything else stays.
    /// </summary>
    public static byte[] Write(Instance instance)
    {
        var put = EtcdExtension.Of(instance) is { } kept ? System.Text.Encoding.UTF8.GetBytes(kept.Value) : null;
        if (put is null || !Read(put).TryGet(out var said, out _)) return Write(new JsonObject(), instance, said: null);
        return said.IsOf(instance)
            ? put
            // An object, for it has been read as one just now.
            : Write(JsonNode.Parse(put)!.AsObject(), instance, said.AllMetadata);
    }

    private TextMap AllMetadata => Metadata is null ? TextMap.Empty : TextMap.Of(Metadata);

    private bool IsOf(Instance instance) =>
        instance.Host == Host && instance.Port == Port && instance.Metadata.Equals(AllMetadata);

    private static byte[] Write(JsonObject value, Instance instance, TextMap? said)
    {
        value[Operation] ??= 0;
        value[Address] = NamingPath.AddressOf(instance);
        if (!instance.Metadata.Equals(said))
        {
            var metadata = new JsonObject();
            foreach (var (name, text) in instance.Metadata) metadata[name] = text;
            value[Attributes] = metadata;
        }
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, AsIs)) value.WriteTo(json);
        return buffer.ToArray();
    }

    private static Outcome<NamingEndpoint> Read(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object) return Wrong("is no object");
        if (value.TryGetProperty(Operation, out var operation)
            && (operation.ValueKind != JsonValueKind.Number || !operation.TryGetInt32(out var adds) || adds != 0))
            return Wrong($"has another {Operation} than 0, which adds; a deletion deletes the key");
        if (!value.TryGetProperty(Address, out var address) || address.ValueKind != JsonValueKind.String
            || !TryRead(address.GetString() ?? "", out var host, out var port))
            return Wrong($"has no {Address} that is HOST:PORT");
        Dictionary<string, string>? metadata = null;
        if (value.TryGetProperty(Attributes, out var attributes) && attributes.ValueKind == JsonValueKind.Object)
        {
            metadata = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var member in attributes.EnumerateObject())
                metadata[member.Name] = member.Value.ValueKind == JsonValueKind.String
                    ? member.Value.GetString() ?? ""
                    : member.Value.GetRawText();
        }
        return new NamingEndpoint(host, port, metadata);
    }

    private static bool TryRead(string address, out string host, out int port)
    {
        var colon = address.LastIndexOf(':');
        host = colon < 0 ? address : address[..colon];
        if (host.StartsWith('[') && host.EndsWith(']')) host = host[1..^1];
        else if (host.Contains(':', StringComparison.Ordinal)) host = ""; // Whose last part could be the port.
        port = 0;
        return host.Length > 0
            && int.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port);
    }

    private static Fault Wrong(string what) => new(
        ErrorCodes.InstanceInvalid,
        $$$"""The value {{{what}}}; it is {"Op":0,"Addr":"HOST:PORT","Metadata":{}}.""");
}
