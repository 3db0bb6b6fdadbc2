using System.Net;
using System.Net.Http.Headers;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Services.KeyValue;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;

namespace Groundwork.Services.Tests.KeyValue.Protocols;

/// <summary>What is no call of etcd, byte by byte: a status of gRPC, and the node goes on.</summary>
public sealed class EtcdBadInputTests : IAsyncLifetime
{
    private const string Range = "/etcdserverpb.KV/Range";
    private RunningNode node = null!; // Started before every test.
    private string key = "";

    public async ValueTask InitializeAsync()
    {
        node = await RunningNode.StartAsync([new RegistryModule(), new KeyValueModule()]);
        key = await node.MintAsync("all", [BuiltInRoles.Administrator]);
    }

    public ValueTask DisposeAsync() => node.DisposeAsync();

    [Theory]
    [InlineData(new byte[] { }, 13)] // No message.
    [InlineData(new byte[] { 0, 0, 0 }, 13)] // Half a head.
    [InlineData(new byte[] { 0, 0, 0, 0, 5, 1 }, 13)] // Half a message.
    [InlineData(new byte[] { 0, 0, 0, 0, 2, 0x0a, 9 }, 13)] // A key that is longer than the message.
    [InlineData(new byte[] { 0, 0, 0, 0, 1, 0xff }, 13)] // Half a field's number.
    [InlineData(new byte[] { 9, 0, 0, 0, 0 }, 13)] // Not the head of a message.
    [InlineData(new byte[] { 1, 0, 0, 0, 0 }, 12)] // Compressed.
    [InlineData(new byte[] { 0, 0x7f, 0, 0, 0 }, 8)] // Two gigabytes.
    [InlineData(new byte[] { 0, 0, 0, 0, 0 }, 3)] // A message without a key.
    [InlineData(new byte[] { 0, 0, 0, 0, 5, 0x0a, 1, 97, 0x28, 9 }, 3)] // A sort order that there is not.
    public async Task Body_that_is_no_request_has_its_status(byte[] body, int status)
    {
        Assert.Equal(status, await CallAsync(Range, body));
        Assert.Equal(0, await CallAsync(Range, [0, 0, 0, 0, 3, 0x0a, 1, 97]));
    }

    [Theory]
    [InlineData("/etcdserverpb.KV/None")]
    [InlineData("/etcdserverpb.Auth/UserAdd")]
    [InlineData("/none.KV/Range")]
    public async Task What_is_not_served_is_not_found(string path)
    {
        using var answer = await SendAsync(path, [0, 0, 0, 0, 0], "application/grpc");
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode); // Which clients take for UNIMPLEMENTED.
    }

    [Fact]
    public async Task Another_media_type_is_refused()
    {
        using var answer = await SendAsync(Range, [0, 0, 0, 0, 0], "application/json");
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, answer.StatusCode);
    }

    [Fact]
    public async Task Transactions_in_transactions_have_a_bound()
    {
        byte[] transaction = [];
        for (var depth = 0; depth < 20; depth++)
        {
            // Success, of one operation, that is a transaction.
            byte[] operation = [0x22, .. Length(transaction), .. transaction];
            transaction = [0x12, .. Length(operation), .. operation];
        }
        byte[] body = [0, 0, 0, (byte)(transaction.Length >> 8), (byte)transaction.Length, .. transaction];
        Assert.Equal(3, await CallAsync("/etcdserverpb.KV/Txn", body));
    }

    private static byte[] Length(byte[] bytes) => bytes.Length < 128
        ? [(byte)bytes.Length]
        : [(byte)((bytes.Length & 0x7f) | 0x80), (byte)(bytes.Length >> 7)];

    private async Task<int> CallAsync(string path, byte[] body)
    {
        using var answer = await SendAsync(path, body, "application/grpc");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await answer.Content.ReadAsByteArrayAsync();
        return int.Parse(
            answer.TrailingHeaders.GetValues("grpc-status").Single(),
            System.Globalization.CultureInfo.InvariantCulture);
    }

    private async Task<HttpResponseMessage> SendAsync(string path, byte[] body, string type)
    {
        var http = node.Client(key, ProtocolListeners.GrpcName);
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(body),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        return await http.SendAsync(request);
    }
}
