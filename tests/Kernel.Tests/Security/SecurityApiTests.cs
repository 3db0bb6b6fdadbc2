using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Serialization.Metadata;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Tests.Hosting;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Kernel.Tests.Security;

/// <summary>Over a real listener and a real Unix socket.</summary>
public sealed class SecurityApiTests : IAsyncLifetime
{
    private readonly TemporaryDirectory directory = new();
    private readonly HttpClient client = new();
    private OpenSecurity node = null!; // Opened before each test.
    private Listeners listeners = null!; // As above.
    private HttpClient local = null!; // As above.

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
        var hints = new Dictionary<string, string> { ["database"] = "postgres://db.example" };
        listeners.Map("api", new SecurityApi(node.Security, node.Changes, node.Time, hints).Map);
        listeners.Map("api", new AuditApi(node.Security).Map);
        listeners.Map("api", new AccessApi(node.Authorizer, node.Time).MapWhoAmI);
        await listeners.StartAsync(CancellationToken.None);
        local = UnixSocketClient.Over(socket);
    }

    public async ValueTask DisposeAsync()
    {
        local.Dispose();
        client.Dispose();
        await listeners.DisposeAsync();
        await node.DisposeAsync();
        directory.Dispose();
    }

    [Fact]
    public async Task Operator_signs_in_asks_who_that_is_renews_and_signs_out()
    {
        var first = await SignInAsync();
        Assert.Equal(900, first.ExpiresInSeconds);
        var me = await ReadAsync(await SendAsync(HttpMethod.Get, "whoami", first.AccessToken), WireJson.Strict.WhoAmI);
        Assert.Equal(("operator:admin", "administrator"), (me.Principal, Assert.Single(me.Roles)));

        var second = await ReadAsync(
            await PostAsync("sign-in/refresh", new RefreshRequest(first.RefreshToken)), WireJson.Strict.SignInAnswer);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(HttpMethod.Get, "whoami", second.AccessToken)).StatusCode);
        Assert.Equal(
            HttpStatusCode.NoContent, (await SendAsync(HttpMethod.Post, "sign-out", second.AccessToken)).StatusCode);
        await RefusedAsync(await SendAsync(HttpMethod.Get, "whoami", second.AccessToken), "unauthenticated");
        await RefusedAsync(
            await PostAsync("sign-in/refresh", new RefreshRequest(second.RefreshToken)), "unauthenticated");
    }

    [Fact]
    public async Task Secrets_of_an_answer_are_not_kept_on_the_way()
    {
        var answer = await PostAsync("sign-in", new SignInRequest("admin", OpenSecurity.AdminPassword));
        Assert.Equal("no-store", answer.Headers.CacheControl?.ToString());
    }

    [Fact]
    public async Task Wrong_password_is_refused_and_says_nothing_more()
    {
        await RefusedAsync(await PostAsync("sign-in", new SignInRequest("admin", "wrong")), "sign_in_failed");
        await RefusedAsync(await PostAsync("sign-in", new SignInRequest("nobody", "wrong")), "sign_in_failed");
    }

    [Theory]
    [InlineData("sign-in", "", "unsupported_media_type", "text/plain")]
    [InlineData("sign-in", """{"operator":"admin"}""", "bad_request", "application/json")]
    [InlineData("sign-in", """{"operator":"admin","password":null}""", "bad_request", "application/json")]
    [InlineData("sign-in", """{"operator":"admin","password":"x","otp":"1"}""", "bad_request", "application/json")]
    [InlineData("sign-in/refresh", "null", "bad_request", "application/json")]
    [InlineData("sign-in/refresh", """{"refreshToken":"gwr_x"}""", "unauthenticated", "application/json")]
    public async Task Bad_body_is_refused(string path, string body, string code, string type) =>
        await RefusedAsync(await client.PostAsync(Url(path), new StringContent(body, Encoding.UTF8, type)), code);

    [Fact]
    public async Task Two_at_a_time_then_come_back()
    {
        var all = await Task.WhenAll(Enumerable.Range(0, 8).Select(number =>
            PostAsync("sign-in", new SignInRequest("admin", $"guess {number}"))));
        var busy = all.Where(answer => answer.StatusCode == HttpStatusCode.TooManyRequests).ToList();
        Assert.NotEmpty(busy);
        Assert.All(busy, answer => Assert.Equal(TimeSpan.FromSeconds(1), answer.Headers.RetryAfter?.Delta));
        await RefusedAsync(busy[0], "too_many_sign_ins");
    }

    [Fact]
    public async Task Access_key_is_made_used_once_per_name_and_revoked()
    {
        var token = (await SignInAsync()).AccessToken;
        var request = new AccessKeyRequest("shop/orders", [BuiltInRoles.Reader], "for the orders service", 3600);
        var answer = await PostAsync("access-keys", request, token);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        var key = await ReadAsync(answer, WireJson.Strict.AccessKeyAnswer);
        Assert.StartsWith("gw_", key.Secret, StringComparison.Ordinal);
        Assert.Equal(node.Time.GetUtcNow() + TimeSpan.FromHours(1), key.ExpiresAt);
        var me = await ReadAsync(await SendAsync(HttpMethod.Get, "whoami", key.Secret), WireJson.Strict.WhoAmI);
        Assert.Equal("key:shop/orders", me.Principal);
        await RefusedAsync(await PostAsync("access-keys", request, token), "revision_conflict");
        await RefusedAsync(await SendAsync(HttpMethod.Post, "sign-out", key.Secret), "bad_request");
        Assert.DoesNotContain(
            key.Secret, Encoding.UTF8.GetString(node.Changes.Snapshots.Current.Find(
                "access-key", "", "shop/orders")!.Spec.Span), StringComparison.Ordinal);
        await node.MustCommitAsync(OpenSecurity.Admin, OpenSecurity.Delete("access-key", "shop/orders"));
        await RefusedAsync(await SendAsync(HttpMethod.Get, "whoami", key.Secret), "unauthenticated");
    }

    [Fact]
    public async Task Access_key_with_more_than_its_maker_holds_is_refused()
    {
        await node.MustCommitAsync(
            OpenSecurity.Admin,
            OpenSecurity.Role("keys", new Grant(["write"], ["access-key"])),
            node.Operator("bob", ["keys"]));
        var token = (await SignInAsync("bob")).AccessToken;
        await RefusedAsync(
            await PostAsync("access-keys", new AccessKeyRequest("k", [BuiltInRoles.Administrator]), token),
            "privilege_not_held");
        await RefusedAsync(
            await PostAsync("access-keys", new AccessKeyRequest("k", [], null, 0), token), "bad_request");
        await RefusedAsync(
            await PostAsync("access-keys", new AccessKeyRequest("k", ["none"]), token), "resource_invalid");
        await RefusedAsync(await PostAsync("access-keys", new AccessKeyRequest("a b", []), token), "name_invalid");
    }

    [Fact]
    public async Task Operators_see_and_end_their_own_sign_ins_and_administrators_everybodys()
    {
        await node.MustCommitAsync(OpenSecurity.Admin, node.Operator("bob", [BuiltInRoles.Reader]));
        var (admin, bob) = ((await SignInAsync()).AccessToken, (await SignInAsync("bob")).AccessToken);
        var own = await ReadAsync(await SendAsync(HttpMethod.Get, "sign-ins", bob), WireJson.Strict.SignInList);
        Assert.Equal("bob", Assert.Single(own.Items).Operator);
        await RefusedAsync(await SendAsync(HttpMethod.Get, "sign-ins?operator=admin", bob), "forbidden");
        var others = await ReadAsync(
            await SendAsync(HttpMethod.Get, "sign-ins?operator=admin", admin), WireJson.Strict.SignInList);
        await RefusedAsync(await SendAsync(HttpMethod.Delete, $"sign-ins/{others.Items[0].Id}", bob), "forbidden");
        Assert.Equal(HttpStatusCode.NoContent,
            (await SendAsync(HttpMethod.Delete, $"sign-ins/{own.Items[0].Id}", admin)).StatusCode);
        await RefusedAsync(await SendAsync(HttpMethod.Get, "whoami", bob), "unauthenticated");
        await RefusedAsync(await SendAsync(HttpMethod.Delete, $"sign-ins/{own.Items[0].Id}", admin), "not_found");
    }

    [Fact]
    public async Task Audit_trail_is_paged_filtered_and_for_those_who_may()
    {
        var token = (await SignInAsync()).AccessToken;
        for (var number = 0; number < 5; number++)
            node.Security.Audit.Append(new AuditEvent("key:k", "key-use", $"t{number}", AuditLog.Ok));
        await node.AuditAsync();
        var first = await ReadAsync(
            await SendAsync(HttpMethod.Get, "audit?action=key-use&limit=3", token), WireJson.Strict.AuditList);
        Assert.Equal(["t4", "t3", "t2"], first.Items.Select(entry => entry.Target));
        var second = await ReadAsync(
            await SendAsync(HttpMethod.Get, $"audit?action=key-use&limit=3&page={first.NextPage}", token),
            WireJson.Strict.AuditList);
        Assert.Equal(["t1", "t0"], second.Items.Select(entry => entry.Target));
        Assert.Null(second.NextPage);
        await RefusedAsync(await SendAsync(HttpMethod.Get, "audit?page=x", token), "bad_page_token");
        await RefusedAsync(await SendAsync(HttpMethod.Get, "audit?limit=1001", token), "bad_request");

        await node.MustCommitAsync(OpenSecurity.Admin, node.Operator("bob", [BuiltInRoles.Reader]));
        var bob = (await SignInAsync("bob")).AccessToken;
        await RefusedAsync(await SendAsync(HttpMethod.Get, "audit", bob), "forbidden");
        await RefusedAsync(await SendAsync(HttpMethod.Post, "audit/verify", bob), "forbidden");
        await RefusedAsync(await SendAsync(HttpMethod.Post, "working-keys/rotate", bob), "forbidden");
        Assert.Contains(await node.AuditAsync(), row =>
            row.Row is { Principal: "operator:bob", Action: "refused", Outcome: "forbidden" });
    }

    [Fact]
    public async Task Verification_is_answered_and_itself_in_the_trail()
    {
        var token = (await SignInAsync()).AccessToken;
        await node.AuditAsync();
        var verification = await ReadAsync(
            await SendAsync(HttpMethod.Post, "audit/verify", token), WireJson.Strict.AuditVerification);
        Assert.Empty(verification.Findings);
        Assert.True(verification.Intact);
        Assert.Contains(await node.AuditAsync(), row => row.Row is { Action: "audit-verify", Detail: "intact" });
    }

    [Fact]
    public async Task Owner_of_the_data_directory_is_administrator_over_the_socket_and_may_invite_a_node()
    {
        var me = await ReadAsync(await local.GetAsync("/groundwork/v1/whoami"), WireJson.Strict.WhoAmI);
        Assert.Equal([BuiltInRoles.Administrator], me.Roles);
        Assert.StartsWith("local:", me.Principal, StringComparison.Ordinal);
        var invitation = await ReadAsync(
            await local.PostAsync("/groundwork/v1/nodes/invitations", null), WireJson.Strict.NodeInvitationAnswer);
        var opened = NodeInvitation.Open(invitation.Bundle, invitation.Code, node.Time.GetUtcNow()).Value;
        Assert.Equal(node.Root.Export(), opened.Root.Export());
        Assert.Equal("postgres://db.example", opened.Hints["database"]);
        Assert.Contains(await node.AuditAsync(), row => row.Row.Action == "node-invite");
    }

    [Fact]
    public async Task Root_key_does_not_travel_over_the_network()
    {
        var token = (await SignInAsync()).AccessToken;
        await RefusedAsync(await SendAsync(HttpMethod.Post, "nodes/invitations", token), "forbidden");
    }

    [Fact]
    public async Task Nothing_answers_without_a_credential_but_the_sign_in()
    {
        foreach (var endpoint in listeners.Endpoints)
        {
            var path = endpoint.Pattern.Replace(
                "{signIn}", $"{Guid.CreateVersion7(node.Time.GetUtcNow())}", StringComparison.Ordinal);
            using var request =
                new HttpRequestMessage(new HttpMethod(endpoint.Method), new Uri(listeners.UrlOf("api"), path))
            {
                Content = JsonContent.Create(new { }),
            };
            var answer = await client.SendAsync(request);
            if (endpoint.Permission is EndpointPermission.Anyone) continue;
            Assert.True(answer.StatusCode == HttpStatusCode.Unauthorized, $"{endpoint} answers {answer.StatusCode}");
        }
    }

    private async Task<SignInAnswer> SignInAsync(string name = "admin") => await ReadAsync(
        await PostAsync("sign-in", new SignInRequest(name, OpenSecurity.AdminPassword)), WireJson.Strict.SignInAnswer);

    private Uri Url(string path) => new(listeners.UrlOf("api"), $"/groundwork/v1/{path}");

    private Task<HttpResponseMessage> PostAsync<T>(string path, T body, string? token = null) =>
        SendAsync(HttpMethod.Post, path, token,
            JsonContent.Create(body, (JsonTypeInfo<T>)WireJson.Strict.GetTypeInfo(typeof(T))!));

    private async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, string? token = null, HttpContent? body = null)
    {
        using var request = new HttpRequestMessage(method, Url(path)) { Content = body };
        if (token is not null) request.Headers.Authorization = new("Bearer", token);
        return await client.SendAsync(request);
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
