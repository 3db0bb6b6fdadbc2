using System.Buffers;
using System.Text.Json;
using Groundwork.Wire.Dns;

namespace Groundwork.Communication.Dns.Protocols.Doh;

/// <summary>An answer in the JSON of public resolvers.</summary>
internal static class DohJson
{
    public const string MediaType = "application/dns-json";

    /// <param name="subnet">The client's network as it was given; null: none.</param>
    public static ReadOnlyMemory<byte> Write(
        DnsQuery query, DnsResponse response, bool checkingDisabled, string? subnet)
    {
        var bytes = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteNumber("Status", (int)response.Rcode);
            json.WriteBoolean("TC", false);
            json.WriteBoolean("RD", true);
            json.WriteBoolean("RA", response.RecursionAvailable);
            json.WriteBoolean("AD", false);
            json.WriteBoolean("CD", checkingDisabled);
            json.WriteStartArray("Question");
            json.WriteStartObject();
            json.WriteString("name", query.Name.ToString());
            json.WriteNumber("type", (int)query.Type);
            json.WriteEndObject();
            json.WriteEndArray();
            Write(json, "Answer", response.Answers);
            Write(json, "Authority", response.Authority);
            if (response.Explanation is { } explanation) json.WriteString("Comment", explanation.Text);
            if (subnet is not null) json.WriteString("edns_client_subnet", subnet);
            json.WriteEndObject();
        }
        return bytes.WrittenMemory;
    }

    private static void Write(Utf8JsonWriter json, string name, List<DnsRecord> records)
    {
        if (records.Count == 0) return;
        json.WriteStartArray(name);
        foreach (var record in records)
        {
            json.WriteStartObject();
            json.WriteString("name", record.Name.ToString());
            json.WriteNumber("type", (int)record.Type);
            json.WriteNumber("TTL", record.Ttl);
            json.WriteString("data", DnsText.Describe(record));
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
