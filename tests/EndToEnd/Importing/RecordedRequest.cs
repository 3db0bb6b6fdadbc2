using System.Net;
using System.Net.Sockets;
using System.Text;
using Groundwork.Tests.Support;

namespace Groundwork.Tests.EndToEnd.Importing;

/// <summary>One line of <c>requests.txt</c>.</summary>
internal sealed record RecordedRequest(
    int Number, string Method, string Host, string Target, IPAddress Client, string[] Fields, string Body)
{
    public static List<RecordedRequest> ReadAll(string path) =>
    [
        .. File.ReadLines(path).Where(line => !line.StartsWith('#')).Select((line, index) =>
        {
            var parts = line.Split('|');
            return new RecordedRequest(
                index, parts[0], parts[1], parts[2], IPAddress.Parse(parts[3]),
                parts[4].Split('^', StringSplitOptions.RemoveEmptyEntries), parts[5]);
        }),
    ];

    public bool Has(string field) =>
        Array.Exists(Fields, one => one.StartsWith(field + ":", StringComparison.OrdinalIgnoreCase));

    /// <summary>The value of the cookie or the field; empty where there is none.</summary>
    public string ValueOf(string begin)
    {
        var at = Fields.Select(one => (Field: one, At: one.IndexOf(begin, StringComparison.Ordinal)))
            .FirstOrDefault(one => one.At >= 0);
        return at.Field?[(at.At + begin.Length)..].Split(';')[0] ?? "";
    }

    /// <summary>Sends it from its client's address, on a connection of its own; the head of the answer.</summary>
    public async Task<string> SendAsync(IPEndPoint to, string mark)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.NoDelay = true;
        socket.Bind(new IPEndPoint(Client, 0));
        await socket.ConnectAsync(to).WaitAsync(Eventually.Patience, TimeProvider.System);
        var text = new StringBuilder($"{Method} {Target} HTTP/1.1\r\nHost: {Host}\r\nX-Mark: {mark}\r\n");
        foreach (var field in Fields) text.Append(field).Append("\r\n");
        if (!Has("Connection")) text.Append("Connection: close\r\n");
        if (Body.Length > 0) text.Append($"Content-Length: {Body.Length}\r\n");
        text.Append("\r\n").Append(Body);
        await socket.SendAsync(Encoding.Latin1.GetBytes(text.ToString()));
        return await ReadHeadAsync(socket);
    }

    private static async Task<string> ReadHeadAsync(Socket socket)
    {
        var read = new StringBuilder();
        var buffer = new byte[4096];
        while (true)
        {
            var count = await socket.ReceiveAsync(buffer).WaitAsync(Eventually.Patience, TimeProvider.System);
            read.Append(Encoding.Latin1.GetString(buffer, 0, count));
            var end = read.ToString().IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end >= 0) return read.ToString()[..end];
            if (count == 0) return read.ToString();
        }
    }
}
