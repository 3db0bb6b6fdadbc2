using System.Text.Json.Nodes;
using Groundwork.Services.Registry.Protocols.Consul;

namespace Groundwork.Services.Tests.Registry.Protocols;

public sealed class ConsulFilterTests
{
    private static readonly JsonObject Item = JsonNode.Parse(
        """
        {"Node": {"Node": "groundwork", "Meta": {}}, "Service": {"ID": "a-1", "Port": 8080, "Tags": ["v1", "blue"],
         "Meta": {"env": "prod", "a.b": "x"}, "Address": ""}, "Checks": [{"Status": "passing"}]}
        """)!.AsObject(); // As written.

    [Theory]
    [InlineData("Service.ID == \"a-1\"", true)]
    [InlineData("Service.ID != \"a-1\"", false)]
    [InlineData("Service.Port == 8080", true)]
    [InlineData("Service.Port==80", false)]
    [InlineData("\"v1\" in Service.Tags", true)]
    [InlineData("v1 not in Service.Tags", false)]
    [InlineData("Service.Tags contains `blue`", true)]
    [InlineData("Service.Tags not contains blue", false)]
    [InlineData("Service.Meta.env == prod", true)]
    [InlineData("Service.Meta[\"a.b\"] == x", true)]
    [InlineData("Service.Meta.none == prod", false)]
    [InlineData("Service.Meta.none != prod", true)]
    [InlineData("Service.Meta.none is empty", true)]
    [InlineData("Service.Meta is not empty", true)]
    [InlineData("Service.Address is empty", true)]
    [InlineData("env in Service.Meta", true)]
    [InlineData("\"oundw\" in Node.Node", true)]
    [InlineData("Service.ID matches \"^a-[0-9]$\"", true)]
    [InlineData("Service.ID not matches \"^a\"", false)]
    [InlineData("not Service.ID == b and (Service.Port == 1 or Service.Port == 8080)", true)]
    [InlineData("Service.Port == 1 and Service.Port == 8080 or Service.ID == \"a-1\"", true)]
    [InlineData("not (Service.Port == 8080)", false)]
    [InlineData("Service.Port == 8080 and Service.ID == b", false)]
    [InlineData("Service.ID == b and Service.Port == 8080", false)]
    public void Filter_admits_what_it_says(string filter, bool admits) =>
        Assert.Equal(admits, ConsulFilter.Parse(filter).Value.Matches(Item).Value);

    [Theory]
    [InlineData("Service.ID")]
    [InlineData("Service.ID ==")]
    [InlineData("== 3")]
    [InlineData("(Service.ID == a")]
    [InlineData("Service.ID == a Service.Port == 1")]
    [InlineData("Service.ID == \"a")]
    [InlineData("Service.ID matches \"(\"")]
    [InlineData("Service.ID matches \"(?<=a)b\"")]
    [InlineData("Service.ID is full")]
    [InlineData("a not Service.ID")]
    [InlineData("all Service.Tags as t { t == a }")]
    [InlineData("Service.Meta[x == 1")]
    public void What_is_no_filter_is_told(string filter) => Assert.Contains(
        "Failed to create boolean expression evaluator",
        ConsulFilter.Parse(filter).Fault?.Detail, StringComparison.Ordinal);

    [Theory]
    [InlineData("Service.Name == a")]
    [InlineData("Nothing == a")]
    [InlineData("Service.ID.More == a")]
    [InlineData("Checks.Status == passing")]
    [InlineData("Service.Port is empty")]
    [InlineData("Service.Tags == a")]
    public void Selector_that_there_is_not_is_told(string filter) => Assert.Contains(
        "is not valid", ConsulFilter.Parse(filter).Value.Matches(Item).Fault?.Detail, StringComparison.Ordinal);

    [Fact]
    public void Filter_that_is_too_long_or_too_deep_is_refused_and_a_long_one_is_quick()
    {
        Assert.NotNull(ConsulFilter.Parse(new string('(', 40) + "Service.Port == 1" + new string(')', 40)).Fault);
        Assert.NotNull(ConsulFilter.Parse(new string(' ', 3000)).Fault);
        var many = string.Join(" or ", Enumerable.Repeat("Service.Port == 1", 60));
        Assert.False(ConsulFilter.Parse(many).Value.Matches(Item).Value);
        var all = string.Join(" and ", Enumerable.Repeat("not Service.Port == 1", 60));
        Assert.True(ConsulFilter.Parse($"Service.Port == 1 or {all}").Value.Matches(Item).Value);
    }
}
