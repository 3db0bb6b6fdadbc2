using System.Net;
using System.Net.Sockets;
using Groundwork.Communication.Dns.Answering;
using Groundwork.Communication.Tests.Gateway;
using Groundwork.Tests.Support;
using Groundwork.Wire.Dns;

namespace Groundwork.Communication.Tests.Dns;

/// <summary>Messages of any bytes: read or refused, never more, and never slowly.</summary>
public sealed class DnsFuzzTests
{
    private const int AtOnce = 64;
    private const int PatienceMilliseconds = 10_000;
    private const long MaxGrowth = 8 * 1024 * 1024;

    /// <summary>A compressed answer of a real server (BIND 9.18) to MX of corp.example.</summary>
    private static readonly byte[] Real = Convert.FromHexString(
        "12348400000100020001000304636f7270076578616d706c6500000f0001c00c000f00010000003c0009000a046d6169"
        + "6cc00cc00c000f00010000003c00160014066261636b7570076578616d706c65036e657400c00c000200010000003c00"
        + "05026e73c00cc02c000100010000003c0004c0000201c061000100010000003c0004c000023500002904d00000000000"
        + "00");

    [Fact]
    public async Task Mutated_and_random_messages_are_answered_or_dropped()
    {
        await using var names = await TestNames.StartAsync();
        var key = HeldServices.Key("orders");
        names.Registry.Put(key, TestNames.Instance(key, "10.0.0.1", 80));
        var asker = Asker.Of(IPAddress.Loopback, IPAddress.Loopback);
        var random = LongRun.Random();
        var seeds = Seeds();
        var answer = new byte[DnsLimits.MaxMessageBytes];
        var (queries, refused, dropped) = (0, 0, 0);
        var rounds = LongRun.Count(50_000, 3_000_000);
        for (var round = 0; round < rounds; round++)
        {
            var bytes = Mutate(random, seeds[random.Next(seeds.Length)]);
            var verdict = DnsQuery.Read(bytes, out var query);
            if (verdict == DnsQueryVerdict.Dropped)
            {
                dropped++;
                continue;
            }
            var response = verdict == DnsQueryVerdict.Query ? names.Names.Answer(query, asker).Response : null;
            if (response is null) refused++;
            else queries++;
            var limit = query.DatagramBytes;
            var length = DnsWriter.WriteResponse(query, response, answer.AsSpan(0, limit));
            Assert.InRange(length, DnsLimits.HeaderBytes, limit);
            // What we say, a reader of messages understands.
            Assert.True(DnsMessage.TryRead(answer.AsSpan(0, length), out var read), Convert.ToHexString(bytes));
            Assert.Equal(query.Id, read.Id);
            if (verdict == DnsQueryVerdict.Query) Assert.Equal(query.Name, read.Name);
        }
        Assert.True(queries > rounds / 20 && refused > rounds / 20 && dropped > rounds / 100);
    }

    [Fact]
    public async Task Datagrams_of_any_bytes_have_the_answer_that_is_theirs_or_none()
    {
        await using var names = await TestNames.StartAsync();
        var key = HeldServices.Key("orders");
        names.Registry.Put(key, TestNames.Instance(key, "10.0.0.1", 80));
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp)
        {
            ReceiveTimeout = PatienceMilliseconds,
        };
        socket.Connect(names.Address);
        var random = LongRun.Random();
        var seeds = Seeds();
        var answer = new byte[DnsLimits.MaxMessageBytes];
        var (sent, answered, ids) = (0, 0, new Dictionary<ushort, int>());
        var rounds = LongRun.Count(20_000, 1_000_000);
        Send(rounds / 2);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        Send(rounds - sent);
        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{sent} datagrams, {answered} answers, {grown >> 10} KB grown");
        Assert.InRange(answered, rounds / 10, sent - (rounds / 100));
        Assert.InRange(grown, long.MinValue, MaxGrowth);
        Assert.Equal(["10.0.0.1"], await names.ShortAsync("orders.service.groundwork"));

