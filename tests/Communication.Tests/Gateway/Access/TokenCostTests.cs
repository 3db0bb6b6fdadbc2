using System.Net;
using System.Net.Sockets;
using System.Text;
using Groundwork.Communication.Gateway.Access;
using Groundwork.Communication.Gateway.Access.Callers;
using Groundwork.Communication.Gateway.Access.Tokens;

namespace Groundwork.Communication.Tests.Gateway.Access;

/// <summary>What a token costs. Runs alone: what is allocated is counted for the whole process.</summary>
[Collection(nameof(AllocationTests))]
public sealed class TokenCostTests
{
    private const int Tokens = 10_000;

    /// <summary>Ten times what it takes on a quiet machine, without optimisation.</summary>
    private const double MaxMicroseconds = 20;

#if DEBUG
    /// <summary>Without optimisation the step's state is an object.</summary>
    private const int MaxBytes = 800;
#else
    private const int MaxBytes = 400;
#endif

    [Fact]
    public void Ten_thousand_kept_tokens_are_found_again_in_no_time_and_without_allocating()
    {
        var (issuer, key) = (new TokenIssuer(default, TestTokens.Spec), TokenKey.OfSecret(new byte[32], []));
        var cache = new TokenCache();
        var random = new Random(7);
        var tokens = new byte[Tokens][];
        var identity = new CallerIdentity(new Caller("alice", null, null));
        for (var index = 0; index < Tokens; index++)
        {
            // As long as RS256 makes them, with a common beginning.
            tokens[index] = Encoding.ASCII.GetBytes($"{new string('a', 400)}{index:D8}.{Signature(random)}");
            cache.Add(new VerifiedToken(tokens[index], issuer, key, 1_000, identity), 0);
        }
        // Where a token comes to lie is another place in every process: a few find theirs full.
        var known = tokens.Where(token => cache.Find(token, 1) is not null).ToArray();
        var kept = known.Length;
        Assert.InRange(kept, Tokens * 99 / 100, Tokens);

        Find(cache, tokens, 2);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var begun = TimeProvider.System.GetTimestamp();
        var found = Find(cache, tokens, 20);
        var each = TimeProvider.System.GetElapsedTime(begun).TotalMicroseconds / (20 * Tokens);
        var bytes = GC.GetAllocatedBytesForCurrentThread() - before;

        TestContext.Current.TestOutputHelper?.WriteLine($"{kept} of {Tokens} kept, {each:F3} microseconds each");
        Assert.Equal(20 * kept, found);
        Assert.Equal(0, bytes);
        Assert.InRange(each, 0, MaxMicroseconds);
        // And none that is like one of them.
        foreach (var at in (int[])[0, 100, 410, 500, known[1].Length - 1])
        {
            var other = known[1].ToArray();
            other[at] ^= 1;
            Assert.Null(cache.Find(other, 1));
        }
        Assert.NotNull(cache.Find(known[1].ToArray(), 1));
        Assert.NotNull(cache.Find(known[2], 999));
        Assert.Null(cache.Find(known[2], 1_000));
        key.Retire();
        Assert.Null(cache.Find(known[3], 1));
    }

    [Theory]
    [InlineData("RS256")]
    [InlineData("ES256")]
    public void A_token_that_was_not_seen_before_costs_its_signature(string algorithm)
    {
        var issuer = new TokenIssuer(default, TestTokens.Spec);
        // They are there, and valid.
        issuer.Take([.. TestTokens.Spec.Keys!.Select(key => TokenKey.OfPem(key.Pem, key.Id, issuer.Algorithms).Key!)]);
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var tokens = Enumerable.Range(0, 300).Select(index =>
        {
            var claims = TestTokens.Claims().With("jti", $"{index}");
            return Encoding.ASCII.GetBytes(
                algorithm == "RS256" ? TestTokens.Rs256(claims) : TestTokens.Es256(claims: claims.ToJsonString()));
        }).ToArray();
        foreach (var token in tokens.Take(100)) Verify(token);
        var begun = TimeProvider.System.GetTimestamp();
        foreach (var token in tokens.Skip(100)) Verify(token);
        var each = TimeProvider.System.GetElapsedTime(begun).TotalMicroseconds / 200;
        TestContext.Current.TestOutputHelper?.WriteLine($"{algorithm}: {each:F1} microseconds each");
        Assert.InRange(each, 1, 10_000);

        void Verify(byte[] token)
        {
            Assert.True(TokenText.TryRead(token, out var read));
            using (read) Assert.Null(issuer.Verify(read, token, now, out _));
        }
    }

    [Fact]
    public void What_is_kept_is_bounded_by_its_bytes()
    {
        var (issuer, key) = (new TokenIssuer(default, TestTokens.Spec), TokenKey.OfSecret(new byte[32], []));
        var cache = new TokenCache();
        var random = new Random(7);
        var identity = new CallerIdentity(new Caller("alice", null, null));
        var filling = new byte[4_000];
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var index = 0; index < 40_000; index++)
        {
            var token = new byte[4_000];
            filling.CopyTo(token, 0);
            random.NextBytes(token.AsSpan(^40..));
            cache.Add(new VerifiedToken(token, issuer, key, 1_000, identity), 0);
        }
        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.InRange(grown, 32 << 20, 80 << 20); // 160 MB came.
        GC.KeepAlive(cache);
    }

    [Fact]
    public async Task A_request_with_a_kept_token_allocates_hardly_more_than_one_without()
    {
        var bare = await MeasureAsync(withToken: false);
        var secured = await MeasureAsync(withToken: true);
        TestContext.Current.TestOutputHelper?.WriteLine($"{bare} bytes a request without, {secured} with a token");
        Assert.InRange(secured - bare, -MaxBytes, MaxBytes);
    }

    private static async Task<long> MeasureAsync(bool withToken)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var instance = new Thread(() => AllocationTests.Serve(listener)) { IsBackground = true };
        instance.Start();
        await using var edge = await TestEdge.StartAsync();
        edge.Registry.Keeps = false;
        edge.Instances((IPEndPoint)listener.LocalEndPoint!); // It is bound.
        if (withToken)
            edge.RouteWith(new(Token: new(["main"]), Deny: new(Users: ["mallory"])))
                .Put(TokenIssuerKind.Kind, "main", TestTokens.Spec);
        else edge.RouteAll();
        // The token goes both ways, so that the heads are as long.
        var request = Encoding.ASCII.GetBytes(
            $"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TestTokens.Rs256()}\r\n\r\n");
        using var client = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.Connect(edge.Address);
        return AllocationTests.Measure(client, request);
    }

    private static int Find(TokenCache cache, byte[][] tokens, int rounds)
    {
        var found = 0;
        for (var round = 0; round < rounds; round++)
            foreach (var token in tokens)
                if (cache.Find(token, 1) is not null) found++;
        return found;
    }

    private static string Signature(Random random)
    {
        var bytes = new byte[256];
        random.NextBytes(bytes);
        return TestTokens.Encode(bytes);
    }
}
