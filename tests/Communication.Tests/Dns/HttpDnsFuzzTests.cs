using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Groundwork.Communication.Dns;
using Groundwork.Communication.Dns.Protocols.HttpDns;
using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Dns;

/// <summary>
/// Calls of every dialect of HTTPDNS with bytes changed, before they are signed and encrypted and after: each has an
/// answer in the words of its dialect, none fails inside the platform, and memory does not grow with their number.
/// </summary>
public sealed class HttpDnsFuzzTests
{
    private const int Usual = 6_000;
    private const int Whole = 300_000;
    private const int Workers = 8;
    private const long MaxGrowth = 8 * 1024 * 1024;

    private const string TencentKey = "0123456789abcdef";
    private const string Token = "a-token-of-tencent";

    private static readonly byte[] AesKey = Convert.FromHexString("000102030405060708090a0b0c0d0e0f");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>The names that <c>code</c> may have, as the provider's page lists them; never InternalError.</summary>
    private static readonly HashSet<string> Codes =
    [
        "success", "MissingArgument", "InvalidHost", "TooManyHosts", "InvalidDuration", "AccountNotExists",
        "InvalidSignature", "SignatureExpired", "UnsignedInterfaceDisabled", "MethodNotAllowed",
    ];

    private static readonly string[] Words =
    [
        "%", "%00", "%zz", "%ff", "%2f", "%252f", ",", ",,", "&", "=", ";", "?", "..", ".", "*", "{", "}", "[", "]",
        "\"", "\\", "\\u0000", "\\ud800", "null", "-1", "0", "99999999999999999999", "4,6", "::", "::ffff:1.2.3.4",
        "\0", "\u00ff", "+", " ", "sdns-", "sdns-a=b&", "tags=", "xn--", "_", "@", "dn=", "&a&b&c", "multipart",
    ];

    // Fields before they are signed: whatever they are, the signature is right.
    private static readonly Dictionary<string, string>[] Fields =
    [
        new() { ["dn"] = "api.corp.example", ["q"] = "4,6", ["cip"] = "192.0.2.7" },
        new() { ["dn"] = "api.corp.example,alias.corp.example,none.corp.example", ["tags"] = "a:b", ["q"] = "6" },
        new() { ["dn"] = "four.corp.example", ["sdns-tier"] = "gold", ["sdns-region"] = "eu", ["cip"] = "2001:db8::7" },
    ];

    [Fact]
    public async Task Broken_calls_are_answered_in_the_words_of_their_dialect()
    {
        await using var names = await TestNames.StartAsync();
        names.Zone("corp.example", new DnsZoneSpec(
        [
            new("api", "A", ["10.0.0.1"]), new("api", "AAAA", ["2001:db8::1"]), new("four", "A", ["10.0.0.4"]),
            new("alias", "CNAME", ["four"]),
        ]));
        var account = new HttpDnsAccountSpec(
            ["*.corp.example"], SecretText.Of(HttpDnsCalls.Secret), SecretText.Of(Convert.ToHexStringLower(AesKey)),
            SecretText.Of(TencentKey), SecretText.Of(Token));
        names.Put(HttpDnsAccountKind.Kind, "100000", account);
        names.Put(
            HttpDnsAccountKind.Kind, "200000", account with { Token = null, AllowUnsigned = true });
        var seeds = LongRun.Random();
        foreach (var call in Calls())
        {
            await using var whole = new Caller(names.HttpDns);
            Assert.Equal(200, (await whole.SendAsync(call)).Status);
        }
        var count = LongRun.Count(Usual, Whole);
        var statuses = new ConcurrentDictionary<int, int>();
        await RunAsync(count / 2);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await RunAsync(count - (count / 2));
        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{count} calls, {grown >> 10} KB grown: "
            + string.Join(", ", statuses.OrderBy(pair => pair.Key).Select(pair => $"{pair.Value} × {pair.Key}")));
        Assert.InRange(grown, long.MinValue, MaxGrowth);
        foreach (var status in (int[])[200, 400, 403, 404])
            Assert.True(statuses.GetValueOrDefault(status) > count / 100, $"{status} is as good as never answered.");

