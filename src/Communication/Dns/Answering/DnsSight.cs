using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Protocols.Sights;
using Groundwork.Wire;
using Groundwork.Wire.Dns;

namespace Groundwork.Communication.Dns.Answering;

/// <summary>
/// A service as DNS answers for it, asked as a program of this machine without a credential asks: DNS over HTTP answers
/// the same to whoever may discover the service.
/// </summary>
/// <param name="protocol">The listener that speaks it.</param>
internal sealed class DnsSight(
    string protocol, NameAnswerer answerer, IRegistryView registry, RecordsTable records) : IProtocolSight
{
    private static readonly DnsName ConsulZone = DnsName.Parse("consul");

    public string Protocol => protocol;

    public ProtocolSight Look(ServiceKey service, Principal asker)
    {
        if (AddressZone.NameOf(service) is not { } name)
            return new ProtocolSight([], "DNS can have no such name: a label has 1 to 63 bytes, a name at most 255");
        var names = ImmutableArray.Create(new SightName("name", name.ToString()));
        if (registry.Find(service) is not { } view)
            return new ProtocolSight(names, "there is no service of that name yet");
        if (Ask(name) is not { } answer) return new ProtocolSight(names, "a zone hands its name to other servers");
        if (answer.Rcode != DnsRcode.NoError)
            return new ProtocolSight(names, answer.Explanation?.Text ?? "there is no such name");
        // The name may be that of another, which differs in case and has instances where this one has none.
        var question = ServiceQuestion.Read(name, ServiceZone.Own, isConsul: false);
        question.Find(registry, out var found, out _, out _);
        if (found != service) return new ProtocolSight(names, $"{name} of DNS is the service {found}");
        if (service.Namespace == Names.DefaultNamespace && AddressZone.NameOf(service, ConsulZone) is { } other
            && Ask(other) is { Rcode: DnsRcode.NoError, Answers.Count: > 0 })
            names = names.Add(new SightName("name", other.ToString()));
        var all = records.Of(view).With(tag: null)?.All;
        return new ProtocolSight(names)
        {
            Instances = all is null ? [] : [.. Enumerable.Range(0, all.Count).Select(at => all[at])
                .Where(callee => callee.TargetUnder(ServiceZone.Own) is not null)
                .Select(callee => new SeenInstance(
                    callee.Instance.Key.Id,
                    string.Create(
                        CultureInfo.InvariantCulture, $"{callee.TargetUnder(ServiceZone.Own)} {callee.Instance.Port}"),
                    callee.IsIPv4 ? "SRV, A" : callee.IsIPv6 ? "SRV, AAAA" : "SRV, CNAME", Callable: true))],
            Says = InstanceFields.Weight | InstanceFields.Version | InstanceFields.Zone | InstanceFields.Tags
                | InstanceFields.Metadata,
        };
    }

    private DnsResponse? Ask(DnsName name) => answerer.Answer(
        DnsQuery.Of(name, DnsType.Srv), Asker.Of(IPAddress.Loopback, IPAddress.Loopback)).Response;
}
