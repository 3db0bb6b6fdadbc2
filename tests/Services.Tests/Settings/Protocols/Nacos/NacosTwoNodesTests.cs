using Groundwork.Kernel.Hosting;
using Groundwork.Services.Settings.Protocols.Nacos;
using Groundwork.Tests.Support;

namespace Groundwork.Services.Tests.Settings.Protocols.Nacos;

/// <summary>Two nodes over one PostgreSQL: a poll waits at one, and the other publishes.</summary>
public sealed class NacosTwoNodesTests(PostgresServer server)
{
    [Fact]
    public async Task A_publication_at_one_node_answers_a_poll_at_the_other_which_has_the_new_text_then()
    {
        using var directory = new TemporaryDirectory();
        var database = new DatabaseOptions(await server.CreateDatabaseAsync());
        await using var a = await OpenAsync("a");
        await using var b = await OpenAsync("b");
        await a.MustPublishAsync("a.txt", "one");
        await Eventually.PassesAsync(async () => Assert.Equal((200, "one"), await b.GetAsync("a.txt")));
        var poll = b.ListenAsync([["a.txt", "DEFAULT_GROUP", NacosSettings.HashOf("one")]]);
        await a.MustPublishAsync("a.txt", "two");
        Assert.Equal(
            (200, "a.txt%02DEFAULT_GROUP%01"), await poll.WaitAsync(Eventually.Patience, TimeProvider.System));
        Assert.Equal((200, "two"), await b.GetAsync("a.txt"));

        Task<OpenNacosConfigs> OpenAsync(string name) => OpenNacosConfigs.StartAsync(
            name: name, configure: configuration => configuration with
            {
                Database = database, NodeName = name, RootKeyFile = directory.Combine("root.key"),
            });
    }
}
