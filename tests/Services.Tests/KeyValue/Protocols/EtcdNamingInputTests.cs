using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Services.KeyValue;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;

namespace Groundwork.Services.Tests.KeyValue.Protocols;

/// <summary>
/// Instances put over etcd with bytes changed, cut out and put in: each is taken, or refused as wrong.
/// </summary>
public sealed class EtcdNamingInputTests
{
    private const int Usual = 1_500;
    private const int Whole = 50_000;
    private const string Key = "services/shop%2Fblue@@orders/10.0.0.1:80";

    private const string Value =
        """{"Op":0,"Addr":"10.0.0.1:80","Metadata":{"zone":"a","n":[1,{"b":null}],"e":"\u00e9\ud83d\ude00"},"x":1e3}""";

    private static readonly string[] Words =
    [
        "%", "%2F", "/", "@@", "\0", "\u0001", "\\u0000", "\\ud800", "\"", "{", "}", "[", "]", ":", ",", "null", "-1",
        "1e999", "\u00ff", "[::1]:80", "~", "services/",
    ];

    [Fact]
    public async Task Broken_instances_are_taken_or_refused_and_nothing_fails_inside()
    {
        var registry = new RegistryModule();
        await using var node = await RunningNode.StartAsync(
            [registry, new KeyValueModule(() => registry.Naming)]);
        var http = node.Client(await node.MintAsync("fuzz", [BuiltInRoles.Administrator]), ProtocolListeners.GrpcName);
        Assert.Equal(0, await PutAsync(http, Bytes(Key), Bytes(Value)));
        var random = LongRun.Random();
        var statuses = new Dictionary<int, int>();
        for (var number = 0; number < LongRun.Count(Usual, Whole); number++)
        {
            var (key, value) = (Bytes(Key), Bytes(Value));
            for (var change = random.Next(1, 4); change > 0; change--)
            {
                // What it begins with stays, or the key is none of an instance.
                if (random.Next(3) == 0) key = [.. key[..9], .. Broken(key[9..], random)];
                else value = Broken(value, random);
            }
            var status = await PutAsync(http, key, value);
            statuses[status] = statuses.GetValueOrDefault(status) + 1;
            Assert.True(status is 0 or 3, $"{status} for {Text(key)} {Text(value)}");
        }
        Assert.Equal([0, 3], statuses.Keys.Order());
        Assert.DoesNotContain("failed inside", node.Log.ToString(), StringComparison.Ordinal);
        var all = await CallAsync(http, "KV/Range", [.. Field(1, Bytes("services/")), .. Field(2, Bytes("services0"))]);
        Assert.Equal(0, all);
    }

    private static Task<int> PutAsync(HttpClient http, byte[] key, byte[] value) =>
        CallAsync(http, "KV/Put", [.. Field(1, key), .. Field(2, value)]);

    private static async Task<int> CallAsync(HttpClient http, string method, byte[] message)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/etcdserverpb." + method)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent([0, 0, 0, (byte)(message.Length >> 8), (byte)message.Length, .. message]),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        using var answer = await http.SendAsync(request);
        await answer.Content.ReadAsByteArrayAsync();
        return int.Parse(answer.TrailingHeaders.GetValues("grpc-status").Single(), CultureInfo.InvariantCulture);
    }

    private static byte[] Field(int number, byte[] bytes) =>
    [
        (byte)((number << 3) | 2),
        .. bytes.Length < 128 ? [(byte)bytes.Length] : new[] { (byte)(bytes.Length | 0x80), (byte)(bytes.Length >> 7) },
        .. bytes,
    ];

    private static byte[] Broken(byte[] bytes, Random random)
    {
        var at = random.Next(bytes.Length + 1);
        var length = Math.Min(random.Next(1, 9), bytes.Length - at);
        return random.Next(5) switch
        {
            0 when at < bytes.Length =>
                [.. bytes[..at], (byte)(bytes[at] ^ (1 << random.Next(8))), .. bytes[(at + 1)..]],
            1 => [.. bytes[..at], .. bytes[(at + length)..]],
            2 => [.. bytes[..(at + length)], .. bytes[at..]],
            3 => [.. bytes[..at], (byte)random.Next(256), .. bytes[at..]],
            _ => [.. bytes[..at], .. Bytes(Words[random.Next(Words.Length)]), .. bytes[at..]],
        };
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string Text(byte[] bytes) => Encoding.Latin1.GetString(bytes);
}
