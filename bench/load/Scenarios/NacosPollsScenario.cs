using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Groundwork.Load.Peers;
using Groundwork.Load.Wire;

namespace Groundwork.Load.Scenarios;

/// <summary>
/// Ten thousand long polls of Nacos that wait for one configuration, and a change of it: from the moment that it is
/// published until the last of them has been answered, the commit included. They poll again afterwards, which is not
/// measured.
/// </summary>
internal sealed class NacosPollsScenario : Scenario
{
    private const int Clients = 10_000;
    private const string Path = "/nacos/v1/cs/configs";
    private const int BufferBytes = 4 * 1024;
    private static readonly TimeSpan BetweenChanges = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public override string Name => "nacos-polls";

    public override string Question =>
        $"{Clients} of Nacos's long polls wait: how long until the last of them knows of a change?";

    public override int? Workers => 1;

    public override IReadOnlyList<Contender> Contenders => [new("one configuration", _ => StartAsync())];

    private static async Task<Running> StartAsync()
    {
        var node = await GroundworkNode.StartAsync();
        var polls = new Polls(node);
        await polls.OpenAsync();
        return new Running((_, _) => polls.ChangeAsync(), node.Process, polls.StopAsync) { Pace = BetweenChanges };
    }

    /// <summary>The clients, and what they know.</summary>
    private sealed class Polls(GroundworkNode node)
    {
        private readonly List<Http1Connection> clients = [];
        private Http1Connection? writer; // Set by opening.
        private Task answers = Task.CompletedTask;
        private Task parking = Task.CompletedTask;
        private int version;

        public async Task OpenAsync()
        {
            writer = await node.ConnectAsync();
            await PublishAsync();
            for (var client = 0; client < Clients; client++)
                clients.Add(await Http1Connection.OpenAsync(node.Port, BufferBytes));
            await (parking = ParkAsync());
        }

        /// <summary>Publishes, and waits for the last answer; then they poll again, until the next change.</summary>
        public async Task ChangeAsync()
        {
            await parking; // Done long ago, with this time between two changes.
            version++;
            await PublishAsync();
            await answers.WaitAsync(Patience, TimeProvider.System);
            parking = ParkAsync();
        }

        public async Task StopAsync()
        {
            await parking;
            foreach (var client in clients) client.Dispose();
            await answers;
            writer?.Dispose();
            await node.DisposeAsync();
        }

        private async Task PublishAsync() => await writer!.SendAsync(Http1Connection.Request( // Opened first.
            "POST", string.Create(
                CultureInfo.InvariantCulture,
                $"{Path}?dataId=polled&group=load&type=text&content=version-{version}"),
            node.AccessKey));

        // Sends all polls, and waits until the node says that it holds them.
        private async Task ParkAsync()
        {
            var poll = Poll(node.AccessKey, version);
            var waiting = clients.Select(client => AskAsync(client, poll)).ToArray();
            answers = Task.WhenAll(waiting);
            while (await HeldAsync(node) < Clients)
            {
                if (answers.IsCompleted) throw new InvalidOperationException("The polls were answered at once.");
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            }
        }
    }

    private static async Task AskAsync(Http1Connection client, byte[] poll)
    {
        try
        {
            await client.SendAsync(poll);
        }
        catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
        {
            // The run is over.
        }
    }

    private static byte[] Poll(string accessKey, int version)
    {
#pragma warning disable CA5351 // The protocol compares by it.
        var known = Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes($"version-{version}")));
#pragma warning restore CA5351
        var body = "Listening-Configs=" + Uri.EscapeDataString($"polled\u0002load\u0002{known}\u0001");
        return Encoding.ASCII.GetBytes(
            $"POST {Path}/listener HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {accessKey}\r\n"
            + "Long-Pulling-Timeout: 60000\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            + $"Content-Length: {body.Length}\r\n\r\n{body}");
    }

    private static async Task<int> HeldAsync(GroundworkNode node)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{node.Port}/metrics");
        request.Headers.Authorization = new("Bearer", node.AccessKey);
        using var answer = await http.SendAsync(request);
        answer.EnsureSuccessStatusCode();
        var text = await answer.Content.ReadAsStringAsync();
        var line = text.Split('\n').FirstOrDefault(static one =>
            one.StartsWith("groundwork_nacos_parked_polls ", StringComparison.Ordinal));
        return line is null ? 0 : (int)double.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
    }
}
