using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Serialization.Metadata;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Tests.Hosting;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Kernel.Tests.Security;

/// <summary>What a browser sends and gets, over a real listener; the jar of cookies is the client library's.</summary>
public sealed class BrowserSignInTests : IAsyncLifetime
{
    private const string Root = "/groundwork/v1/sign-in";

    private readonly TemporaryDirectory directory = new();
    private readonly CookieContainer jar = new();
    private OpenSecurity node = null!; // Opened before each test.
    private Listeners listeners = null!; // As above.
    private HttpClient local = null!; // As above.
    private HttpClient browser = null!; // As above.

    public async ValueTask InitializeAsync()
    {
        node = await OpenSecurity.OnAsync(directory);
        var socket = directory.Combine("api.sock");
        listeners = new Listeners(
            [OpenListeners.Api],
            new ListenersOptions { ApiSocket = socket },
            new RequestGuards(
                node.Security.Authenticator.AuthenticateAsync, node.Authorizer.Authorize, node.Security.Audit.Append,
                () => node.Changes.Snapshots.Current.Revision),
            TimeProvider.System,
            NullLoggerFactory.Instance);
        listeners.Map("api", new BrowserSignInApi(node.Security, node.Changes.Snapshots.Current.StoreId).Map);
        listeners.Map("api", new AccessApi(node.Authorizer, node.Time).MapWhoAmI);
        await listeners.StartAsync(CancellationToken.None);
        local = UnixSocketClient.Over(socket);
        browser = new HttpClient(new HttpClientHandler { CookieContainer = jar });
    }

    public async ValueTask DisposeAsync()
    {
        local.Dispose();
        browser.Dispose();
        await listeners.DisposeAsync();
        await node.DisposeAsync();
        directory.Dispose();
    }

    [Fact]
    public async Task Link_made_on_the_node_signs_in_once()
    {
        var link = await LinkAsync("admin");
        var first = await ReadAsync(await SignInAsync(link.Secret), WireJson.Strict.BrowserSignInAnswer);
        Assert.Equal("operator:admin", first.Principal);
        Assert.Equal(HttpStatusCode.OK, (await WhoAmIAsync(first.AccessToken)).StatusCode);
        await RefusedAsync(await SignInAsync(link.Secret), "sign_in_link_invalid");
    }

    [Fact]
    public async Task Link_opens_nothing_after_ten_minutes_nor_when_it_is_made_up()
    {
        var link = await LinkAsync("admin");
        node.Time.Advance(SignInLinks.ValidFor);
        await RefusedAsync(await SignInAsync(link.Secret), "sign_in_link_invalid");
        await RefusedAsync(await SignInAsync("gwl_" + new string('A', 43)), "sign_in_link_invalid");
        await RefusedAsync(await SignInAsync("x"), "sign_in_link_invalid");
    }

    [Fact]
    public async Task Link_of_an_operator_who_was_disabled_meanwhile_opens_nothing()
    {
        await node.MustCommitAsync(OpenSecurity.Admin, node.Operator("carol", [BuiltInRoles.Reader]));
        var link = await LinkAsync("carol");
        await node.MustCommitAsync(
            OpenSecurity.Admin, Change.Delete(new ResourceKey(SecurityKinds.Operator.Name, "", "carol")));
        await RefusedAsync(await SignInAsync(link.Secret), "sign_in_link_invalid");
    }

    [Fact]
    public async Task Operator_makes_a_link_for_itself_and_for_nobody_else()
    {
        var signedIn = await PasswordAsync();
        var own = await ReadAsync(
            await PostAsync("links", new SignInLinkRequest(), signedIn.AccessToken), WireJson.Strict.SignInLinkAnswer);
        Assert.Equal("admin", own.Operator);
        await node.MustCommitAsync(OpenSecurity.Admin, node.Operator("carol", [BuiltInRoles.Reader]));
        await RefusedAsync(
            await PostAsync("links", new SignInLinkRequest("carol"), signedIn.AccessToken), "forbidden");
    }

