using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using Groundwork.Kernel.Hosting;
using Groundwork.Services.KeyValue;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.KeyValue.Protocols;

/// <summary>A credential that proves nobody is refused in the protocol's words, and is in the audit trail.</summary>
public sealed class RefusedCallTests : IAsyncLifetime
{
    private const string Wrong = "gw_nobody_00000000000000000000000000000000";

    private RunningNode node = null!; // Started before every test.

    public async ValueTask InitializeAsync() =>
        node = await RunningNode.StartAsync([new RegistryModule(), new KeyValueModule()]);

    public ValueTask DisposeAsync() => node.DisposeAsync();

    [Fact]
    public async Task Consul_token_that_is_wrong_is_on_record_without_the_token()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/kv/a?dc=dc1");
        request.Headers.Add("X-Consul-Token", Wrong);
        using var answer = await node.Client().SendAsync(request);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        await AssertAuditedAsync("/v1/kv/a");
    }

    [Theory]
    [InlineData(Wrong)]
    [InlineData("gwe.0.AAAA")] // No token that this node has given.
    public async Task Etcd_token_that_is_wrong_is_on_record_without_the_token(string token)
    {
        Assert.Equal("16", await CallAsync("/etcdserverpb.KV/Range", [0, 0, 0, 0, 3, 0x0a, 1, 97], token));
        await AssertAuditedAsync("/etcdserverpb.KV/Range");
    }

    [Fact]
    public async Task Etcd_password_that_is_wrong_is_on_record()
    {
        byte[] message = [0x0a, 5, .. "admin"u8, 0x12, 5, .. "wrong"u8];
        Assert.Equal(
            "3", await CallAsync("/etcdserverpb.Auth/Authenticate", [0, 0, 0, 0, (byte)message.Length, .. message]));
        await AssertAuditedAsync("/etcdserverpb.Auth/Authenticate");
    }

    private async Task AssertAuditedAsync(string target)
    {
        AuditEntry? found = null;
        await Eventually.TrueAsync(
            async () => (found = (await node.Local.GetFromJsonAsync(
                "/groundwork/v1/audit?action=refused", WireJson.Strict.AuditList))?.Items
                .FirstOrDefault(row => row.Target == target)) is not null,
            "the refusal is in the audit trail");
        Assert.Equal(("anonymous", "127.0.0.1"), (found!.Principal, found.Address)); // Just found.
        Assert.DoesNotContain(Wrong, found.ToString(), StringComparison.Ordinal);
    }

    private async Task<string> CallAsync(string path, byte[] body, string? token = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(body),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        if (token is not null) request.Headers.Add("token", token);
        using var answer = await node.Client(listener: ProtocolListeners.GrpcName).SendAsync(request);
        await answer.Content.ReadAsByteArrayAsync();
        return (answer.TrailingHeaders.TryGetValues("grpc-status", out var status)
            ? status : answer.Headers.GetValues("grpc-status")).Single();
    }
}
