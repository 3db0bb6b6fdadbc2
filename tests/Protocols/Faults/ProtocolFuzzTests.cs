using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Groundwork.Communication.Dns;
using Groundwork.Kernel.Hosting;
using Groundwork.Services.KeyValue;
using Groundwork.Services.Registry;
using Groundwork.Services.Settings;
using Groundwork.Tests.Support;

namespace Groundwork.Tests.Protocols.Faults;

/// <summary>
/// Requests of every protocol over HTTP, as their clients send them, with bytes changed, doubled, cut out and put in:
/// each is answered, none fails inside the platform, and memory does not grow with their number.
/// </summary>
public sealed partial class ProtocolFuzzTests
{
    private const int Usual = 4_000;
    private const int Whole = 100_000;
    private const int Workers = 64;
    private const long MaxGrowth = 64 * 1024 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>For those that may wait for a change, which then is their answer.</summary>
    private static readonly TimeSpan PollPatience = TimeSpan.FromMilliseconds(500);

    private static readonly string[] Polls = ["/notifications", "/health", "/catalog", "/kv"];

    /// <summary>What turns up in attacks and mistakes more often than at random.</summary>
    private static readonly string[] Words =
    [
        "%", "%00", "%zz", "%2f", "%252f", "%ff", "\u0000", "\u00ff", "..", "/", "//", "?", "&", "=", ";", "{", "}",
        "[", "]", "\"", "\\", "\\u0000", "\\ud800", "null", "-1", "0", "1e999", "9223372036854775808", "NaN", "true",
        "\u0001", "\u0002", "@@", "<", ">", "&#0;", "<!DOCTYPE x [<!ENTITY a \"b\">]>", "+", " ", "'", ":",
    ];

    // Whether a call is taken matters less than that it gets far in before it is broken.
    private static readonly (string Method, string Target, string? Type, string Body)[] Seeds =
    [
        ("POST", "/nacos/v1/ns/instance?serviceName=DEFAULT_GROUP@@a&ip=10.0.0.1&port=80&weight=1&metadata=%7B%7D",
            null, ""),
        ("PUT", "/nacos/v1/ns/instance/beat?serviceName=g@@a&beat=%7B%22ip%22%3A%2210.0.0.1%22%2C%22port%22%3A80%7D",
            null, ""),
        ("GET", "/nacos/v1/ns/instance/list?serviceName=g@@a&clusters=c&healthyOnly=true&udpPort=0", null, ""),
        ("POST", "/nacos/v2/ns/instance", "application/x-www-form-urlencoded",
            "serviceName=a&groupName=g&ip=10.0.0.1&port=80&namespaceId=public&ephemeral=true"),
        ("GET", "/nacos/v1/ns/service/list?pageNo=1&pageSize=10&selector=%7B%7D", null, ""),
        ("POST", "/nacos/v1/cs/configs", "application/x-www-form-urlencoded",
            "dataId=d.json&group=g&content=%7B%22a%22%3A1%7D&type=json&tenant="),
        ("GET", "/nacos/v2/cs/config?dataId=d.json&group=g&namespaceId=", null, ""),
        ("POST", "/nacos/v1/cs/configs/listener", "application/x-www-form-urlencoded",
            "Listening-Configs=d.json%02g%02abc%01"),
        ("GET", "/nacos/v2/cs/history/list?dataId=d.json&group=g&pageNo=1&pageSize=2", null, ""),
        ("POST", "/nacos/v1/auth/login", "application/x-www-form-urlencoded", "username=a&password=b"),
        ("POST", "/eureka/apps/ORDERS", "application/json",
            """
            {"instance":{"instanceId":"a","hostName":"h","app":"ORDERS","ipAddr":"10.0.0.1","status":"UP",
            "port":{"$":80,"@enabled":"true"},"dataCenterInfo":{"@class":"x","name":"MyOwn"},
            "leaseInfo":{"durationInSecs":90}}}
            """),
        ("POST", "/eureka/v2/apps/ORDERS", "application/xml",
            """
            <instance><instanceId>a</instanceId><hostName>h</hostName><app>ORDERS</app><ipAddr>10.0.0.1</ipAddr>
            <status>UP</status><port enabled="true">80</port><metadata><k>v</k></metadata></instance>
            """),
        ("PUT", "/eureka/apps/ORDERS/a?status=UP&lastDirtyTimestamp=1", null, ""),
        ("PUT", "/eureka/apps/ORDERS/a/status?value=OUT_OF_SERVICE", null, ""),
        ("GET", "/eureka/apps/delta?regions=x", null, ""),
        ("PUT", "/v1/agent/service/register", "application/json",
            """{"ID":"b","Name":"b","Address":"10.0.0.2","Port":80,"Check":{"TTL":"10s"},"Weights":{"Passing":1}}"""),
        ("PUT", "/v1/agent/check/pass/service:b?note=x", null, ""),
        ("GET", "/v1/health/service/b?passing&tag=x&filter=Service.Port%20%3D%3D%2080%20and%20Checks%20is%20empty",
            null, ""),
        ("GET", "/v1/catalog/service/b?index=1&wait=1ms&near=_agent&node-meta=a:b", null, ""),
        ("PUT", "/v1/kv/a/b?flags=1&cas=0", "application/octet-stream", "value"),
        ("GET", "/v1/kv/a?recurse&separator=/&keys&index=1&wait=1ms", null, ""),
        ("PUT", "/v1/session/create", "application/json", """{"TTL":"15s","Behavior":"delete","LockDelay":"1s"}"""),
        ("PUT", "/v1/txn", "application/json", """[{"KV":{"Verb":"set","Key":"a","Value":"AA==","Index":1}}]"""),
        ("GET", "/config/orders/prod,eu/main", null, ""),
        ("GET", "/config/main/orders-prod.properties?resolvePlaceholders=false", null, ""),
        ("GET", "/apollo/configs/orders/default/application.json?ip=10.0.0.1&releaseKey=x&messages=%7B%7D", null, ""),
        ("GET", "/apollo/notifications/v2?appId=orders&cluster=default&notifications=%5B%7B%22namespaceName%22%3A%22a"
            + "%22%2C%22notificationId%22%3A-1%7D%5D", null, ""),
        ("GET", "/dns-query?dns=AAABAAABAAAAAAAAAWEHc2VydmljZQpncm91bmR3b3JrAAABAAE", null, ""),
        ("POST", "/dns-query", "application/dns-message", "\0\0\u0001\0\0\u0001\0\0\0\0\0\0\u0001a\0\0\u0001\0\u0001"),
    ];