        // Some at a time, so that none is lost in a buffer; each is expected as a reader of this process reads it.
        void Send(int count)
        {
            for (var left = count; left > 0; left -= AtOnce)
            {
                var expected = 0;
                for (var one = 0; one < Math.Min(AtOnce, left); one++)
                {
                    var bytes = Mutate(random, seeds[random.Next(seeds.Length)]);
                    socket.Send(bytes);
                    sent++;
                    if (DnsQuery.Read(bytes, out var query) == DnsQueryVerdict.Dropped) continue;
                    expected++;
                    ids[query.Id] = ids.GetValueOrDefault(query.Id) + 1;
                }
                for (; expected > 0; expected--)
                {
                    var length = socket.Receive(answer);
                    answered++;
                    Assert.True(
                        DnsMessage.TryRead(answer.AsSpan(0, length), out var read),
                        Convert.ToHexString(answer.AsSpan(0, length)));
                    Assert.True(read.IsResponse && read.Rcode != DnsRcode.ServFail, $"{read.Name} {read.Rcode}");
                    Assert.True(ids.GetValueOrDefault(read.Id) > 0, $"Nobody has asked {read.Id}.");
                    ids[read.Id]--;
                }
            }
        }
    }

    [Fact]
    public void Answers_of_other_servers_are_read_or_not_whatever_they_are()
    {
        var random = LongRun.Random();
        Assert.True(DnsMessage.TryRead(Real, out var whole));
        Assert.Equal(["10 mail.corp.example.", "20 backup.example.net."], whole.Answers.Select(
            record => DnsText.Describe(record)));
        var read = 0;
        var rounds = LongRun.Count(50_000, 3_000_000);
        for (var round = 0; round < rounds; round++)
        {
            if (!DnsMessage.TryRead(Mutate(random, Real), out var message)) continue;
            read++;
            foreach (var record in message.Answers) Assert.NotEmpty(DnsText.Describe(record) + ".");
        }
        Assert.InRange(read, rounds / 100, rounds);
    }

    [Theory]
    [InlineData("C00C")] // To itself.
    [InlineData("C00E")] // Ahead.
    [InlineData("C0FF")] // Beyond the end.
    [InlineData("C0")] // Half a pointer.
    [InlineData("0161C00C")] // To its own beginning, for ever.
    [InlineData("40")] // Of a kind that there is not.
    [InlineData("80")]
    [InlineData("3F61")] // A label that is longer than what is there.
    [InlineData("0161")] // Without an end.
    public void Names_that_do_not_end_are_refused(string name)
    {
        var bytes = Convert.FromHexString("000001000001000000000000" + name + "00010001");
        Assert.Equal(DnsQueryVerdict.Refused, DnsQuery.Read(bytes, out var query));
        Assert.Equal(DnsRcode.FormErr, query.Refusal);
    }

    [Fact]
    public void A_name_is_as_long_as_it_may_be_and_no_longer()
    {
        var label = "3F" + string.Concat(Enumerable.Repeat("61", 63));
        var longest = string.Concat(Enumerable.Repeat(label, 3)) + "3D" + string.Concat(Enumerable.Repeat("61", 61));
        Assert.Equal(DnsQueryVerdict.Query, Read(longest + "00"));
        Assert.Equal(DnsQueryVerdict.Refused, Read(
            string.Concat(Enumerable.Repeat(label, 3)) + "3E" + string.Concat(Enumerable.Repeat("61", 62)) + "00"));
        Assert.Equal(DnsQueryVerdict.Refused, Read(string.Concat(Enumerable.Repeat(label, 4)) + "00"));

        static DnsQueryVerdict Read(string name) => DnsQuery.Read(
            Convert.FromHexString("000001000001000000000000" + name + "00010001"), out _);
    }

    [Theory]
    [InlineData("00010100000200000000000001610000010001016200000100 01", DnsRcode.FormErr)] // Two questions.
    [InlineData("0001010000000000000000 00", DnsRcode.FormErr)] // None.
    [InlineData("000101000001000100000000 0161 00 0001 0001", DnsRcode.FormErr)] // An answer that is not there.
    [InlineData("000101000001000000000000 0161 00 0001 0001 FF", DnsRcode.FormErr)] // More than a question.
    [InlineData("000101000001000000000001 0161 00 0001 0001 00 0029 04D0 00000000 0004 0008", DnsRcode.FormErr)]
    [InlineData("0001280000010000000000 00 0161 00 0001 0001", DnsRcode.NotImp)] // An update.
    public void Messages_that_are_no_question_get_their_code(string hex, DnsRcode code)
    {
        var bytes = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        Assert.Equal(DnsQueryVerdict.Refused, DnsQuery.Read(bytes, out var query));
        Assert.Equal(code, query.Refusal);
    }

    [Fact]
    public void Names_are_written_and_read_back()
    {
        foreach (var (text, shown) in new[]
        {
            ("www.example.com", "www.example.com."), ("WWW.Example.com.", "WWW.Example.com."), (".", "."),
            (@"a\.b.c", @"a\.b.c."), (@"a\009b.c", @"a\009b.c."), (@"a\\.c", @"a\\.c."), (@"a\@b", @"a\@b."),
        })
        {
            Assert.True(DnsName.TryParse(text, out var name), text);
            Assert.Equal(shown, name.ToString());
            Assert.Equal(name, DnsName.Parse(name.ToString()));
        }
        foreach (var wrong in new[] { "..", ".a", "a..b", new string('a', 64), "é", @"a\25", @"a\256", @"a\" })
            Assert.False(DnsName.TryParse(wrong, out _), wrong);
        Assert.True(DnsName.Parse("a.B.c").IsWithin(DnsName.Parse("b.C")));
        Assert.False(DnsName.Parse("ab.c").IsWithin(DnsName.Parse("b.c")));
    }

    private static byte[][] Seeds()
    {
        var seeds = new List<byte[]> { Real };
        foreach (var name in new[]
        {
            "orders.service.groundwork", "x.orders.service.dc1.consul", "0a000001.addr.consul",
            "_orders._tcp.service.consul", "1.0.0.10.in-addr.arpa", "_services._dns-sd._udp.service.groundwork",
            "example.com", ".",
        })
        {
            foreach (var type in new[] { DnsType.A, DnsType.Srv, DnsType.Ptr, DnsType.Any })
            {
                var bytes = new byte[512];
                seeds.Add(bytes[..DnsWriter.WriteQuery(DnsQuery.Of(DnsName.Parse(name), type, 7), bytes)]);
            }
        }
        return [.. seeds];
    }

    private static byte[] Mutate(Random random, byte[] seed)
    {
        var bytes = seed.ToArray();
        for (var changes = random.Next(0, 4); changes > 0; changes--)
        {
            switch (random.Next(4))
            {
                case 0 when bytes.Length > 0:
                    bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                    break;
                case 1 when bytes.Length > 0:
                    bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    bytes = bytes[..random.Next(bytes.Length + 1)];
                    break;
                default:
                    var more = new byte[random.Next(1, 40)];
                    random.NextBytes(more);
                    var at = random.Next(bytes.Length + 1);
                    bytes = [.. bytes[..at], .. more, .. bytes[at..]];
                    break;
            }
        }
        return bytes;
    }
}
