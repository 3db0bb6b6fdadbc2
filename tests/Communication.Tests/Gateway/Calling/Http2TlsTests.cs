using System.Diagnostics;
using System.Globalization;
using System.Net;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Tests.Gateway.Listening;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway.Calling;

/// <summary>
/// HTTP/2 with an instance under TLS of the upstream's own: the server is node's, and its authority and certificates
/// are made by openssl.
/// </summary>
public sealed class Http2TlsTests : IAsyncLifetime
{
    private const string Server = """
        const http2 = require('http2'), fs = require('fs')
        const read = name => fs.readFileSync(name)
        const options = {
            key: read('server.key'), cert: read('server.pem'), ca: read('ca.pem'),
            requestCert: process.argv[2] === 'client', rejectUnauthorized: true,
        }
        const server = process.argv[3] === 'http1'
            ? require('https').createServer(options, (request, answer) => answer.end('http1'))
            : http2.createSecureServer(options)
        server.on('stream', stream => {
            const socket = stream.session.socket
            const shown = socket.getPeerCertificate()
            stream.respond({ ':status': 200 })
            stream.end(`${socket.alpnProtocol} ${socket.servername} ${shown.subject ? shown.subject.CN : 'nobody'}`)
        })
        server.on('sessionError', () => {})
        server.on('tlsClientError', () => {})
        server.listen(0, '127.0.0.1', () => console.log(server.address().port))
        """;

    private readonly TemporaryDirectory directory = new();
    private readonly List<Process> started = [];

    public async ValueTask InitializeAsync()
    {
        Tools.Require("node", "nodejs");
        Tools.Require("openssl", "openssl");
        directory.Write("server.js", Server);
        directory.Write("server.ext", "subjectAltName=DNS:inner.test\nextendedKeyUsage=serverAuth\n");
        directory.Write("gateway.ext", "extendedKeyUsage=clientAuth\n");
        await AuthorityAsync("ca");
        await AuthorityAsync("other");
        await SignAsync("server");
        await SignAsync("gateway");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in started)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
        directory.Dispose();
    }

    [Fact]
    public async Task Authorities_and_the_server_name_of_the_upstream_hold_over_HTTP2()
    {
        var address = await ServeAsync("nobody", "h2");
        await using var edge = await StartAsync();

        Assert.Equal("h2 inner.test nobody", await AskAsync(edge, address, new(["ca"], "inner.test")));
        // The system's authorities, another one, and another name.
        Assert.Equal("502", await AskAsync(edge, address, null));
        Assert.Equal("502", await AskAsync(edge, address, new(["other"], "inner.test")));
        Assert.Equal("502", await AskAsync(edge, address, new(["ca"], "outer.test")));
        Assert.Equal("502", await AskAsync(edge, address, new(["ca"])));
        Assert.Equal("h2 inner.test nobody", await AskAsync(edge, address, new(["ca"], "inner.test")));
    }

    [Fact]
    public async Task The_certificate_of_the_upstream_is_shown_over_HTTP2()
    {
        var address = await ServeAsync("client", "h2");
        await using var edge = await StartAsync();

        Assert.Equal("h2 inner.test gateway", await AskAsync(edge, address, new(["ca"], "inner.test", "gateway")));
        Assert.Equal("502", await AskAsync(edge, address, new(["ca"], "inner.test")));
        Assert.Equal("502", await AskAsync(edge, address, new(["ca"], "inner.test", "missing")));
    }

    [Fact]
    public async Task One_that_does_not_offer_HTTP2_is_not_called()
    {
        var address = await ServeAsync("nobody", "http1");
        await using var edge = await StartAsync();
        Assert.Equal("502", await AskAsync(edge, address, new(["ca"], "inner.test")));
        Assert.Equal("502", await AskAsync(edge, address, new(Insecure: true)));
    }

    [Fact]
    public async Task Any_certificate_is_taken_where_that_is_spelled_out()
    {
        var address = await ServeAsync("nobody", "h2");
        await using var edge = await StartAsync();
        Assert.StartsWith("h2 ", await AskAsync(edge, address, new(Insecure: true)), StringComparison.Ordinal);
        Assert.Equal("502", await AskAsync(edge, address, null));
    }

    private async Task<TestEdge> StartAsync()
    {
        var edge = await TestEdge.StartAsync(new GatewayOptions { FailuresToEject = 100 });
        edge.Snapshots.Put(TestAuthority.Resource("ca", new CertificateSpec(Read("ca.pem"))));
        edge.Snapshots.Put(TestAuthority.Resource("other", new CertificateSpec(Read("other.pem"))));
        edge.Snapshots.Put(
            TestAuthority.Resource("gateway", new CertificateSpec(Read("gateway.pem"), Read("gateway.key"))));
        return edge.RouteAll(spec => spec with { Service = null, Upstream = "secure" });
    }

    private static async Task<string> AskAsync(TestEdge edge, IPEndPoint address, UpstreamTlsSpec? tls)
    {
        var spec = new UpstreamSpec(
            Addresses: [new UpstreamAddress(address.ToString())], Scheme: "https", AllowLoopback: true, Tls: tls,
            Protocol: "h2");
        var faults = new List<Groundwork.Wire.FieldFault>();
        Groundwork.Communication.Gateway.Upstreams.UpstreamKind.Kind.Validate!(spec, faults); // It has rules.
        Assert.Empty(faults);
        edge.Snapshots.Put(TestUpstreams.Resource("secure", spec));
        using var answer = await edge.Client.GetAsync("/");
        return answer.IsSuccessStatusCode
            ? await answer.Content.ReadAsStringAsync()
            : ((int)answer.StatusCode).ToString(CultureInfo.InvariantCulture);
    }

    private string Read(string file) => File.ReadAllText(directory.Combine(file));

    private async Task<IPEndPoint> ServeAsync(string wants, string speaks)
    {
        var process = Start("node", "server.js", wants, speaks);
        started.Add(process);
        var port = await process.StandardOutput.ReadLineAsync().WaitAsync(Eventually.Patience);
        return new IPEndPoint(IPAddress.Loopback, int.Parse(port ?? "", CultureInfo.InvariantCulture));
    }

    private Task AuthorityAsync(string name) => RunAsync(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", $"{name}.key",
        "-out", $"{name}.pem", "-days", "30", "-subj", $"/CN={name}");

    private async Task SignAsync(string name)
    {
        await RunAsync(
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
            $"{name}.key", "-out", $"{name}.csr", "-subj", $"/CN={name}");
        await RunAsync(
            "x509", "-req", "-in", $"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "20",
            "-extfile", $"{name}.ext", "-out", $"{name}.pem");
    }

    private async Task RunAsync(params string[] arguments)
    {
        using var process = Start("openssl", arguments);
        var said = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, said);
    }

    private Process Start(string program, params string[] arguments) => Process.Start(
        new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = directory.Path,
        })!; // Not null: it does not go through a shell.
}
