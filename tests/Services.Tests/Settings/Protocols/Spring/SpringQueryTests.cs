using Groundwork.Services.Settings.Protocols.Spring;
using Groundwork.Wire;

namespace Groundwork.Services.Tests.Settings.Protocols.Spring;

public sealed class SpringQueryTests
{
    [Fact]
    public void Files_of_a_profile_count_before_those_of_none_and_a_later_profile_before_an_earlier() => Assert.Equal(
        [
            "orders-eu", "application-eu", "orders-dev", "application-dev", "orders", "application",
        ],
        Read("orders", "dev,eu").Stems);

    [Fact]
    public void A_later_application_counts_before_an_earlier() => Assert.Equal(
        ["b-x", "a-x", "application-x", "b", "a", "application"], Read("a,b", "x").Stems);

    [Fact]
    public void What_everybody_has_is_looked_for_once() =>
        Assert.Equal(["application-x", "application"], Read("application", "x").Stems);

    [Theory]
    [InlineData("feature(_)x", "feature/x")]
    [InlineData("feature/x", "feature/x")]
    [InlineData("v1.2.3", "v1.2.3")]
    public void A_label_is_read(string written, string label) =>
        Assert.Equal(label, SpringQuery.Read("a", "b", written).Value.Label);

    [Theory]
    [InlineData("--upload-pack=touch /tmp/x")]
    [InlineData("-x")]
    [InlineData("../..")]
    [InlineData("a/../b")]
    [InlineData("..(_)..")]
    [InlineData("/etc")]
    [InlineData("a/")]
    [InlineData(".git")]
    [InlineData("a/.git")]
    [InlineData("a.lock")]
    [InlineData("a b")]
    [InlineData("a\nb")]
    [InlineData("HEAD~1")]
    [InlineData("HEAD^{/x}")]
    [InlineData("@{-1}")]
    [InlineData("@")]
    [InlineData("a:b")]
    [InlineData("a*")]
    [InlineData("")]
    public void What_is_no_label_is_refused(string label) =>
        Assert.Equal(ErrorCodes.BadRequest, SpringQuery.Read("a", "b", label).Fault?.Error);

    [Theory]
    [InlineData("", "default")]
    [InlineData("a", "")]
    [InlineData("a/b", "default")]
    [InlineData("..", "default")]
    [InlineData("a", "../x")]
    [InlineData("a", "x\\y")]
    [InlineData("a\0", "x")]
    public void What_is_no_name_is_refused(string application, string profiles) =>
        Assert.Equal(ErrorCodes.BadRequest, SpringQuery.Read(application, profiles, null).Fault?.Error);

    [Fact]
    public void More_profiles_than_are_allowed_are_refused()
    {
        var many = string.Join(',', Enumerable.Range(0, SpringQuery.MaxProfiles + 1).Select(at => $"p{at}"));
        Assert.Equal(ErrorCodes.BadRequest, SpringQuery.Read("a", many, null).Fault?.Error);
        Assert.True(SpringQuery.Read("a", many[..many.LastIndexOf(',')], null).Succeeded);
    }

    private static SpringQuery Read(string application, string profiles) =>
        SpringQuery.Read(application, profiles, null).Value;
}
