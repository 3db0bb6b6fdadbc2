using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Groundwork.Communication.Dns;
using Groundwork.Communication.Dns.Protocols.Plain;
using Groundwork.Communication.Tests.Gateway;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;
using Groundwork.Wire.Dns;

namespace Groundwork.Communication.Tests.Dns;

/// <summary>Datagrams and connections, whatever they bring.</summary>
public sealed class TransportTests
{
    [Fact]
    public async Task What_does_not_fit_a_datagram_is_said_and_comes_over_tcp()
    {
        await using var names = await TestNames.StartAsync();
        Register(names, 60);
        var plain = await names.DigAsync("+noedns", "+ignore", "many.service.groundwork", "SRV");
        Assert.Contains("flags: qr aa tc rd;", plain);
        Assert.InRange(Size(plain), 100, DnsLimits.PlainDatagramBytes);
        var extended = await names.DigAsync("+bufsize=4096", "+ignore", "many.service.groundwork", "SRV");
        Assert.Contains(" tc ", extended);
        Assert.InRange(Size(extended), DnsLimits.PlainDatagramBytes, DnsLimits.MaxDatagramBytes);
        // dig asks again over TCP by itself.
        Assert.Equal(60, (await names.ShortAsync("many.service.groundwork", "SRV")).Length);
        // What is beside the answer is owed to nobody: it is left out, and nothing is said.
        var addresses = await names.DigAsync("+noedns", "+ignore", "many.service.groundwork", "A");
        Assert.Contains("tc", addresses);
    }

