using System.Text;
using Groundwork.Services.KeyValue;

namespace Groundwork.Services.Tests.KeyValue;

public sealed class KeyRangeTests
{
    [Theory]
    [InlineData("app/", "app/", true)]
    [InlineData("app/", "app/a", true)]
    [InlineData("app/", "app0", false)]
    [InlineData("app/", "app", false)]
    [InlineData("", "anything", true)]
    [InlineData("ÿ", "ÿÿa", true)]
    public void Prefix_has_what_begins_with_it(string prefix, string key, bool has) =>
        Assert.Equal(has, KeyRange.Prefix(Bytes(prefix)).Contains(Bytes(key)));

    [Theory]
    [InlineData("app/", "app0", "app/*")] // A prefix, as clients write it.
    [InlineData("app/a", "app/c", "app/*")]
    [InlineData("a", "c", "*")]
    [InlineData("app", "apq", "app*")]
    public void Range_asks_for_the_grant_of_all_that_can_be_in_it(string from, string below, string name) =>
        Assert.Equal(name, KeyRange.Between(Bytes(from), Bytes(below)).ToGrantName());

    [Fact]
    public void Open_range_asks_for_everything_and_a_single_key_for_itself()
    {
        Assert.Equal("*", KeyRange.StartingAt(Bytes("app/")).ToGrantName());
        Assert.Equal("app/a", KeyRange.One(Bytes("app/a")).ToGrantName());
    }

    [Theory]
    [InlineData("a", "c", "b", "d", true)]
    [InlineData("a", "b", "b", "c", false)]
    [InlineData("b", "a", "a", "z", false)]
    public void Ranges_overlap_when_a_key_can_be_in_both(string a, string b, string c, string d, bool overlap)
    {
        var (one, other) = (KeyRange.Between(Bytes(a), Bytes(b)), KeyRange.Between(Bytes(c), Bytes(d)));
        Assert.Equal(overlap, one.Overlaps(other));
        Assert.Equal(overlap, other.Overlaps(one));
        Assert.Equal(one.IsEmpty, one.Overlaps(one) is false);
    }

    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);
}
