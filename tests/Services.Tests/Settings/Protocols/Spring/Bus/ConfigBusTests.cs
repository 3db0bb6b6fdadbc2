using System.Globalization;
using System.Text;
using System.Text.Json;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings.Protocols.Spring.Bus;
using Groundwork.Services.Tests.Settings.Protocols.Spring.Sources;
using Groundwork.Tests.Support;
using RabbitMQ.Client;

namespace Groundwork.Services.Tests.Settings.Protocols.Spring.Bus;

public sealed class ConfigBusTests
{
    [Fact]
    public async Task A_push_reaches_applications_over_a_real_broker_after_its_commit_is_here()
    {
        await using var rabbit = await RabbitServer.StartAsync();
        using var git = new GitRepository();
        git.Commit(("orders.yml", "a: 1\n"));
        await using var node = await SourcesNode.StartAsync();
        await node.SourceAsync("repo", new(
            Git: git.Url, RefreshSeconds: 3600, WebhookSecret: SecretText.Of("hook-secret")));
        await BusAsync(node, rabbit.Port);
        await using var connection = await rabbit.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync();
        // As Spring's binder for RabbitMQ declares and binds it.
        await channel.ExchangeDeclareAsync("springCloudBus", "topic", durable: true);
        var queue = (await channel.QueueDeclareAsync("", durable: false, exclusive: true, autoDelete: true)).QueueName;
        await channel.QueueBindAsync(queue, "springCloudBus", "#");
        Assert.Equal("1", await node.ValueAsync("orders/dev", "a"));
        git.Commit(("orders-dev.yml", "a: 2\n"));
        using var anyone = node.Settings.Running.Client();
        using var answer = await MonitorTests.PushAsync(
            anyone, "hook-secret", """{"commits":[{"added":["orders-dev.yml"],"modified":[],"removed":[]}]}""");
        Assert.Equal("""["orders:dev","orders-dev"]""", await answer.Content.ReadAsStringAsync());
        var first = await NextAsync(channel, queue);
        Assert.Equal("application/json", first.BasicProperties.ContentType);
        using var news = JsonDocument.Parse(first.Body);
        Assert.Equal("RefreshRemoteApplicationEvent", news.RootElement.GetProperty("type").GetString());
        Assert.Equal("orders:dev:**", news.RootElement.GetProperty("destinationService").GetString());
        Assert.True(Guid.TryParse(news.RootElement.GetProperty("id").GetString(), out _));
        Assert.StartsWith(
            "groundwork:", news.RootElement.GetProperty("originService").GetString(), StringComparison.Ordinal);
        var sent = DateTimeOffset.FromUnixTimeMilliseconds(news.RootElement.GetProperty("timestamp").GetInt64());
        Assert.True((TimeProvider.System.GetUtcNow() - sent).Duration() < TimeSpan.FromMinutes(2), $"{sent:O}");
        Assert.Equal(5, news.RootElement.EnumerateObject().Count());
        // Who reads on hearing of it must not read what was there before.
        Assert.Equal("2", await node.ValueAsync("orders/dev", "a"));
        Assert.Equal("orders-dev:**", await DestinationAsync(channel, queue));
        foreach (var (path, destination) in new[]
        {
            ("", "**"), ("/orders", "orders:**"), ("/orders:8080", "orders:8080:**"), ("/orders:**", "orders:**"),
            ("/a:b:c", "a:b:c"), ("/*:dev", "*:dev:**"),
        })
        {
            using var told = await node.Local.PostAsync($"/config/actuator/busrefresh{path}", null);
            Assert.Equal(204, (int)told.StatusCode);
            Assert.Equal(destination, await DestinationAsync(channel, queue));
        }
    }

    [Fact]
    public async Task A_broker_that_is_away_blocks_nothing_and_hears_all_when_it_is_back()
    {
        await using var rabbit = await RabbitServer.StartAsync();
        await using var node = await SourcesNode.StartAsync();
        await BusAsync(node, rabbit.Port);
        await using (var connection = await rabbit.ConnectAsync())
        await using (var channel = await connection.CreateChannelAsync())
        {
            await channel.ExchangeDeclareAsync("springCloudBus", "topic", durable: true);
            await channel.QueueDeclareAsync("kept", durable: true, exclusive: false, autoDelete: false);
            await channel.QueueBindAsync("kept", "springCloudBus", "#");
            await TellAsync(node, "first");
            Assert.Equal("first:**", await DestinationAsync(channel, "kept"));
        }
        await rabbit.StopAsync();
        var started = TimeProvider.System.GetTimestamp();
        foreach (var name in new[] { "second", "third" }) await TellAsync(node, name);
        Assert.True(
            TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(5), "A call waits for the broker.");
        await node.SaysAsync("config-buses");
        await rabbit.RunAsync();
        await using var again = await rabbit.ConnectAsync();
        await using var reading = await again.CreateChannelAsync();
        // One that the broker had not noted as read when it was killed comes once more.
        var next = await DestinationAsync(reading, "kept");
        if (next == "first:**") next = await DestinationAsync(reading, "kept");
        Assert.Equal("second:**", next);
        Assert.Equal("third:**", await DestinationAsync(reading, "kept"));
        Assert.Equal("ok", node.Settings.Running.Node.Health.Read().Status);
    }

