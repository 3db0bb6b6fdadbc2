using System.Globalization;
using System.Text;

namespace Groundwork.Communication.Tests.Gateway.Correct;

/// <summary>
/// Reads recorded bytes as HTTP/1.1 by the letter of RFC 9112, slowly and on its own: no code of the product's.
/// </summary>
internal sealed class MessageText(byte[] bytes, bool ended)
{
    private static readonly string[] Bodiless = ["204", "304"];

    private readonly string text = Encoding.Latin1.GetString(bytes);
    private int at;

    /// <summary>A message that was read.</summary>
    /// <param name="Body">What there is of it.</param>
    public sealed record Message(
        string Line, IReadOnlyList<KeyValuePair<string, string>> Fields, string Framing, string Body,
        IReadOnlyList<KeyValuePair<string, string>> Trailers, bool Whole);

    /// <summary>What is left that is no message.</summary>
    public string Rest => text[at..];

    /// <summary>All requests in the bytes; the last may not be whole.</summary>
    /// <param name="tunnels">True when what follows a request for an upgrade is of another protocol.</param>
    public List<Message> Requests(bool tunnels)
    {
        var read = new List<Message>();
        while (at < text.Length && TryHead(out var line, out var fields))
        {
            var message = Body(line, fields, request: true, bodiless: false);
            read.Add(message);
            if (!message.Whole) break;
            if (tunnels && fields.Exists(field => Is(field, "upgrade"))) break;
        }
        return read;
    }

    /// <summary>All answers in the bytes; the last may not be whole.</summary>
    public List<Message> Answers(bool firstIsToHead)
    {
        var read = new List<Message>();
        var toHead = firstIsToHead;
        while (at < text.Length && TryHead(out var line, out var fields))
        {
            var status = StatusOf(line);
            if (status.Length == 0)
            {
                at = text.LastIndexOf(line, StringComparison.Ordinal);
                break;
            }
            var interim = status[0] == '1';
            var message = Body(
                line, fields, request: false, toHead || interim || Bodiless.Contains(status, StringComparer.Ordinal));
            read.Add(message);
            if (!message.Whole || status == "101") break;
            if (!interim) toHead = false;
        }
        return read;
    }

    public static string StatusOf(string line)
    {
        var parts = line.Split(' ');
        return parts.Length > 1 && parts[0].StartsWith("HTTP/1.", StringComparison.Ordinal) ? parts[1] : "";
    }

    private static bool Is(KeyValuePair<string, string> field, string name) =>
        field.Key.Equals(name, StringComparison.OrdinalIgnoreCase);

    private bool TryHead(out string line, out List<KeyValuePair<string, string>> fields)
    {
        (line, fields) = ("", []);
        var end = text.IndexOf("\r\n\r\n", at, StringComparison.Ordinal);
        if (end < 0) return false;
        var lines = text[at..end].Split("\r\n");
        line = lines[0];
        foreach (var one in lines.Skip(1)) fields.Add(Field(one));
        at = end + 4;
        return true;
    }

    private static KeyValuePair<string, string> Field(string line)
    {
        var colon = line.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? new(line, "") : new(line[..colon], line[(colon + 1)..].Trim(' ', '\t'));
    }

    private Message Body(string line, List<KeyValuePair<string, string>> fields, bool request, bool bodiless)
    {
        var chunked = fields.Exists(field => Is(field, "transfer-encoding"));
        var length = fields.Find(field => Is(field, "content-length")).Value;
        if (bodiless) return new Message(line, fields, "", "", [], Whole: true);
        if (chunked) return Chunked(line, fields);
        if (length is not null && int.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out var wanted))
        {
            var have = Math.Min(wanted, text.Length - at);
            var body = text.Substring(at, have);
            at += have;
            return new Message(line, fields, $"length {length}", body, [], have == wanted);
        }
        if (request) return new Message(line, fields, "", "", [], Whole: true);
        var rest = text[at..];
        at = text.Length;
        return new Message(line, fields, "until close", rest, [], ended);
    }

    private Message Chunked(string line, List<KeyValuePair<string, string>> fields)
    {
        var body = new StringBuilder();
        while (true)
        {
            var end = text.IndexOf("\r\n", at, StringComparison.Ordinal);
            if (end < 0) break;
            var size = text[at..end].Split(';')[0].Trim();
            if (!int.TryParse(size, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var count)) break;
            at = end + 2;
            if (count == 0) return Trailers(line, fields, body.ToString());
            var have = Math.Min(count, text.Length - at);
            body.Append(text, at, have);
            at = Math.Min(text.Length, at + count + 2);
        }
        return new Message(line, fields, "chunked", body.ToString(), [], Whole: false);
    }

    private Message Trailers(string line, List<KeyValuePair<string, string>> fields, string body)
    {
        var trailers = new List<KeyValuePair<string, string>>();
        while (true)
        {
            var end = text.IndexOf("\r\n", at, StringComparison.Ordinal);
            if (end < 0) return new Message(line, fields, "chunked", body, trailers, Whole: false);
            var one = text[at..end];
            at = end + 2;
            if (one.Length == 0) return new Message(line, fields, "chunked", body, trailers, Whole: true);
            trailers.Add(Field(one));
        }
    }
}
