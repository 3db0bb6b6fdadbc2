using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Groundwork.Load.Peers;

namespace Groundwork.Load.Scenarios;

/// <summary>
/// Questions over UDP for a service of three instances, of which each worker keeps one under way, beside BIND with the
/// same records in a zone.
/// </summary>
internal sealed class DnsScenario : Scenario
{
    private const int Names = 100;
    private const int TypeA = 1;
    private const int TypeSrv = 33;

    public override string Name => "dns";

    public override string Question => "How many questions does a node answer a second, and for how much processor?";

    public override IReadOnlyList<Contender> Contenders =>
    [
        new("ours, A", options => StartOursAsync(options, TypeA)),
        new("ours, SRV", options => StartOursAsync(options, TypeSrv)),
        .. File.Exists("/usr/sbin/named")
            ? (Contender[])[new("BIND 9.18, A", StartNamedAsync)]
            : [],
    ];

    private static async Task<Running> StartOursAsync(LoadOptions options, int type)
    {
        var node = await GroundworkNode.StartAsync(dns: true);
        using (var connection = await node.ConnectAsync())
        {
            // As `up` grants it to programs of this machine.
            await connection.SendAsync(node.Request(
                "PUT", "resources/role/_/anonymous-loopback",
                """{"spec":{"grants":[{"verbs":["discover"],"kinds":["instance"],"names":["*"]}]}}"""));
            for (var number = 0; number < Names * 3; number++)
                await connection.SendAsync(node.Request(
                    "PUT", "registry/instances",
                    $$"""
                    {"service":"s{{number / 3}}","id":"i{{number % 3}}","host":"10.0.0.{{number % 3}}","port":8080,
                    "leaseSeconds":3600,"incarnation":1}
                    """));
        }
        var port = IPEndPoint.Parse(new Uri(node.Listeners["dns"]).Authority).Port;
        return Start(options, port, number => $"s{number}.service.groundwork", type, node.Process, node);
    }

    private static async Task<Running> StartNamedAsync(LoadOptions options)
    {
        var records = new StringBuilder();
        for (var number = 0; number < Names; number++)
            for (var instance = 0; instance < 3; instance++)
                records.Append("s").Append(number).Append(".service A 10.0.0.").Append(instance).Append('\n');
        var server = await NamedServer.StartAsync("groundwork", records.ToString());
        return Start(options, server.Port, number => $"s{number}.service.groundwork", TypeA, server.Process, server);
    }

    private static Running Start(
        LoadOptions options, int port, Func<int, string> name, int type, ServerProcess server, IAsyncDisposable owner)
    {
        var questions = Enumerable.Range(0, Names).Select(number => Written(name(number), type)).ToArray();
        var askers = Enumerable.Range(0, options.Workers).Select(_ => new Asker(port)).ToArray();
        return new Running(
            (worker, _) => askers[worker].AskAsync(questions),
            server,
            async () =>
            {
                foreach (var asker in askers) asker.Dispose();
                await owner.DisposeAsync();
            });
    }

    private static byte[] Written(string name, int type)
    {
        var bytes = new List<byte> { 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0 }; // Recursion is wished for, as of stubs.
        foreach (var label in name.Split('.'))
        {
            bytes.Add((byte)label.Length);
            bytes.AddRange(Encoding.ASCII.GetBytes(label));
        }
        bytes.AddRange([0, 0, (byte)type, 0, 1]);
        return [.. bytes];
    }

    private sealed class Asker : IDisposable
    {
        private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        private readonly byte[] sent = new byte[512];
        private readonly byte[] answer = new byte[1500];
        private ushort id;

        public Asker(int port) => socket.Connect(IPAddress.Loopback, port);

        public async Task AskAsync(byte[][] questions)
        {
            var question = questions[++id % questions.Length];
            question.CopyTo(sent, 0);
            BinaryPrimitives.WriteUInt16BigEndian(sent, id);
            await socket.SendAsync(sent.AsMemory(0, question.Length));
            var length = await socket.ReceiveAsync(answer);
            if (length < 12 || BinaryPrimitives.ReadUInt16BigEndian(answer) != id || (answer[3] & 15) != 0
                || answer[7] == 0)
                throw new InvalidDataException("The answer is none, or not of this question.");
        }

        public void Dispose() => socket.Dispose();
    }
}