    [Fact]
    public async Task Refresh_token_is_in_a_cookie_that_only_these_endpoints_get()
    {
        using var answer = await PostAsync(
            "browser", new BrowserSignInRequest(Operator: "admin", Password: OpenSecurity.AdminPassword));
        var cookie = Assert.Single(answer.Headers.GetValues("Set-Cookie"));
        foreach (var part in new[] { "httponly", "samesite=strict", $"path={Root}/browser", "max-age=2592000" })
            Assert.Contains(part, cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("no-store", answer.Headers.CacheControl?.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(
            SignInTokens.RefreshPrefix, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Renewal_replaces_both_tokens_and_a_copied_cookie_ends_the_sign_in()
    {
        var first = await PasswordAsync();
        var copied = Assert.Single(jar.GetAllCookies().Select(cookie => (cookie.Name, cookie.Value)));
        var second = await ReadAsync(await PostAsync("browser/refresh"), WireJson.Strict.BrowserSignInAnswer);
        Assert.NotEqual(first.AccessToken, second.AccessToken);
        Assert.Equal(HttpStatusCode.OK, (await WhoAmIAsync(second.AccessToken)).StatusCode);

        jar.Add(listeners.UrlOf("api"), new Cookie(copied.Name, copied.Value, $"{Root}/browser"));
        await RefusedAsync(await PostAsync("browser/refresh"), "unauthenticated");
        Assert.Equal(HttpStatusCode.Unauthorized, (await WhoAmIAsync(second.AccessToken)).StatusCode);
        Assert.Empty(jar.GetAllCookies());
    }

    [Fact]
    public async Task Sign_out_ends_the_sign_in_and_takes_the_cookie_back()
    {
        var signedIn = await PasswordAsync();
        Assert.Equal(HttpStatusCode.NoContent, (await PostAsync("browser/sign-out")).StatusCode);
        Assert.Empty(jar.GetAllCookies());
        Assert.Equal(HttpStatusCode.Unauthorized, (await WhoAmIAsync(signedIn.AccessToken)).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await PostAsync("browser/sign-out")).StatusCode);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("null")]
    [InlineData("http://evil.example")]
    [InlineData("http://127.0.0.1:1")]
    [InlineData("http://localhost")]
    public async Task Page_of_another_origin_signs_nobody_in_and_renews_nothing(string? origin)
    {
        await PasswordAsync();
        foreach (var path in new[] { "browser", "browser/refresh", "browser/sign-out" })
        {
            await RefusedAsync(await PostAsync(
                path, new BrowserSignInRequest(Operator: "admin", Password: OpenSecurity.AdminPassword), null, origin),
                "origin_not_allowed");
        }
        await ReadAsync(await PostAsync("browser/refresh"), WireJson.Strict.BrowserSignInAnswer);
    }

    [Fact]
    public async Task Half_a_request_is_told_what_is_missing()
    {
        await RefusedAsync(await PostAsync("browser", new BrowserSignInRequest(Operator: "admin")), "bad_request");
        await RefusedAsync(
            await PostAsync("browser", new BrowserSignInRequest("gwl_x", "admin", "x")), "bad_request");
        await RefusedAsync(await PostAsync("browser/refresh"), "unauthenticated");
    }

    private async Task<SignInLinkAnswer> LinkAsync(string person) => await ReadAsync(
        await local.PostAsJsonAsync($"{Root}/links", new SignInLinkRequest(person), WireJson.Strict.SignInLinkRequest),
        WireJson.Strict.SignInLinkAnswer);

    private Task<HttpResponseMessage> SignInAsync(string link) => PostAsync("browser", new BrowserSignInRequest(link));

    private async Task<BrowserSignInAnswer> PasswordAsync() => await ReadAsync(
        await PostAsync("browser", new BrowserSignInRequest(Operator: "admin", Password: OpenSecurity.AdminPassword)),
        WireJson.Strict.BrowserSignInAnswer);

    private async Task<HttpResponseMessage> WhoAmIAsync(string token)
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Get, new Uri(listeners.UrlOf("api"), "/groundwork/v1/whoami"));
        request.Headers.Authorization = new("Bearer", token);
        return await browser.SendAsync(request);
    }

    private Task<HttpResponseMessage> PostAsync(string path) => PostAsync<BrowserSignInRequest>(path, null, null);

    private Task<HttpResponseMessage> PostAsync<T>(string path, T? body, string? token = null)
        where T : class => PostAsync(path, body, token, listeners.UrlOf("api").GetLeftPart(UriPartial.Authority));

    private async Task<HttpResponseMessage> PostAsync<T>(string path, T? body, string? token, string? origin)
        where T : class
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Post, new Uri(listeners.UrlOf("api"), $"{Root}/{path}"));
        if (body is not null)
            request.Content = JsonContent.Create(body, (JsonTypeInfo<T>)WireJson.Strict.GetTypeInfo(typeof(T))!);
        if (origin is not null) request.Headers.Add("Origin", origin);
        if (token is not null) request.Headers.Authorization = new("Bearer", token);
        return await browser.SendAsync(request);
    }

    private static async Task<T> ReadAsync<T>(HttpResponseMessage answer, JsonTypeInfo<T> json)
    {
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return (await answer.Content.ReadFromJsonAsync(json))!;
    }

    private static async Task RefusedAsync(HttpResponseMessage answer, string code)
    {
        var problem = await answer.Content.ReadFromJsonAsync(WireJson.Strict.ProblemDocument);
        Assert.Equal(code, problem?.Code);
        Assert.Equal(ErrorCodes.ByCode[code].Status, (int)answer.StatusCode);
    }
}
