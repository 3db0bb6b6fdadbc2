using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Communication.Gateway.Resilience;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Registry;

namespace Groundwork.Communication.Gateway.Upstreams;

/// <summary>An upstream as the request path needs it: compiled.</summary>
internal sealed class UpstreamPlan : IDisposable
{
    private readonly Membership? addresses;
    private readonly DnsAddresses? dns;

    private UpstreamPlan(
        BalancePolicy policy, StickyCookie? sticky, ServiceKey? service, Membership? addresses, DnsAddresses? dns)
    {
        Policy = policy;
        Sticky = sticky;
        Service = service;
        this.addresses = addresses;
        this.dns = dns;
    }

    public BalancePolicy Policy { get; }

    public StickyCookie? Sticky { get; }

    /// <summary>How much it is called.</summary>
    public GuardPolicy Guard { get; private init; } = GuardPolicy.Default;

    /// <summary>Null for one that has its own addresses.</summary>
    public ServiceKey? Service { get; }

    /// <summary>Where its instances come from: <c>service</c>, <c>addresses</c> or <c>dns</c>.</summary>
    public string Source => Service is not null ? "service" : addresses is not null ? "addresses" : "dns";

    /// <summary>False with the reason for one that this version does not understand.</summary>
    /// <param name="looksUp">False: a name is not looked up, for a plan that nobody calls.</param>
    public static bool TryCompile(
        Resource resource, UpstreamParts parts, [NotNullWhen(true)] out UpstreamPlan? plan,
        [NotNullWhen(false)] out string? reason, bool looksUp = true)
    {
        (plan, reason) = (null, null);
        var spec = resource.As<UpstreamSpec>();
        ServiceKey? service = null;
        if (BalancePolicy.TryMake(spec) is not { } policy) reason = "its way to choose is not understood";
        else if (spec.Service is not null && !ServiceKey.TryParse(spec.Service, resource.Key.Namespace, out service))
            reason = "its service is not understood";
        else
        {
            var key = resource.Key;
            if (spec.Tls is { } tls && parts.Certificates is { } certificates)
                policy = policy with { Tls = new UpstreamTls(tls, key.Namespace, certificates) };
            var own = new ServiceKey(key.Namespace, "upstream", key.Name);
            var known = service is not null || spec.Dns is not null ? null : Fixed(spec, own, parts);
            var sought = looksUp && spec.Dns is { } name ? new DnsAddresses(name, spec, own, parts) : null;
            var sticky = spec.Sticky is { } cookie
                ? new StickyCookie(cookie, key.ToString(), parts.SessionKey.Span)
                : null;
            plan = new UpstreamPlan(policy, sticky, service, known, sought) { Guard = GuardPolicy.Of(spec.Resilience) };
        }
        return plan is not null;
    }

    /// <summary>
    /// Its addresses now, and whether it has none because all of them are forbidden. Null while a name has not been
    /// looked up yet.
    /// </summary>
    public (Membership? Membership, bool Forbidden) Current() => addresses is null
        ? dns?.Current ?? (null, false)
        : (addresses, addresses.Instances.IsEmpty);

    public void Dispose() => dns?.Dispose();

    private static Membership Fixed(UpstreamSpec spec, ServiceKey own, UpstreamParts parts)
    {
        var instances = ImmutableArray.CreateBuilder<Instance>();
        var tiers = ImmutableDictionary.CreateBuilder<string, int>(StringComparer.Ordinal);
        foreach (var one in spec.Addresses ?? [])
        {
            if (!UpstreamRules.TryReadAddress(one.Address, out var host, out var port)) continue;
            var address = UpstreamRules.AddressOf(host);
            if (!spec.AllowLoopback && UpstreamRules.IsLoopback(host)) continue;
            if (address is not null && parts.Explain(address, port) is not null) continue;
            instances.Add(new Instance(new InstanceKey(own, one.Address), host, port)
            {
                Scheme = spec.Scheme,
                Weight = one.Weight,
                Zone = one.Zone,
            });
            tiers[one.Address] = one.Tier;
        }
        return new Membership(new object(), 0, instances.ToImmutable(), tiers.ToImmutable(), IsRegistered: false);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Policy.Choice}");
}