    [Fact]
    public async Task Kdig_gets_the_same_over_both_and_keeps_the_connection()
    {
        await using var names = await TestNames.StartAsync();
        Register(names, 2);
        foreach (var transport in new[] { "+notcp", "+tcp", "+keepopen" })
        {
            var text = await names.KdigAsync(
                transport, "+short", "many.service.groundwork", "A", "many.service.groundwork", "A");
            Assert.Equal(4, text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        }
    }

    [Fact]
    public async Task Versions_classes_and_operations_that_are_not_ours_are_told_so()
    {
        await using var names = await TestNames.StartAsync();
        Register(names, 1);
        Assert.Contains(
            "status: BADVERS", await names.DigAsync("+edns=1", "+noednsneg", "many.service.groundwork"));
        Assert.Contains("status: REFUSED", await names.DigAsync("version.bind", "CH", "TXT"));
        Assert.Contains("status: NOTIMP", await names.DigAsync("+opcode=NOTIFY", "many.service.groundwork", "SOA"));
        Assert.Contains("Transfer failed", await names.DigAsync("many.service.groundwork", "AXFR"));
        Assert.Contains("RFC8482", await names.DigAsync("many.service.groundwork", "ANY"));
        Assert.Contains("status: REFUSED", await names.DigAsync("www.example.com"));
    }

    [Fact]
    public async Task The_case_of_a_question_is_repeated()
    {
        await using var names = await TestNames.StartAsync();
        Register(names, 1);
        Assert.Contains("\nmAnY.sErViCe.GroundWork.", await names.DigAsync("mAnY.sErViCe.GroundWork"));
    }

    [Fact]
    public async Task Other_names_are_asked_of_others_for_programs_of_this_machine()
    {
        await using var named = await NamedServer.StartAsync(
            "corp.example", "$TTL 60\n@ IN SOA ns hostmaster 1 3600 600 86400 10\n@ IN NS ns\nns IN A 192.0.2.53\n"
            + "www IN A 192.0.2.2\n"
            + string.Concat(Enumerable.Range(1, 99).Select(one => $"many IN A 10.2.0.{one}\n")));
        await using var names = await TestNames.StartAsync();
        // The first is nobody: a socket that is bound and says nothing.
        using var silent = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        names.Zone("@", new DnsZoneSpec(Forward: [$"{silent.LocalEndPoint}", $"{named.Address}"]));
        Assert.Equal(["192.0.2.2"], await names.ShortAsync("www.corp.example"));
        Assert.Contains("status: NXDOMAIN", await names.DigAsync("+noedns", "nothing.corp.example"));
        Assert.Equal(99, (await names.ShortAsync("many.corp.example")).Length);
        Assert.Contains("status: REFUSED", await names.DigAsync("+norecurse", "www.corp.example"));
        // Only for those who may.
        var query = DnsQuery.Of(DnsName.Parse("www.corp.example"), DnsType.A);
        var elsewhere = Communication.Dns.Answering.Asker.Of(IPAddress.Parse("192.0.2.99"), IPAddress.Any);
        Assert.Equal(DnsRcode.Refused, names.Names.Answer(query, elsewhere).Response?.Rcode);
        names.Zone("@", new DnsZoneSpec(Forward: [$"{named.Address}"], Clients: ["192.0.2.0/24"]));
        Assert.NotNull(names.Names.Answer(query, elsewhere).Ask);
    }

    [Fact]
    public async Task We_never_ask_ourselves_and_say_when_nobody_answers()
    {
        await using var names = await TestNames.StartAsync();
        names.Zone("@", new DnsZoneSpec(Forward: [$"{names.Address}", "169.254.169.254"]));
        var text = await names.DigAsync("www.example.com");
        Assert.Contains("status: SERVFAIL", text);
        Assert.Contains("EDE: 22", text);
        Assert.Contains("link-local", text);
        Assert.Equal(1, names.Figures.Total);
    }

    [Fact]
    public async Task Bytes_that_are_no_question_leave_others_answered()
    {
        await using var names = await TestNames.StartAsync();
        Register(names, 1);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(names.Address);
        var random = LongRun.Random();
        for (var one = 0; one < 500; one++)
        {
            var bytes = new byte[random.Next(0, 600)];
            random.NextBytes(bytes);
            await socket.SendAsync(bytes);
        }
        Assert.Equal(["10.3.0.1"], await names.ShortAsync("many.service.groundwork"));
    }

    [Fact]
    public async Task Connections_with_nonsense_are_closed_and_pipelined_questions_answered_in_order()
    {
        await using var names = await TestNames.StartAsync();
        Register(names, 1);
        using (var nonsense = await ConnectAsync(names))
        {
            await nonsense.SendAsync(new byte[] { 0xFF, 0xFF, 1, 2, 3 });
            Assert.Equal(0, await nonsense.ReceiveAsync(new byte[1]));
        }
        using var socket = await ConnectAsync(names);
        var bytes = new byte[512];
        var all = new List<byte>();
        for (ushort id = 1; id <= 100; id++)
        {
            var length = DnsWriter.WriteQuery(
                DnsQuery.Of(DnsName.Parse("many.service.groundwork"), DnsType.A, id), bytes);
            all.AddRange([(byte)(length >> 8), (byte)length]);
            all.AddRange(bytes[..length]);
        }
        var sending = socket.SendAsync(all.ToArray());
        await using var stream = new NetworkStream(socket);
        for (ushort id = 1; id <= 100; id++)
        {
            await stream.ReadExactlyAsync(bytes.AsMemory(0, 2));
            var length = BinaryPrimitives.ReadUInt16BigEndian(bytes);
            await stream.ReadExactlyAsync(bytes.AsMemory(0, length));
            Assert.True(DnsMessage.TryRead(bytes.AsSpan(0, length), out var message));
            Assert.Equal(id, message.Id);
            Assert.Single(message.Answers);
        }
        await sending;
    }

    [Fact]
    public void A_network_that_asks_too_much_is_told_to_connect_and_others_are_not_held_up()
    {
        var time = new ManualTimeProvider();
        var rates = new AnswerRates(time);
        var (taken, shortened, silent) = (0, 0, 0);
        for (var one = 0; one < 10_000; one++)
        {
            if (rates.TryTake(IPAddress.Parse($"192.0.2.{one % 256}"), out var answerShort)) taken++;
            else if (answerShort) shortened++;
            else silent++;
        }
        Assert.Equal((2_000, 4_000, 4_000), (taken, shortened, silent));
        Assert.True(rates.TryTake(IPAddress.Parse("192.0.3.1"), out _));
        Assert.True(rates.TryTake(IPAddress.Parse("2001:db8::1"), out _));
        Assert.True(rates.TryTake(IPAddress.Loopback, out _));
        time.Advance(TimeSpan.FromMilliseconds(10));
        Assert.True(rates.TryTake(IPAddress.Parse("192.0.2.1"), out _));
    }

    private static async Task<Socket> ConnectAsync(TestNames names)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(names.Address);
        return socket;
    }

    private static void Register(TestNames names, int instances)
    {
        var key = HeldServices.Key("many");
        names.Registry.Put(
            key, [.. Enumerable.Range(1, instances).Select(one => TestNames.Instance(key, $"10.3.0.{one}", 80))]);
    }

    private static int Size(string text) =>
        int.Parse(text.Split("MSG SIZE  rcvd: ")[1].Split('\n')[0], System.Globalization.CultureInfo.InvariantCulture);
}
