using System.Net;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Kernel.Tests.Hosting;

public sealed class EndpointPermissionsTests
{
    [Theory]
    [InlineData(null, "/things/shop", 401, "unauthenticated")]
    [InlineData("wrong", "/things/shop", 401, "unauthenticated")]
    [InlineData("write", "/things/shop", 403, "forbidden")]
    [InlineData("read", "/things/other", 403, "forbidden")]
    [InlineData("read", "/things/shop", 200, null)]
    [InlineData(null, "/mine", 401, "unauthenticated")]
    [InlineData("write", "/mine", 200, null)]
    [InlineData(null, "/open", 200, null)]
    [InlineData("wrong", "/open", 200, null)]
    public async Task Call_is_decided_before_its_handler_and_refusals_are_audited(
        string? token, string path, int status, string? code)
    {
        await using var open = new OpenListeners();
        var handled = 0;
        open.Listeners.Map("api", endpoints =>
        {
            endpoints.MapGet("/things/{ns}", () => { handled++; }).Requires(
                Verb.Read, context => new ResourceKey("thing", (string)context.Request.RouteValues["ns"]!, "a"));
            endpoints.MapGet("/mine", (HttpContext context) => { handled++; })
                .RequiresPrincipal("answers only what is the caller's");
            endpoints.MapGet("/open", () => { handled++; }).AllowsAnyone("a test");
        });
        await open.Listeners.StartAsync(CancellationToken.None);

        using var answer = await open.SendAsync(path + "?secret=1", token: token);

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(code is null ? 1 : 0, handled);
        if (code is null)
        {
            Assert.Empty(open.Audit);
            return;
        }
        var refusal = Assert.Single(open.Audit);
        Assert.Equal(("refused", code), (refusal.Action, refusal.Outcome));
        Assert.Equal("127.0.0.1", refusal.Address);
        Assert.DoesNotContain("secret", refusal.ToString());
        Assert.Equal(status == 401 ? "Bearer" : "", answer.Headers.WwwAuthenticate.ToString());
    }

    [Fact]
    public async Task Handler_sees_who_calls()
    {
        await using var open = new OpenListeners();
        open.Listeners.Map("api", endpoints => endpoints
            .MapGet("/who", (HttpContext context) => context.Principal().Name)
            .RequiresPrincipal("answers who it is"));
        await open.Listeners.StartAsync(CancellationToken.None);
        using var answer = await open.SendAsync("/who", token: "read");
        Assert.Equal("read", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Endpoint_without_a_permission_stops_the_start_and_is_named()
    {
        await using var open = new OpenListeners();
        open.Listeners.Map("api", endpoints => endpoints.MapPut("/forgotten/{name}", () => "x"));
        var fault = await Assert.ThrowsAsync<InvalidOperationException>(
            () => open.Listeners.StartAsync(CancellationToken.None));
        Assert.Contains("api: PUT /forgotten/{name} has no permission", fault.Message);
        Assert.Empty(open.Listeners.AddressesOf("api"));
    }

    [Theory]
    [InlineData("/a/{x}", "/a/{y}", true)]
    [InlineData("/a/{**x}", "/A/{*y}", true)]
    [InlineData("/a/{x:int}", "/a/{y:int}", true)]
    [InlineData("/a/{x:int}", "/a/{y}", false)]
    [InlineData("/a/{x}", "/a/b", false)]
    [InlineData("/a/{x}", "/a/{**y}", false)]
    public async Task Two_owners_of_one_path_stop_the_start(string one, string other, bool same)
    {
        await using var open = new OpenListeners();
        open.Listeners.Map("api", endpoints =>
        {
            endpoints.MapGet(one, () => "1").AllowsAnyone("a test");
            endpoints.MapPost(other, () => "not the same method").AllowsAnyone("a test");
            endpoints.MapGet(other, () => "2").AllowsAnyone("a test");
        });
        if (same)
        {
            var fault = await Assert.ThrowsAsync<InvalidOperationException>(
                () => open.Listeners.StartAsync(CancellationToken.None));
            Assert.Contains("has two owners", fault.Message);
        }
        else
        {
            await open.Listeners.StartAsync(CancellationToken.None);
        }
    }

    [Fact]
    public async Task Every_operation_is_listed_with_its_permission()
    {
        await using var open = new OpenListeners();
        open.Listeners.Map("api", endpoints =>
        {
            endpoints.MapGet("/b", () => "").Requires(Verb.ReadSecret, _ => default);
            endpoints.MapMethods("/a", ["PUT", "DELETE"], () => "").RequiresPrincipal("checks itself");
        });
        Assert.Equal(
            ["api: DELETE /a", "api: PUT /a", "api: GET /b"], open.Listeners.Endpoints.Select(
                endpoint => endpoint.ToString()));
        Assert.Equal("read-secret", open.Listeners.Endpoints[2].Permission.ToString());
    }

    [Fact]
    public async Task A_listener_has_one_owner_when_that_takes_everything()
    {
        await using var open = new OpenListeners();
        open.Listeners.Map("api", endpoints => endpoints.MapGet("/a", () => "").AllowsAnyone("a test"));
        Assert.Throws<InvalidOperationException>(
            () => open.Listeners.Serve("api", _ => Task.FromResult(true), _ => Task.CompletedTask));
    }
}
