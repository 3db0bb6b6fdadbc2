using System.Net;
using System.Net.Http.Json;
using Groundwork.Kernel.Storage.Sqlite;
using Groundwork.Services.Registry.Consumers;
using Groundwork.Services.Registry.Storing;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Services.Tests.Registry.Consumers;

public sealed class ConsumerBookTests
{
    private static readonly ConsumerLink Web = new(LeasedRegistry.Orders, "default/web/1", ConsumerBook.Sdk);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Consumer_and_its_breakers_are_forgotten_when_they_are_silent()
    {
        using var directory = new TemporaryDirectory();
        var time = new ManualTimeProvider();
        await using var storage = await SqliteStorage.OpenAsync(
            new SqliteOptions { Path = directory.Combine("store.db") }, time, NullLoggerFactory.Instance, Cancel);
        await storage.MigrateAsync(RegistryStore.Migrations, Cancel);
        var book = new ConsumerBook(new ConsumerStore(storage), "a", time, NullLogger.Instance);
        var other = new ConsumerBook(new ConsumerStore(storage), "b", time, NullLogger.Instance);
        book.Note(Web, [new BreakerDocument("orders", "open", DateTimeOffset.UnixEpoch)]);
        await book.RoundAsync(Cancel);
        foreach (var one in new[] { book, other })
            Assert.Single(Assert.Single(await one.OfServiceAsync(LeasedRegistry.Orders, Cancel)).Breakers);

        time.Advance(TimeSpan.FromMinutes(2)); // It reports once a second, or it is gone.
        foreach (var one in new[] { book, other })
            Assert.Empty(Assert.Single(await one.OfServiceAsync(LeasedRegistry.Orders, Cancel)).Breakers);

        time.Advance(ConsumerBook.Expiry);
        await book.RoundAsync(Cancel);
        foreach (var one in new[] { book, other })
            Assert.Empty(await one.OfServiceAsync(LeasedRegistry.Orders, Cancel));
        Assert.Equal(0, await storage.ReadAsync(CountRows, Cancel));

        static long CountRows(Groundwork.Kernel.Storage.ISqlSession session)
        {
            var count = 0L;
            session.Query("SELECT COUNT(*) FROM registry_consumers", row => count = row.Int64(0));
            return count;
        }
    }

    [Theory]
    [InlineData(OpenRegistry.All, "default/web/1", 1)]
    [InlineData("discover,renew", "other/web/1", 0)] // It may not renew there.
    [InlineData("discover", "default/web/1", 0)]
    [InlineData("renew", "default/web/1", 0)] // It may not even see the service that it says it calls.
    public async Task Claim_to_be_an_instance_that_the_caller_may_not_renew_is_dropped(
        string may, string caller, int consumers)
    {
        await using var open = await OpenRegistry.StartAsync();
        var batch = new OutcomeBatch([new OutcomeDocument("orders", "x", "answered", 1)], caller);
        using var sent = await open.SendAsync(
            HttpMethod.Post, "outcomes", JsonContent.Create(batch, WireJson.Strict.OutcomeBatch), may);
        Assert.Equal(HttpStatusCode.NoContent, sent.StatusCode);
        using var answer = await open.SendAsync(HttpMethod.Get, "services/default/orders/consumers");
        var list = await answer.Content.ReadFromJsonAsync(WireJson.Strict.ConsumerList);
        Assert.Equal(consumers, list!.Items.Count);
    }
}
