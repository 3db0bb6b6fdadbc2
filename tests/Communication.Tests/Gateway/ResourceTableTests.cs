using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Upstreams;
using Groundwork.Kernel.Resources;

namespace Groundwork.Communication.Tests.Gateway;

public sealed class ResourceTableTests
{
    private readonly HeldSnapshots snapshots = new();
    private readonly List<string> left = [];

    [Fact]
    public void What_is_gone_after_a_reload_has_left_the_table()
    {
        snapshots.Put(Of("one"));
        snapshots.Put(Of("two"));
        using var table = new ResourceTable<string>(snapshots, UpstreamKind.Name, one => one.Key.Name, left.Add);
        Assert.Equal(["one", "two"], table.Current.Values.Order());

        snapshots.Reload(Of("two"), Of("three"));

        Assert.Equal(["three", "two"], table.Current.Values.Order());
        Assert.Equal(["one", "two"], left.Order()); // Two was compiled again.
    }

    private static Resource Of(string name) => TestUpstreams.Resource(name, new UpstreamSpec(Service: name));
}
