using Groundwork.Host.CommandLine;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Host.Tests.Verbs;

public sealed class DrainVerbTests : IDisposable
{
    private readonly CommandRun run = new();
    private int asked;

    public void Dispose() => run.Dispose();

    [Fact]
    public async Task Drain_says_who_has_not_seen_it_until_all_have()
    {
        await using var node = await run.StubAsync(context => AnswerAsync(context, roundsBehind: 2));
        Assert.Equal(ExitCodes.Ok, await run.RunAsync("drain", "shop/catalog/1", "--wait", "60"));
        Assert.Equal(
            """
            WATCHER        NODE  SEEN
            shop/orders/1  a     yes
            gateway        a     yes

            """, run.Output);
        Assert.Equal(
            """
            1 of 2 watchers have not seen it: shop/orders/1
            shop/catalog/1 is draining; all 2 watchers have seen it

            """, run.Error);
    }

    [Fact]
    public async Task Drain_that_somebody_has_not_seen_in_time_ends_with_1()
    {
        await using var node = await run.StubAsync(context => AnswerAsync(context, roundsBehind: int.MaxValue));
        Assert.Equal(ExitCodes.Fault, await run.RunAsync("drain", "shop/catalog/1", "--wait", "0"));
        Assert.Equal(
            "shop/catalog/1 is draining, but after 0 s 1 of 2 watchers have not seen it: shop/orders/1\n", run.Error);
    }

    private Task AnswerAsync(HttpContext context, int roundsBehind)
    {
        if (context.Request.Path.Value!.EndsWith("/drain", StringComparison.Ordinal)) // Every request has a path.
            return context.Response.WriteAsJsonAsync(
                new ServiceDocument("shop", "default", "catalog", 42, "store", Protection: false, []));
        Assert.Equal("42", context.Request.Query["index"].ToString());
        var seen = asked++ >= roundsBehind;
        return context.Response.WriteAsJsonAsync(new WatchersDocument(
            42, 2, seen ? 0 : 1,
            [new WatcherDocument("shop/orders/1", "a", seen), new WatcherDocument("gateway", "a", Seen: true)]));
    }
}
