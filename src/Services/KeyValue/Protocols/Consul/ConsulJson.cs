using System.Text.Json;
using Groundwork.Services.KeyValue.Leases;
using Groundwork.Wire;

namespace Groundwork.Services.KeyValue.Protocols.Consul;

/// <summary>Keys and sessions as Consul writes them.</summary>
internal static class ConsulJson
{
    /// <param name="withValue">False in what a transaction says of its writes.</param>
    public static void Write(Utf8JsonWriter json, KeyEntry entry, bool withValue = true)
    {
        json.WriteStartObject();
        json.WriteNumber("LockIndex", entry.LockIndex);
        json.WriteString("Key", entry.Key);
        json.WriteNumber("Flags", unchecked((ulong)entry.Flags));
        if (withValue && entry.Value.Length > 0) json.WriteBase64String("Value", entry.Value);
        else json.WriteNull("Value");
        if (entry.Session is { } session) json.WriteString("Session", session);
        json.WriteNumber("CreateIndex", entry.Created);
        json.WriteNumber("ModifyIndex", entry.Revision);
        json.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter json, Lease session)
    {
        json.WriteStartObject();
        json.WriteString("ID", session.Session);
        json.WriteString("Name", session.Name);
        json.WriteString("Node", session.Node);
        json.WriteNumber("LockDelay", (long)session.LockDelay.TotalNanoseconds);
        json.WriteString("Behavior", session.DeletesKeys ? "delete" : "release");
        json.WriteString("TTL", session.Ttl > TimeSpan.Zero ? GoDuration.Write(session.Ttl) : "");
        json.WriteStartArray("NodeChecks");
        json.WriteEndArray();
        json.WriteNull("ServiceChecks");
        json.WriteNumber("CreateIndex", session.Index);
        json.WriteNumber("ModifyIndex", session.Index);
        json.WriteEndObject();
    }

    public static void WriteAll<T>(Utf8JsonWriter json, IEnumerable<T> items, Action<Utf8JsonWriter, T> write)
    {
        json.WriteStartArray();
        foreach (var item in items) write(json, item);
        json.WriteEndArray();
    }
}