    [Fact]
    public async Task The_queue_is_bounded_and_the_newest_stay()
    {
        await using var silent = new SilentServer();
        await using var node = await SourcesNode.StartAsync();
        await BusAsync(node, silent.Port);
        for (var at = 0; at < BusConnection.MaxWaiting + 10; at++) await TellAsync(node, $"a{at}");
        await node.Settings.Running.StopAsync();
        var log = node.Settings.Running.Log.ToString();
        Assert.Contains("a refresh of a0:** is left out", log, StringComparison.Ordinal);
        var newest = $"a refresh of a{BusConnection.MaxWaiting}:** is left out";
        Assert.DoesNotContain(newest, log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Telling_applications_takes_the_right_and_a_bus()
    {
        await using var silent = new SilentServer();
        await using var node = await SourcesNode.StartAsync();
        using var none = await node.Local.PostAsync("/config/actuator/busrefresh", null);
        Assert.Equal(404, (int)none.StatusCode);
        await BusAsync(node, silent.Port);
        using var reader = node.Settings.Running.Client(await node.Settings.Running.MintAsync(
            "reader", [], [new Grant(["read", "write"], ["*"], ["*", "_"])]));
        using var refused = await reader.PostAsync("/config/actuator/busrefresh", null);
        Assert.Equal(403, (int)refused.StatusCode);
        using var nobody = node.Settings.Running.Client();
        using var unknown = await nobody.PostAsync("/config/actuator/busrefresh/orders", null);
        Assert.Equal(401, (int)unknown.StatusCode);
        using var operating = node.Settings.Running.Client(await node.Settings.Running.MintAsync(
            "operating", [], [new Grant(["operate"], [ConfigBusKind.Name], ["_"])]));
        using var told = await operating.PostAsync("/config/actuator/busrefresh/orders", null);
        Assert.Equal(204, (int)told.StatusCode);
        using var tooLong = await operating.PostAsync($"/config/actuator/busrefresh/{new string('x', 256)}", null);
        Assert.Equal(400, (int)tooLong.StatusCode);
    }

    [Fact]
    public async Task A_broker_at_an_address_that_is_guarded_is_not_called()
    {
        await using var node = await SourcesNode.StartAsync();
        await BusAsync(node, node.Settings.Running.Node.Listeners.UrlOf("api").Port);
        await TellAsync(node, "orders");
        await node.SaysAsync("a listener of this process");
    }

    [Theory]
    [InlineData("a b", 0, "guest", "/")]
    [InlineData("rabbit:5672", 0, "guest", "/")]
    [InlineData("rabbit", 65_536, "guest", "/")]
    [InlineData("rabbit", 0, "", "/")]
    [InlineData("rabbit", 0, "guest", "")]
    public async Task A_bus_that_is_none_is_a_fault_of_its_field(string host, int port, string user, string virtualHost)
    {
        await using var node = await SourcesNode.StartAsync();
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => node.Settings.CommitAsync(Change.Put(
            ConfigBusKind.Kind, "", "bus", new ConfigBusSpec(host, port, user, VirtualHost: virtualHost))));
        Assert.Contains("resource_invalid", refused.Message, StringComparison.Ordinal);
    }

    private static Task BusAsync(SourcesNode node, int port) => node.Settings.CommitAsync(Change.Put(
        ConfigBusKind.Kind, "", "bus", new ConfigBusSpec("127.0.0.1", port, Password: SecretText.Of("guest"))));

    private static async Task TellAsync(SourcesNode node, string destination)
    {
        using var told = await node.Local.PostAsync($"/config/actuator/busrefresh/{destination}", null);
        Assert.Equal(204, (int)told.StatusCode);
    }

    private static async Task<string?> DestinationAsync(IChannel channel, string queue)
    {
        using var news = JsonDocument.Parse((await NextAsync(channel, queue)).Body);
        return news.RootElement.GetProperty("destinationService").GetString();
    }

    private static async Task<BasicGetResult> NextAsync(IChannel channel, string queue) =>
        (await Eventually.ValueAsync(
            () => channel.BasicGetAsync(queue, autoAck: true), got => got is not null, "an event arrives",
            TimeSpan.FromSeconds(60)))!; // The wait ends with one.
}
