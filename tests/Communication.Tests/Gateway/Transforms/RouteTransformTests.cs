using System.Collections.Immutable;
using System.Text;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.Transforms;

namespace Groundwork.Communication.Tests.Gateway.Transforms;

public sealed class RouteTransformTests
{
    [Theory]
    [InlineData("/api/**", null, "/v2", null, "/api/x", "/v2/api/x")]
    [InlineData("/api/**", "/api", "/v2", null, "/api/x", "/v2/x")]
    [InlineData("/api/**", "/api", "/v2", null, "/api", "/v2")]
    [InlineData("/api/**", null, null, "/static/{rest}", "/api/a/b%20c", "/static/a/b%20c")]
    [InlineData("/api/**", null, null, "/static/{rest}", "/api", "/static/")]
    [InlineData("/**", null, null, "/all/{rest}", "/a/b", "/all/a/b")]
    [InlineData("/shops/{shop}/**", null, null, "/{rest}/of/{shop}", "/shops/eu/a/b", "/a/b/of/eu")]
    [InlineData("/orders/{id}/items/{item}", null, null, "/v2/{item}-{id}", "/orders/7/items/x%2Fy", "/v2/x%2Fy-7")]
    [InlineData("~/(?<folder>.+)/(?<name>[^/]+)", null, null, "/{name}/in/{folder}", "/a/b/c", "/c/in/a/b")]
    public void A_path_becomes_what_the_route_says(
        string pattern, string? strip, string? add, string? template, string path, string becomes)
    {
        var changed = Apply(
            pattern, new RequestChange(new PathChange(strip, add, template)), Routes.Request("GET", "a.test", path));
        Assert.Equal(becomes, Encoding.ASCII.GetString(changed.Path!)); // There is a change.
    }

    [Theory]
    [InlineData("a=1&b=2&a=3", "b", "b=2", "a=1&a=3&b=x%207%26/orders/7")]
    [InlineData("%62=2&c", "b", "b=2", "c&b=x%207%26/orders/7")]
    [InlineData("", "b", "b=2", "b=x%207%26/orders/7")]
    [InlineData("a=%zz+1&&c=", "b", "b", "a=%zz+1&c=&b=x%207%26/orders/7")]
    public void A_query_keeps_what_is_not_named(string query, string set, string remove, string becomes)
    {
        var change = new QueryChange(
            Set: Map((set, "x {id}&{path}")), Remove: [remove.Split('=')[0]]);
        var changed = Apply(
            "/orders/{id}", new RequestChange(Query: change), Routes.Request("GET", "a.test", "/orders/7", query));
        Assert.Equal(becomes, Encoding.ASCII.GetString(changed.Query!)); // There is a change.
    }

    [Fact]
    public void Fields_are_removed_renamed_set_and_added()
    {
        var fields = new HeldFields().With("X-Old", "1").With("X-Old", "2").With("X-Gone", "3").With("X-Kept", "4");
        var change = new FieldChange(
            Set: Map(("X-Order", "{id} of {host} for {client}")), Add: Map(("X-Kept", "5 {{id}")),
            Remove: ["x-gone"], Rename: Map(("X-OLD", "X-New")));
        var changed = Apply(
            "/orders/{id}", new RequestChange(Headers: change),
            Routes.Request("GET", "A.test:80", "/orders/7", fields: fields, client: "10.0.0.7"));

        Assert.Equal(
            ["X-New: 1", "X-New: 2", "X-Order: 7 of a.test for 10.0.0.7", "X-Kept: 5 {id}"],
            changed.RequestFields.Select(Show));
        Assert.True(changed.RemovesFromRequest("X-gone"u8));
        Assert.True(changed.RemovesFromRequest("x-Old"u8));
        Assert.True(changed.RemovesFromRequest("X-Order"u8)); // A client's own would stand beside it.
        Assert.False(changed.RemovesFromRequest("X-Kept"u8));
        Assert.False(changed.RemovesFromAnswer("X-gone"u8));
    }

    [Fact]
    public void Fields_of_an_answer_are_changed_too()
    {
        var spec = new RouteSpec(new MatchSpec(["*"], "/**"), "service", Response: new ResponseChange(new FieldChange(
            Set: Map(("X-Powered-By", "us")), Remove: ["Server"], Rename: Map(("X-Id", "X-Request-Id")))));
        var changed = Changed(spec, Routes.Request("GET", "a.test", "/"));
        Assert.Equal(["X-Powered-By: us"], changed.AnswerFields.Select(Show));
        Assert.True(changed.RemovesFromAnswer("server"u8));
        Assert.Equal("X-Request-Id", Encoding.ASCII.GetString(changed.NewNameInAnswer("x-id"u8)));
        Assert.True(changed.NewNameInAnswer("server"u8).IsEmpty);
    }

    [Theory]
    [InlineData("/old/**", "https://new.example.com/{rest}", true, "/old/a", "q=1", "https://new.example.com/a?q=1")]
    [InlineData("/old/**", "https://new.example.com/{rest}", false, "/old/a", "q=1", "https://new.example.com/a")]
    [InlineData("/old/**", "/new?from=old", true, "/old/a", "q=1", "/new?from=old&q=1")]
    [InlineData("/**", "https://{host}{path}", true, "/a/b", "", "https://a.test/a/b")]
    [InlineData("/item/{id}", "/items/{id}", true, "/item/%0A", "", "/items/%0A")]
    public void A_redirect_says_where_to(
        string pattern, string to, bool keepQuery, string path, string query, string location)
    {
        var spec = new RouteSpec(new MatchSpec(["*"], pattern), Redirect: new RedirectSpec(to, 308, keepQuery));
        var route = Routes.Make("r", spec);
        var view = Routes.Request("GET", "a.test", path, query);
        var match = RouteTable.Empty.With([], [route]).Match(view);
        var field = Assert.Single(route.OwnAnswer!.Fields(view, match.Parameters)); // It redirects.
        Assert.Equal($"Location: {location}", Show(field));
        Assert.Equal(308, route.OwnAnswer.Status);
    }

    [Fact]
    public void A_route_that_changes_nothing_has_nothing_to_apply() =>
        Assert.Null(Routes.Make("r", "/**", ["*"]).Transform);

    private static Transformed Apply(string pattern, RequestChange change, RequestView view) =>
        Changed(new RouteSpec(new MatchSpec(["*"], pattern), "service", Request: change), view);

    private static Transformed Changed(RouteSpec spec, RequestView view)
    {
        var route = Routes.Make("r", spec);
        var match = RouteTable.Empty.With([], [route]).Match(view);
        Assert.NotNull(match.Route);
        return route.Transform!.Apply(view, match.Parameters); // It has one.
    }

    private static ImmutableDictionary<string, string> Map(params (string Key, string Value)[] pairs) =>
        pairs.ToImmutableDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);

    private static string Show(WrittenField field) =>
        $"{Encoding.ASCII.GetString(field.Name)}: {Encoding.ASCII.GetString(field.Value)}";
}
