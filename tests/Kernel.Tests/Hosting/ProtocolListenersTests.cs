using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Groundwork.Kernel.Hosting;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Kernel.Tests.Hosting;

/// <summary>Listeners of protocols of others: off, shared, and with datagrams.</summary>
public sealed class ProtocolListenersTests
{
    private static readonly ListenerDefinition Shared = new("doh", ListenerProtocol.Http, "127.0.0.1:7443")
    {
        CanBeOff = true, SharedWith = ListenerDefinition.Api,
    };

    private static readonly ListenerDefinition Names =
        new("dns", ListenerProtocol.Datagrams, "127.0.0.1:0", MayBindPlain: true) { CanBeOff = true };

    [Theory]
    [InlineData(null, HttpStatusCode.OK)]
    [InlineData("off", HttpStatusCode.NotFound)]
    [InlineData("127.0.0.1:0", HttpStatusCode.OK)]
    public async Task A_protocol_with_paths_is_on_the_shared_listener_unless_it_is_off(
        string? configured, HttpStatusCode status)
    {
        var options = configured switch
        {
            null => new ListenersOptions(),
            "off" => With("doh", new ListenerOptions { Off = true }),
            _ => With("doh", new ListenerOptions { Address = new ListenAddress(IPAddress.Loopback, 0) }),
        };
        await using var open = new OpenListeners(options, [OpenListeners.Api, Shared]);
        open.Listeners.Map("api", endpoints => endpoints.MapGet("/own", () => "own").AllowsAnyone("a test"));
        open.Listeners.MapProtocol("doh", endpoints => endpoints.MapGet("/dns", () => "dns").AllowsAnyone("a test"));
        await open.Listeners.StartAsync(CancellationToken.None);
        using (var answer = await open.SendAsync("/dns")) Assert.Equal(status, answer.StatusCode);
        Assert.Equal(configured == "127.0.0.1:0", open.Listeners.Has("doh"));
        if (!open.Listeners.Has("doh")) return;
        using var own = await open.SendAsync("/dns", listener: "doh");
        Assert.Equal(HttpStatusCode.OK, own.StatusCode);
        using var other = await open.SendAsync("/own", listener: "doh");
        Assert.Equal(HttpStatusCode.NotFound, other.StatusCode);
    }

