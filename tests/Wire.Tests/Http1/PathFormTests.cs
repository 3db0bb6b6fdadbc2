using System.Text;
using Groundwork.Wire.Http1;

namespace Groundwork.Wire.Tests.Http1;

public sealed class PathFormTests
{
    [Theory]
    [InlineData("/")]
    [InlineData("/a/b")]
    [InlineData("/a//b/")]
    [InlineData("/a;v=1/b")]
    [InlineData("/a%20b/%C3%A9")]
    [InlineData("/a%2Fb")]
    [InlineData("/.well-known/openid-configuration")]
    [InlineData("/a..b/...")]
    public void A_path_in_its_normal_form_stays(string path) => Assert.Equal(path, Normalize(path));

    [Theory]
    [InlineData("/a/./b", "/a/b")]
    [InlineData("/a/../b", "/b")]
    [InlineData("/a/b/..", "/a/")]
    [InlineData("/a/.", "/a/")]
    [InlineData("/a/%2e%2e/b", "/b")]
    [InlineData("/%61dmin", "/admin")]
    [InlineData("/a%2fb", "/a%2Fb")]
    [InlineData("/%7Euser", "/~user")]
    public void Other_spellings_become_the_normal_form(string path, string normal)
    {
        Assert.Equal(normal, Normalize(path));
        Assert.Equal(normal, Normalize(normal));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("*")]
    [InlineData("/..")]
    [InlineData("/a/../../b")]
    [InlineData("/%2e%2e/b")]
    [InlineData("/a\\b")]
    [InlineData("/a%5Cb")]
    [InlineData("/a%00")]
    [InlineData("/a%0d%0aX: y")]
    [InlineData("/a%7F")]
    [InlineData("/a%")]
    [InlineData("/a%4")]
    [InlineData("/a%zz")]
    [InlineData("/a%C0%AFb")]
    [InlineData("/a%E9")]
    [InlineData("/a%C3/%A9")]
    [InlineData("/a b")]
    [InlineData("/é")]
    [InlineData("/a/..;/admin")]
    [InlineData("/a/.;x=1/admin")]
    [InlineData("/a%2F..%2Fadmin")]
    [InlineData("/a/%2e%2e%2fadmin")]
    [InlineData("/a/..%3B/admin/..;")]
    [InlineData("/a/..%3b/admin")]
    [InlineData("/a/%2e%3Bx/admin")]
    public void A_path_that_can_be_read_in_two_ways_is_refused(string path) => Assert.Null(Normalize(path));

    [Fact]
    public void Normalizing_twice_changes_nothing()
    {
        var random = new Random(4711);
        string[] pieces = ["/", "a", ".", "..", "%2e", "%2F", "%41", ";x", "//", "%C3%A9", "~", "%7e", "/."];
        for (var round = 0; round < 20_000; round++)
        {
            var path = "/" + string.Concat(Enumerable.Range(0, random.Next(8))
                .Select(_ => pieces[random.Next(pieces.Length)]));
            if (Normalize(path) is not { } once) continue;
            Assert.Equal(once, Normalize(once));
            Assert.DoesNotContain("/../", once + "/", StringComparison.Ordinal);
            Assert.DoesNotContain("/./", once + "/", StringComparison.Ordinal);
        }
    }

    private static string? Normalize(string path)
    {
        var output = new byte[path.Length * 2];
        var length = PathForm.Normalize(Encoding.UTF8.GetBytes(path), output);
        return length < 0 ? null : Encoding.ASCII.GetString(output, 0, length);
    }
}
