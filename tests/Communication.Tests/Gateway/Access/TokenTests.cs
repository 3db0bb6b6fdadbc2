using System.Net;
using System.Security.Cryptography;
using System.Text;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Access;
using Groundwork.Kernel.Hosting.Metering;
using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Access;

/// <summary>Tokens at a real listener: which pass, which do not, and what the service is told.</summary>
public sealed class TokenTests
{
    private static readonly AccessSpec Access = new(Token: new(["main"]));

    /// <summary>Attacks and mistakes; each would pass where a check was missing.</summary>
    public static TheoryData<string, string> Bad { get; } = new()
    {
        { "unsecured", "The token is malformed." },
        { "unsecured with a signature", "The algorithm of the token is not taken." },
        { "algorithm in other letters", "The algorithm of the token is not taken." },
        { "public key as a secret", "The algorithm of the token is not taken." },
        { "signed by another key", "The signature of the token is wrong." },
        { "kid of a key of another algorithm", "The signature of the token is wrong." },
        { "kid that nobody has", "The key that signed the token is not known." },
        { "kid that is a path", "The key that signed the token is not known." },
        { "key inside the token", "The signature of the token is wrong." },
        { "signature in DER", "The signature of the token is wrong." },
        { "signature of zeros", "The signature of the token is wrong." },
        { "signature cut", "The signature of the token is wrong." },
        { "claims changed", "The signature of the token is wrong." },
        { "critical extension", "The token is malformed." },
        { "unencoded payload", "The token is malformed." },
        { "encrypted", "The token is malformed." },
        { "claim twice", "The token is malformed." },
        { "other last letter", "The token is malformed." },
        { "padding", "The token is malformed." },
        { "four parts", "The token is malformed." },
        { "claims that are a list", "The token is malformed." },
        { "deep claims", "The token is malformed." },
        { "too large", "The token is malformed." },
        { "for logging out", "The token is of another type." },
        { "of somebody else", "The issuer of the token is not believed." },
        { "of nobody", "The issuer of the token is not believed." },
        { "for somebody else", "The token is for somebody else." },
        { "for nobody", "The token is for somebody else." },
        { "for a number", "The token is for somebody else." },
        { "expired", "The token has expired." },
        { "not yet", "The token does not hold yet." },
        { "without end", "The token does not say when it expires." },
        { "end as text", "The token is malformed." },
        { "end beyond all dates", "The token is malformed." },
        { "end beyond all numbers", "The token is malformed." },
        { "end before all time", "The token is malformed." },
    };

    [Theory]
    [InlineData("RS256")]
    [InlineData("PS256")]
    [InlineData("ES256")]
    public async Task A_right_token_passes_and_says_who_calls(string algorithm)
    {
        await using var instance = await EchoAsync();
        await using var edge = await TestEdge.StartAsync();
        edge.Instances(instance.Address).RouteWith(Access).Put(TokenIssuerKind.Kind, "main", TestTokens.Spec);
        var token = algorithm switch
        {
            "RS256" => TestTokens.Rs256(),
            "PS256" => TestTokens.Ps256(),
            _ => TestTokens.Es256(),
        };
        for (var time = 0; time < 2; time++) // The second from the cache.
        {
            using var answer = await edge.SendAsync(
                token, ("Groundwork-User", "root"), ("Groundwork-Tenant", "all"), ("Groundwork-Identity", "forged"),
                ("groundwork_user", "root"), ("Groundwork-Key", "root"));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal("user=alice key= tenant=acme", await answer.Content.ReadAsStringAsync());
        }
    }

