using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using Groundwork.Communication.Gateway;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Content;

/// <summary>What a shared cache may keep and give (RFC 9111), through a real listener and a real service.</summary>
public sealed class CacheTests
{
    [Fact]
    public async Task A_fresh_answer_is_given_again_with_its_age_and_how_it_came()
    {
        await using var test = await StartAsync();
        using var first = await test.GetAsync("/a");
        Assert.Equal("groundwork; fwd=uri-miss; fwd-status=200; stored", Status(first));
        test.Time.Advance(TimeSpan.FromSeconds(20));
        using var second = await test.GetAsync("/a");
        Assert.Equal("1 /a", await second.Content.ReadAsStringAsync());
        Assert.Equal(TimeSpan.FromSeconds(20), second.Headers.Age);
        Assert.Equal("groundwork; hit; ttl=40", Status(second));
        Assert.Equal("yes", Assert.Single(second.Headers.GetValues("X-Origin")));
        Assert.Equal(1, test.Origin.Requests);
        test.Time.Advance(TimeSpan.FromSeconds(40));
        using var third = await test.GetAsync("/a");
        Assert.Equal("2 /a", await third.Content.ReadAsStringAsync()); // Its time is over.
    }

    public static TheoryData<string, bool> Controls => new()
    {
        { "max-age=60", true },
        { "s-maxage=60, max-age=0", true },
        { "s-maxage=0, max-age=60", false },
        { "max-age=\"60\"", true },
        { "max-age=60, max-age=0", false },
        { "max-age=6x", false },
        { "MAX-AGE=60", true },
        { "x=\"no-store\", max-age=60", true },
        { "max-age=60, no-store", false },
        { "max-age=60, private", false },
        { "max-age=60, private=\"x-a\"", false },
        { "max-age=60, no-cache", false },
        { "must-revalidate, max-age=60", true },
        { "public", false },
        { "", false },
    };

    [Theory]
    [MemberData(nameof(Controls))]
    public async Task Cache_Control_of_the_answer_decides(string control, bool kept)
    {
        await using var test = await StartAsync(change: context => context.Response.Headers.CacheControl = control);
        Assert.Equal(kept, await test.IsKeptAsync("/a"));
    }

