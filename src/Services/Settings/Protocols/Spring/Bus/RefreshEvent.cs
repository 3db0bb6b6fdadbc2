using System.Buffers;
using System.Text.Json;

namespace Groundwork.Services.Settings.Protocols.Spring.Bus;

/// <summary>
/// Says to applications that they must read their configuration again, as Spring Cloud Bus writes it.
/// </summary>
/// <param name="Destination">Such as <c>orders:**</c>; <c>**</c> for all.</param>
internal sealed record RefreshEvent(string Id, long Timestamp, string Origin, string Destination)
{
    private const string Everybody = "**";

    /// <summary>
    /// A destination in full: without saying which instances, all of them are meant (RemoteApplicationEvent).
    /// </summary>
    public static string DestinationOf(string? wanted)
    {
        if (wanted is null or "" or Everybody) return Everybody;
        return wanted.Count(c => c == ':') <= 1 && !wanted.EndsWith(":**", StringComparison.Ordinal)
            ? $"{wanted}:**"
            : wanted;
    }

    public byte[] ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("type", "RefreshRemoteApplicationEvent");
        json.WriteNumber("timestamp", Timestamp);
        json.WriteString("originService", Origin);
        json.WriteString("destinationService", Destination);
        json.WriteString("id", Id);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }
}
