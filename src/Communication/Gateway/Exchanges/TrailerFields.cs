using System.Text;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Exchanges;

/// <summary>
/// Trailers of HTTP/2, read by the one parser there is, so that its bounds and rules hold for them too.
/// </summary>
internal static class TrailerFields
{
    /// <summary>Null when there are none.</summary>
    /// <exception cref="InvalidDataException">They are malformed, or too large.</exception>
    public static FieldTable? Read(IEnumerable<KeyValuePair<string, string>> trailers)
    {
        var text = new StringBuilder("0\r\n");
        foreach (var (name, value) in trailers) text.Append(name).Append(": ").Append(value).Append("\r\n");
        if (text.Length == 3) return null;
        var chunks = new ChunkDecoder();
        var bytes = Encoding.Latin1.GetBytes(text.Append("\r\n").ToString());
        for (var at = 0; at < bytes.Length;)
        {
            var progress = chunks.Read(bytes.AsSpan(at), out var consumed, out _);
            at += consumed;
            if (progress == ChunkProgress.Complete && at == bytes.Length) return chunks.Trailers;
            if (progress != ChunkProgress.Incomplete) break;
        }
        throw new InvalidDataException(HeadFaults.Explain(HeadFault.Trailers));
    }
}
