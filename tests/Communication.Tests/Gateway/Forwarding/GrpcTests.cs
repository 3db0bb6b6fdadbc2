using System.Net;
using System.Text;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Tests.Gateway.Correct;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway.Forwarding;

/// <summary>gRPC and gRPC-Web through the gateway, with unmodified clients and an unmodified server.</summary>
public sealed class GrpcTests(GrpcPrograms programs) : IClassFixture<GrpcPrograms>
{
    [Theory]
    [InlineData("unary", "seen this | 300000 bytes | OK after | 00ff01")]
    [InlineData("fail", "NOT_FOUND: no such thing: ünit")]
    [InlineData("sum", "6")]
    [InlineData("count", "1000")]
    [InlineData("talk", "re: 0 | re: 1 | re: 2 | end")]
    public async Task All_kinds_of_calls_come_through_with_metadata_and_status(string kind, string said)
    {
        programs.Require();
        var server = await programs.SharedAsync();
        await using var edge = await StartAsync(server.Address);
        Assert.Equal(said, await programs.RunAsync("client.js", edge.Address, kind));
    }

    [Theory]
    [InlineData("deadline", "begun | DEADLINE_EXCEEDED: ")]
    [InlineData("cancel", "begun | CANCELLED: ")]
    public async Task A_call_that_is_given_up_ends_at_the_instance(string kind, string said)
    {
        programs.Require();
        await using var server = await programs.ServeAsync();
        await using var edge = await StartAsync(server.Address);
        Assert.StartsWith(said, await programs.RunAsync("client.js", edge.Address, kind));
        await Eventually.ValueAsync(
            () => programs.RunAsync("client.js", server.Address, "cancelled"), count => count == "1",
            "the server sees that nobody waits");
        await Eventually.TrueAsync(() => edge.Module.WaitsForInstances == 0, "nothing is waited for");
    }

    [Fact]
    public async Task A_server_that_dies_in_a_stream_is_a_failure_and_no_end()
    {
        programs.Require();
        await using var server = await programs.ServeAsync();
        await using var edge = await StartAsync(server.Address);
        var said = await programs.RunAsync("client.js", edge.Address, "breakOff");
        Assert.Matches("^begun \\| (UNAVAILABLE|INTERNAL|CANCELLED|UNKNOWN): ", said);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_unavailable()
    {
        programs.Require();
        await using var edge = await StartAsync(RawInstance.Refusing());
        Assert.StartsWith("UNAVAILABLE: ", await programs.RunAsync("client.js", edge.Address, "fail"));
    }

    [Theory]
    [InlineData("text")]
    [InlineData("binary")]
    public async Task Grpc_web_is_translated(string format)
    {
        programs.Require();
        var server = await programs.SharedAsync();
        await using var edge = await StartAsync(server.Address);
        Assert.Equal(
            "status 0 | 100000 bytes", await programs.RunAsync("webclient.js", edge.Address, "unary", format));
        Assert.Contains(
            "5: no such thing: ünit", await programs.RunAsync("webclient.js", edge.Address, "fail", format),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Grpc_web_streams_from_the_server()
    {
        programs.Require();
        var server = await programs.SharedAsync();
        await using var edge = await StartAsync(server.Address);
        Assert.Equal("1000", await programs.RunAsync("webclient.js", edge.Address, "count", "text"));
    }

    [Fact]
    public async Task Grpc_web_text_that_is_no_base64_is_refused()
    {
        programs.Require();
        var server = await programs.SharedAsync();
        await using var edge = await StartAsync(server.Address);
        using var content = new StringContent("!!!!", Encoding.ASCII, "application/grpc-web-text");
        using var answer = await edge.Client.PostAsync("/test.Service/Echo", content);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task An_upstream_can_say_that_all_its_addresses_speak_http2()
    {
        programs.Require();
        var server = await programs.SharedAsync();
        await using var edge = await TestEdge.StartAsync();
        edge.Snapshots.Put(TestUpstreams.Resource("grpc", new UpstreamSpec(
            Addresses: [new UpstreamAddress(server.Address.ToString())], AllowLoopback: true, Protocol: "h2")));
        edge.RouteAll(spec => spec with { Service = null, Upstream = "grpc" });
        Assert.Equal("6", await programs.RunAsync("client.js", edge.Address, "sum"));
    }

    [Fact]
    public async Task Without_a_word_of_http2_an_instance_is_called_over_http1()
    {
        programs.Require();
        var server = await programs.SharedAsync();
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(server.Address);
        Assert.DoesNotContain("6", await programs.RunAsync("client.js", edge.Address, "sum"), StringComparison.Ordinal);
    }

    private static async Task<TestEdge> StartAsync(IPEndPoint server)
    {
        var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(server);
        edge.Registry.Describe("service", server.ToString(), metadata: ("protocol", "grpc"));
        return edge;
    }
}
