using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using Google.Protobuf;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Services.KeyValue;
using Groundwork.Services.KeyValue.Protocols.Etcd.Messages;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;
using Groundwork.Wire;

namespace Groundwork.Services.Tests.KeyValue;

/// <summary>Instances put over etcd, on two whole nodes over one database.</summary>
public sealed class EtcdNamingNodesTests(PostgresServer server) : IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private string key = "";

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task What_one_node_registered_the_other_shows_and_ends_when_that_is_gone()
    {
        var connection = await server.CreateDatabaseAsync();
        await using var b = await StartAsync("b", connection);
        await using (var a = await StartAsync("a", connection))
        {
            key = await a.MintAsync("all", [BuiltInRoles.Administrator]);
            await CallAsync(a, "Lease/LeaseGrant", new LeaseGrantRequest { ID = 71, TTL = 3 });
            await CallAsync(a, "Lease/LeaseGrant", new LeaseGrantRequest { ID = 72, TTL = 600 });
            await PutAsync(a, "10.0.0.1:80", 71);
            await PutAsync(a, "10.0.0.2:80", 72);
            await PutAsync(a, "10.0.0.3:80", 0);
            // Nobody has asked this one for keys.
            await Eventually.TrueAsync(async () => await CountAsync(b) == 3, "the other node has them");
        }
        await Eventually.TrueAsync(async () => await CountAsync(b) == 2, "the lease of three seconds is over");
        var listed = await ListAsync(b);
        Assert.Equal(["10.0.0.2:80", "10.0.0.3:80"], listed.Kvs.Select(kv => kv.Key.ToStringUtf8()[16..]));
        Assert.Equal([72L, 0], listed.Kvs.Select(kv => kv.Lease));
        await CallAsync(b, "Lease/LeaseRevoke", new LeaseRevokeRequest { ID = 72 });
        Assert.Equal("10.0.0.3:80", Assert.Single((await ListAsync(b)).Kvs).Key.ToStringUtf8()[16..]);
    }

    private Task<RunningNode> StartAsync(string name, string connection)
    {
        var registry = new RegistryModule();
        return RunningNode.StartAsync(
            [registry, new KeyValueModule(() => registry.Naming)],
            configuration => configuration with
            {
                NodeName = name,
                Database = new DatabaseOptions(connection),
                RootKeyFile = directory.Combine("root.key"),
            },
            directory.Combine(name));
    }

    private async Task<int> CountAsync(RunningNode node)
    {
        using var http = node.Client(key);
        using var answer = await http.GetAsync("groundwork/v1/registry/services/default/orders");
        if (answer.StatusCode != HttpStatusCode.OK) return 0; // It has not heard of the service, or of the key.
        var service = await answer.Content.ReadFromJsonAsync(WireJson.Strict.ServiceDocument);
        return service?.Instances.Count ?? 0;
    }

    private async Task<RangeResponse> ListAsync(RunningNode node) => RangeResponse.Parser.ParseFrom(await CallAsync(
        node,
        "KV/Range",
        new RangeRequest
        {
            Key = ByteString.CopyFromUtf8("services/orders/"), RangeEnd = ByteString.CopyFromUtf8("services/orders0"),
        }));

    private Task PutAsync(RunningNode node, string address, long lease) => CallAsync(
        node,
        "KV/Put",
        new PutRequest
        {
            Key = ByteString.CopyFromUtf8($"services/orders/{address}"),
            Value = ByteString.CopyFrom($$"""{"Op":0,"Addr":"{{address}}"}""", Encoding.UTF8),
            Lease = lease,
        });

    private async Task<byte[]> CallAsync(RunningNode node, string method, IMessage message)
    {
        var http = node.Client(key, ProtocolListeners.GrpcName);
        var bytes = message.ToByteArray();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/etcdserverpb." + method)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent([0, 0, 0, (byte)(bytes.Length >> 8), (byte)bytes.Length, .. bytes]),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        using var answer = await http.SendAsync(request);
        var body = await answer.Content.ReadAsByteArrayAsync();
        Assert.Equal("0", answer.TrailingHeaders.GetValues("grpc-status").Single());
        return body[5..];
    }
}
