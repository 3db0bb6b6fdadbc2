using Groundwork.Communication.Gateway.Protocols.Xds;
using Groundwork.Communication.Gateway.Protocols.Xds.Messages;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway.Protocols.Xds;

/// <summary>What is no request, or too much of one: a status of gRPC, and the node goes on.</summary>
public sealed class XdsBadInputTests : IAsyncLifetime
{
    private RunningNode node = null!; // Started before every test.
    private HttpClient client = null!; // The same.

    public async ValueTask InitializeAsync()
    {
        node = await XdsNodes.StartAsync();
        client = XdsCall.Client(node);
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await node.DisposeAsync();
    }

    [Theory]
    [InlineData(new byte[] { 0, 0, 0, 0, 2, 0x0a, 9 }, 3)] // A version that is longer than the message.
    [InlineData(new byte[] { 0, 0, 0, 0, 1, 0xff }, 3)] // Half a field's number.
    [InlineData(new byte[] { 9, 0, 0, 0, 0 }, 13)] // Not the head of a message.
    [InlineData(new byte[] { 1, 0, 0, 0, 0 }, 12)] // Compressed.
    [InlineData(new byte[] { 0, 0x7f, 0, 0, 0 }, 8)] // Two gigabytes.
    [InlineData(new byte[] { 0, 0, 0, 0, 0 }, 3)] // A message without a type.
    public async Task Bytes_that_are_no_request_have_their_status(byte[] bytes, int status)
    {
        using var call = await XdsCall.OpenAsync(client);
        await call.SendAsync(bytes);
        Assert.Equal(status, await call.EndAsync());
        await ServesAsync();
    }

    [Fact]
    public async Task Half_a_message_and_none_at_all_end_the_stream()
    {
        using var half = await XdsCall.OpenAsync(client);
        await half.SendAsync([0, 0, 0, 0, 5, 1]);
        half.Complete();
        Assert.Equal(13, await half.EndAsync());
        using var none = await XdsCall.OpenAsync(client);
        none.Complete();
        Assert.Equal(0, await none.EndAsync());
    }

    [Fact]
    public async Task Stream_without_a_request_ends_soon()
    {
        using var call = await XdsCall.OpenAsync(client);
        Assert.Equal(4, await call.EndAsync());
    }

    [Fact]
    public async Task Type_that_is_not_served_is_named()
    {
        await RefusedAsync(3, XdsCall.Request("type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"));
        await RefusedAsync(3, XdsCall.Request(XdsTypes.UrlOf(XdsType.Cluster) + "s", "orders"));
    }

    [Fact]
    public async Task All_there_is_cannot_be_asked_for()
    {
        await RefusedAsync(3, XdsCall.Request(XdsTypes.UrlOf(XdsType.Cluster)));
        await RefusedAsync(3, XdsCall.Request(XdsTypes.UrlOf(XdsType.Listener), "*"));
    }

    [Fact]
    public async Task Names_have_a_bound_in_length_and_number()
    {
        var url = XdsTypes.UrlOf(XdsType.Endpoints);
        var most = Enumerable.Range(0, XdsLimits.MaxNames).Select(at => $"s{at}").ToArray();
        await RefusedAsync(8, XdsCall.Request(url, [.. most, "one-more"]));
        await RefusedAsync(3, XdsCall.Request(url, new string('x', XdsLimits.MaxNameLength + 1)));
        using var call = await XdsCall.OpenAsync(client);
        await call.AskAsync(XdsType.Listener, most);
        Assert.Empty((await call.ReadAsync(XdsType.Listener)).Resources);
    }

    [Fact]
    public async Task Names_that_are_none_of_a_service_are_of_nothing()
    {
        await XdsNodes.RegisterAsync(node, "orders", 8080);
        using var call = await XdsCall.OpenAsync(client);
        await call.AskAsync(
            XdsType.Listener, "", " ", "a/b/c", "Shop/orders", "orders@@", "%", "%2F", "xdstp://x/y", "../orders",
            "default/orders");
        var (_, found) = await call.ReadAsync(XdsType.Listener);
        Assert.Equal("default/orders", Listener.Parser.ParseFrom(Assert.Single(found)).Name);
    }

    [Fact]
    public async Task Nonce_that_was_never_sent_is_refused_and_one_of_another_stream_is_not()
    {
        // A client that comes again may still have one.
        using var call = await XdsCall.OpenAsync(client);
        var request = XdsCall.Request(XdsTypes.UrlOf(XdsType.Listener), "orders");
        request.ResponseNonce = "17";
        await call.SendAsync(request);
        Assert.Equal("1", (await call.ReadAsync(XdsType.Listener)).Answer.Nonce);
        foreach (var nonce in new[] { "2", "0", "-1", "x", new string('9', 400) })
        {
            using var other = await XdsCall.OpenAsync(client);
            await other.AskAsync(XdsType.Listener, "orders");
            await other.ReadAsync(XdsType.Listener);
            request.ResponseNonce = nonce;
            await other.SendAsync(request);
            Assert.Equal(3, await other.EndAsync());
        }
    }

    [Fact]
    public async Task Streams_have_a_bound_and_those_that_end_make_room()
    {
        var calls = new List<XdsCall>();
        try
        {
            for (var at = 0; at < XdsLimits.MaxStreams; at += 500)
                calls.AddRange(await Task.WhenAll(Enumerable.Range(0, 500).Select(_ => AskingAsync())));
            using var refused = await XdsCall.OpenAsync(client);
            Assert.Equal(8, await refused.EndAsync());
            calls[0].Complete();
            Assert.Equal(0, await calls[0].EndAsync());
            await ServesAsync();
        }
        finally
        {
            foreach (var call in calls) call.Dispose();
        }
    }

    [Fact]
    public async Task Names_over_all_streams_have_a_bound()
    {
        var calls = new List<XdsCall>();
        try
        {
            var names = Enumerable.Range(0, XdsLimits.MaxNames).Select(at => $"s{at}").ToArray();
            for (var held = 0; held < XdsLimits.MaxNamesOfAll; held += XdsLimits.MaxNames)
            {
                calls.Add(await XdsCall.OpenAsync(client));
                await calls[^1].AskAsync(XdsType.Listener, names);
                await calls[^1].ReadAsync(XdsType.Listener);
            }
            using (var refused = await XdsCall.OpenAsync(client))
            {
                await refused.AskAsync(XdsType.Listener, "one-more");
                Assert.Equal(8, await refused.EndAsync());
            }
            calls[0].Complete();
            Assert.Equal(0, await calls[0].EndAsync());
            await ServesAsync();
        }
        finally
        {
            foreach (var call in calls) call.Dispose();
        }
    }

    private async Task RefusedAsync(int status, DiscoveryRequest request)
    {
        using var call = await XdsCall.OpenAsync(client);
        await call.SendAsync(request);
        Assert.Equal(status, await call.EndAsync());
        await ServesAsync();
    }

    private async Task<XdsCall> AskingAsync()
    {
        var call = await XdsCall.OpenAsync(client);
        await call.AskAsync(XdsType.Listener, "orders");
        await call.ReadAsync(XdsType.Listener);
        return call;
    }

    private async Task ServesAsync()
    {
        using var call = await XdsCall.OpenAsync(client);
        await call.AskAsync(XdsType.Listener, "orders");
        await call.ReadAsync(XdsType.Listener);
    }
}
