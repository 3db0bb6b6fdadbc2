using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Groundwork.Communication.Dns;
using Groundwork.Communication.Dns.Answering;
using Groundwork.Communication.Dns.Protocols.Doh;
using Groundwork.Communication.Dns.Protocols.HttpDns;
using Groundwork.Communication.Dns.Protocols.Plain;
using Groundwork.Communication.Dns.Zones;
using Groundwork.Communication.Tests.Gateway;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Hosting.Secrets;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Communication.Tests.Dns;

/// <summary>The module of names on its real listeners, with zones and instances that the test sets.</summary>
internal sealed class TestNames : IAsyncDisposable
{
    /// <summary>What <c>up</c> grants to programs of this machine.</summary>
    public static readonly Grant Discover = new(["discover"], ["instance"], ["*"]);

    private readonly DnsModule module;
    private readonly Listeners listeners;
    private readonly (Authorizer Authorizer, Authenticator Authenticator, IDisposable Following) keys;

    private TestNames(TlsOptions? tls, bool grant, ListenAddress httpDns)
    {
        module = new DnsModule(() => Registry);
        keys = NodeSecurity.ForFollower(Snapshots, AppContext.BaseDirectory, TimeProvider.System);
        if (grant) Put(SecurityKinds.Role, BuiltInRoles.AnonymousLoopback, new RoleSpec([Discover]));
        var declared = new ModuleDeclaration();
        module.Declare(declared);
        var options = ImmutableDictionary<string, ListenerOptions>.Empty
            .Add("dns", new ListenerOptions { Address = new ListenAddress(IPAddress.Loopback, 0) })
            .Add("httpdns", new ListenerOptions { Address = httpDns })
            .Add("doh", new ListenerOptions { Address = new ListenAddress(IPAddress.Loopback, 0), Tls = tls });
        listeners = new Listeners(
            [
                .. declared.Listeners,
                new ListenerDefinition(ListenerDefinition.Api, ListenerProtocol.Http, "127.0.0.1:0"),
            ],
            new ListenersOptions { ByName = options },
            new RequestGuards(
                keys.Authenticator.AuthenticateAsync, keys.Authorizer.Authorize, _ => { },
                () => Snapshots.Current.Revision),
            TimeProvider.System,
            NullLoggerFactory.Instance);
        var (server, names, figures) = module.Build(
            Snapshots, keys.Authorizer,
            new AddressGuard(() => listeners.Addresses.Values.SelectMany(addresses => addresses), []),
            TimeProvider.System, NullLoggerFactory.Instance);
        (Server, Figures, Names) = (server, figures, names);
        listeners.Receive("dns", server.Receive, server.Accept);
        listeners.Map("httpdns", module.BuildHttpDns(
            // Secrets are in clear where a test sets them.
            names, figures, Snapshots, SecretSource.Plain, TimeProvider.System,
            NullLoggerFactory.Instance).Map);
        listeners.WordFaults("httpdns", default, HttpDnsApi.WriteAsync);
        listeners.MapProtocol("doh", new DohApi(names, keys.Authenticator, figures).Map);
    }

    public HeldSnapshots Snapshots { get; } = new();

    public HeldServices Registry { get; } = new();

    public DnsServer Server { get; }

    public DnsFigures Figures { get; }

    public NameService Names { get; }

    /// <summary>Of DNS over UDP and TCP.</summary>
    public IPEndPoint Address => listeners.Addresses["dns"][0];

    /// <summary>Of DoH on its own listener.</summary>
    public Uri Doh => new(listeners.UrlOf("doh"), DohApi.Path);

    /// <summary>Of HTTPDNS.</summary>
    public Uri HttpDns => listeners.UrlOf("httpdns");

    /// <summary>Of DoH on the API's listener.</summary>
    public Uri SharedDoh => new(listeners.UrlOf(ListenerDefinition.Api), DohApi.Path);

    /// <param name="grant">Programs of this machine may discover everything, as with <c>up</c>.</param>
    public static async Task<TestNames> StartAsync(
        TlsOptions? tls = null, bool grant = true, ListenAddress? httpDns = null)
    {
        var names = new TestNames(tls, grant, httpDns ?? new ListenAddress(IPAddress.Loopback, 0));
        await names.listeners.StartAsync(CancellationToken.None);
        return names;
    }

    public static Instance Instance(ServiceKey key, string host, int port, string? id = null) =>
        new(new InstanceKey(key, id ?? $"{host}:{port}"), host, port);

    public static Instance Unhealthy(Instance instance) => instance with
    {
        Health = new Health(HealthState.Unhealthy, HealthCause.Check, "a test", DateTimeOffset.UnixEpoch),
    };

    public TestNames Zone(string name, DnsZoneSpec spec) => Put(DnsZoneKind.Kind, name, spec);

    public TestNames Put<TSpec>(Kind<TSpec> kind, string name, TSpec spec)
        where TSpec : class
    {
        var key = new ResourceKey(kind.Name, kind.Namespaced ? "default" : "", name);
        var faults = new List<FieldFault>();
        kind.Validate?.Invoke(spec, faults);
        kind.ValidateNamed?.Invoke(key, spec, faults);
        Assert.Empty(faults);
        Snapshots.Put(new Resource
        {
            Key = key,
            Version = kind.Version,
            Labels = ImmutableSortedDictionary<string, string>.Empty,
            Spec = JsonSerializer.SerializeToUtf8Bytes(spec, kind.SpecTypeInfo),
            SpecHash = default,
            Revision = Snapshots.Current.Revision + 1,
            ChangedBy = "system:test",
            ChangedAt = DateTimeOffset.UnixEpoch,
            Kind = kind,
        });
        return this;
    }

    /// <summary>What an unmodified <c>dig</c> prints.</summary>
    public Task<string> DigAsync(params string[] question) => RunAsync(
        Tools.Require("dig", "bind9-dnsutils"),
        [$"@{Address.Address}", "-p", Port, "+tries=1", "+time=5", "+nocookie", .. question]);

    /// <summary>The data of its answers, in the order of the alphabet.</summary>
    public async Task<string[]> ShortAsync(params string[] question)
    {
        var text = await DigAsync(["+short", .. question]);
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];
    }

    /// <summary>What an unmodified <c>kdig</c> prints.</summary>
    public Task<string> KdigAsync(params string[] question) => RunAsync(
        Tools.Require("kdig", "knot-dnsutils"), [$"@{Address.Address}", "-p", Port, "+retry=0", .. question]);

    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
        }) ?? throw new InvalidOperationException($"{program} did not start.");
        var error = process.StandardError.ReadToEndAsync();
        var text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return text + await error;
    }

    public async ValueTask DisposeAsync()
    {
        await listeners.DisposeAsync();
        await module.StopAsync(CancellationToken.None);
        keys.Following.Dispose();
    }

    private string Port => Address.Port.ToString(CultureInfo.InvariantCulture);
}
