using Groundwork.Wire;

namespace Groundwork.Wire.Tests;

public sealed class NamesTests
{
    [Theory]
    [InlineData("default", true)]
    [InlineData("a-1", true)]
    [InlineData("", false)]
    [InlineData("Shop", false)]
    [InlineData("a_b", false)]
    [InlineData("_", false)]
    public void A_namespace_is_made_of_lower_case_letters_digits_and_hyphens(string text, bool expected) =>
        Assert.Equal(expected, Names.IsNamespace(text));

    [Theory]
    [InlineData("catalog/storefront", true)]
    [InlineData("Orders.v2:a@b_c-d", true)]
    [InlineData("", false)]
    [InlineData("/a", false)]
    [InlineData("a//b", false)]
    [InlineData("a/../b", false)]
    [InlineData("a b", false)]
    [InlineData("caf\u00e9", false)]
    public void A_name_is_segments_that_no_client_resolves_away(string text, bool expected) =>
        Assert.Equal(expected, Names.IsName(text));

    [Fact]
    public void Lengths_are_bounded()
    {
        Assert.True(Names.IsNamespace(new string('a', Names.MaxNamespaceLength)));
        Assert.False(Names.IsNamespace(new string('a', Names.MaxNamespaceLength + 1)));
        Assert.True(Names.IsSegment(new string('a', Names.MaxSegmentLength)));
        Assert.False(Names.IsSegment(new string('a', Names.MaxSegmentLength + 1)));
        var segments = string.Join('/', Enumerable.Repeat(new string('a', 100), 6));
        Assert.False(Names.IsName(segments));
    }

    [Fact]
    public void Every_error_code_is_unique_and_maps_to_an_error_status()
    {
        Assert.NotEmpty(ErrorCodes.ByCode);
        Assert.All(ErrorCodes.ByCode.Values, code => Assert.InRange(code.Status, 400, 599));
    }
}
