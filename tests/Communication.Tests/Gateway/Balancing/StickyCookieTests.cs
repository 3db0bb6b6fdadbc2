using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Balancing;

namespace Groundwork.Communication.Tests.Gateway.Balancing;

public sealed class StickyCookieTests
{
    private static readonly byte[] Key = [1, 2, 3];
    private static readonly StickySpec Spec =
        new("gw", 3_600, "example.com", "/shop", Secure: true, SameSite: "strict");

    [Fact]
    public void A_cookie_says_what_it_is_told_and_names_its_instance()
    {
        var cookie = new StickyCookie(Spec, "upstream default/a", Key);
        var written = cookie.Write(0x1234_5678_9ABC_DEF0, Routes.Noon);
        Assert.EndsWith(
            "; Path=/shop; Max-Age=3600; Domain=example.com; Secure; HttpOnly; SameSite=Strict", written,
            StringComparison.Ordinal);
        Assert.Equal(0x1234_5678_9ABC_DEF0UL, Read(cookie, written));
        Assert.Null(cookie.Read(new HeldFields(), Routes.Noon));
    }

    [Fact]
    public void One_that_is_forged_too_old_or_of_another_upstream_is_none()
    {
        var cookie = new StickyCookie(Spec, "upstream default/a", Key);
        var written = cookie.Write(7, Routes.Noon);
        var value = written[3..written.IndexOf(';')];
        for (var at = 0; at < value.Length; at++)
        {
            var forged = value[..at] + (value[at] == 'A' ? 'B' : 'A') + value[(at + 1)..];
            Assert.NotEqual(7UL, Read(cookie, $"gw={forged};"));
            if (at < value.Length - 1) Assert.Null(Read(cookie, $"gw={forged};"));
        }
        Assert.Null(Read(new StickyCookie(Spec, "upstream default/b", Key), written));
        Assert.Null(Read(new StickyCookie(Spec, "upstream default/a", [4]), written));
        Assert.Null(Read(cookie, written, Routes.Noon.AddMinutes(62)));
        Assert.Null(Read(cookie, "gw=;"));
        Assert.Null(Read(cookie, $"gw={value}A;"));
    }

    [Fact]
    public void One_without_an_age_is_for_the_session()
    {
        var cookie = new StickyCookie(new StickySpec("gw"), "upstream default/a", Key);
        var written = cookie.Write(7, Routes.Noon);
        Assert.EndsWith("; Path=/; HttpOnly; SameSite=Lax", written, StringComparison.Ordinal);
        Assert.Equal(7UL, Read(cookie, written, Routes.Noon.AddYears(1)));
    }

    private static ulong? Read(StickyCookie cookie, string written, DateTimeOffset? now = null) =>
        cookie.Read(new HeldFields().With("Cookie", "a=b; " + written[..written.IndexOf(';')]), now ?? Routes.Noon);
}