    [Fact]
    public async Task Of_the_well_known_ports_those_open_that_are_free()
    {
        using var holder = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        holder.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        holder.Listen();
        var taken = Shared with { Name = "taken", DefaultAddress = holder.LocalEndPoint!.ToString()! };
        var free = Shared with { Name = "free", DefaultAddress = "127.0.0.1:0", IsWellKnown = true };
        var logs = new RecordedLogs();
        await using var open = new OpenListeners(
            new ListenersOptions { WellKnownPorts = true, NextFreePort = true },
            [OpenListeners.Api, taken with { IsWellKnown = true }, free, Shared],
            logs);
        foreach (var name in (string[])["taken", "free", "doh"])
            open.Listeners.MapProtocol(
                name, endpoints => endpoints.MapGet("/" + name, () => name).AllowsAnyone("a test"));
        await open.Listeners.StartAsync(CancellationToken.None);
        Assert.DoesNotContain("taken", open.Listeners.Addresses.Keys);
        Assert.Contains(logs.Lines, line => line.Contains("taken needs 127.0.0.1", StringComparison.Ordinal));
        Assert.Single(open.Listeners.Addresses["free"]);
        Assert.False(open.Listeners.Has("doh")); // No well-known port of its own.
        foreach (var name in (string[])["taken", "free", "doh"])
        {
            using var answer = await open.SendAsync("/" + name);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
    }

    [Fact]
    public async Task Datagrams_come_to_the_well_known_port_too_where_it_is_asked_for()
    {
        // As of DNS, at an address of loopback that nobody else has. Not every user may.
        var names = Names with { WellKnownAddress = "127.53.53.53:53" };
        foreach (var (options, isAsked) in new[]
        {
            (new ListenersOptions(), false),
            (new ListenersOptions { WellKnownPorts = true, NextFreePort = true }, true),
            (With("dns", new ListenerOptions { Address = new ListenAddress(IPAddress.Loopback, 0) }) with
            {
                WellKnownPorts = true,
            }, false),
        })
        {
            var logs = new RecordedLogs();
            var (datagrams, connections) = (new ConcurrentQueue<Socket>(), new ConcurrentQueue<Socket>());
            await using var open = new OpenListeners(options, [OpenListeners.Api, names], logs);
            open.Listeners.Map("api", endpoints => endpoints.MapGet("/own", () => "own").AllowsAnyone("a test"));
            open.Listeners.Receive(
                "dns",
                socket =>
                {
                    datagrams.Enqueue(socket);
                    return new Receiving(() => true);
                },
                connections.Enqueue);
            await open.Listeners.StartAsync(CancellationToken.None);
            var addresses = open.Listeners.Addresses["dns"];
            var isClosed = logs.Lines.Any(line => line.Contains("CAP_NET_BIND_SERVICE", StringComparison.Ordinal));
            Assert.False(isClosed && (!isAsked || Environment.IsPrivilegedProcess));
            Assert.Equal(isAsked && !isClosed ? 2 : 1, addresses.Length);
            Assert.Equal(addresses.Length, datagrams.Count);
            if (addresses.Length == 1) continue;
            Assert.Equal(IPEndPoint.Parse(names.WellKnownAddress), addresses[1]);
            Assert.Equal(addresses, datagrams.Select(socket => socket.LocalEndPoint));
            using var tcp = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await tcp.ConnectAsync(addresses[1]);
            await Eventually.TrueAsync(() => !connections.IsEmpty, "the connection is taken");
            foreach (var socket in connections) socket.Dispose();
        }
    }

    [Fact]
    public async Task A_well_known_port_without_the_capability_is_named_and_the_rest_opens()
    {
        var logs = new RecordedLogs();
        await using var open = new OpenListeners(
            new ListenersOptions { WellKnownPorts = true },
            [Names with { WellKnownAddress = "127.53.53.54:53" }], logs);
        open.Listeners.Receive("dns", _ => new Receiving(() => true), _ => { });
        // Capabilities are a thread's: this one is without, and opens the listener to its end.
        var opening = new Thread(() =>
        {
            DropBindService();
            open.Listeners.StartAsync(CancellationToken.None).GetAwaiter().GetResult();
        });
        opening.Start();
        opening.Join();
        Assert.Single(open.Listeners.Addresses["dns"]);
        Assert.Contains(logs.Lines, line => line.Contains("The well-known port of dns", StringComparison.Ordinal)
            && line.Contains("127.53.53.54:53", StringComparison.Ordinal)
            && line.Contains("CAP_NET_BIND_SERVICE", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_listener_for_protocols_that_are_all_off_stays_closed()
    {
        var both = new ListenerDefinition("both", ListenerProtocol.Http, "127.0.0.1:0") { CanBeOff = true };
        await using var open = new OpenListeners(
            With("doh", new ListenerOptions { Off = true }),
            [OpenListeners.Api, both, Shared with { SharedWith = "both" }]);
        open.Listeners.Map("api", endpoints => endpoints.MapGet("/own", () => "own").AllowsAnyone("a test"));
        open.Listeners.MapProtocol("doh", endpoints => endpoints.MapGet("/dns", () => "dns").AllowsAnyone("a test"));
        await open.Listeners.StartAsync(CancellationToken.None);
        Assert.DoesNotContain("both", open.Listeners.Addresses.Keys);
    }

    [Fact]
    public async Task Paths_may_differ_where_a_protocol_is_alone()
    {
        await using var open = new OpenListeners(
            With("doh", new ListenerOptions { Address = new ListenAddress(IPAddress.Loopback, 0) }),
            [OpenListeners.Api, Shared]);
        open.Listeners.MapProtocol(
            "doh",
            endpoints => endpoints.MapGet("/below/x", () => "shared").AllowsAnyone("a test"),
            endpoints => endpoints.MapGet("/x", () => "own").AllowsAnyone("a test"));
        await open.Listeners.StartAsync(CancellationToken.None);
        foreach (var (path, listener, status) in ((string, string, HttpStatusCode)[])
        [
            ("/below/x", "api", HttpStatusCode.OK), ("/x", "api", HttpStatusCode.NotFound),
            ("/x", "doh", HttpStatusCode.OK), ("/below/x", "doh", HttpStatusCode.NotFound),
        ])
        {
            using var answer = await open.SendAsync(path, listener: listener);
            Assert.Equal(status, answer.StatusCode);
        }
    }

    [Fact]
    public async Task What_goes_wrong_around_a_protocol_is_worded_by_it_and_nowhere_else()
    {
        await using var open = new OpenListeners(
            With("doh", new ListenerOptions { Address = new ListenAddress(IPAddress.Loopback, 0) }),
            [OpenListeners.Api, Shared]);
        open.Listeners.Map("api", endpoints => endpoints.MapGet("/own", () => "own").AllowsAnyone("a test"));
        open.Listeners.MapProtocol("doh", endpoints =>
        {
            endpoints.MapGet("/below/x", () => "x").AllowsAnyone("a test");
            endpoints.MapPut("/below/small", () => "small").LimitsBody(1).AllowsAnyone("a test");
            endpoints.MapGet("/below/fails", string () => throw new InvalidOperationException("a test"))
                .AllowsAnyone("a test");
        });
        open.Listeners.WordFaults("doh", "/below", (context, fault) =>
        {
            context.Response.StatusCode = fault.Error.Status;
            return context.Response.WriteAsync($"worded: {fault.Error.Code}");
        });
        await open.Listeners.StartAsync(CancellationToken.None);
        foreach (var (method, path, code) in new[]
        {
            (HttpMethod.Post, "/below/x", "method_not_allowed"), (HttpMethod.Get, "/below/y", "not_found"),
            (HttpMethod.Put, "/below/small", "body_too_large"), (HttpMethod.Get, "/below/fails", "internal"),
        })
        {
            foreach (var listener in (string[])["api", "doh"])
            {
                using var body = method == HttpMethod.Put ? new StringContent("large") : null;
                using var answer = await open.SendAsync(path, method, body: body, listener: listener);
                Assert.Equal($"worded: {code}", await answer.Content.ReadAsStringAsync());
            }
        }
        foreach (var (method, path, listener, isWorded) in new[]
        {
            (HttpMethod.Post, "/own", "api", false), (HttpMethod.Get, "/belowground", "api", false),
            (HttpMethod.Get, "/elsewhere", "doh", true),
        })
        {
            using var answer = await open.SendAsync(path, method, listener: listener);
            var text = await answer.Content.ReadAsStringAsync();
            Assert.Equal(isWorded, text.StartsWith("worded: ", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Datagrams_and_connections_come_to_one_address_and_end_with_the_listeners()
    {
        var taken = new ConcurrentQueue<Socket>();
        Socket? datagrams = null;
        var receiving = new Receiving(() => datagrams?.SafeHandle.IsClosed == false);
        await using var open = new OpenListeners(definitions: [OpenListeners.Api, Names]);
        open.Listeners.Map("api", endpoints => endpoints.MapGet("/own", () => "own").AllowsAnyone("a test"));
        open.Listeners.Receive(
            "dns",
            socket =>
            {
                datagrams = socket;
                return receiving;
            },
            taken.Enqueue);
        await open.Listeners.StartAsync(CancellationToken.None);
        var address = Assert.Single(open.Listeners.Addresses["dns"]);
        Assert.NotNull(datagrams);
        Assert.Equal(address, datagrams.LocalEndPoint);
        using var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        await udp.SendToAsync(Encoding.ASCII.GetBytes("hello"), address);
        var bytes = new byte[16];
        Assert.Equal(5, await datagrams.ReceiveAsync(bytes));
        using var tcp = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await tcp.ConnectAsync(address);
        await Eventually.TrueAsync(() => !taken.IsEmpty, "the connection is taken");
        await open.Listeners.StopAsync(CancellationToken.None);
        Assert.True(receiving.EndedWhileOpen, "Who receives ends before the socket closes.");
        // Both are free again.
        using var again = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        again.Bind(address);
        foreach (var socket in taken) socket.Dispose();
    }

    [Fact]
    public async Task A_port_that_is_taken_for_datagrams_is_named_or_passed_over()
    {
        using var holder = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        holder.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var wanted = new ListenAddress(IPAddress.Loopback, ((IPEndPoint)holder.LocalEndPoint!).Port);
        await using (var refused = Open(nextFreePort: false))
        {
            var fault = await Assert.ThrowsAsync<StartupException>(
                () => refused.Listeners.StartAsync(CancellationToken.None));
            Assert.Equal(ErrorCodes.AddressInUse, fault.Fault.Error);
        }
        await using var moved = Open(nextFreePort: true);
        await moved.Listeners.StartAsync(CancellationToken.None);
        Assert.NotEqual(wanted.Port, moved.Listeners.Addresses["dns"][0].Port);

        OpenListeners Open(bool nextFreePort)
        {
            var open = new OpenListeners(
                With("dns", new ListenerOptions { Address = wanted }) with { NextFreePort = nextFreePort },
                [OpenListeners.Api, Names]);
            open.Listeners.Map("api", endpoints => endpoints.MapGet("/own", () => "own").AllowsAnyone("a test"));
            open.Listeners.Receive("dns", _ => new Receiving(() => true), _ => { });
            return open;
        }
    }

    [Theory]
    [InlineData("api", true, false, "listeners.api")]
    [InlineData("dns", true, true, "listeners.dns")]
    [InlineData("doh", false, true, "listeners.doh")]
    public void What_contradicts_itself_is_refused(string name, bool off, bool plain, string path)
    {
        var fault = Assert.Throws<StartupException>(() => new OpenListeners(
            With(name, new ListenerOptions { Off = off, Plain = plain }), [OpenListeners.Api, Shared, Names]));
        Assert.Contains(path, fault.Fault.Fields.Select(field => field.Path));
    }

    [Fact]
    public void Datagrams_off_loopback_are_plain_in_writing()
    {
        var anywhere = new ListenerOptions { Address = new ListenAddress(IPAddress.Any, 0) };
        Assert.Throws<StartupException>(() => new OpenListeners(With("dns", anywhere), [OpenListeners.Api, Names]));
        var open = new OpenListeners(With("dns", anywhere with { Plain = true }), [OpenListeners.Api, Names]);
        Assert.True(open.Listeners.Has("dns"));
    }

    private static ListenersOptions With(string name, ListenerOptions options) => new()
    {
        ByName = ImmutableDictionary<string, ListenerOptions>.Empty.Add(name, options),
    };

    private static void DropBindService()
    {
        const int Version3 = 0x20080522; // _LINUX_CAPABILITY_VERSION_3
        const int BindService = 1 << 10; // CAP_NET_BIND_SERVICE
        int[] header = [Version3, 0];
        var sets = new int[6]; // Effective, permitted, inheritable; then their upper halves.
        Assert.Equal(0, CapabilitiesOf(header, sets));
        sets[0] &= ~BindService;
        Assert.Equal(0, SetCapabilities(header, sets));
    }

    [DllImport("libc", EntryPoint = "capget")]
    private static extern int CapabilitiesOf(int[] header, [Out] int[] sets);

    [DllImport("libc", EntryPoint = "capset")]
    private static extern int SetCapabilities(int[] header, int[] sets);

    /// <summary>What an owner of datagrams returns.</summary>
    private sealed class Receiving(Func<bool> isOpen) : IDisposable
    {
        public bool EndedWhileOpen { get; private set; }

        public void Dispose() => EndedWhileOpen = isOpen();
    }
}
