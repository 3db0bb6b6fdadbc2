using System.Collections.Immutable;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Hosting.Listening;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Tests.Hosting;

public sealed class ListenersTests
{
    private static readonly ListenerDefinition Edge = new(
        ListenerDefinition.Gateway, ListenerProtocol.Proxy, "127.0.0.1:0", MayBindPlain: true);

    [Fact]
    public async Task Each_listener_answers_its_own_paths_and_no_other()
    {
        ListenerDefinition second = new("second", ListenerProtocol.Http, "127.0.0.1:0");
        await using var open = new OpenListeners(definitions: [OpenListeners.Api, second]);
        open.Listeners.Map("api", endpoints => endpoints.MapGet("/one", () => "one").AllowsAnyone("a test"));
        open.Listeners.Map("second", endpoints => endpoints.MapGet("/two", () => "two").AllowsAnyone("a test"));
        await open.Listeners.StartAsync(CancellationToken.None);

        foreach (var (listener, path, expected) in new[]
        {
            ("api", "/one", HttpStatusCode.OK), ("api", "/two", HttpStatusCode.NotFound),
            ("second", "/two", HttpStatusCode.OK), ("second", "/one", HttpStatusCode.NotFound),
        })
        {
            using var answer = await open.SendAsync(path, listener: listener);
            Assert.Equal(expected, answer.StatusCode);
        }
    }

    [Fact]
    public async Task Unknown_path_is_a_problem_with_code_trace_id_and_revision()
    {
        await using var open = await StartAsync();
        using var answer = await open.SendAsync("/nothing?token=secret");
        var problem = await ProblemAsync(answer, HttpStatusCode.NotFound);
        Assert.Equal("not_found", problem.Code);
        Assert.Equal("/docs/errors#not_found", problem.Type);
        Assert.DoesNotContain("secret", problem.Detail);
        Assert.Equal(32, problem.TraceId?.Length);
        Assert.Equal("42", Assert.Single(answer.Headers.GetValues(HeaderNames.Revision)));
    }

    [Fact]
    public async Task Wrong_method_is_a_problem_that_names_the_right_ones()
    {
        await using var open = await StartAsync();
        using var answer = await open.SendAsync("/open", HttpMethod.Delete);
        Assert.Equal("method_not_allowed", (await ProblemAsync(answer, HttpStatusCode.MethodNotAllowed)).Code);
        Assert.Contains("GET", answer.Content.Headers.Allow);
    }

    [Fact]
    public async Task Exception_becomes_a_problem_without_its_message_and_still_has_the_revision()
    {
        await using var open = await StartAsync();
        using var answer = await open.SendAsync("/throws");
        var problem = await ProblemAsync(answer, HttpStatusCode.InternalServerError);
        Assert.Equal("internal", problem.Code);
        Assert.DoesNotContain("private", problem.Detail);
        Assert.Equal("42", Assert.Single(answer.Headers.GetValues(HeaderNames.Revision)));
    }

    [Fact]
    public async Task Answer_that_breaks_after_it_started_does_not_look_whole()
    {
        await using var open = await StartAsync();
        await Assert.ThrowsAsync<HttpRequestException>(() => open.SendAsync("/breaks"));
    }

    [Fact]
    public async Task Bad_parameter_and_bad_body_are_problems_in_the_callers_words()
    {
        await using var open = await StartAsync();
        using var parameter = await open.SendAsync("/typed?limit=abc");
        Assert.Equal("The parameter 'limit' cannot be 'abc'.", (
            await ProblemAsync(parameter, HttpStatusCode.BadRequest)).Detail);

        using var missing = await open.SendAsync("/typed");
        Assert.Equal("The parameter 'limit' is required.", (await ProblemAsync(missing, HttpStatusCode.BadRequest))
            .Detail);

        using var body = await open.SendAsync(
            "/typed", HttpMethod.Post, body: JsonContent.Create(new { refreshToken = "x", colour = "red" }));
        var field = Assert.Single((await ProblemAsync(body, HttpStatusCode.BadRequest)).Fields ?? []);
        Assert.Equal("has no field 'colour'", field.Message);

        using var text = await open.SendAsync("/typed", HttpMethod.Post, body: new StringContent("{}"));
        Assert.Equal("unsupported_media_type", (await ProblemAsync(text, HttpStatusCode.UnsupportedMediaType)).Code);
    }

