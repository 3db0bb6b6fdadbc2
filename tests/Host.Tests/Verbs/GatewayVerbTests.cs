using Groundwork.Host.CommandLine;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Host.Tests.Verbs;

public sealed class GatewayVerbTests : IDisposable
{
    private static readonly DateTimeOffset At = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly CommandRun run = new();

    public void Dispose() => run.Dispose();

    [Fact]
    public async Task State_is_a_table_of_upstreams_one_of_limits_and_one_of_what_is_kept()
    {
        var query = "";
        var state = new GatewayState(
            "a", At, 2,
            [
                new GatewayUpstreamState(
                    "upstream default/fragile", "upstream", ["default/shop"], 2, 1, [],
                    new GatewayBudgetState(20, 10, 10, 40, 3, 105, 0),
                    new GatewayBreakerState(
                        "open", At, 20, 15, 0, 20, 10, 50, 1, 7, 3, 0, 0, 75, NextProbe: At.AddSeconds(8)),
                    new GatewayPlacesState("bulkhead", 50, 12, 3, 10, 0)),
                new GatewayUpstreamState(
                    "default/catalog", "service", [], 3, 0, [], new GatewayBudgetState(20, 10, 10, 0, 0, 100, 0)),
            ],
            1,
            [
                new GatewayLimitState(
                    "default/shop", "route", "team", "bucket", 10, ["client", "header:X-Key"], 2, 100, 90, 4, 0, true,
                    30, 1,
                    [
                        new GatewayLimitCaller(
                            [new("client", "10.0.0.7"), new("header:X-Key", Digest: "0a1b2c3d4e5f")],
                            9, 4, 3, 10, 0, 900),
                        new GatewayLimitCaller([new("client", "10.0.0.8"), new("header:X-Key")], 1, 0, 0, 10, 9, 100),
                    ]),
            ],
            new CachedRoutes(
                2, 4_000, 0,
                [new CachedRoute("default/shop", 8, 1, 2, 1, 0, 0, 0.9, 1, 1, [new("/a?b=1", 1)], 2, 4_000)], 8_000),
            new GatewayProcessState(
                5, 20_000, 0, 500, false, [new("low", 3, false)], [], new GatewayMirrorState(0, 0, 0, 0, 0)));
        await using var node = await run.StubAsync(context =>
        {
            query = context.Request.Path + context.Request.QueryString;
            return context.Response.WriteAsJsonAsync(state);
        });
        Assert.Equal(ExitCodes.Ok, await run.RunAsync("gateway", "state", "--route", "default/shop"));
        Assert.Equal("/groundwork/v1/gateway/state?route=default%2Fshop&limit=100", query);
        Assert.Equal(
            """
            the node a: 2 answers are kept, 4000 of 8000 bytes; 5 of 20000 requests under way, 3 refused for too much load

            UPSTREAM                  INSTANCES  OUT  BREAKER  SINCE                 ERRORS     NEXT PROBE            PLACES    RETRIES LEFT
            upstream default/fragile  2          1    open     2030-01-02 03:04:05Z  75% of 20  2030-01-02 03:04:13Z  12/50 +3  105
            default/catalog           3          0    -                                                               -         100

            LIMIT OF      NAME  KIND    CALLERS  ALLOWED  REFUSED  FROM OTHERS  HOTTEST
            default/shop  team  bucket  2        90       4        30           10.0.0.7 header:X-Key#0a1b2c3d4e5f 0/10, 10.0.0.8 no header:X-Key 9/10

            CACHE OF      HITS  STALE  WAITED  MISSES  RATIO  ANSWERS  BYTES  ASKED FOR MOST
            default/shop  8     1      2       1       0.90   2        4000   /a?b=1 (1)

            """, run.Output);
    }

    [Fact]
    public async Task A_purge_of_nothing_in_particular_is_not_sent()
    {
        var asked = "";
        await using var node = await run.StubAsync(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            asked = $"{context.Request.Method} {context.Request.Path} {await reader.ReadToEndAsync()}";
            await context.Response.WriteAsJsonAsync(new ChangesetAnswer(42, Guid.Empty, []));
        });
        Assert.Equal(ExitCodes.Usage, await run.RunAsync("gateway", "purge"));
        Assert.Equal("", asked);
        Assert.Equal(ExitCodes.Ok, await run.RunAsync("gateway", "purge", "--tag", "summer", "-n", "shop"));
        Assert.Equal("POST /groundwork/v1/gateway/purges/shop {\"tag\":\"summer\"}", asked);
        Assert.Equal("purged at revision 42\n", run.Output);
    }

    [Fact]
    public async Task A_path_that_is_not_of_the_route_fails_a_prefetch()
    {
        var asked = "";
        var answer = new PrefetchAnswer([new PrefetchedPath("/a", 200, "groundwork; fwd=uri-miss; stored")]);
        await using var node = await run.StubAsync(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            asked = $"{context.Request.Path} {await reader.ReadToEndAsync()}";
            await context.Response.WriteAsJsonAsync(answer);
        });
        string[] command = ["gateway", "prefetch", "catalog", "/a", "/b", "--host", "shop.example"];
        Assert.Equal(ExitCodes.Ok, await run.RunAsync(command));
        Assert.Equal(
            "/groundwork/v1/gateway/prefetches/default/catalog "
            + "{\"host\":\"shop.example\",\"paths\":[\"/a\",\"/b\"],\"secure\":true}", asked);
        answer = new PrefetchAnswer([.. answer.Paths, new PrefetchedPath("/b", 0, null)]);
        Assert.Equal(ExitCodes.Fault, await run.RunAsync(command));
        Assert.Contains("/b    not of the route", run.Output, StringComparison.Ordinal);
    }
}
