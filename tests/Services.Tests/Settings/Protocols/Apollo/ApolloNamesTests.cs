using System.Text.RegularExpressions;
using Groundwork.Services.Settings.Protocols.Apollo;
using Groundwork.Tests.Support;

namespace Groundwork.Services.Tests.Settings.Protocols.Apollo;

/// <summary>The page of names and its code say the same of settings, too.</summary>
public sealed partial class ApolloNamesTests
{
    [Fact]
    public async Task Each_row_of_the_page_is_what_the_code_looks_for()
    {
        var page = await File.ReadAllTextAsync(
            Path.Combine(GroundworkProcess.Repository, "docs", "protocols", "names.md"));
        var rows = Row().Matches(page);
        Assert.True(rows.Count >= 4, $"only {rows.Count} rows");
        foreach (Match row in rows)
        {
            var name = ApolloName.Of(
                row.Groups["app"].Value, row.Groups["cluster"].Value, null, row.Groups["namespace"].Value);
            Assert.NotNull(name);
            var ours = row.Groups["ours"].Value.Split('/');
            Assert.Equal(ours[0], ApolloNames.NamespaceOf(name.Clusters[0]));
            Assert.Contains(ours[1], name.Groups, StringComparer.OrdinalIgnoreCase);
            Assert.Contains(
                ApolloNews.KeyOf(ours[0], ours[1], ours[2]), name.WatchKeys.Select(one => one.Key),
                StringComparer.OrdinalIgnoreCase);
        }
    }

    [Theory]
    [InlineData("orders/x", "default", "application")]
    [InlineData("orders", "..", "application")]
    [InlineData("orders", "default", "")]
    [InlineData("orders", "default", "a b")]
    public void What_cannot_be_the_name_of_anything_is_none(string app, string cluster, string name) =>
        Assert.Null(ApolloName.Of(app, cluster, null, name));

    [GeneratedRegex(
        @"^\| `(?<ours>[^`/]+/[^`/]+/[^`/]+)` \| `(?<cluster>[^`]+)` \| `(?<app>[^`]+)` \| `(?<namespace>[^`]+)` \|$",
        RegexOptions.Multiline, 1000)]
    private static partial Regex Row();
}
