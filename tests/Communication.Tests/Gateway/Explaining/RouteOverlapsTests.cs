using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Explaining;
using Groundwork.Communication.Gateway.Routing;

namespace Groundwork.Communication.Tests.Gateway.Explaining;

public sealed class RouteOverlapsTests
{
    [Theory]
    [InlineData("a.test /x", "a.test /y", null)]
    [InlineData("a.test /x", "b.test /x", null)]
    [InlineData("a.test /x GET", "a.test /x POST", null)]
    [InlineData("a.test /x/**", "a.test /x/y", "Before")]
    [InlineData("a.test /x/y", "a.test /x/**", "After")]
    [InlineData("a.test /x/**", "a.test /xy", null)]
    [InlineData("a.test /{id}", "a.test /x", "Before")]
    [InlineData("a.test /{id}", "a.test /x/y", null)]
    [InlineData("a.test /x/{id}", "a.test /{x}/y", "After")]
    [InlineData("a.test /x", "*.test /x", "After")]
    [InlineData("* /x", "*.test /**", "Before")]
    [InlineData("*.b.test /x", "*.test /x", "After")]
    [InlineData("a.test /x GET", "a.test /x", "After")]
    [InlineData("a.test /x if:a", "a.test /x", "After")]
    [InlineData("a.test /x if:a", "a.test /x if:b", "Even")]
    [InlineData("a.test /x if:a", "a.test /x if:b p:1", "Before")]
    [InlineData("a.test /x if:a", "a.test /x if:a p:1", "Covers")]
    [InlineData("a.test /x if:a p:1", "a.test /x if:a", "Covered")]
    [InlineData("a.test /x GET", "a.test /x GET,POST p:1", "Covers")]
    [InlineData("a.test /x GET,POST", "a.test /x GET p:1", "Before")]
    [InlineData("a.test /x", "a.test ~/.*", "After")]
    public void Two_routes_that_want_the_same_request_are_put_in_order(string one, string other, string? standing)
    {
        var found = RouteOverlaps.Of(Make("one", one), [Make("one", one), Make("two", other)]).ToList();
        Assert.Equal(standing, found.Count == 0 ? null : Assert.Single(found).Standing.ToString());
    }

    private static Route Make(string name, string text)
    {
        var words = text.Split(' ');
        var match = new MatchSpec([words[0]], words[1]);
        var priority = 0;
        foreach (var word in words[2..])
        {
            if (word.StartsWith("if:", StringComparison.Ordinal))
                match = match with { Headers = [new(word[3..], Present: true)] };
            else if (word.StartsWith("p:", StringComparison.Ordinal)) priority = word[2] - '0';
            else match = match with { Methods = word.Split(',') };
        }
        return Routes.Make(name, new RouteSpec(match, "service", Priority: priority));
    }
}
