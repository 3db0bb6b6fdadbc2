using System.Collections.Frozen;
using System.Collections.Immutable;
using Groundwork.Communication.Gateway.Callers;
using Groundwork.Communication.Gateway.Certificates;
using Groundwork.Communication.Gateway.Serving;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;

namespace Groundwork.Communication.Gateway.Listening;

/// <summary>The listeners in force, kept in step with the snapshots.</summary>
internal sealed class ListenerTable : IDisposable
{
    private readonly CertificateTable certificates;
    private readonly StepCompiler compiler;
    private readonly NetworkList proxies;
    private readonly ClientLimits limits;
    private readonly Lock gate = new(); // Held to change plans.
    private readonly FrozenDictionary<string, ListenerState> byName;
    private readonly Dictionary<string, GatewayListenerSpec> specs = new(StringComparer.Ordinal); // Under the gate.
    private readonly IDisposable subscription;

    public ListenerTable(
        ISnapshotSource snapshots, CertificateTable certificates, StepCompiler compiler, GatewayOptions options)
    {
        this.certificates = certificates;
        this.compiler = compiler;
        proxies = new NetworkList(options.TrustedProxies);
        limits = options.Client;
        byName = new[] { ListenerDefinition.Gateway, ListenerDefinition.GatewayHttps }
            .Select(name => new ListenerState(name, Compile(name, null)))
            .ToFrozenDictionary(state => state.Name, StringComparer.Ordinal);
        subscription = snapshots.Subscribe(Apply); // Calls back at once with the current snapshot.
        certificates.Changed = Renew;
    }

    /// <summary>The listener of a connection; that of plain HTTP where nothing says which.</summary>
    public ListenerState Of(string? name) =>
        byName.GetValueOrDefault(name ?? ListenerDefinition.Gateway) ?? byName[ListenerDefinition.Gateway];

    /// <summary>All that there are.</summary>
    public ImmutableArray<ListenerState> States => byName.Values;

    public void Dispose() => subscription.Dispose();

    private void Apply(SnapshotChange change)
    {
        if (!change.Touches(GatewayListenerKind.Name)) return;
        var all = change.After.Of(GatewayListenerKind.Name);
        lock (gate)
        {
            specs.Clear();
            foreach (var resource in all.Values)
                if (GatewayListenerKind.ListenerOf(resource.Key.Name) is { } name)
                    specs[name] = resource.As<GatewayListenerSpec>();
            foreach (var state in byName.Values)
                state.Plan = Compile(state.Name, specs.GetValueOrDefault(state.Name));
        }
    }

    // Connections that are open keep the certificate that they have seen.
    private void Renew()
    {
        lock (gate)
            foreach (var state in byName.Values)
                state.Plan = state.Plan with
                {
                    Tls = TlsRules.Compile(specs.GetValueOrDefault(state.Name)?.Tls, certificates),
                };
    }

    private ListenerPlan Compile(string name, GatewayListenerSpec? spec)
    {
        var plan = ListenerPlan.Compile(spec, proxies, limits) with
        {
            Tls = TlsRules.Compile(spec?.Tls, certificates),
        };
        if (spec is null) return plan;
        var steps = compiler.Compile(new StepContext(GatewayListenerKind.KeyOf(name), spec, null));
        return plan with { Steps = spec.RedirectToHttps ? [new HttpsRedirect(), .. steps] : steps };
    }
}
