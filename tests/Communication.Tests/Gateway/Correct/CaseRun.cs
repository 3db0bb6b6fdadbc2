using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Groundwork.Communication.Tests.Gateway.Correct;

/// <summary>What came of a case: what the client saw, and what the instance did.</summary>
internal sealed record CaseOutcome(string Client, string Instance)
{
    private static readonly Regex Framing = new(" (length [0-9]+|chunked)", RegexOptions.NonBacktracking);

    private static readonly string[] Refusals =
        ["400", "405", "408", "411", "413", "414", "417", "421", "422", "431", "500", "501", "505"];

    /// <summary>
    /// What is compared: whether a request was refused counts, and not by which number; nor whether the connection
    /// stays, over how many the instance was asked, and whether a body has its length before it or is in chunks.
    /// </summary>
    public string Class
    {
        get
        {
            var words = Client.Split(' ').Select(
                word => Refusals.Contains(word, StringComparer.Ordinal) ? "refused" : word).Where(
                word => word is not ("open" or "closed"));
            var seen = Framing.Replace(Instance, "").Replace(" + ", ", ", StringComparison.Ordinal);
            return string.Join(' ', words) + " / " + seen;
        }
    }

    public override string ToString() => Instance.Length == 0 ? Client : $"{Client} → {Instance}";
}

/// <summary>Plays a case's client against one proxy.</summary>
internal sealed class CaseRun(ConformanceCase played, RecordingInstance instance)
{
    private readonly List<byte> received = []; // Under itself.
    private volatile bool closed;

    /// <param name="settle">Without a byte for so long, nothing more is expected.</param>
    public async Task<CaseOutcome> PlayAsync(IPEndPoint proxy, TimeSpan settle)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(proxy);
        using var ending = new CancellationTokenSource();
        var reading = ReadAsync(socket, ending.Token);
        foreach (var step in played.Client) await TakeAsync(socket, step, settle);
        await SettleAsync(() => false, settle);
        var outcome = new CaseOutcome(DescribeClient(), DescribeInstance());
        await ending.CancelAsync();
        await reading;
        return outcome;
    }

    private async Task TakeAsync(Socket socket, ClientStep step, TimeSpan settle)
    {
        try
        {
            if (step.Wait != ClientWait.None)
                await SettleAsync(() => Has(step), step.Wait == ClientWait.Rest ? settle : settle * 5);
            else if (step.Ends) socket.Shutdown(SocketShutdown.Send);
            else
            {
                ReadOnlyMemory<byte> rest = step.Bytes;
                while (!rest.IsEmpty) rest = rest[await socket.SendAsync(rest)..];
            }
        }
        catch (SocketException)
        {
            // It was refused before its end.
        }
    }

    private bool Has(ClientStep step) => step.Wait switch
    {
        ClientWait.Answer => Answers().Count(
            answer => answer.Whole && MessageText.StatusOf(answer.Line)[0] != '1') >= step.Answers,
        ClientWait.Interim => Answers().Count >= step.Answers,
        ClientWait.Instance => instance.Bytes > 0,
        _ => false,
    };

    private async Task SettleAsync(Func<bool> until, TimeSpan settle)
    {
        var (seen, since) = (-1, TimeProvider.System.GetTimestamp());
        while (!until())
        {
            var now = Count() + instance.Bytes;
            if (now != seen || closed && TimeProvider.System.GetElapsedTime(since) < settle / 4)
            {
                if (now != seen) since = TimeProvider.System.GetTimestamp();
                seen = now;
            }
            else if (closed || TimeProvider.System.GetElapsedTime(since) > settle) return;
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }
    }

    private int Count()
    {
        lock (received) return received.Count;
    }

    private byte[] Bytes()
    {
        lock (received) return [.. received];
    }

    private List<MessageText.Message> Answers() => new MessageText(Bytes(), closed).Answers(played.AsksHead);

    private async Task ReadAsync(Socket socket, CancellationToken ending)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            int count;
            while ((count = await socket.ReceiveAsync(buffer, ending)) > 0)
                lock (received) received.AddRange(buffer.AsSpan(0, count));
            closed = true;
        }
        catch (SocketException)
        {
            closed = true;
        }
        catch (OperationCanceledException)
        {
            // The case is over.
        }
    }

    private string DescribeClient()
    {
        var text = new MessageText(Bytes(), closed);
        var words = new List<string>();
        foreach (var answer in text.Answers(played.AsksHead))
        {
            var status = MessageText.StatusOf(answer.Line);
            words.Add(status);
            if (status[0] is '2' or '3' && answer.Body is not ("" or "ok")) words.Add(Quote(answer.Body));
            if (!answer.Whole) words.Add(closed ? "cut" : "unfinished");
            Show(words, answer.Fields, played.ClientFields);
            if (answer.Trailers.Count > 0) words.Add(Fields(answer.Trailers));
        }
        if (text.Rest.Length > 0) words.Add(words is [.., "101"] ? Quote(text.Rest) : "junk");
        if (words.Count == 0) words.Add(closed ? "nothing" : "waits");
        words.Add(closed ? "closed" : "open");
        return string.Join(' ', words);
    }

    private string DescribeInstance()
    {
        var told = new List<string>();
        foreach (var connection in instance.Recorded())
        {
            var text = new MessageText(connection, ended: false);
            var requests = new List<string>();
            foreach (var request in text.Requests(played.Tunnels))
            {
                var line = request.Line.Split(' ');
                var words = new List<string> { line[0], line.Length == 3 ? Short(line[1]) : Quote(request.Line) };
                if (request.Framing.Length > 0) words.Add(request.Framing);
                if (request.Body.Length > 0) words.Add(Quote(request.Body));
                if (!request.Whole) words.Add("unfinished");
                Show(words, request.Fields, played.InstanceFields);
                if (request.Trailers.Count > 0) words.Add(Fields(request.Trailers));
                requests.Add(string.Join(' ', words));
            }
            if (text.Rest.Length > 0) requests.Add("then " + Quote(text.Rest));
            told.Add(string.Join(", ", requests));
        }
        return string.Join(" + ", told);
    }

    private static void Show(
        List<string> words, IReadOnlyList<KeyValuePair<string, string>> fields, IReadOnlyList<string> names)
    {
        var shown = fields.Where(field => names.Contains(field.Key, StringComparer.OrdinalIgnoreCase)).ToList();
        if (shown.Count > 0) words.Add(Fields(shown));
    }

    private static string Fields(IEnumerable<KeyValuePair<string, string>> fields) =>
        "{" + string.Join(
            "; ", fields.Select(field => $"{Visible(field.Key.ToLowerInvariant())}: {Short(Visible(field.Value))}"))
        + "}";

    private static string Quote(string text) => $"\"{Short(Visible(text))}\"";

    private static string Short(string text) =>
        text.Length <= 60 ? Visible(text) : $"{Visible(text[..24])}… ({text.Length})";

    private static string Visible(string text)
    {
        var visible = new StringBuilder();
        foreach (var character in text)
            visible.Append(character switch
            {
                '\r' => "\\r",
                '\n' => "\\n",
                < ' ' or > '~' and <= '\u00ff' => $"\\x{(int)character:X2}",
                _ => character.ToString(),
            });
        return visible.ToString();
    }
}
