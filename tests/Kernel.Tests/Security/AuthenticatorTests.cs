using System.Net;
using System.Text;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Kernel.Tests.Security;

public sealed class AuthenticatorTests : IAsyncLifetime
{
    private readonly TemporaryDirectory directory = new();
    private OpenSecurity node = null!; // Opened before each test.

    public async ValueTask InitializeAsync()
    {
        node = await OpenSecurity.OnAsync(directory);
        await node.MustCommitAsync(OpenSecurity.Admin, OpenSecurity.Role(
            BuiltInRoles.AnonymousLoopback, new Grant(["register", "renew", "discover"], ["instance"]),
            new Grant(["read"], ["setting"])));
    }

    public async ValueTask DisposeAsync()
    {
        await node.DisposeAsync();
        directory.Dispose();
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("LocalHost:7400")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:7400")]
    [InlineData("[::1]:7400")]
    public async Task Program_on_this_machine_has_the_role_for_it(string host) =>
        Assert.Equal([BuiltInRoles.AnonymousLoopback], (await AuthenticateAsync(Loopback(host: host))).Value.Roles);

    public static TheoryData<string, Action<HttpContext>> Objections() => new()
    {
        { "listener on every address", context => Bind(context, isLoopback: false) },
        { "no listener", context => context.Features.Set<ListenerBinding>(null) },
        { "caller elsewhere", context => context.Connection.RemoteIpAddress = IPAddress.Parse("10.0.0.7") },
        { "caller unknown", context => context.Connection.RemoteIpAddress = null },
        { "came in elsewhere", context => context.Connection.LocalIpAddress = IPAddress.Parse("10.0.0.7") },
        { "rebound name", context => context.Request.Headers.Host = "evil.example" },
        { "name that begins alike", context => context.Request.Headers.Host = "localhost.evil.example:7400" },
        { "another loopback address", context => context.Request.Headers.Host = "127.0.0.2:7400" },
        { "number for an address", context => context.Request.Headers.Host = "2130706433:7400" },
        { "two hosts", context => context.Request.Headers.Host = new(["localhost", "localhost"]) },
        { "no host", context => context.Request.Headers.Remove("Host") },
        { "web page", context => context.Request.Headers.Origin = "http://evil.example" },
        { "sandboxed web page", context => context.Request.Headers.Origin = "null" },
        { "our own origin", context => context.Request.Headers.Origin = "http://localhost:7400" },
        { "cross-site image", context => context.Request.Headers["Sec-Fetch-Site"] = "cross-site" },
        { "same-site page of another port", context => context.Request.Headers["Sec-Fetch-Site"] = "same-site" },
        { "two answers", context => context.Request.Headers["Sec-Fetch-Site"] = new(["none", "cross-site"]) },
        { "proxy", context => context.Request.Headers["Forwarded"] = "for=10.0.0.7" },
        { "proxy with X-Forwarded-For", context => context.Request.Headers["X-Forwarded-For"] = "10.0.0.7" },
        { "proxy with X-Forwarded-Proto", context => context.Request.Headers["x-forwarded-proto"] = "https" },
        { "proxy with an empty header", context => context.Request.Headers["X-Forwarded-Host"] = "" },
        { "proxy with Via", context => context.Request.Headers["Via"] = "1.1 squid" },
        { "proxy with X-Real-IP", context => context.Request.Headers["X-Real-IP"] = "10.0.0.7" },
    };

    [Theory]
    [MemberData(nameof(Objections))]
    public async Task Each_objection_alone_takes_the_role_away(string what, Action<HttpContext> spoil)
    {
        var context = Loopback();
        Assert.NotEmpty((await AuthenticateAsync(context)).Value.Roles);
        spoil(context);
        var principal = (await AuthenticateAsync(context)).Value;
        Assert.True(principal.Roles.IsEmpty, what);
        Assert.Equal("anonymous", principal.Name);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("same-origin")]
    public async Task Address_typed_into_a_browser_is_no_objection(string site)
    {
        var context = Loopback();
        context.Request.Headers["Sec-Fetch-Site"] = site;
        Assert.NotEmpty((await AuthenticateAsync(context)).Value.Roles);
    }

    [Fact]
    public async Task Without_the_role_resource_nobody_on_loopback_holds_anything()
    {
        await node.MustCommitAsync(OpenSecurity.Admin, OpenSecurity.Delete("role", BuiltInRoles.AnonymousLoopback));
        Assert.Same(Principal.Anonymous, (await AuthenticateAsync(Loopback())).Value);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public async Task Root_and_the_owner_of_the_data_directory_are_administrators_on_the_socket(int userId)
    {
        if (userId < 0) userId = Posix.OwnerOf(directory.Path);
        var principal = (await AuthenticateAsync(Socket(userId))).Value;
        Assert.Equal($"local:{userId}", principal.Name);
        Assert.Equal([BuiltInRoles.Administrator], principal.Roles);
    }

    [Fact]
    public async Task Any_other_user_of_the_socket_is_refused_but_may_send_a_credential()
    {
        var stranger = Posix.OwnerOf(directory.Path) + 4_242;
        Assert.Equal(ErrorCodes.Forbidden, (await AuthenticateAsync(Socket(stranger))).Fault?.Error);
        var context = Socket(null);
        Assert.Equal(ErrorCodes.Unauthenticated, (await AuthenticateAsync(context)).Fault?.Error);
        context = Socket(stranger);
        context.Request.Headers.Authorization = $"Bearer {await MintAsync()}";
        Assert.Equal("key:k", (await AuthenticateAsync(context)).Value.Name);
    }

    [Fact]
    public async Task Access_key_is_its_principal_with_its_roles_and_own_grants()
    {
        var (secret, hash) = AccessKeys.Mint();
        await node.MustCommitAsync(OpenSecurity.Admin, Groundwork.Kernel.Resources.Change.Put(
            SecurityKinds.AccessKey, "", "shop/orders",
            new AccessKeySpec(hash, [BuiltInRoles.Reader], [new Grant(["register"], ["instance"], ["shop"])])));
        var principal = (await AuthenticateAsync(WithHeader($"Bearer {secret}"))).Value;
        Assert.Equal("key:shop/orders", principal.Name);
        Assert.True(node.Authorizer.Allows(principal, Verb.Register, new("instance", "shop", "default/orders/1")));
        Assert.False(node.Authorizer.Allows(principal, Verb.Register, new("instance", "other", "default/orders/1")));
        Assert.True(node.Authorizer.Allows(principal, Verb.Read, new("toy", "other", "x")));
    }

    [Fact]
    public async Task Access_key_is_refused_when_it_has_expired_and_when_it_is_deleted()
    {
        var (secret, hash) = AccessKeys.Mint();
        await node.MustCommitAsync(
            OpenSecurity.Admin, OpenSecurity.Key("k", hash, [], node.Time.GetUtcNow() + TimeSpan.FromHours(1)));
        var principal = (await AuthenticateAsync(WithHeader($"Bearer {secret}"))).Value;
        node.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(
            ErrorCodes.AccessKeyExpired, (await AuthenticateAsync(WithHeader($"Bearer {secret}"))).Fault?.Error);
        Assert.Null(node.Authorizer.Refresh(principal, node.Time.GetUtcNow()));
        await node.MustCommitAsync(OpenSecurity.Admin, OpenSecurity.Delete("access-key", "k"));
        Assert.Equal(
            ErrorCodes.Unauthenticated, (await AuthenticateAsync(WithHeader($"Bearer {secret}"))).Fault?.Error);
    }

    [Fact]
    public async Task Replaced_hash_refuses_the_old_key()
    {
        var old = await MintAsync();
        var (secret, hash) = AccessKeys.Mint();
        await node.MustCommitAsync(OpenSecurity.Admin, OpenSecurity.Key("k", hash, []));
        Assert.False((await AuthenticateAsync(WithHeader($"Bearer {old}"))).Succeeded);
        Assert.True((await AuthenticateAsync(WithHeader($"Bearer {secret}"))).Succeeded);
    }

    [Theory]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData("Bearer gw_short")]
    [InlineData("Bearer gw_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("Bearer gws_AAAA")]
    [InlineData("Bearer gws_!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!")]
    [InlineData("Basic")]
    [InlineData("Basic !!!")]
    [InlineData("Basic bm9jb2xvbg==")]
    [InlineData("Basic //79Ov8=")]
    [InlineData("Digest username=admin")]
    [InlineData("gw_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task Wrong_credential_is_refused_even_where_none_is_needed(string header)
    {
        var context = Loopback();
        context.Request.Headers.Authorization = header;
        Assert.Equal(ErrorCodes.Unauthenticated, (await AuthenticateAsync(context)).Fault?.Error);
        var socket = Socket(0);
        socket.Request.Headers.Authorization = header;
        Assert.Equal(ErrorCodes.Unauthenticated, (await AuthenticateAsync(socket)).Fault?.Error);
    }

    [Fact]
    public async Task Two_credentials_or_one_that_is_too_long_are_refused()
    {
        var secret = await MintAsync();
        var context = WithHeader("");
        context.Request.Headers.Authorization = new([$"Bearer {secret}", $"Bearer {secret}"]);
        Assert.False((await AuthenticateAsync(context)).Succeeded);
        Assert.False(
            (await AuthenticateAsync(WithHeader("Basic " + new string('A', Authenticator.MaxHeaderLength)))).Succeeded);
    }

    [Fact]
    public async Task Name_and_password_are_taken_as_Basic_and_so_is_an_access_key()
    {
        Assert.Equal(
            "operator:admin", (await AuthenticateAsync(Basic("admin", OpenSecurity.AdminPassword))).Value.Name);
        Assert.Equal(ErrorCodes.SignInFailed, (await AuthenticateAsync(Basic("admin", "wrong"))).Fault?.Error);
        Assert.Equal("key:k", (await AuthenticateAsync(Basic("whoever", await MintAsync()))).Value.Name);
    }

    [Fact]
    public async Task Sign_in_token_is_taken_as_Bearer()
    {
        var answer =
            (await node.Security.SignIns.SignInAsync("admin", OpenSecurity.AdminPassword, null, default)).Value;
        Assert.Equal(
            "operator:admin", (await AuthenticateAsync(WithHeader($"bearer {answer.AccessToken}"))).Value.Name);
    }

    [Fact]
    public async Task First_use_of_a_key_from_an_address_is_audited_and_the_second_is_not()
    {
        var secret = await MintAsync();
        foreach (var address in new[] { "10.0.0.1", "10.0.0.1", "::ffff:10.0.0.1", "10.0.0.2" })
        {
            var context = WithHeader($"Bearer {secret}");
            context.Connection.RemoteIpAddress = IPAddress.Parse(address);
            Assert.True((await AuthenticateAsync(context)).Succeeded);
        }
        var uses = (await node.AuditAsync()).Where(row => row.Row.Action == "key-use").ToList();
        Assert.Equal(["10.0.0.1", "10.0.0.2"], uses.Select(row => row.Row.Address));
        Assert.All(uses, row => Assert.DoesNotContain(secret, row.Row.ToString(), StringComparison.Ordinal));
    }

    private ValueTask<Outcome<Principal>> AuthenticateAsync(HttpContext context) =>
        node.Security.Authenticator.AuthenticateAsync(context);

    private async Task<string> MintAsync()
    {
        var (secret, hash) = AccessKeys.Mint();
        await node.MustCommitAsync(OpenSecurity.Admin, OpenSecurity.Key("k", hash, []));
        return secret;
    }

    private static DefaultHttpContext Loopback(string host = "localhost:7400")
    {
        var context = new DefaultHttpContext();
        Bind(context, isLoopback: true);
        context.Connection.RemoteIpAddress = IPAddress.Loopback;
        context.Connection.LocalIpAddress = IPAddress.Loopback;
        context.Request.Headers.Host = host;
        return context;
    }

    private static void Bind(HttpContext context, bool isLoopback) =>
        context.Features.Set(new ListenerBinding("api", isLoopback, IsUnixSocket: false));

    private static DefaultHttpContext Socket(int? userId)
    {
        var context = new DefaultHttpContext();
        context.Features.Set(new ListenerBinding("api", IsLoopback: true, IsUnixSocket: true));
        if (userId is { } id) context.Features.Set(new LocalPeer(1, id));
        return context;
    }

    private static DefaultHttpContext WithHeader(string header)
    {
        var context = new DefaultHttpContext();
        context.Features.Set(new ListenerBinding("api", IsLoopback: false, IsUnixSocket: false));
        context.Connection.RemoteIpAddress = IPAddress.Parse("10.0.0.1");
        context.Request.Headers.Authorization = header;
        return context;
    }

    private static DefaultHttpContext Basic(string name, string password) =>
        WithHeader("Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{name}:{password}")));
}
