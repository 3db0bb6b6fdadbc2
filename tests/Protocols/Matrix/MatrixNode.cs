using System.Diagnostics;
using System.Globalization;
using System.Net;
using Groundwork.Client;
using Groundwork.Communication.Dns;
using Groundwork.Communication.Gateway;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.KeyValue;
using Groundwork.Services.Registry;
using Groundwork.Services.Settings;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Groundwork.Tests.Protocols.Matrix;

/// <summary>
/// A node with all its modules, whom programs of this machine may call as <c>up</c> lets them, and those who discover
/// without a script: a resolver, our SDK, and whoever calls through the gateway.
/// </summary>
internal sealed class MatrixNode : IAsyncDisposable
{
    private readonly RunningNode running;
    private readonly WebApplication caller; // A service that uses our SDK to find others.
    private readonly HttpClient gateway;
    private readonly string resolver; // dig.

    private MatrixNode(RunningNode running, string key, WebApplication caller, string resolver)
    {
        this.running = running;
        this.caller = caller;
        this.resolver = resolver;
        Key = key;
        gateway = running.Client(listener: ListenerDefinition.Gateway);
    }

    /// <summary>An access key that may do everything, for clients that must have a credential.</summary>
    public string Key { get; }

    public Uri Api => running.Node.Listeners.UrlOf(ListenerDefinition.Api);

    /// <summary>Host and port of gRPC.</summary>
    public string Discovery => running.Node.Listeners.UrlOf(ProtocolListeners.GrpcName).Authority;

    public HttpClient Local => running.Local;

    public static async Task<MatrixNode> StartAsync()
    {
        var dig = Tools.Require("dig", "bind9-dnsutils");
        var registry = new RegistryModule();
        var node = await RunningNode.StartAsync(
        [
            registry, new SettingsModule(), new KeyValueModule(() => registry.Naming),
            new GatewayModule(() => registry.View, new GatewayOptions()), new DnsModule(() => registry.View),
        ]);
        Grant[] grants =
        [
            new Grant(["register", "renew", "discover"], ["instance"], ["*"]),
            new Grant(["read"], ["setting"], ["*"]),
        ];
        await PutAsync(node, Change.Put(
            SecurityKinds.Role, "", BuiltInRoles.AnonymousLoopback, new RoleSpec([.. grants])));
        await PutAsync(node, Change.Put(
            SecurityKinds.Role, "", BuiltInRoles.AnonymousDns,
            new RoleSpec([new Grant(["discover"], ["instance"], ["*"])])));
        var key = await node.MintAsync("matrix", ["administrator"]);
        var seeker = await ServiceAsync(node.Node.Listeners.UrlOf(ListenerDefinition.Api), "seeker", key);
        return new MatrixNode(node, key, seeker, dig);
    }

    /// <summary>Starts a service that uses our SDK: it registers itself, and answers with its name.</summary>
    public Task<WebApplication> ServiceAsync(string name) => ServiceAsync(Api, name, Key);

    /// <summary>A route that leads to a service: <c>Host: SERVICE.test</c>.</summary>
    public Task RouteAsync(string service) => PutAsync(running, Change.Put(
        RouteKind.Kind, "default", service,
        new RouteSpec(new MatchSpec([$"{service}.test"], "/**"), Service: service)));

    /// <summary>What a call through the gateway comes to.</summary>
    public async Task<HttpStatusCode> ThroughGatewayAsync(string service)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Host = $"{service}.test";
        using var answer = await gateway.SendAsync(request);
        return answer.StatusCode;
    }

    /// <summary>What a call by name comes to in a service that uses our SDK; null where nobody is found.</summary>
    public async Task<HttpStatusCode?> BySdkAsync(string service)
    {
        try
        {
            using var client = caller.Services.GetRequiredService<IHttpClientFactory>().CreateClient();
            using var answer = await client.GetAsync(new Uri($"http://{service}/"));
            return answer.StatusCode;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    /// <summary>The ports of a service, as dig hears of them.</summary>
    public async Task<string[]> ByDnsAsync(string service)
    {
        var said = await DigAsync("+short", "SRV", $"{service}.service.groundwork");
        // "priority weight port target"
        return
        [
            .. said.Split('\n').Select(line => line.Split(' ')).Where(words => words.Length == 4)
                .Select(words => $"127.0.0.1:{words[2]}"),
        ];
    }

    /// <summary>What dig prints.</summary>
    public async Task<string> DigAsync(params string[] arguments)
    {
        var address = running.Node.Listeners.Addresses["dns"][0];
        using var process = Process.Start(new ProcessStartInfo(
            resolver,
            [
                $"@{address.Address}", "-p", address.Port.ToString(CultureInfo.InvariantCulture), "+time=2", "+tries=1",
                .. arguments,
            ])
        {
            UseShellExecute = false, RedirectStandardOutput = true,
        })!; // Not null: it does not go through a shell.
        var said = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return said;
    }

    public async ValueTask DisposeAsync()
    {
        await caller.DisposeAsync();
        await running.DisposeAsync();
    }

    /// <summary>A plain server that answers with its name, for others to register.</summary>
    public static async Task<WebApplication> ServerAsync(string name)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.MapGet("/", () => name);
        await app.StartAsync();
        return app;
    }

    public static int PortOf(WebApplication app) => new Uri(app.Urls.First()).Port;

    private static async Task<WebApplication> ServiceAsync(Uri api, string name, string key)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration["GROUNDWORK_ADDRESS"] = api.ToString();
        builder.AddGroundwork(options =>
        {
            options.ServiceName = name;
            options.DiskSnapshot = false;
            options.AccessKey = key;
            // What is not declared and not known yet would be asked of the machine's DNS, which may take seconds.
            foreach (var protocol in (string[])["nacos", "eureka", "consul", "etcd", "sdk"])
            {
                options.Services.Add($"by-{protocol}");
                options.Services.Add($"out-{protocol}");
            }
        });
        var app = builder.Build();
        app.MapGet("/", () => name);
        await app.StartAsync();
        return app;
    }

    private static async Task PutAsync(RunningNode node, Change change)
    {
        var changes = node.Node.Changes ?? throw new InvalidOperationException("There is no store.");
        var commit = await changes.CommitAsync(
            new Changeset(Principal.System("test"), [change]), CancellationToken.None);
        Assert.True(commit.Succeeded, commit.Fault?.ToString());
    }
}