    [Fact]
    public async Task Broken_requests_are_answered_and_nothing_fails_inside_the_platform()
    {
        var registry = new RegistryModule();
        await using var node = await RunningNode.StartAsync(
        [
            registry, new SettingsModule(), new KeyValueModule(() => registry.Naming),
            new DnsModule(() => registry.View),
        ]);
        var key = await node.MintAsync("fuzz", ["administrator"]);
        var address = node.Node.Listeners.AddressesOf(ListenerDefinition.Api)[0];
        await using var server = new Target(address, key);
        foreach (var (method, target, type, body) in Seeds)
            Assert.NotEqual(0, await server.SendAsync(method, Bytes(target), type, Bytes(body)));

        var seeds = LongRun.Random();
        var count = LongRun.Count(Usual, Whole);
        var failed = new ConcurrentDictionary<string, bool>(); // Requests that were answered with 500.
        var statuses = new ConcurrentDictionary<int, int>();
        await RunAsync(count / 2);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await RunAsync(count - (count / 2));
        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{count} requests, {grown >> 10} KB grown: "
            + string.Join(", ", statuses.OrderBy(pair => pair.Key).Select(pair => $"{pair.Value} × {pair.Key}")));
        var failures = node.Log.ToString().Split('\n')
            .Where(line => line.Contains(Failure, StringComparison.Ordinal)).ToList();
        Assert.True(
            failures.Count == 0,
            $"{failures.Count} failures, of which:\n{string.Join("\n\n", failures.Take(8))}\n\nBy some of:\n"
            + string.Join("\n\n", failed.Keys.Take(8)));
        Assert.InRange(grown, long.MinValue, MaxGrowth);
        Assert.Contains(statuses.Keys, static status => status is >= 200 and < 300);

