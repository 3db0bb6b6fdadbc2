using Groundwork.Host.CommandLine;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Host.Tests.Verbs;

public sealed class ExplainRequestTests : IDisposable
{
    private static readonly DateTimeOffset At = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static readonly GatewayRequestSummary Request = new(
        "00f067aa0ba902b7", "4bf92f3577b34da6a3ce929d0e0e4736", At, "GET", "shop.example", "/orders/7", 503, 12.5, 2,
        "upstream_connect", "default/orders", "10.0.0.7:8080");

    private readonly CommandRun run = new();

    public void Dispose() => run.Dispose();

    [Fact]
    public async Task A_request_is_a_page_of_decisions_and_routes()
    {
        var explanation = new GatewayRequestExplanation(
            "a", Request, "GET shop.example/orders/7 was refused.", true, 0, 120, 42, [], [],
            [
                new GatewayRouteVerdict("default", "orders", "taken", "took it, by /orders/{id}"),
                new GatewayRouteVerdict("default", "beta", "condition", "asks for more: header x-beta is there"),
            ],
            ["path: /v2/7"],
            [
                new GatewayDecision("choice", "chosen", 0.25, "10.0.0.7:8080 with 1 under way"),
                new GatewayDecision("limit", "allowed", 0.5),
            ],
            [], Client: "203.0.113.7");
        await using var node = await run.StubAsync(context => context.Response.WriteAsJsonAsync(explanation));
        Assert.Equal(ExitCodes.Ok, await run.RunAsync("explain", "request", "00f067aa0ba902b7"));
        Assert.Equal(
            """
            GET shop.example/orders/7 was refused.
              - trace 4bf92f3577b34da6a3ce929d0e0e4736, at 2030-01-02 03:04:05Z on the node a, revision 42
              - from 203.0.113.7, 0 bytes in and 120 out
              - path: /v2/7

            MS     STAGE   DECISION  ABOUT
            0.250  choice  chosen    10.0.0.7:8080 with 1 under way
            0.500  limit   allowed

            ROUTE           VERDICT    WHY
            default/orders  taken      took it, by /orders/{id}
            default/beta    condition  asks for more: header x-beta is there

            """, run.Output);
    }

    [Fact]
    public async Task Without_an_id_the_last_ones_are_listed()
    {
        var query = "";
        await using var node = await run.StubAsync(context =>
        {
            query = context.Request.Path + context.Request.QueryString;
            return context.Response.WriteAsJsonAsync(new GatewayRequestList("a", 1, 0, [Request]));
        });
        Assert.Equal(ExitCodes.Ok, await run.RunAsync("explain", "request", "--failed", "--route", "default/orders"));
        Assert.Equal("/groundwork/v1/gateway/requests?limit=50&failed=true&route=default%2Forders", query);
        Assert.Equal(
            """
            ID                AT                    STATUS  CODE              MS      ROUTE           REQUEST
            00f067aa0ba902b7  2030-01-02 03:04:05Z  503     upstream_connect  12.500  default/orders  GET shop.example/orders/7

            """, run.Output);
    }

    [Fact]
    public async Task Nothing_remembered_is_said_with_the_node()
    {
        await using var node = await run.StubAsync(
            context => context.Response.WriteAsJsonAsync(new GatewayRequestList("a", 0, 0, [])));
        Assert.Equal(ExitCodes.Ok, await run.RunAsync("explain", "request"));
        Assert.Equal("the node a remembers no such request\n", run.Output);
    }
}
