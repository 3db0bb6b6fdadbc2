using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Groundwork.Communication.Tests.Gateway.Inspection;

/// <summary>One line of the corpus: how a text is sent, and the text.</summary>
internal sealed record CorpusCase(string How, string Text)
{
    private const string Boundary = "----corpus7MA4YWxk";

    public static IReadOnlyList<CorpusCase> Read(string file) =>
    [
        .. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Gateway", "Inspection", "corpus", $"{file}.txt"))
            .Where(line => !line.StartsWith("# One case", StringComparison.Ordinal)).Select(Parse),
    ];

    /// <summary>The whole request.</summary>
    public byte[] ToRequest()
    {
        var how = How.Split('-');
        var coding = how.Length > 1 ? how[1] : "";
        return how[0] switch
        {
            "query" => Get($"/find?page=1&q={Encode(coding)}", ""),
            "cookie" => Get("/find", $"Cookie: theme=dark; q={Escape(Text)}\r\n"),
            "agent" => Get("/find", $"User-Agent: {Text.Replace('\n', ' ').Replace('\r', ' ')}\r\n"),
            "form" => Post("application/x-www-form-urlencoded", $"page=1&q={Encode(coding).Replace("%20", "+")}"),
            "json" => Post(
                "application/json",
                JsonSerializer.Serialize(new JsonObject { ["page"] = 1, ["q"] = new JsonArray(Text) })),
            "part" => Post(
                $"multipart/form-data; boundary={Boundary}",
                $"--{Boundary}\r\nContent-Disposition: form-data; name=\"q\"\r\n\r\n{Text}\r\n--{Boundary}--\r\n"),
            _ => throw new InvalidOperationException($"The corpus has {How}, which is no way to send anything."),
        };
    }

    private static CorpusCase Parse(string line)
    {
        var space = line.IndexOf(' ', StringComparison.Ordinal);
        return new CorpusCase(line[..space], line[(space + 1)..]
            .Replace('␊', '\n').Replace('␍', '\r').Replace('␀', '\0').Replace('␉', '\t').Replace('␠', ' '));
    }

    private static byte[] Get(string target, string field) =>
        Encoding.UTF8.GetBytes($"GET {target} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n{field}\r\n");

    private static byte[] Post(string type, string body)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        var length = bytes.Length.ToString(CultureInfo.InvariantCulture);
        return
        [
            .. Encoding.UTF8.GetBytes(
                $"POST /find HTTP/1.1\r\nHost: localhost\r\nContent-Type: {type}\r\nContent-Length: {length}\r\n\r\n"),
            .. bytes,
        ];
    }

    private string Encode(string coding) => coding switch
    {
        "" => Escape(Text),
        "twice" => Escape(Escape(Text)),
        "thrice" => Escape(Escape(Escape(Text))),
        "overlong" => Escape(Text).Replace("%2F", "%C0%AF").Replace(".", "%C0%AE").Replace("%5C", "%C1%9C"),
        "wide" => Escape(string.Concat(Text.Select(one => "'\"()<>=".Contains(one) ? (char)(one + 0xFEE0) : one))),
        "entity" => Escape(string.Concat(Text.Select(one => IsSign(one) ? $"&#x{(int)one:x};" : $"{one}"))),
        "script" => Escape(string.Concat(Text.Select(one => IsSign(one) ? $"\\u{(int)one:x4}" : $"{one}"))),
        _ => throw new InvalidOperationException($"The corpus has {How}, which is no coding."),
    };

    private static bool IsSign(char one) => char.IsAscii(one) && !char.IsAsciiLetterOrDigit(one) && one != ' ';

    private static string Escape(string text) => Uri.EscapeDataString(text);
}
