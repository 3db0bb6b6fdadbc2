using System.Collections.Immutable;
using System.Net;
using Groundwork.Communication.Dns.Answering;
using Groundwork.Communication.Dns.Protocols.Doh;
using Groundwork.Communication.Dns.Protocols.HttpDns;
using Groundwork.Communication.Dns.Protocols.Plain;
using Groundwork.Communication.Dns.Steering;
using Groundwork.Communication.Dns.Zones;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Hosting.Secrets;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Dns;

/// <summary>
/// Names: what the registry knows, and zones that are resources, over DNS, DoH and HTTPDNS. All of them answer from the
/// same place.
/// </summary>
/// <param name="registry">Gives the registry's view, or a follower's; asked once, when the registry has
/// started.</param>
/// <param name="trustedProxies">Peers whose X-Forwarded-For is believed over HTTPDNS.</param>
public sealed class DnsModule(
    Func<IRegistryView> registry, ImmutableArray<IPNetwork> trustedProxies = default) : IModule
{
    internal const string ModuleName = "dns";

    /// <summary>DNS over UDP and TCP.</summary>
    internal const string PlainListener = "dns";

    /// <summary>DNS over HTTP.</summary>
    internal const string DohListener = "doh";

    /// <summary>HTTPDNS, alone: its paths begin with whatever an account is called.</summary>
    internal const string HttpDnsListener = "httpdns";

    private DnsServer? server;
    private Func<string, DnsSight>? sight; // Of a listener; made with what answers.
    private AccountTable? accounts;
    private ZoneTable? zones;
    private RuleTable? rules;

    public string Name => ModuleName;

    public void Declare(ModuleDeclaration declaration) => declaration
        .Add(DnsZoneKind.Kind)
        .Add(DnsRuleKind.Kind)
        .Add(HttpDnsAccountKind.Kind)
        .Add(new ListenerDefinition(PlainListener, ListenerProtocol.Datagrams, "127.0.0.1:7453", MayBindPlain: true)
        {
            CanBeOff = true, WellKnownAddress = "127.0.0.1:53",
        })
        .Add(new ListenerDefinition(DohListener, ListenerProtocol.Http, "127.0.0.1:7443")
        {
            CanBeOff = true, SharedWith = ListenerDefinition.Api,
        })
        .Add(new ListenerDefinition(HttpDnsListener, ListenerProtocol.Http, "127.0.0.1:7480", MayBindPlain: true)
        {
            CanBeOff = true,
        });

    public Task StartAsync(Node node, CancellationToken cancellationToken)
    {
        var guard = new AddressGuard(
            () => node.Listeners.Addresses.Values.SelectMany(addresses => addresses),
            node.Configuration.LinkLocalUpstreams);
        var built = Build(node.Snapshots, node.Authorizer, guard, node.Time, node.Logs);
        node.Metrics.Add(built.Figures);
        node.Listeners.MapProtocol(DohListener, new DohApi(built.Names, node.Authenticator, built.Figures).Map);
        if (node.Listeners.Has(HttpDnsListener))
        {
            node.Listeners.Map(
                HttpDnsListener,
                BuildHttpDns(
                    built.Names, built.Figures, node.Snapshots, SecretSource.Of(node), node.Time, node.Logs).Map);
            node.Listeners.WordFaults(HttpDnsListener, default, HttpDnsApi.WriteAsync);
        }
        // Both answer the same.
        if (sight is not null && (node.Listeners.Has(PlainListener) || node.Listeners.Speaks(DohListener)))
            registry().Sights.Add(sight(node.Listeners.Has(PlainListener) ? PlainListener : DohListener));
        if (node.Listeners.Has(PlainListener))
            node.Listeners.Receive(PlainListener, built.Server.Receive, built.Server.Accept);
        return Task.CompletedTask;
    }

    /// <summary>Questions are answered in less time than a stop takes.</summary>
    public Task DrainAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (server is not null) await server.DisposeAsync();
        zones?.Dispose();
        rules?.Dispose();
        accounts?.Dispose();
    }

    /// <summary>Puts the parts together; tests do so around their own listener.</summary>
    internal (DnsServer Server, NameService Names, DnsFigures Figures) Build(
        ISnapshotSource snapshots, Authorizer authorizer, AddressGuard guard, TimeProvider time, ILoggerFactory logs)
    {
        var view = registry();
        zones = new ZoneTable(snapshots);
        rules = new RuleTable(snapshots);
        var figures = new DnsFigures();
        var records = new RecordsTable(view, time);
        var answerer = new NameAnswerer(view, zones, rules, records, authorizer, time);
        var names = new NameService(answerer, new Forwarder(guard, time));
        sight = protocol => new DnsSight(protocol, answerer, view, records);
        server = new DnsServer(names, figures, time, logs.CreateLogger<DnsServer>());
        return (server, names, figures);
    }

    /// <summary>The same of HTTPDNS.</summary>
    internal HttpDnsApi BuildHttpDns(
        NameService names, DnsFigures figures, ISnapshotSource snapshots, OpenSpec open,
        TimeProvider time, ILoggerFactory logs)
    {
        accounts = new AccountTable(snapshots, open, time, logs.CreateLogger<AccountTable>());
        var found = new HttpDnsNames(names, figures);
        var addresses = new ClientAddresses(trustedProxies.IsDefault ? [] : trustedProxies);
        return new HttpDnsApi(
            new AlibabaV1(accounts, found, addresses, time), new AlibabaV2(accounts, found, addresses, time),
            new Tencent(accounts, found, addresses));
    }
}