    [Fact]
    public async Task Body_over_the_limit_is_refused_whether_or_not_it_says_its_length()
    {
        await using var open = await StartAsync();
        using var declared = await open.SendAsync("/small", HttpMethod.Post, body: new ByteArrayContent(new byte[101]));
        Assert.Equal("body_too_large", (await ProblemAsync(declared, HttpStatusCode.RequestEntityTooLarge)).Code);

        using var chunked = new StreamContent(new MemoryStream(new byte[101]));
        using var request = new HttpRequestMessage(
            HttpMethod.Post, new Uri(open.Listeners.UrlOf("api"), "/small")) { Content = chunked };
        request.Headers.TransferEncodingChunked = true;
        using var client = new HttpClient();
        using var undeclared = await client.SendAsync(request);
        Assert.Equal("body_too_large", (await ProblemAsync(undeclared, HttpStatusCode.RequestEntityTooLarge)).Code);

        using var fits = await open.SendAsync("/small", HttpMethod.Post, body: new ByteArrayContent(new byte[100]));
        Assert.Equal("100", await fits.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("localhost:1", true)]
    [InlineData("127.0.0.1", true)]
    [InlineData("[::1]:7400", true)]
    [InlineData("console.internal", true)]
    [InlineData("evil.example", false)]
    [InlineData("localhost.evil.example", false)]
    [InlineData("127.0.0.1.nip.io", false)]
    public async Task Loopback_listener_answers_to_known_hosts_only(string host, bool answered)
    {
        var options = new ListenersOptions
        {
            ByName = new Dictionary<string,
                ListenerOptions> { ["api"] = new() { HostNames = ["console.internal"] } }.ToImmutableDictionary(),
        };
        await using var open = await StartAsync(options);
        using var answer = await open.SendAsync("/open", host: host);
        if (answered) Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        else Assert.Equal("host_not_allowed", (await ProblemAsync(answer, HttpStatusCode.MisdirectedRequest)).Code);
    }

    [Fact]
    public async Task Taken_port_is_a_fault_that_names_the_port_and_its_holder()
    {
        using var holder = new TcpListener(IPAddress.Loopback, 0);
        holder.Start();
        var port = ((IPEndPoint)holder.LocalEndpoint).Port;
        await using var open = Unstarted(At(port));
        var fault = (
            await Assert.ThrowsAsync<StartupException>(() => open.Listeners.StartAsync(CancellationToken.None))).Fault;
        Assert.Equal("address_in_use", fault.Error.Code);
        Assert.Contains($"port {port}", fault.Detail);
        Assert.Contains($"process {Environment.ProcessId} (", fault.Detail);
    }

    [Fact]
    public async Task Taken_port_is_passed_over_when_the_next_free_one_is_wanted()
    {
        using var holder = new TcpListener(IPAddress.Loopback, FreePort.Next());
        holder.Start();
        var port = ((IPEndPoint)holder.LocalEndpoint).Port;
        await using var open = await StartAsync(At(port) with { NextFreePort = true });
        var real = Assert.Single(open.Listeners.AddressesOf("api"));
        Assert.InRange(real.Port, port + 1, port + ListenerLimits.NextPortTries);
        using var answer = await open.SendAsync("/open");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task Unix_socket_is_for_its_owner_and_says_who_calls()
    {
        using var directory = new TemporaryDirectory();
        var path = directory.Write("api.sock", "left behind by a process that was killed");
        await using var open = await StartAsync(new ListenersOptions { ApiSocket = path });
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        using var client = UnixSocketClient.Over(path);
        Assert.Equal($"{Environment.ProcessId}", await client.GetStringAsync("/peer"));
    }

    [Fact]
    public async Task Listener_of_one_owner_gives_it_connections_and_every_path_and_host_of_http_2()
    {
        await using var open = new OpenListeners(definitions: [Edge]);
        open.Listeners.Serve(
            "gateway",
            async connection =>
            {
                var read = await connection.Transport.Input.ReadAtLeastAsync(3);
                var isHttp2 = read.Buffer.FirstSpan.StartsWith("PRI"u8);
                connection.Transport.Input.AdvanceTo(read.Buffer.Start);
                if (isHttp2) return false;
                await connection.Transport.Output.WriteAsync("bytes"u8.ToArray());
                return true;
            },
            context => context.Response.WriteAsync($"{context.Request.Host.Host}{context.Request.Path}"));
        await open.Listeners.StartAsync(CancellationToken.None);
        var address = open.Listeners.AddressesOf("gateway")[0];
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address);
        await socket.SendAsync("GET / HTTP/1.1\r\n"u8.ToArray());
        var bytes = new byte[16];
        Assert.Equal("bytes"u8.ToArray(), bytes[..await socket.ReceiveAsync(bytes)]);

        using var client = new HttpClient { DefaultRequestVersion = HttpVersion.Version20 };
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{address}/any/path")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Headers = { Host = "shop.example" },
        };
        using var answer = await client.SendAsync(request);
        Assert.Equal("shop.example/any/path", await answer.Content.ReadAsStringAsync());
        Assert.False(answer.Headers.Contains(HeaderNames.Revision));
    }

