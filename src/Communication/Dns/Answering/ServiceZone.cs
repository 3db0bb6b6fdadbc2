using System.Net;
using Groundwork.Communication.Dns.Zones;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Protocols;
using Groundwork.Wire;
using Groundwork.Wire.Dns;

namespace Groundwork.Communication.Dns.Answering;

/// <summary>A zone whose names are those of services.</summary>
internal sealed class ServiceZone
{
    /// <summary>
    /// Seconds for which an answer may be kept, also that there is nothing: so that no cache says for longer than a
    /// second what is no longer so.
    /// </summary>
    public const uint TtlSeconds = 1;

    /// <summary>Names in one answer of DNS-SD: what a datagram, and one look of a person, can hold.</summary>
    private const int MaxBrowsed = 256;

    private readonly bool isConsul;
    private readonly IRegistryView registry;
    private readonly RecordsTable records;
    private readonly Authorizer authorizer;
    private readonly DnsRecord soa;
    private readonly DnsName server;

    public ServiceZone(
        DnsName name, bool isConsul, IRegistryView registry, RecordsTable records, Authorizer authorizer)
    {
        Name = name;
        this.isConsul = isConsul;
        this.registry = registry;
        this.records = records;
        this.authorizer = authorizer;
        server = name.Under("ns") ?? name;
        soa = DnsRecord.OfSoa(name, TtlSeconds, server, name.Under("hostmaster") ?? name, serial: 1, TtlSeconds);
    }

    /// <summary>The zone of our own names.</summary>
    public static DnsName Own { get; } = DnsName.Parse(ZoneRules.Own);

    public DnsName Name { get; }

    public DnsResponse Answer(DnsQuery query, Asker asker) => Answer(query, asker, query.Name);

    /// <param name="asked">The name, where it is not that of the question but where its CNAME led.</param>
    public DnsResponse Answer(DnsQuery query, Asker asker, DnsName asked)
    {
        var question = ServiceQuestion.Read(asked, Name, isConsul);
        return question.Form switch
        {
            QuestionForm.Nothing => NoSuchName(),
            QuestionForm.Apex => OfApex(query, asked),
            QuestionForm.Between => Nothing(),
            QuestionForm.Address => OfAddress(query, asked, question.Labels[0]),
            QuestionForm.Browse => Browse(query, asked, asker, question.Namespace),
            _ => OfService(query, asked, asker, question),
        };
    }

    private DnsResponse OfService(DnsQuery query, DnsName asked, Asker asker, in ServiceQuestion question)
    {
        var match = question.Find(registry, out var key, out var view, out var tag);
        // Before anything is said of it, even that there is none.
        if (!asker.MayDiscover(authorizer, key))
            return DnsResponse.Refused(
                DnsExplanation.Prohibited, $"no role of {asker.Principal.Name} over DNS lets it discover this service");
        if (match == NameMatch.Ambiguous)
            return DnsResponse.Refused(
                DnsExplanation.Other, "several services differ in case alone, which DNS cannot tell apart");
        if (match == NameMatch.None || view is null) return NoSuchName();
        var response = new DnsResponse { Authoritative = true };
        var service = records.Of(view);
        var exists = question.Form switch
        {
            QuestionForm.SdInstance => OfInstance(response, query.Type, asked, service, question.Labels[0]),
            QuestionForm.Sd when query.Type == DnsType.Ptr => BrowseInstances(response, asked, service),
            _ => ServiceAnswer.Fill(response, query.Type, asked, service, tag, TtlSeconds, Name),
        };
        if (!exists) return NoSuchName();
        if (response.Answers.Count == 0) response.Authority.Add(soa);
        return response;
    }

    private bool OfInstance(DnsResponse response, DnsType type, DnsName asked, ServiceRecords service, string id)
    {
        foreach (var instance in service.View.Instances)
        {
            if (!string.Equals(instance.Key.Id, id, StringComparison.OrdinalIgnoreCase)) continue;
            if (!service.View.Callable.Contains(instance)) return true;
            var callee = new Callee(instance);
            if (type == DnsType.Txt) response.Answers.Add(callee.ToTexts(asked, TtlSeconds));
            if (type == DnsType.Srv && callee.ToSrv(asked, TtlSeconds, Name) is { } server)
            {
                response.Answers.Add(server);
                if (callee.Address is not null && callee.TargetUnder(Name) is { } target)
                    response.Additional.Add(callee.ToAddress(target, TtlSeconds));
            }
            return true;
        }
        return false;
    }

    private static bool BrowseInstances(DnsResponse response, DnsName asked, ServiceRecords service)
    {
        foreach (var instance in service.View.Callable.Take(MaxBrowsed))
            if (asked.Under(instance.Key.Id) is { } name)
                response.Answers.Add(DnsRecord.OfName(asked, DnsType.Ptr, TtlSeconds, name));
        return true;
    }

    private DnsResponse Browse(DnsQuery query, DnsName asked, Asker asker, string @namespace)
    {
        if (query.Type != DnsType.Ptr) return Nothing();
        var response = new DnsResponse { Authoritative = true };
        // _services._dns-sd._udp.service… becomes _name._tcp.service…
        var services = asked.Parent.Parent.Parent;
        foreach (var view in registry.Views)
        {
            if (response.Answers.Count == MaxBrowsed) break;
            if (view.Key.Namespace != @namespace || view.Callable.IsEmpty
                || !asker.MayDiscover(authorizer, view.Key)) continue;
            if (services.Under("_tcp")?.Under($"_{ProtocolNames.ToConsul(view.Key)}") is { } name)
                response.Answers.Add(DnsRecord.OfName(asked, DnsType.Ptr, TtlSeconds, name));
        }
        if (response.Answers.Count == 0) response.Authority.Add(soa);
        return response;
    }

    // The name of an address says it itself: nothing is told by it.
    private DnsResponse OfAddress(DnsQuery query, DnsName asked, string digits)
    {
        if (digits.Length is not (8 or 32) || !digits.All(char.IsAsciiHexDigit)) return NoSuchName();
        var response = new DnsResponse { Authoritative = true };
        var record = DnsRecord.OfAddress(asked, TtlSeconds, new IPAddress(Convert.FromHexString(digits)));
        if (record.Type == query.Type) response.Answers.Add(record);
        else response.Authority.Add(soa);
        return response;
    }

    private DnsResponse OfApex(DnsQuery query, DnsName asked)
    {
        if (query.Type is not (DnsType.Soa or DnsType.Ns)) return Nothing();
        var response = new DnsResponse { Authoritative = true };
        response.Answers.Add(
            query.Type == DnsType.Soa ? soa : DnsRecord.OfName(asked, DnsType.Ns, TtlSeconds, server));
        return response;
    }

    private DnsResponse Nothing()
    {
        var response = new DnsResponse { Authoritative = true };
        response.Authority.Add(soa);
        return response;
    }

    private DnsResponse NoSuchName()
    {
        var response = Nothing();
        response.Rcode = DnsRcode.NxDomain;
        return response;
    }
}
