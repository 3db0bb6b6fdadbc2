using System.Net;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Correct;

/// <summary>
/// What is known to be done to servers of HTTP/2, frame by frame: each ends the one connection or costs little, while
/// others are served, and nothing is left of it.
/// </summary>
[CollectionDefinition(nameof(Http2AttackTests), DisableParallelization = true)] // It measures memory.
[Collection(nameof(Http2AttackTests))]
public sealed class Http2AttackTests
{
    private static readonly (string, string)[] Get =
        [(":method", "GET"), (":scheme", "http"), (":authority", "localhost"), (":path", "/")];

    private static readonly (string, string)[] GetOverTls =
        [(":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", "/")];

    /// <summary>Bytes that may be left: buffers that are pooled, and what the runtime has not collected.</summary>
    private const long Slack = 48 * 1024 * 1024;

    [Fact]
    public async Task Rapid_reset_is_cut_and_cancels_what_it_began()
    {
        var underWay = 0;
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            if (context.Request.Path == "/other") return;
            Interlocked.Increment(ref underWay);
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
            }
            finally
            {
                Interlocked.Decrement(ref underWay);
            }
        });
        await AttackAsync(instance, async connection =>
        {
            for (var id = 1; id < 40_000; id += 2)
            {
                await connection.SendHeadersAsync(id, endStream: true, Get);
                await connection.SendAsync(Http2Frame.Reset, 0, id, [0, 0, 0, 8]);
            }
        }, mustEnd: true);
        await Eventually.TrueAsync(() => Volatile.Read(ref underWay) == 0, "the instance is rid of all of them");
    }

    [Fact]
    public async Task A_head_that_goes_on_without_end_is_cut()
    {
        await using var instance = await WebInstance.NamedAsync("ok");
        await AttackAsync(instance, async connection =>
        {
            await connection.SendAsync(Http2Frame.Headers, 1, 1, Http2Connection.Fields(Get));
            var more = Http2Connection.Fields([("x-more", new string('x', 8_000))]);
            for (var count = 0; count < 5_000; count++) await connection.SendAsync(Http2Frame.Continuation, 0, 1, more);
        }, mustEnd: true);
        Assert.Equal(0, Asked(instance));
    }

    [Fact]
    public async Task Empty_continuations_without_end_cost_little()
    {
        await using var instance = await WebInstance.NamedAsync("ok");
        await AttackAsync(instance, async connection =>
        {
            await connection.SendAsync(Http2Frame.Headers, 1, 1, Http2Connection.Fields(Get));
            for (var count = 0; count < 50_000; count++) await connection.SendAsync(Http2Frame.Continuation, 0, 1, []);
        });
        Assert.Equal(0, Asked(instance));
    }

    [Fact]
    public async Task A_head_that_is_too_large_or_has_too_many_fields_is_refused()
    {
        await using var instance = await WebInstance.NamedAsync("ok");
        await AttackAsync(instance, async connection =>
        {
            var fields = Get.Concat(Enumerable.Range(0, 200).Select(number => ($"x-{number}", "1")));
            await connection.SendHeadersAsync(1, endStream: true, fields);
            var read = await connection.ReadUntilEndAsync(1);
            Assert.DoesNotContain(read, frame => frame.Type == Http2Frame.Data && frame.Payload.Length == 2);
        });
        Assert.Equal(0, Asked(instance));
    }

    [Theory]
    [InlineData(Http2Frame.Ping, 8)]
    [InlineData(Http2Frame.Settings, 0)]
    [InlineData(Http2Frame.Settings, 6)]
    public async Task A_flood_that_asks_for_answers_costs_little(byte type, int length)
    {
        await using var instance = await WebInstance.NamedAsync("ok");
        // The attacker reads none of the answers.
        await AttackAsync(instance, async connection =>
        {
            var payload = new byte[length];
            if (length == 6) payload[1] = 3;
            for (var count = 0; count < 50_000; count++) await connection.SendAsync(type, 0, 0, payload);
        });
    }

    [Fact]
    public async Task Junk_of_priorities_windows_and_unknown_frames_costs_little()
    {
        await using var instance = await WebInstance.NamedAsync("ok");
        await AttackAsync(instance, async connection =>
        {
            for (var count = 0; count < 20_000; count++)
            {
                await connection.SendAsync(Http2Frame.Priority, 0, (count * 2) + 1, [0, 0, 0, 0, 16]);
                await connection.SendAsync(200, 0, 0, [1, 2, 3]);
            }
            for (var count = 0; count < 20_000; count++)
                await connection.SendAsync(Http2Frame.WindowUpdate, 0, 0, [0, 0, 0, 1]);
        });
    }

    [Fact]
    public async Task Empty_data_without_end_costs_little()
    {
        await using var instance = await WebInstance.NamedAsync("ok");
        await AttackAsync(instance, async connection =>
        {
            await connection.SendHeadersAsync(1, endStream: false, Post);
            for (var count = 0; count < 50_000; count++) await connection.SendDataAsync(1, endStream: false, []);
        });
    }

    [Fact]
    public async Task A_window_that_is_never_opened_holds_no_more_than_a_buffer_and_is_cut()
    {
        var taken = 0L;
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            if (context.Request.Path == "/other") return;
            var piece = new byte[64 * 1024];
            for (var count = 0; count < 1_000; count++)
            {
                await context.Response.Body.WriteAsync(piece, context.RequestAborted);
                Interlocked.Add(ref taken, piece.Length);
            }
        });
        await using var edge = await StartAsync(instance);
        // No bytes of any stream, by the settings.
        using var attacker = await Http2Connection.ToAsync(edge.Address, settings: (4, 0));
        await attacker.SendHeadersAsync(1, endStream: true, Get);
        await attacker.ReadUntilAsync(frame => frame.Type == Http2Frame.Headers);
        await ServesOthersAsync(edge);
        // What the instance could say fits into the buffers of the connections on the way; of 64 MB most is still its.
        Assert.InRange(Interlocked.Read(ref taken), 0, 24L * 1024 * 1024);
        // The server's own bound on slow readers ends it, and with it the exchange.
        await attacker.ReadUntilAsync(frame => frame.Type is Http2Frame.Reset or Http2Frame.GoAway);
        await Eventually.TrueAsync(() => edge.Module.WaitsForInstances == 0, "nobody waits for the instance");
    }

    private static readonly (string, string)[] Post =
        [(":method", "POST"), (":scheme", "http"), (":authority", "localhost"), (":path", "/")];

    public static TheoryData<string, string> BadHeads => new()
    {
        { "no method", ":scheme=http :authority=localhost :path=/" },
        { "no path", ":method=GET :scheme=http :authority=localhost" },
        { "no scheme", ":method=GET :authority=localhost :path=/" },
        { "two methods", ":method=GET :method=GET :scheme=http :authority=localhost :path=/" },
        { "two paths", ":method=GET :scheme=http :authority=localhost :path=/ :path=/b" },
        { "an empty path", ":method=GET :scheme=http :authority=localhost :path=" },
        { "a path without a slash", ":method=GET :scheme=http :authority=localhost :path=a" },
        { "a path that hides dots", ":method=GET :scheme=http :authority=localhost :path=/a/..;/b" },
        { "a path with a line end", ":method=GET :scheme=http :authority=localhost :path=/\r\nX:" },
        { "an unknown pseudo field", ":method=GET :scheme=http :authority=localhost :path=/ :unheard=1" },
        { "a pseudo field of answers", ":method=GET :scheme=http :authority=localhost :path=/ :status=200" },
        { "a pseudo field behind others", ":method=GET :scheme=http x-a=1 :authority=localhost :path=/" },
        { "a name in capitals", ":method=GET :scheme=http :authority=localhost :path=/ X-A=1" },
        { "a name with a colon", ":method=GET :scheme=http :authority=localhost :path=/ x:a=1" },
        { "a name with a line end", ":method=GET :scheme=http :authority=localhost :path=/ x\r\na=1" },
        { "a value with a line end", ":method=GET :scheme=http :authority=localhost :path=/ x-a=1\r\nx-b:2" },
        { "a value with a NUL", ":method=GET :scheme=http :authority=localhost :path=/ x-a=1\0" },
        { "a connection field", ":method=GET :scheme=http :authority=localhost :path=/ connection=close" },
        { "a coding", ":method=POST :scheme=http :authority=localhost :path=/ transfer-encoding=chunked" },
        { "two lengths", ":method=POST :scheme=http :authority=localhost :path=/ content-length=1 content-length=2" },
        { "a length that is none", ":method=POST :scheme=http :authority=localhost :path=/ content-length=+1" },
        { "a host that is none", ":method=GET :scheme=http :authority=a/b :path=/" },
        { "a method that is none", ":method=GE(T :scheme=http :authority=localhost :path=/" },
        { "te of something", ":method=GET :scheme=http :authority=localhost :path=/ te=gzip" },
    };

    [Theory]
    [MemberData(nameof(BadHeads))]
    public async Task A_bad_head_reaches_no_instance(string what, string head)
    {
        await using var instance = await WebInstance.NamedAsync("ok");
        await using var edge = await StartAsync(instance);
        using var attacker = await Http2Connection.ToAsync(edge.Address);
        // Ends on the last '=' of a field's name: values here have none.
        var fields = head.Split(' ').Select(field => field.Split('=', 2)).Select(pair => (pair[0], pair[1]));
        await attacker.SendHeadersAsync(1, endStream: true, fields);
        var read = await attacker.ReadUntilEndAsync(1);
        Assert.NotEmpty(read);
        Assert.True(instance.Requests == 0, what);
        await ServesOthersAsync(edge);
    }

    [Fact]
    public async Task A_length_that_the_data_exceed_or_miss_is_no_request()
    {
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            using var body = new StreamReader(context.Request.Body);
            await context.Response.WriteAsync(await body.ReadToEndAsync());
        });
        await using var edge = await StartAsync(instance);
        foreach (var length in new[] { "2", "20" })
        {
            using var attacker = await Http2Connection.ToAsync(edge.Address);
            await attacker.SendHeadersAsync(1, endStream: false, [.. Post, ("content-length", length)]);
            await attacker.SendDataAsync(1, endStream: true, "hello"u8.ToArray());
            var read = await attacker.ReadUntilEndAsync(1);
            Assert.DoesNotContain(read, frame => frame.Type == Http2Frame.Data && frame.Payload.Length == 5);
        }
        await ServesOthersAsync(edge);
    }

    [Fact]
    public async Task Over_tls_the_same_server_stands()
    {
        using var certificate = new TestCertificate();
        await using var instance = await WebInstance.NamedAsync("ok");
        await using var edge = await TestEdge.StartAsync(tls: certificate.Options);
        edge.RouteAll().Instances(instance.Address);
        using var attacker = await Http2Connection.ToAsync(
            edge.Address, (_, shown, _, _) => certificate.Believes(shown));
        for (var id = 1; id < 20_000; id += 2)
        {
            try
            {
                await attacker.SendHeadersAsync(id, endStream: true, GetOverTls);
                await attacker.SendAsync(Http2Frame.Reset, 0, id, [0, 0, 0, 8]);
            }
            catch (IOException)
            {
                break; // It has been cut.
            }
        }
        using var other = await Http2Connection.ToAsync(edge.Address, (_, shown, _, _) => certificate.Believes(shown));
        await other.SendHeadersAsync(1, endStream: true, GetOverTls);
        Assert.Contains(await other.ReadUntilEndAsync(1), frame => frame.Type == Http2Frame.Data);
    }

    private static int Asked(WebInstance instance) => instance.Requests - Others;

    /// <summary>Requests of those who are served meanwhile.</summary>
    private const int Others = 5;

    private static async Task<TestEdge> StartAsync(WebInstance instance)
    {
        var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        return edge;
    }

    private static async Task ServesOthersAsync(TestEdge edge)
    {
        using var answer = await edge.Client.GetAsync("/other").WaitAsync(Eventually.Patience);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    // Others are served while it goes on; memory is as before when it is over.
    private static async Task AttackAsync(
        WebInstance instance, Func<Http2Connection, Task> attack, bool mustEnd = false)
    {
        await using var edge = await StartAsync(instance);
        await ServesOthersAsync(edge);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        using var attacker = await Http2Connection.ToAsync(edge.Address);
        var attacking = SwallowAsync(attack(attacker));
        for (var count = 1; count < Others; count++) await ServesOthersAsync(edge);
        // Who reads no answers is not read on, which is an end too.
        var patience = Task.Delay(TimeSpan.FromSeconds(10), TimeProvider.System);
        var ended = await Task.WhenAny(attacking, patience) == attacking;
        if (mustEnd)
        {
            Assert.True(ended && await attacking is not null
                || (await attacker.ReadUntilAsync(frame => frame.Type == Http2Frame.GoAway)).Count > 0);
        }
        await Eventually.TrueAsync(
            () => GC.GetTotalMemory(forceFullCollection: true) < before + Slack, "its memory is given back");
        await Eventually.TrueAsync(() => edge.Module.WaitsForInstances == 0, "nothing is waited for");
    }

    // Null when it came to its end, else how it was cut.
    private static async Task<IOException?> SwallowAsync(Task attack)
    {
        try
        {
            await attack;
            return null;
        }
        catch (IOException cut)
        {
            return cut;
        }
    }
}