        // Many at once: some protocols answer a fault late on purpose.
        Task RunAsync(int requests) => Task.WhenAll(Enumerable.Range(0, Workers).Select(async _ =>
        {
            Random random;
            lock (seeds) random = new Random(seeds.Next());
            await using var worker = new Target(address, key);
            for (var number = 0; number < requests / Workers; number++)
            {
                var (method, target, type, body) = Seeds[random.Next(Seeds.Length)];
                var (path, content) = (Bytes(target), Bytes(body));
                for (var change = random.Next(1, 4); change > 0; change--)
                {
                    if (content.Length == 0 || random.Next(2) == 0) path = Broken(path, random);
                    else content = Broken(content, random);
                }
                var status = await worker.SendAsync(method, path, type, content);
                statuses.AddOrUpdate(status, 1, static (_, known) => known + 1);
                if (status == 500) failed.TryAdd($"{method} {Text(path)}\n{Text(content)}", true);
            }
        }));
    }

    private const int Waiting = 1;
    private const string Failure = "failed inside the platform";

    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);

    private static string Text(byte[] bytes) => Encoding.Latin1.GetString(bytes);

    private static byte[] Broken(byte[] bytes, Random random)
    {
        var at = random.Next(bytes.Length + 1);
        var length = Math.Min(random.Next(1, 9), bytes.Length - at);
        return random.Next(6) switch
        {
            0 when at < bytes.Length =>
                [.. bytes[..at], (byte)(bytes[at] ^ (1 << random.Next(8))), .. bytes[(at + 1)..]],
            1 => [.. bytes[..at], .. bytes[(at + length)..]],
            2 => [.. bytes[..(at + length)], .. bytes[at..]],
            3 => bytes[..at],
            4 => [.. bytes[..at], (byte)random.Next(256), .. bytes[at..]],
            _ => [.. bytes[..at], .. Bytes(Words[random.Next(Words.Length)]), .. bytes[at..]],
        };
    }

    /// <summary>A server that is asked over one connection after the other.</summary>
    private sealed partial class Target(IPEndPoint address, string key) : IAsyncDisposable
    {
        private readonly byte[] buffer = new byte[64 * 1024];
        private Socket? socket;

        /// <summary>
        /// The status of the answer; 0 when the server has closed the connection without one, <see cref="Waiting"/>
        /// when it waits for a change.
        /// </summary>
        public async Task<int> SendAsync(string method, byte[] target, string? type, byte[] body)
        {
            var head = new ArrayBufferWriter<byte>();
            head.Write(Encoding.ASCII.GetBytes($"{method} "));
            head.Write(target);
            head.Write(Encoding.ASCII.GetBytes(
                $" HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nContent-Length: {body.Length}\r\n"
                + (type is null ? "\r\n" : $"Content-Type: {type}\r\n\r\n")));
            head.Write(body);
            if (socket is null)
            {
                socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(address);
            }
            try
            {
                await socket.SendAsync(head.WrittenMemory);
                return await ReadAsync().WaitAsync(MayWait(target) ? PollPatience : Patience, TimeProvider.System);
            }
            catch (TimeoutException) when (MayWait(target))
            {
                Close();
                return Waiting;
            }
            catch (TimeoutException late)
            {
                throw new InvalidOperationException(
                    $"No answer within {Patience.TotalSeconds:F0} s to {method} {Text(target)}\n{Text(body)}\n"
                    + $"but {Text(buffer)[..200]}", late);
            }
            catch (SocketException)
            {
                Close();
                return 0;
            }
        }

        public ValueTask DisposeAsync()
        {
            Close();
            return ValueTask.CompletedTask;
        }

        private async Task<int> ReadAsync()
        {
            var filled = 0;
            while (true)
            {
                var read = await socket!.ReceiveAsync(buffer.AsMemory(filled)); // Connected before.
                filled += read;
                var text = Encoding.Latin1.GetString(buffer, 0, filled);
                var head = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
                if (read == 0 || filled == buffer.Length)
                {
                    Close();
                    return head < 0 ? 0 : StatusOf(text);
                }
                if (head < 0) continue;
                var length = Length().Match(text[..head]);
                var isOver = length.Success
                    ? filled >= head + 4 + int.Parse(length.Groups[1].Value, CultureInfo.InvariantCulture)
                    : text.EndsWith("\r\n0\r\n\r\n", StringComparison.Ordinal) || StatusOf(text) is 204 or 304;
                if (!isOver) continue;
                if (text[..head].Contains("\r\nConnection: close", StringComparison.OrdinalIgnoreCase)) Close();
                return StatusOf(text);
            }
        }

        // However it is written: a path is matched without case, and decoded.
        private static bool MayWait(byte[] target) => Uri.UnescapeDataString(Text(target)) is var path
            && Polls.Any(poll => path.Contains(poll, StringComparison.OrdinalIgnoreCase));

        private void Close()
        {
            socket?.Dispose();
            socket = null;
        }

        private static int StatusOf(string text) => int.Parse(text.AsSpan(9, 3), CultureInfo.InvariantCulture);

        [GeneratedRegex(@"\r\ncontent-length: (\d+)", RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
        private static partial Regex Length();
    }
}