    [Fact]
    public async Task Tokens_are_counted_as_kept_verified_or_refused()
    {
        await using var instance = await EchoAsync();
        await using var edge = await TestEdge.StartAsync();
        edge.Instances(instance.Address).RouteWith(Access).Put(TokenIssuerKind.Kind, "main", TestTokens.Spec);
        var token = TestTokens.Rs256();
        for (var time = 0; time < 3; time++) (await edge.SendAsync(token)).Dispose();
        (await edge.SendAsync(TestTokens.Es256())).Dispose();
        (await edge.SendAsync(token + "x")).Dispose();
        (await edge.SendAsync(null)).Dispose(); // Who brings none is not counted.
        var text = new MetricsText();
        edge.Module.Engine.Access.Figures.Write(text);
        Assert.Equal(
            [
                "groundwork_gateway_tokens_total{result=\"kept\"} 2",
                "groundwork_gateway_tokens_total{result=\"verified\"} 2",
                "groundwork_gateway_tokens_total{result=\"refused\"} 1",
            ],
            Encoding.UTF8.GetString(text.Bytes.Span).Split('\n').Where(line => line is [not '#', ..]));
    }

    [Fact]
    public async Task Nobody_can_say_who_he_is_himself()
    {
        await using var instance = await EchoAsync();
        await using var edge = await TestEdge.StartAsync(
            new GatewayOptions { TrustedProxies = [IPNetwork.Parse("127.0.0.0/8")] });
        edge.Instances(instance.Address).RouteAll();
        // Not even a proxy that is believed about addresses: it passes on what its clients send.
        using var answer = await edge.SendAsync(
            null, ("Groundwork-User", "root"), ("Groundwork-Key", "root"), ("Groundwork-Tenant", "all"));
        Assert.Equal("user= key= tenant=", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Without_a_token_the_answer_says_what_is_missing()
    {
        await using var instance = await EchoAsync();
        await using var edge = await TestEdge.StartAsync();
        edge.Instances(instance.Address).RouteWith(Access).Put(TokenIssuerKind.Kind, "main", TestTokens.Spec);
        foreach (var field in (string[])["", "Basic YWxpY2U6c2VjcmV0", "Bearer", "Bearer ", "Bearergw_x"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/");
            if (field.Length > 0) request.Headers.TryAddWithoutValidation("Authorization", field);
            using var answer = await edge.Client.SendAsync(request);
            Assert.Equal(
                (HttpStatusCode.Unauthorized, "credential_missing"), (answer.StatusCode, await answer.CodeAsync()));
            // RFC 6750, 3.1: without a credential there is no error to tell of.
            Assert.Equal("Bearer", answer.Headers.WwwAuthenticate.ToString());
        }
        Assert.Equal(0, instance.Requests);
    }

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task A_bad_token_is_refused(string what, string why)
    {
        await using var instance = await EchoAsync();
        await using var edge = await TestEdge.StartAsync();
        edge.Instances(instance.Address).RouteWith(Access).Put(TokenIssuerKind.Kind, "main", TestTokens.Spec);
        var token = Make(what);
        for (var time = 0; time < 2; time++) // And again, where it might have been kept.
        {
            using var answer = await edge.SendAsync(token);
            Assert.Equal((HttpStatusCode.Unauthorized, why), (answer.StatusCode, await answer.DetailAsync()));
            Assert.Contains(
                "error=\"invalid_token\"", answer.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        }
        Assert.Equal(0, instance.Requests);
    }

    [Fact]
    public async Task Two_authorizations_are_refused_be_one_of_them_right()
    {
        await using var edge = await TestEdge.StartAsync();
        edge.RouteWith(Access).Put(TokenIssuerKind.Kind, "main", TestTokens.Spec);
        using var client = await RawConnection.ToAsync(edge.Address);
        await client.WriteAsync(
            $"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TestTokens.Rs256()}\r\n"
            + "Authorization: Bearer x\r\nConnection: close\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 401 ", await client.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Clocks_may_differ_by_the_stated_time_and_no_more()
    {
        var time = new ManualTimeProvider();
        await using var instance = await EchoAsync();
        await using var edge = await TestEdge.StartAsync(time: time);
        edge.Instances(instance.Address).RouteWith(Access)
            .Put(TokenIssuerKind.Kind, "main", TestTokens.Spec with { ClockSkewSeconds = 30 });
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        Assert.Equal(200, await StatusAsync(exp: now - 29));
        Assert.Equal(401, await StatusAsync(exp: now - 30));
        Assert.Equal(200, await StatusAsync(nbf: now + 30));
        Assert.Equal(401, await StatusAsync(nbf: now + 31));
        Assert.Equal(200, await StatusAsync(exp: now + 0.5));
        // What is kept expires too.
        var kept = TestTokens.Rs256(TestTokens.Claims(time.GetUtcNow()).With("exp", now + 10));
        Assert.Equal(200, await SendAsync(kept));
        time.Advance(TimeSpan.FromSeconds(39));
        Assert.Equal(200, await SendAsync(kept));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(401, await SendAsync(kept));

        Task<int> StatusAsync(double? exp = null, double? nbf = null)
        {
            var claims = TestTokens.Claims(time.GetUtcNow());
            if (exp is { } end) claims["exp"] = end;
            if (nbf is { } begin) claims["nbf"] = begin;
            return SendAsync(TestTokens.Rs256(claims));
        }

        async Task<int> SendAsync(string token)
        {
            using var answer = await edge.SendAsync(token);
            return (int)answer.StatusCode;
        }
    }

    [Fact]
    public async Task A_kept_token_ends_with_its_key_its_issuer_and_its_revocation()
    {
        await using var instance = await EchoAsync();
        await using var edge = await TestEdge.StartAsync();
        edge.Instances(instance.Address).RouteWith(Access with { Deny = new(Lists: ["revoked"]) })
            .Put(AccessListKind.Kind, "revoked", new AccessListSpec())
            .Put(TokenIssuerKind.Kind, "main", TestTokens.Spec);
        var token = TestTokens.Rs256();
        Assert.Equal(200, await StatusAsync());
        Assert.Equal(200, await StatusAsync());
        // The key is replaced under its name: what the old one signed is nobody's.
        edge.Put(TokenIssuerKind.Kind, "main", TestTokens.Spec with
        {
            Keys = [new(TestTokens.OtherRsa.ExportSubjectPublicKeyInfoPem(), "rsa")],
        });
        Assert.Equal(401, await StatusAsync());
        edge.Put(TokenIssuerKind.Kind, "main", TestTokens.Spec);
        Assert.Equal(200, await StatusAsync());
        // Everything issued until now is taken back.
        edge.Put(
            TokenIssuerKind.Kind, "main",
            TestTokens.Spec with { IssuedAfter = TimeProvider.System.GetUtcNow() });
        Assert.Equal(401, await StatusAsync());
        edge.Put(TokenIssuerKind.Kind, "main", TestTokens.Spec);
        Assert.Equal(200, await StatusAsync());
        // This one token is; then this one user.
        edge.Put(AccessListKind.Kind, "revoked", new AccessListSpec(Tokens: ["token-1"]));
        Assert.Equal(403, await StatusAsync());
        edge.Put(AccessListKind.Kind, "revoked", new AccessListSpec(Users: ["alice"]));
        Assert.Equal(403, await StatusAsync());
        edge.Put(AccessListKind.Kind, "revoked", new AccessListSpec(Users: ["bob"]));
        Assert.Equal(200, await StatusAsync());
        edge.Snapshots.Delete(new(TokenIssuerKind.Name, "default", "main"));
        Assert.Equal(503, await StatusAsync());

        async Task<int> StatusAsync()
        {
            using var answer = await edge.SendAsync(token);
            return (int)answer.StatusCode;
        }
    }

    [Fact]
    public async Task A_token_that_one_route_believes_is_not_believed_by_a_route_with_another_issuer()
    {
        await using var instance = await EchoAsync();
        await using var edge = await TestEdge.StartAsync();
        edge.Instances(instance.Address).RouteWith(Access)
            .Put(TokenIssuerKind.Kind, "main", TestTokens.Spec)
            .Put(TokenIssuerKind.Kind, "strict", TestTokens.Spec with { Audiences = ["bank"] });
        edge.Snapshots.Put(Routes.Resource("bank", new RouteSpec(
            new MatchSpec(["127.0.0.1"], "/bank"), "service", Access: new(Token: new(["strict"])))));
        var token = TestTokens.Rs256();
        using var first = await edge.SendAsync(token);
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/bank");
        request.Headers.Add("Authorization", $"Bearer {token}");
        using var second = await edge.Client.SendAsync(request);
        Assert.Equal("The token is for somebody else.", await second.DetailAsync());
    }

    [Fact]
    public async Task Scopes_claims_and_lists_of_users_are_asked_for()
    {
        await using var instance = await EchoAsync();
        await using var edge = await TestEdge.StartAsync();
        edge.Instances(instance.Address).Put(TokenIssuerKind.Kind, "main", TestTokens.Spec);
        var token = new TokenAccess(["main"]);
        Assert.Equal((200, ""), await AskAsync(new(Token: token with { Scopes = ["read", "write"] })));
        Assert.Equal((403, "scope_insufficient"), await AskAsync(new(Token: token with { Scopes = ["read", "rule"] })));
        Assert.Equal((200, ""), await AskAsync(
            new(Token: token with { Claims = [new("realm_access.roles", ["buyer", "seller"]), new("jti")] })));
        Assert.Equal((403, "access_denied"), await AskAsync(
            new(Token: token with { Claims = [new("realm_access.roles", ["seller"])] })));
        Assert.Equal((403, "access_denied"), await AskAsync(new(Token: token with { Claims = [new("email")] })));
        Assert.Equal((200, ""), await AskAsync(new(Allow: new(Users: ["alice", "bob"]), Token: token)));
        Assert.Equal((403, "access_denied"), await AskAsync(new(Allow: new(Users: ["bob"]), Token: token)));
        Assert.Equal((403, "access_denied"), await AskAsync(new(Deny: new(Users: ["alice"]), Token: token)));
        Assert.Equal((200, ""), await AskAsync(new(Deny: new(Users: ["Alice"]), Token: token)));

        async Task<(int, string?)> AskAsync(AccessSpec access)
        {
            edge.RouteWith(access);
            using var answer = await edge.SendAsync(TestTokens.Rs256());
            return ((int)answer.StatusCode, answer.IsSuccessStatusCode ? "" : await answer.CodeAsync());
        }
    }

    [Fact]
    public async Task A_secret_signs_for_its_issuer_and_for_no_other()
    {
        await using var instance = await EchoAsync();
        await using var edge = await TestEdge.StartAsync();
        edge.Instances(instance.Address).RouteWith(Access).Put(TokenIssuerKind.Kind, "main", TestTokens.WithSecret);
        using var right = await edge.SendAsync(TestTokens.Hs256(Encoding.UTF8.GetBytes(TestTokens.Secret)));
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);
        using var wrong = await edge.SendAsync(TestTokens.Hs256(Encoding.UTF8.GetBytes(TestTokens.Secret + "!")));
        Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
    }

    [Fact]
    public async Task A_token_comes_in_a_field_or_a_cookie_where_the_route_says_so_and_goes_on_unless_it_says_not()
    {
        await using var instance = await WebInstance.StartAsync(context =>
            context.Response.WriteAsync(
                $"{context.Request.Headers.Authorization}|{context.Request.Headers["X-Token"]}"));
        await using var edge = await TestEdge.StartAsync();
        edge.Instances(instance.Address).Put(TokenIssuerKind.Kind, "main", TestTokens.Spec);
        var token = TestTokens.Es256();
        edge.RouteWith(new(Token: new(["main"], Cookie: "session")));
        Assert.Equal("|", await GetAsync(null, ("Cookie", $"a=b; session={token}")));
        Assert.Equal($"Bearer {token}|", await GetAsync(token));
        edge.RouteWith(new(Token: new(["main"], Header: "X-Token", PassOn: false)));
        Assert.Equal("|", await GetAsync(null, ("X-Token", token)));
        using var elsewhere = await edge.SendAsync(token);
        Assert.Equal(HttpStatusCode.Unauthorized, elsewhere.StatusCode);
        edge.RouteWith(new(Token: new(["main"], PassOn: false)));
        Assert.Equal("|", await GetAsync(token));

        async Task<string> GetAsync(string? bearer, params (string, string)[] fields)
        {
            using var answer = await edge.SendAsync(bearer, fields);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            return await answer.Content.ReadAsStringAsync();
        }
    }

    [Fact]
    public void What_an_issuer_must_be_is_said_where_it_is_written()
    {
        Assert.Empty(Faults(TestTokens.Spec));
        Assert.Empty(Faults(TestTokens.WithSecret));
        Assert.Equal("spec.secret", Assert.Single(Faults(
            TestTokens.WithSecret with { Secret = SecretText.Of("thirty-one bytes are too few...") })).Path);
        Assert.Equal("spec.secret", Assert.Single(Faults(TestTokens.Spec with { Secret = SecretText.Of("x") })).Path);
        Assert.Contains(
            Faults(TestTokens.Spec with { Algorithms = ["none"] }), fault => fault.Path == "spec.algorithms[0]");
        // One issuer never has both public keys and a secret: that is how one is taken for the other.
        Assert.Contains(
            Faults(TestTokens.Spec with { Algorithms = ["RS256", "HS256"], Secret = SecretText.Of(TestTokens.Secret) }),
            fault => fault.Path == "spec.algorithms");
        Assert.Contains(Faults(TestTokens.Spec with { Keys = null }), fault => fault.Path == "spec");
        Assert.Contains(
            Faults(TestTokens.Spec with { Keys = [new(TestTokens.Rsa.ExportPkcs8PrivateKeyPem())] }),
            fault => fault.Path == "spec.keys[0].pem" && fault.Message.Contains("private", StringComparison.Ordinal));
        foreach (var address in (string[])
            ["http://id.example.com/keys", "ftp://id.example.com", "keys", "https://a:b@id.example.com/"])
            Assert.Contains(
                Faults(TestTokens.Spec with { Keys = null, KeySetAddress = address }),
                fault => fault.Path == "spec.keySetAddress");
        Assert.Empty(Faults(TestTokens.Spec with { Keys = null, KeySetAddress = "https://id.example.com/keys" }));

        static List<FieldFault> Faults(TokenIssuerSpec spec)
        {
            var faults = new List<FieldFault>();
            TokenIssuerKind.Kind.Validate!(spec, faults); // The kind has rules.
            return faults;
        }
    }

    internal static Task<WebInstance> EchoAsync() => WebInstance.StartAsync(context =>
    {
        var seen = context.Request.Headers;
        return context.Response.WriteAsync(
            $"user={seen["Groundwork-User"]} key={seen["Groundwork-Key"]} tenant={seen["Groundwork-Tenant"]}");
    });

    private static string Make(string what)
    {
        var claims = TestTokens.Claims();
        var text = claims.ToJsonString();
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var right = TestTokens.Es256();
        static byte[] Der(byte[] bytes) => TestTokens.Curve.SignData(
            bytes, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        static byte[] Rsa(byte[] bytes) =>
            TestTokens.Rsa.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        static byte[] Other(byte[] bytes) =>
            TestTokens.OtherRsa.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return what switch
        {
            "unsecured" => TestTokens.Sign("""{"alg":"none"}""", text, static _ => []),
            "unsecured with a signature" => TestTokens.Sign("""{"alg":"none","kid":"rsa"}""", text, Rsa),
            "algorithm in other letters" => TestTokens.Sign("""{"alg":"rs256","kid":"rsa"}""", text, Rsa),
            "public key as a secret" => TestTokens.Hs256(
                Encoding.UTF8.GetBytes(TestTokens.Rsa.ExportSubjectPublicKeyInfoPem()),
                """{"alg":"HS256","kid":"rsa"}"""),
            "signed by another key" => TestTokens.Rs256(by: TestTokens.OtherRsa),
            "kid of a key of another algorithm" => TestTokens.Rs256(kid: "curve"),
            "kid that nobody has" => TestTokens.Rs256(kid: "old"),
            "kid that is a path" => TestTokens.Rs256(kid: "../../dev/null"),
            "key inside the token" => TestTokens.Sign(
                $$"""{"alg":"RS256","kid":"rsa","jwk":{{Jwk()}},"jku":"https://evil.example.com/"}""", text, Other),
            "signature in DER" => TestTokens.Sign("""{"alg":"ES256","kid":"curve"}""", text, Der),
            "signature of zeros" => TestTokens.Sign(
                """{"alg":"ES256","kid":"curve"}""", text, static _ => new byte[64]),
            "signature cut" => right[..^6],
            "claims changed" => right.Replace(
                right.Split('.')[1], TestTokens.Encode(Encoding.UTF8.GetBytes(
                    claims.With("sub", "root").ToJsonString())), StringComparison.Ordinal),
            "critical extension" => TestTokens.Es256("""{"alg":"ES256","kid":"curve","crit":["exp"]}"""),
            "unencoded payload" => TestTokens.Es256("""{"alg":"ES256","kid":"curve","b64":false}"""),
            "encrypted" => TestTokens.Es256("""{"alg":"ES256","kid":"curve","enc":"A128GCM"}"""),
            "claim twice" => TestTokens.Es256(claims: text.Insert(1, "\"sub\":\"root\",")),
            "other last letter" => right[..^1] + Next(right[^1]),
            "padding" => right + "==",
            "four parts" => right + ".e30",
            "claims that are a list" => TestTokens.Es256(claims: $"[{text}]"),
            "deep claims" => TestTokens.Es256(
                claims: text.Insert(1, $"\"deep\":{new string('[', 20)}{new string(']', 20)},")),
            "too large" => TestTokens.Es256(claims: text.Insert(1, $"\"large\":\"{new string('x', 6_500)}\",")),
            "for logging out" => TestTokens.Es256("""{"alg":"ES256","kid":"curve","typ":"logout+jwt"}"""),
            "of somebody else" => TestTokens.Rs256(claims.With("iss", TestTokens.Issuer + "/")),
            "of nobody" => TestTokens.Rs256(claims.With("iss", null)),
            "for somebody else" => TestTokens.Rs256(claims.With("aud", "bank")),
            "for nobody" => TestTokens.Rs256(claims.With("aud", null)),
            "for a number" => TestTokens.Es256(
                claims: text.Replace("\"aud\":\"shop\"", "\"aud\":[7,\"shop\"]", StringComparison.Ordinal)),
            "expired" => TestTokens.Rs256(claims.With("exp", now - 31)),
            "not yet" => TestTokens.Rs256(claims.With("nbf", now + 60)),
            "without end" => TestTokens.Rs256(claims.With("exp", null)),
            "end as text" => TestTokens.Rs256(claims.With("exp", $"{now + 100}")),
            "end beyond all dates" => TestTokens.Rs256(claims.With("exp", 1e15)),
            "end beyond all numbers" => TestTokens.Es256(
                claims: claims.With("exp", null).ToJsonString().Insert(1, "\"exp\":1e400,")),
            "end before all time" => TestTokens.Rs256(claims.With("exp", -1)),
            _ => throw new ArgumentOutOfRangeException(nameof(what), what, null),
        };
    }

    private static string Jwk()
    {
        var set = TestTokens.KeySet(("rsa", TestTokens.OtherRsa));
        return set["{\"keys\":[".Length..^2];
    }

    // 86 letters of a signature on P-256 end in one of which two bits count: the next letter is the same bytes.
    private static char Next(char letter)
    {
        const string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        return letters[letters.IndexOf(letter, StringComparison.Ordinal) + 1];
    }
}