    public static TheoryData<string, Action<HttpContext>, bool> Answers => new()
    {
        { "it sets a cookie", context => context.Response.Headers.SetCookie = "a=b", false },
        { "it varies by everything", context => context.Response.Headers.Vary = "*", false },
        { "it is a part", Part, false },
        { "it is an error without a lifetime", Error, false },
        { "it is nothing found, for a minute", context => context.Response.StatusCode = 404, true },
        { "it expires", context => Expiring(context, TimeSpan.FromMinutes(1)), true },
        { "it has expired", context => Expiring(context, TimeSpan.FromMinutes(-1)), false },
        { "it expires at no time", context => Expiring(context, null), false },
        { "it was old when it came", context => context.Response.Headers.Age = "60", false },
        { "it has an age", context => context.Response.Headers.Age = "59", true },
        { "its length is unknown", context => context.Response.ContentLength = null, true },
        { "it is only guessed", Guessed, false },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task Some_answers_are_not_kept(string why, Action<HttpContext> change, bool kept)
    {
        await using var test = await StartAsync(change: change);
        Assert.True(kept == await test.IsKeptAsync("/a"), why);
    }

    [Fact]
    public async Task Cookies_and_guesses_are_kept_where_the_route_says_so()
    {
        await using var cookies = await StartAsync(
            new CacheSpec(WithSetCookie: true), context => context.Response.Headers.SetCookie = "a=b");
        Assert.True(await cookies.IsKeptAsync("/a"));
        await using var guesses = await StartAsync(new CacheSpec(Heuristic: true), Guessed);
        Assert.True(await guesses.IsKeptAsync("/a"));
        await using var errors = await StartAsync(
            new CacheSpec(TtlSeconds: ImmutableDictionary<string, int>.Empty.Add("5xx", 5)), Error);
        Assert.True(await errors.IsKeptAsync("/a"));
    }

    [Theory]
    [InlineData(false, "public, max-age=60", false)]
    [InlineData(true, "public, max-age=60", true)]
    [InlineData(true, "max-age=60", false)]
    public async Task Answers_to_who_says_who_he_is_are_not_shared(bool told, string control, bool kept)
    {
        await using var test = await StartAsync(
            new CacheSpec(WithAuthorization: told), context => context.Response.Headers.CacheControl = control);
        Assert.Equal(kept, await test.IsKeptAsync("/a", ("Authorization", "Bearer secret")));
        if (told) return;
        // Nor is he given what is kept for strangers.
        await test.GetAsync("/b");
        using var known = await test.GetAsync("/b", ("Authorization", "Bearer secret"));
        Assert.Equal("groundwork; fwd=bypass", Status(known));
    }

    [Fact]
    public async Task Fields_that_the_answer_names_tell_answers_apart()
    {
        await using var test = await StartAsync(change: context => context.Response.Headers.Vary = "Accept-Language");
        await test.GetAsync("/a", ("Accept-Language", "de"));
        using var other = await test.GetAsync("/a", ("Accept-Language", "en"));
        Assert.Contains("fwd=vary-miss", Status(other), StringComparison.Ordinal);
        using var none = await test.GetAsync("/a");
        Assert.Contains("fwd=vary-miss", Status(none), StringComparison.Ordinal);
        using var same = await test.GetAsync("/a", ("Accept-Language", "de"));
        Assert.Equal("1 /a", await same.Content.ReadAsStringAsync());
        Assert.Equal(3, test.Origin.Requests);
    }

    [Fact]
    public async Task Fields_that_the_route_names_tell_answers_apart_too()
    {
        await using var test = await StartAsync(new CacheSpec(Vary: ["X-Site"]));
        await test.GetAsync("/a", ("X-Site", "1"));
        using var other = await test.GetAsync("/a", ("X-Site", "2"));
        Assert.Equal("2 /a", await other.Content.ReadAsStringAsync());
        using var same = await test.GetAsync("/a", ("X-Site", "1"));
        Assert.Equal("1 /a", await same.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("exact", "/a?x=1&y=2", "/a?x=1&y=2", true)]
    [InlineData("exact", "/a?x=1&y=2", "/a?y=2&x=1", false)]
    [InlineData("exact", "/a", "/a?", false)]
    [InlineData("sorted", "/a?x=1&y=2", "/a?y=2&x=1", true)]
    [InlineData("sorted", "/a?x=1&x=2", "/a?x=2&x=1", false)]
    [InlineData("listed", "/a?x=1&y=2", "/a?x=1&z=3", true)]
    [InlineData("listed", "/a?x=1", "/a?x=2", false)]
    [InlineData("listed", "/a", "/a?%78=2", false)]
    [InlineData("ignored", "/a?x=1", "/a?x=2", true)]
    [InlineData("exact", "/a", "/b", false)]
    [InlineData("ignored", "/%61", "/a", true)]
    public async Task The_query_counts_as_the_route_says(string query, string one, string other, bool alike)
    {
        await using var test = await StartAsync(
            new CacheSpec(query, query == "listed" ? ["x"] : null), context => context.Response.Headers.Vary = "");
        await test.GetAsync(one);
        await test.GetAsync(other);
        Assert.Equal(alike ? 1 : 2, test.Origin.Requests);
    }

    [Fact]
    public async Task Hosts_with_other_ports_are_other_addresses()
    {
        await using var test = await StartAsync();
        await test.GetAsync("/a", ("Host", "localhost:1"));
        await test.GetAsync("/a", ("Host", "localhost:2"));
        await test.GetAsync("/a", ("Host", "LOCALHOST:1"));
        Assert.Equal(2, test.Origin.Requests);
    }

    [Fact]
    public async Task What_is_kept_is_checked_with_the_origin_and_freshened()
    {
        await using var test = await StartAsync(change: context =>
        {
            context.Response.Headers.ETag = "\"v1\"";
            if (context.Request.Headers.IfNoneMatch != "\"v1\"") return;
            context.Response.StatusCode = 304;
            context.Response.Headers["X-New"] = "1";
        });
        await test.GetAsync("/a");
        test.Time.Advance(TimeSpan.FromSeconds(61));
        using var checkedAgain = await test.GetAsync("/a");
        Assert.Equal(HttpStatusCode.OK, checkedAgain.StatusCode);
        Assert.Equal("1 /a", await checkedAgain.Content.ReadAsStringAsync());
        Assert.Equal("groundwork; hit; fwd=stale; fwd-status=304; stored", Status(checkedAgain));
        using var fresh = await test.GetAsync("/a");
        Assert.Equal("groundwork; hit; ttl=60", Status(fresh));
        Assert.Equal("1", Assert.Single(fresh.Headers.GetValues("X-New")));
        Assert.Equal("text/plain", fresh.Content.Headers.ContentType!.MediaType); // The service sets one.
        Assert.Equal(2, test.Origin.Requests);
    }

    [Fact]
    public async Task No_cache_is_kept_and_checked_each_time()
    {
        await using var test = await StartAsync(change: context =>
        {
            context.Response.Headers.CacheControl = "no-cache";
            context.Response.Headers.ETag = "\"v1\"";
            if (context.Request.Headers.IfNoneMatch == "\"v1\"") context.Response.StatusCode = 304;
        });
        await test.GetAsync("/a");
        using var again = await test.GetAsync("/a");
        Assert.Equal("1 /a", await again.Content.ReadAsStringAsync());
        Assert.Equal(2, test.Origin.Requests);
    }

    [Fact]
    public async Task A_client_that_has_it_is_told_so_and_others_get_the_whole()
    {
        await using var test = await StartAsync(change: context => context.Response.Headers.ETag = "\"v1\"");
        // The first one has it already: the origin is asked for the whole all the same.
        using var first = await test.GetAsync("/a", ("If-None-Match", "\"v1\""));
        Assert.Equal(HttpStatusCode.NotModified, first.StatusCode);
        using var second = await test.GetAsync("/a", ("If-None-Match", "\"v0\", W/\"v1\""));
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        Assert.Equal("\"v1\"", second.Headers.ETag!.ToString()); // As the service gives it.
        using var third = await test.GetAsync("/a", ("If-None-Match", "\"v0\""));
        Assert.Equal("1 /a", await third.Content.ReadAsStringAsync());
        Assert.Equal(1, test.Origin.Requests);
    }

    [Fact]
    public async Task Dates_are_compared_where_there_is_no_tag()
    {
        var modified = DateTimeOffset.UnixEpoch.AddDays(10_000);
        var date = modified.ToString("R", CultureInfo.InvariantCulture);
        await using var test = await StartAsync(change: context => context.Response.Headers.LastModified = date);
        await test.GetAsync("/a");
        using var same = await test.GetAsync("/a", ("If-Modified-Since", date));
        Assert.Equal(HttpStatusCode.NotModified, same.StatusCode);
        using var older = await test.GetAsync(
            "/a", ("If-Modified-Since", modified.AddSeconds(-1).ToString("R", CultureInfo.InvariantCulture)));
        Assert.Equal(HttpStatusCode.OK, older.StatusCode);
        Assert.Equal(1, test.Origin.Requests);
    }

    [Fact]
    public async Task Parts_are_cut_from_the_whole_that_is_kept_and_never_kept_themselves()
    {
        await using var test = await StartAsync(change: context =>
        {
            context.Response.Headers.ETag = "\"v1\"";
            if (context.Request.Headers.Range.Count > 0) Part(context);
        });
        using var part = await test.GetAsync("/long", ("Range", "bytes=0-1"));
        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        using var whole = await test.GetAsync("/long");
        Assert.Equal("2 /long", await whole.Content.ReadAsStringAsync());
        foreach (var (range, text, status) in new[]
        {
            ("bytes=2-", "/long", 206), ("bytes=-4", "long", 206), ("bytes=0-0", "2", 206),
            ("bytes=2-100", "/long", 206), ("bytes=100-", "", 416), ("bytes=0-1,3-4", "2 /long", 200),
            ("lines=1-2", "2 /long", 200),
        })
        {
            using var answer = await test.GetAsync("/long", ("Range", range));
            Assert.Equal(status, (int)answer.StatusCode);
            Assert.Equal(text, await answer.Content.ReadAsStringAsync());
        }
        using var changed = await test.GetAsync("/long", ("Range", "bytes=2-3"), ("If-Range", "\"v0\""));
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        Assert.Equal(2, test.Origin.Requests);
    }

    [Theory]
    [InlineData("no-cache", 2)]
    [InlineData("max-age=5", 2)]
    [InlineData("max-age=30", 1)]
    [InlineData("min-fresh=55", 2)]
    [InlineData("min-fresh=10", 1)]
    public async Task The_client_may_want_a_newer_one(string control, int requests)
    {
        await using var test = await StartAsync();
        await test.GetAsync("/a");
        test.Time.Advance(TimeSpan.FromSeconds(10));
        await test.GetAsync("/a", ("Cache-Control", control));
        Assert.Equal(requests, test.Origin.Requests);
        await using var deaf = await StartAsync(new CacheSpec(IgnoreClientControl: true));
        await deaf.GetAsync("/a");
        deaf.Time.Advance(TimeSpan.FromSeconds(10));
        await deaf.GetAsync("/a", ("Cache-Control", control));
        Assert.Equal(1, deaf.Origin.Requests);
    }

    [Fact]
    public async Task Only_if_cached_never_reaches_the_origin()
    {
        await using var test = await StartAsync();
        using var answer = await test.GetAsync("/a", ("Cache-Control", "only-if-cached"));
        Assert.Equal(HttpStatusCode.GatewayTimeout, answer.StatusCode);
        Assert.Equal(0, test.Origin.Requests);
    }

    [Theory]
    [InlineData("POST", 200, true)]
    [InlineData("DELETE", 204, true)]
    [InlineData("PUT", 500, false)]
    [InlineData("OPTIONS", 200, false)]
    public async Task A_change_forgets_what_was_kept(string method, int status, bool forgotten)
    {
        await using var test = await StartAsync(change: context =>
        {
            if (context.Request.Method != "GET") context.Response.StatusCode = status;
        });
        await test.GetAsync("/a");
        using var change = await test.SendAsync(new HttpMethod(method), "/a");
        using var after = await test.GetAsync("/a");
        Assert.Equal(forgotten, Status(after).Contains("fwd=", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_head_is_answered_from_a_kept_whole()
    {
        await using var test = await StartAsync();
        await test.GetAsync("/a");
        using var head = await test.SendAsync(HttpMethod.Head, "/a");
        Assert.Equal(4, head.Content.Headers.ContentLength);
        Assert.Equal("groundwork; hit; ttl=60", Status(head));
        Assert.Equal(1, test.Origin.Requests);
    }

    [Fact]
    public async Task What_is_compressed_is_kept_as_it_was_sent()
    {
        var text = string.Concat(Enumerable.Repeat("all the same ", 1_000));
        await using var test = await StartAsync(
            body: text, route: spec => spec with { Compress = new CompressSpec() });
        foreach (var turn in new[] { 1, 2 })
        {
            Assert.Equal(text, await Curl.RunAsync("--compressed", $"http://{test.Edge.Address}/a"));
            Assert.Equal(text, await Curl.RunAsync($"http://{test.Edge.Address}/a"));
            Assert.Equal(2, test.Origin.Requests); // One for each of the two, in the first turn.
            Assert.InRange(turn, 1, 2);
        }
        using var packed = await test.GetAsync("/a", ("Accept-Encoding", "zstd, br, deflate, gzip"));
        Assert.Equal("br", Assert.Single(packed.Content.Headers.ContentEncoding));
        Assert.InRange((await packed.Content.ReadAsByteArrayAsync()).Length, 1, 500);
    }

    [Fact]
    public async Task Figures_say_how_often_the_origin_was_asked_and_for_what()
    {
        await using var test = await StartAsync();
        foreach (var path in new[] { "/a", "/a", "/a", "/b?x=1" }) await test.GetAsync(path);
        await test.SendAsync(HttpMethod.Post, "/a");
        var figures = test.Edge.Module.Cache!.Snapshots().Single();
        Assert.Equal(("default/all", 2L, 2L, 1L, 0.5), (
            figures.Route, figures.Hits, figures.Misses, figures.Bypassed, figures.HitRatio));
        Assert.Equal(8, figures.BytesKept);
        Assert.Equal(["/a 1", "/b?x=1 1"], figures.TopOrigin.Select(one => $"{one.Address} {one.Requests}"));
    }

    [Fact]
    public async Task Answers_for_one_client_are_not_kept_with_the_answer()
    {
        await using var test = await StartAsync(
            route: spec => spec with { Cors = new CorsSpec(["https://a.example", "https://b.example"]) });
        using var one = await test.GetAsync("/a", ("Origin", "https://a.example"));
        using var other = await test.GetAsync("/a", ("Origin", "https://b.example"));
        Assert.Equal("https://b.example", Assert.Single(other.Headers.GetValues("Access-Control-Allow-Origin")));
        Assert.Equal(1, test.Origin.Requests);
    }

    private static void Part(HttpContext context)
    {
        context.Response.StatusCode = 206;
        context.Response.Headers.ContentRange = "bytes 0-3/100";
    }

    private static void Error(HttpContext context)
    {
        context.Response.StatusCode = 500;
        context.Response.Headers.Remove("Cache-Control");
    }

    private static void Guessed(HttpContext context)
    {
        context.Response.Headers.Remove("Cache-Control");
        context.Response.Headers.LastModified = DateTimeOffset.UnixEpoch.ToString("R", CultureInfo.InvariantCulture);
    }

    private static void Expiring(HttpContext context, TimeSpan? after)
    {
        var now = DateTimeOffset.Parse(context.Response.Headers.Date!, CultureInfo.InvariantCulture);
        context.Response.Headers.Remove("Cache-Control");
        context.Response.Headers.Expires =
            after is { } time ? (now + time).ToString("R", CultureInfo.InvariantCulture) : "0";
    }

    private static string Status(HttpResponseMessage answer) => CachedService.Status(answer);

    private static Task<CachedService> StartAsync(
        CacheSpec? cache = null, Action<HttpContext>? change = null, Func<int, HttpContext, Task>? wait = null,
        string? body = null, Func<RouteSpec, RouteSpec>? route = null) =>
        CachedService.StartAsync(cache ?? new CacheSpec(), change, wait, body, route);
}