        Task RunAsync(int calls) => Task.WhenAll(Enumerable.Range(0, Workers).Select(async _ =>
        {
            Random random;
            lock (seeds) random = new Random(seeds.Next());
            await using var caller = new Caller(names.HttpDns);
            for (var number = 0; number < calls / Workers; number++)
            {
                var call = Broken(random);
                var answer = await caller.SendAsync(call);
                statuses.AddOrUpdate(answer.Status, 1, static (_, known) => known + 1);
                Assert.True(IsOwn(call, answer), $"{call}\n\n{answer}");
            }
        }));
    }

    /// <summary>True for an answer that a client of the dialect understands.</summary>
    private static bool IsOwn(Call call, Answer answer)
    {
        // What is no HTTP at all, or too long, is the server's to refuse, without words.
        if (answer.Status is 400 or 413 or 414 or 431 && answer.Body.Length == 0) return true;
        var path = call.Target.Split('?')[0];
        if (path == "/d") return answer.Status == 200 || (answer.Status == 404 && answer.Body.Length == 0);
        // A path that is nobody's; whoever has changed it has perhaps made Tencent's of it.
        var isWordless = answer.Body.Length == 0 || answer.Type.StartsWith("text/html", StringComparison.Ordinal);
        if (!call.KeepsPath && isWordless)
            return answer.Status is 200 or 404 or 405;
        if (answer.Status is not (200 or 400 or 403 or 405)) return false;
        using var content = JsonDocument.Parse(answer.Body);
        if (content.RootElement.TryGetProperty("code", out var code) && code.GetString() is { } word)
            return Codes.Contains(word) && word == "success" == (answer.Status == 200);
        return answer.Status == 200 && (content.RootElement.TryGetProperty("host", out _)
            || content.RootElement.TryGetProperty("dns", out _)
            || content.RootElement.TryGetProperty("service_ip", out _));
    }

    private static Call Broken(Random random)
    {
        switch (random.Next(8))
        {
            case 0: // Anything of a call.
                var any = Pick(random, Calls());
                return any with { Target = Some(any.Target, random), Body = Some(any.Body, random), KeepsPath = false };
            case 1: // All but the path.
            case 2:
                var kept = Pick(random, Calls());
                var query = kept.Target.IndexOf('?', StringComparison.Ordinal) + 1;
                return kept with
                {
                    Target = query == 0 ? kept.Target : kept.Target[..query] + Some(kept.Target[query..], random),
                    Body = Some(kept.Body, random),
                    Type = random.Next(4) == 0 ? "multipart/form-data; boundary=a" : kept.Type,
                };
            case 3: // What is signed.
                return new Call(HttpDnsCalls.Second(Of(random)));
            case 4:
                return new Call(FirstOf(random));
            case 5: // What is encrypted, and then signed.
                return new Call(Sealed(JsonSerializer.Serialize(Of(random)), random, isBroken: true));
            case 6: // The cipher.
                var (fields, mode) = (Of(random), random.Next(1, 3));
                var cipher = Convert.ToHexStringLower(Seal(mode, Bytes(JsonSerializer.Serialize(fields))));
                return new Call(HttpDnsCalls.Second(new()
                {
                    ["m"] = mode.ToString(CultureInfo.InvariantCulture), ["enc"] = Change(cipher, random),
                }));
            default:
                var isAes = random.Next(2) == 0;
                var dn = Change("api.corp.example,four.corp.example", random);
                return Tencent(isAes, dn, $"&ip={TencentSeal(isAes, Change("192.0.2.7", random))}");
        }
    }

    /// <summary>Calls of every kind, each of which is answered.</summary>
    private static Call[] Calls() =>
    [
        new(HttpDnsCalls.Second(Fields[0])),
        new(HttpDnsCalls.Second(Fields[1])),
        new(Sealed(JsonSerializer.Serialize(Fields[0]), new Random(1), isBroken: false)),
        new(Sealed(JsonSerializer.Serialize(Fields[2]), new Random(2), isBroken: false)),
        new("/v2/d?id=200000&dn=api.corp.example&q=4,6&m=0"),
        new(HttpDnsCalls.First("sign_d", "api.corp.example") + "&query=4,6&ip=192.0.2.7"),
        new(HttpDnsCalls.First("sign_resolve", "api.corp.example,four.corp.example")),
        new("/200000/d?host=api.corp.example&query=4,6"),
        new("/200000/resolve?host=api.corp.example,four.corp.example"),
        new("/100000/ss?region=cn&platform=android&sdk_version=2.0"),
        Tencent(isAes: true, "api.corp.example,four.corp.example", "&ttl=1&clientip=1&type=addrs"),
        Tencent(isAes: false, "api.corp.example", "&query=1&type=aaaa"),
        new($"/d?dn=four.corp.example&token={Token}&ip=192.0.2.7"),
        new(
            "/d", "POST", "application/x-www-form-urlencoded",
            $"dn={TencentSeal(isAes: true, "api.corp.example")}&id=100000&alg=aes&ttl=1"),
        new(
            "/d", "POST", "multipart/form-data; boundary=a",
            $"--a\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\n{Token}\r\n--a\r\n"
            + "Content-Disposition: form-data; name=\"dn\"\r\n\r\nfour.corp.example\r\n--a--\r\n"),
    ];

    private static Call Tencent(bool isAes, string dn, string more) =>
        new($"/d?dn={TencentSeal(isAes, dn)}&id=100000&alg={(isAes ? "aes" : "des")}{more}");

    private static string TencentSeal(bool isAes, string clear)
    {
        var key = Bytes(TencentKey);
        return Convert.ToHexStringLower(
            isAes ? HttpDnsCiphers.SealCbc(key, Bytes(clear)) : HttpDnsCiphers.SealDes(key, Bytes(clear)));
    }

    private static byte[] Seal(int mode, byte[] clear) =>
        mode == 1 ? HttpDnsCiphers.SealCbc(AesKey, clear) : HttpDnsCiphers.SealGcm(AesKey, clear);

    private static string Sealed(string json, Random random, bool isBroken)
    {
        var mode = random.Next(1, 3);
        return HttpDnsCalls.Second(new()
        {
            ["m"] = mode.ToString(CultureInfo.InvariantCulture),
            ["enc"] = Convert.ToHexStringLower(Seal(mode, Bytes(isBroken ? Some(json, random) : json))),
        });
    }

    private static string FirstOf(Random random)
    {
        var hosts = Uri.EscapeDataString(Change("api.corp.example,four.corp.example", random));
        return HttpDnsCalls.First(random.Next(2) == 0 ? "sign_d" : "sign_resolve", hosts)
            + $"&query={Uri.EscapeDataString(Change("4,6", random))}";
    }

    private static Dictionary<string, string> Of(Random random)
    {
        var fields = new Dictionary<string, string>(Pick(random, Fields));
        for (var change = random.Next(1, 3); change > 0; change--)
        {
            var field = Pick(random, [.. fields.Keys, "exp", "v", "id", "m", "q", "tags", Change("sdns-a", random)]);
            fields[field] = Change(fields.GetValueOrDefault(field, "1"), random);
        }
        return fields;
    }

    private static string Some(string text, Random random)
    {
        for (var change = random.Next(0, 4); change > 0; change--) text = Change(text, random);
        return text;
    }

    // Bytes as Latin-1, so that nothing of a change is lost on its way.
    private static string Change(string text, Random random)
    {
        var at = random.Next(text.Length + 1);
        var length = Math.Min(random.Next(1, 9), text.Length - at);
        return random.Next(7) switch
        {
            0 when at < text.Length =>
                text[..at] + (char)((text[at] ^ (1 << random.Next(8))) & 0xFF) + text[(at + 1)..],
            1 => text[..at] + text[(at + length)..],
            2 => text[..(at + length)] + text[at..],
            3 => text[..at],
            4 => text[..at] + (char)random.Next(256) + text[at..],
            5 when length > 0 => string.Concat(text[..at], Repeated(text.Substring(at, length), random), text[at..]),
            _ => text[..at] + Pick(random, Words) + text[at..],
        };
    }

    private static string Repeated(string text, Random random) =>
        string.Concat(Enumerable.Repeat(text, random.Next(20) == 0 ? random.Next(1_000, 3_000) : random.Next(2, 70)));

    private static T Pick<T>(Random random, IReadOnlyList<T> from) => from[random.Next(from.Count)];

    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);

    /// <summary>A request, each character a byte.</summary>
    private sealed record Call(string Target, string Method = "GET", string? Type = null, string Body = "")
    {
        /// <summary>False where the path may have become another.</summary>
        public bool KeepsPath { get; init; } = true;
    }

    private sealed record Answer(int Status, string Type, string Body);

    /// <summary>Calls over one connection after the other.</summary>
    private sealed class Caller(Uri server) : IAsyncDisposable
    {
        private readonly byte[] buffer = new byte[64 * 1024];
        private Socket? socket;

        public async Task<Answer> SendAsync(Call call)
        {
            if (socket is null)
            {
                socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(new IPEndPoint(IPAddress.Parse(server.Host), server.Port));
            }
            var type = call.Type is null ? "" : $"Content-Type: {call.Type}\r\n";
            try
            {
                await socket.SendAsync(Bytes(
                    $"{call.Method} {call.Target} HTTP/1.1\r\nHost: {server.Authority}\r\n{type}"
                    + $"Content-Length: {call.Body.Length}\r\n\r\n{call.Body}"));
                return await ReadAsync().WaitAsync(Patience, TimeProvider.System);
            }
            catch (SocketException)
            {
                // It has answered and closed while more was on its way: the answer may be lost to us.
                Close();
                return new Answer(400, "", "");
            }
        }

        public ValueTask DisposeAsync()
        {
            Close();
            return ValueTask.CompletedTask;
        }

        private async Task<Answer> ReadAsync()
        {
            for (var filled = 0; ;)
            {
                var read = await socket!.ReceiveAsync(buffer.AsMemory(filled)); // Connected before.
                filled += read;
                var text = Encoding.Latin1.GetString(buffer, 0, filled);
                var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
                if (end < 0 && read > 0) continue;
                Assert.True(end > 0, $"Closed after '{text}'.");
                var head = text[..end];
                var length = FieldOf(head, "Content-Length");
                var isOver = length.Length > 0
                    ? filled >= end + 4 + int.Parse(length, CultureInfo.InvariantCulture)
                    : text.EndsWith("\r\n0\r\n\r\n", StringComparison.Ordinal);
                if (!isOver && read > 0) continue;
                if (read == 0 || FieldOf(head, "Connection") == "close") Close();
                return new Answer(
                    int.Parse(text.AsSpan(9, 3), CultureInfo.InvariantCulture), FieldOf(head, "Content-Type"),
                    text[(end + 4)..]);
            }
        }

        private static string FieldOf(string head, string name) => head.Split("\r\n")
            .Where(line => line.StartsWith($"{name}: ", StringComparison.OrdinalIgnoreCase))
            .Select(line => line[(name.Length + 2)..]).FirstOrDefault("");

        private void Close()
        {
            socket?.Dispose();
            socket = null;
        }
    }
}
