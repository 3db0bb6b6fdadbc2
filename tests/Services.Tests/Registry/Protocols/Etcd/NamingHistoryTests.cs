using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Protocols.Etcd;

namespace Groundwork.Services.Tests.Registry.Protocols.Etcd;

/// <summary>What is kept of the changes of keys of etcd's naming.</summary>
public sealed class NamingHistoryTests
{
    [Fact]
    public void Old_changes_go_by_whole_revisions_and_the_floor_says_so()
    {
        var history = new NamingHistory(10, 4, []);
        Assert.Equal((10, 10, 4), (history.Position, history.Beginning, history.Floor));
        for (var revision = 11; history.Beginning == 10; revision++)
            history.Add([Change(revision, "a"), Change(revision, "b"), Change(revision, "c")]);
        var first = history.From(0).First().Revision;
        Assert.Equal((first, first - 1), (history.Floor, history.Beginning));
        Assert.InRange(history.From(0).Count(), NamingHistory.Kept, NamingHistory.Kept + 2);
        Assert.Equal(3, history.From(first).TakeWhile(change => change.Revision == first).Count());
        Assert.Equal(history.From(0), history.BackTo(0).Reverse());
        Assert.Equal(6, history.BackTo(history.Position - 2).Count());
        Assert.Empty(history.From(history.Position + 1));
    }

    [Fact]
    public void A_revision_that_is_longer_than_all_that_is_kept_stays_whole()
    {
        var history = new NamingHistory(1, 1, []);
        history.Add([.. Enumerable.Range(0, 3 * NamingHistory.Kept).Select(_ => Change(2, "a"))]);
        Assert.Equal(3 * NamingHistory.Kept, history.From(2).Count());
        history.Add([Change(3, "a")]);
        Assert.Equal(3 * NamingHistory.Kept, history.From(2).Count(change => change.Revision == 2));
    }

    [Theory]
    [InlineData("""{"Op":0,"Addr":"10.0.0.1:80","Metadata":{"zone":"a","n":5},"Extra":[1]}""", 80,
        """{"Op":0,"Addr":"10.0.0.1:80","Metadata":{"zone":"a","n":5},"Extra":[1]}""")] // As it was put.
    [InlineData("""{ "Addr" : "10.0.0.1:80", "Metadata" : "west" }""", 80,
        """{ "Addr" : "10.0.0.1:80", "Metadata" : "west" }""")]
    [InlineData("""{"Addr":"10.0.0.1:80","Metadata":"<west>","é":1}""", 81,
        """{"Addr":"10.0.0.1:81","Metadata":"<west>","é":1,"Op":0}""")] // What has changed is said anew.
    [InlineData("no JSON", 80, """{"Op":0,"Addr":"10.0.0.1:80","Metadata":{}}""")] // Left by somebody else.
    public void The_value_is_what_was_put_as_long_as_it_is_true(string put, int port, string shown)
    {
        var key = new InstanceKey(new ServiceKey("default", "default", "orders"), "a");
        var metadata = put.Contains("zone", StringComparison.Ordinal)
            ? TextMap.Of([KeyValuePair.Create("zone", "a"), KeyValuePair.Create("n", "5")])
            : TextMap.Empty;
        var instance = new Instance(key, "10.0.0.1", port)
        {
            Metadata = metadata,
            Extensions = TextMap.Of(
                [KeyValuePair.Create("etcd", new EtcdExtension("a", 0, put).ToJson().GetRawText())]),
        };
        Assert.Equal(shown, System.Text.Encoding.UTF8.GetString(NamingEndpoint.Write(instance)));
    }

    private static NamingChange Change(long revision, string id)
    {
        var key = new InstanceKey(new ServiceKey("default", "default", "orders"), id);
        return new NamingChange(
            revision, new NamingKey($"services/orders/{id}", new Instance(key, "10.0.0.1", 80), 1, revision, 1), null);
    }
}