    [Fact]
    public async Task Stop_ends_event_streams_and_waits_for_requests_under_way()
    {
        await using var open = Unstarted();
        var entered = new TaskCompletionSource();
        var leave = new TaskCompletionSource();
        open.Listeners.Map("api", endpoints =>
        {
            endpoints.MapGet("/slow", async () =>
            {
                entered.SetResult();
                await leave.Task;
                return "done";
            }).AllowsAnyone("a test");
            endpoints.MapGet("/stream", async (HttpContext context) =>
            {
                await context.Response.WriteAsync("first");
                await context.Response.Body.FlushAsync();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, open.Listeners.Stopping)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }).AllowsAnyone("a test");
        });
        await open.Listeners.StartAsync(CancellationToken.None);
        var slow = open.SendAsync("/slow");
        var stream = open.SendAsync("/stream");
        await entered.Task;
        var stop = open.Listeners.StopAsync(CancellationToken.None);
        using var streamed = await stream;
        Assert.Equal("first", await streamed.Content.ReadAsStringAsync());
        Assert.False(stop.IsCompleted);
        leave.SetResult();
        using var answer = await slow;
        Assert.Equal("done", await answer.Content.ReadAsStringAsync());
        await stop;
    }

    [Fact]
    public async Task Stop_cuts_what_outlives_its_patience()
    {
        await using var open = Unstarted();
        var entered = new TaskCompletionSource();
        open.Listeners.Map("api", endpoints => endpoints.MapGet("/stuck", async (HttpContext context) =>
        {
            entered.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        }).AllowsAnyone("a test"));
        await open.Listeners.StartAsync(CancellationToken.None);
        var stuck = open.SendAsync("/stuck");
        await entered.Task;
        await open.Listeners.StopAsync(new CancellationToken(canceled: true));
        await Assert.ThrowsAsync<HttpRequestException>(() => stuck);
    }

    [Theory]
    [InlineData("0.0.0.0:0", "listeners.api.address")]
    [InlineData("*:0", "listeners.api.address")]
    public void Public_address_without_tls_is_a_fault(string address, string path)
    {
        var fault = Assert.Throws<StartupException>(() => new OpenListeners(At(address))).Fault;
        Assert.Equal(path, Assert.Single(fault.Fields).Path);
    }

    [Fact]
    public async Task Only_the_gateway_may_bind_plain_and_only_when_that_is_written_out()
    {
        Assert.Throws<StartupException>(() => new OpenListeners(At("0.0.0.0:0", plain: true)));
        Assert.Throws<StartupException>(() => new OpenListeners(At("0.0.0.0:0", name: "gateway"), [Edge]));
        await using var allowed = new OpenListeners(At("0.0.0.0:0", plain: true, name: "gateway"), [Edge]);
    }

    [Fact]
    public void All_faults_of_all_listeners_are_told_at_once()
    {
        var options = new ListenersOptions
        {
            ByName = new Dictionary<string, ListenerOptions>
            {
                ["api"] = new() { Plain = true, Tls = new TlsOptions(
                    "a.pem", "b.pem"), TlsTerminatedBy = [IPNetwork.Parse("10.0.0.0/8")] },
                ["apo"] = new(),
            }.ToImmutableDictionary(),
        };
        var fault = Assert.Throws<StartupException>(() => new OpenListeners(options)).Fault;
        Assert.Equal(4, fault.Fields.Length);
    }

    [Fact]
    public async Task Connection_that_no_tls_terminator_made_is_closed()
    {
        // Loopback is a terminator by nature, so the peer has to come from an address of the machine's own network.
        var own = OwnAddress();
        if (own is null) Assert.Skip("the machine has no address besides loopback");
        foreach (var (network, answered) in new[] { ("203.0.113.0/24", false), ($"{own}/32", true) })
        {
            await using var open = await StartAsync(new ListenersOptions
            {
                ByName = new Dictionary<string, ListenerOptions>
                {
                    ["api"] = new() { Address = new ListenAddress(
                        own, 0), TlsTerminatedBy = [IPNetwork.Parse(network)] },
                }.ToImmutableDictionary(),
            });
            if (answered)
            {
                using var answer = await open.SendAsync("/open");
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            }
            else
            {
                await Assert.ThrowsAsync<HttpRequestException>(() => open.SendAsync("/open"));
            }
        }
    }

    private static IPAddress? OwnAddress() =>
        System.Net.NetworkInformation.NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(network => network.GetIPProperties().UnicastAddresses)
            .Select(unicast => unicast.Address)
            .FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork
                && !IPAddress.IsLoopback(address));

    private static ListenersOptions At(int port) => At($"127.0.0.1:{port}");

    private static ListenersOptions At(string address, bool plain = false, string name = "api") => new()
    {
        ByName = new Dictionary<string, ListenerOptions>
        {
            [name] = new() { Address = ListenAddress.Parse(address, "The test's"), Plain = plain },
        }.ToImmutableDictionary(),
    };

    private static OpenListeners Unstarted(ListenersOptions? options = null)
    {
        var open = new OpenListeners(options);
        open.Listeners.Map("api", endpoints =>
        {
            endpoints.MapGet("/open", () => "open").AllowsAnyone("a test");
            endpoints.MapGet("/throws", string () => throw new InvalidOperationException("private"))
                .AllowsAnyone("a test");
            endpoints.MapGet("/peer", (HttpContext context) => $"{context.LocalPeer()?.ProcessId}")
                .AllowsAnyone("a test");
            endpoints.MapGet("/typed", (int limit) => limit).AllowsAnyone("a test");
            endpoints.MapPost("/typed", (RefreshRequest body) => body.RefreshToken).AllowsAnyone("a test");
            endpoints.MapPost("/small", async (HttpContext context) =>
            {
                var copy = new MemoryStream();
                await context.Request.Body.CopyToAsync(copy);
                return $"{copy.Length}";
            }).AllowsAnyone("a test").LimitsBody(100);
            endpoints.MapGet("/breaks", async (HttpContext context) =>
            {
                await context.Response.WriteAsync("half");
                await context.Response.Body.FlushAsync();
                throw new InvalidOperationException("private");
            }).AllowsAnyone("a test");
        });
        return open;
    }

    private static async Task<OpenListeners> StartAsync(ListenersOptions? options = null)
    {
        var open = Unstarted(options);
        await open.Listeners.StartAsync(CancellationToken.None);
        return open;
    }

    private static async Task<ProblemDocument> ProblemAsync(HttpResponseMessage answer, HttpStatusCode status)
    {
        Assert.Equal(status, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        var problem = await answer.Content.ReadFromJsonAsync(WireJson.Strict.ProblemDocument);
        Assert.NotNull(problem);
        return problem;
    }
}
