using System.Net;
using Groundwork.Kernel.Hosting;
using Groundwork.Services.Registry.Policies;
using Groundwork.Services.Registry.Probing;
using Groundwork.Tests.Support;

namespace Groundwork.Services.Tests.Registry.Probing;

public sealed class ProbeCallTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(200, null, null)]
    [InlineData(204, "204", null)]
    [InlineData(503, null, "GET /health?deep=1 answered 503, expected 200-299")]
    [InlineData(302, null, "GET /health?deep=1 answered 302, expected 200-299")] // Not followed.
    [InlineData(200, "300-399", "GET /health?deep=1 answered 200, expected 300-399")]
    public async Task Http_probe_wants_the_status_that_it_is_told(int status, string? expected, string? wrong)
    {
        await using var instance = new StatusServer { Status = status };
        using var call = Call();
        var probe = new ProbeSpec("http", "/health?deep=1", ExpectedStatus: expected);
        Assert.Equal(wrong, await call.MakeAsync(instance.Instance(), probe, Cancel));
        Assert.Equal("GET /health?deep=1 HTTP/1.1", instance.LastRequest);
        Assert.Equal(1, instance.Asked);
    }

    [Fact]
    public async Task Path_cannot_name_another_host()
    {
        await using var instance = new StatusServer();
        using var call = Call();
        Assert.Null(await call.MakeAsync(instance.Instance(), new ProbeSpec("http", "//169.254.169.254/x"), Cancel));
        Assert.Equal("GET //169.254.169.254/x HTTP/1.1", instance.LastRequest);
    }

    [Fact]
    public async Task Tcp_probe_wants_a_connection()
    {
        var probe = new ProbeSpec("tcp");
        using var call = Call();
        await using var instance = new StatusServer();
        Assert.Null(await call.MakeAsync(instance.Instance(), probe, Cancel));
        Assert.StartsWith(
            "no connection or answer: ",
            await call.MakeAsync(instance.Instance() with { Port = FreePort.Next() }, probe, Cancel),
            StringComparison.Ordinal);
        Assert.Equal(
            "it has no port named admin",
            await call.MakeAsync(instance.Instance(), probe with { Port = "admin" }, Cancel));
    }

    [Fact]
    public async Task Silence_is_a_failure_after_the_time_out()
    {
        using var silent = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var call = Call();
        var instance = new Groundwork.Services.Registry.Instance(
            LeasedRegistry.Key("x"), "127.0.0.1", ((IPEndPoint)silent.LocalEndpoint).Port);
        Assert.Equal(
            "no answer within 60 ms",
            await call.MakeAsync(instance, new ProbeSpec("http", TimeoutMs: 60), Cancel));
    }

    [Theory]
    [InlineData("169.254.169.254", 80, "a link-local address")]
    [InlineData("::ffff:169.254.169.254", 80, "a link-local address")]
    [InlineData("127.0.0.1", 7400, "a listener of this process")]
    [InlineData("localhost", 7400, "a listener of this process")] // Judged after its name is resolved.
    [InlineData("0.0.0.0", 7400, "no address of one machine")]
    public async Task Own_listeners_and_link_local_addresses_are_never_probed(string host, int port, string what)
    {
        using var call = Call();
        foreach (var type in new[] { "http", "tcp" })
        {
            var instance = new Groundwork.Services.Registry.Instance(LeasedRegistry.Key("x"), host, port);
            Assert.Equal(
                $"it is not probed, because the address is {what}",
                await call.MakeAsync(instance, new ProbeSpec(type), Cancel));
        }
    }

    private static ProbeCall Call() => new(
        new AddressGuard(() => [new IPEndPoint(IPAddress.Loopback, 7400), new(IPAddress.IPv6Loopback, 7400)], []),
        TimeProvider.System);
}
