using System.Net;
using Groundwork.Communication.Gateway;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway.Calling;

public sealed class InstancePoolTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    [Fact]
    public async Task One_client_after_the_other_uses_one_connection()
    {
        await using var instance = RawInstance.Start(AnswerAllAsync);
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        for (var request = 0; request < 50; request++) Assert.Equal("ok", await edge.Client.GetStringAsync("/"));
        Assert.Equal(1, instance.Connections);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")]
    [InlineData("x")]
    public async Task Bytes_that_nobody_asked_for_are_never_an_answer(string unasked)
    {
        var poisoned = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var instance = RawInstance.Start(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync(Ok);
            if (poisoned.Task.IsCompleted) return;
            await connection.WriteAsync(unasked);
            poisoned.TrySetResult();
            await connection.ReadToEndAsync();
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);

        Assert.Equal("ok", await edge.Client.GetStringAsync("/"));
        await poisoned.Task.WaitAsync(Eventually.Patience);
        Assert.Equal("ok", await edge.Client.GetStringAsync("/"));

        Assert.Equal(2, instance.Connections);
    }

    [Fact]
    public async Task A_kept_connection_that_nobody_uses_is_closed()
    {
        var time = new ManualTimeProvider();
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var instance = RawInstance.Start(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync(Ok);
            await connection.ReadToEndAsync();
            closed.TrySetResult();
        });
        var options = new GatewayOptions();
        await using var edge = await TestEdge.StartAsync(options, time: time);
        edge.RouteAll().Instances(instance.Address);
        Assert.Equal("ok", await edge.Client.GetStringAsync("/"));

        // When exactly it came back to the pool is the gateway's own affair.
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(options.UpstreamIdle);
                return closed.Task.IsCompleted;
            },
            "the connection is closed");
    }

    [Fact]
    public async Task A_get_whose_kept_connection_was_just_closed_goes_out_again()
    {
        await using var instance = RawInstance.Start(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync(Ok);
            await connection.ReadHeadAsync(); // It takes the second request with it.
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        Assert.Equal("ok", await edge.Client.GetStringAsync("/"));
        Assert.Equal("ok", await edge.Client.GetStringAsync("/"));
        Assert.DoesNotContain(
            edge.Registry.Outcomes, outcome => outcome.Outcome != Groundwork.Services.Registry.CallOutcome.Answered);
    }

    [Fact]
    public async Task Connections_to_an_instance_have_a_bound_and_are_used_again()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var instance = RawInstance.Start(async connection =>
        {
            while (true)
            {
                await connection.ReadHeadAsync();
                await go.Task;
                await connection.WriteAsync(Ok);
            }
        });
        await using var edge = await TestEdge.StartAsync(new GatewayOptions { MaxRequestsPerInstance = 3 });
        edge.RouteAll().Instances(instance.Address);
        var held = Enumerable.Range(0, 3).Select(_ => edge.Client.GetAsync("/")).ToArray();
        await Eventually.TrueAsync(() => instance.Connections == 3, "all are under way");
        using (var refused = await edge.Client.GetAsync("/"))
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);

        go.SetResult();

        foreach (var response in await Task.WhenAll(held)) Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        for (var request = 0; request < 10; request++) await edge.Client.GetStringAsync("/");
        Assert.Equal(3, instance.Connections);
    }

    private static async Task AnswerAllAsync(RawConnection connection)
    {
        while (true)
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync(Ok);
        }
    }
}
