using System.Collections.Immutable;
using Groundwork.Kernel.Hosting;

namespace Groundwork.Kernel.Tests.Hosting;

public sealed class ModulesTests
{
    private static readonly ImmutableArray<ModuleDefinition> Table =
    [
        new("top", Layer.Communication, "middle", "left"),
        new("middle", Layer.Services, "bottom"),
        new("left", Layer.Services, "bottom"),
        new("bottom", Layer.Data),
        new("alone", Layer.Data),
    ];

    [Theory]
    [InlineData("top", "bottom middle left top")]
    [InlineData("left", "bottom left")]
    [InlineData("alone left", "alone bottom left")]
    [InlineData("left left", "bottom left")]
    [InlineData("", "bottom middle left top alone")]
    public void Selection_brings_what_it_needs_before_it(string names, string expected) =>
        Assert.Equal(expected, string.Join(' ', Select(Table, names).InStartOrder.Select(module => module.Name)));

    [Fact]
    public void Circle_in_the_table_is_a_bug_that_is_named()
    {
        ImmutableArray<ModuleDefinition> circle = [new(
            "a", Layer.Data, "b"), new("b", Layer.Data, "c"), new("c", Layer.Data, "a")];
        var fault = Assert.Throws<ArgumentException>(() => Select(circle, "b"));
        Assert.Contains("b → c → a → b", fault.Message);
    }

    [Fact]
    public void Need_outside_the_table_is_a_bug_that_is_named() =>
        Assert.Contains("a needs b", Assert.Throws<ArgumentException>(() => Select([new("a", Layer.Data, "b")], "a"))
            .Message);

    [Fact]
    public void Edge_is_exactly_the_gateway_of_a_follower()
    {
        Assert.True(Modules.Select(["gateway"], follows: true).Value.IsEdge);
        Assert.False(Modules.Select(["gateway"]).Value.IsEdge);
        Assert.Equal(2, Modules.Select(["gateway"]).Value.InStartOrder.Length);
        Assert.NotNull(Modules.Select(["gateway", "settings"], follows: true).Fault);
        Assert.NotNull(Modules.Select([], follows: true).Fault);
    }

    [Fact]
    public void Table_points_down_only()
    {
        foreach (var module in Modules.Table)
            foreach (var need in module.Needs)
                Assert.True(Modules.Table.Single(other => other.Name == need)
                    .Layer >= module.Layer, $"{module.Name} needs {need}");
    }

    [Fact]
    public void Picture_has_every_module_and_every_need()
    {
        var picture = Modules.Picture();
        Assert.StartsWith("flowchart TB\n", picture);
        Assert.Contains("  gateway --> registry\n", picture);
        foreach (var module in Modules.Table) Assert.Contains($"    {module.Name}\n", picture);
    }

    private static ModuleSelection Select(ImmutableArray<ModuleDefinition> table, string names) =>
        Modules.Select(table, names.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Value;
}
