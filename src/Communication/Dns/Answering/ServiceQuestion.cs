using System.Text;
using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Protocols;
using Groundwork.Wire;
using Groundwork.Wire.Dns;

namespace Groundwork.Communication.Dns.Answering;

/// <summary>What a name in one of the zones of services asks for.</summary>
internal enum QuestionForm
{
    /// <summary>No such name can be.</summary>
    Nothing,

    /// <summary>The zone itself.</summary>
    Apex,

    /// <summary>A name that exists because others are below it.</summary>
    Between,

    /// <summary>A service.</summary>
    Service,

    /// <summary>An address, in hexadecimal digits.</summary>
    Address,

    /// <summary>All services of a namespace, as DNS-SD browses them.</summary>
    Browse,

    /// <summary>The instances of a service, as DNS-SD browses them, and <c>_service._tcp</c> of RFC 2782.</summary>
    Sd,

    /// <summary>One instance, as DNS-SD names it.</summary>
    SdInstance,
}

/// <summary>
/// A name below <c>groundwork</c> or <c>consul</c>, taken apart: <c>[tag.]name.service[.namespace].groundwork</c>,
/// <c>[tag.]name.service[.dc1].consul</c>, <c>_name._tag.service…</c>, <c>0a000001.addr…</c>, and those of DNS-SD.
/// </summary>
internal readonly ref struct ServiceQuestion
{
    private ServiceQuestion(QuestionForm form) => Form = form;

    public QuestionForm Form { get; private init; }

    public string Namespace { get; private init; } = "";

    /// <summary>The labels before <c>service</c> or <c>addr</c>.</summary>
    public string[] Labels { get; private init; } = [];

    /// <summary>Reads a name that is within the zone.</summary>
    /// <param name="isConsul">The label after <c>service</c> is a datacenter, not a namespace.</param>
    public static ServiceQuestion Read(DnsName asked, DnsName zone, bool isConsul)
    {
        var count = asked.LabelCount - zone.LabelCount;
        if (count == 0) return new ServiceQuestion(QuestionForm.Apex);
        var labels = new string[count];
        for (var place = 0; place < count; place++)
        {
            if (!Ascii.IsValid(asked.Label(place))) return new ServiceQuestion(QuestionForm.Nothing);
            labels[place] = Encoding.ASCII.GetString(asked.Label(place));
        }
        var (marker, @namespace) = Find(labels, isConsul);
        if (marker < 0) return new ServiceQuestion(QuestionForm.Nothing);
        var before = labels[..marker];
        return new ServiceQuestion(FormOf(before, Is(labels[marker], Callee.AddressLabel)))
        {
            Namespace = @namespace, Labels = before,
        };
    }

    // The marker stands last, or last but one, with the namespace or the datacenter behind it. A service of either name
    // is found all the same: "service.service.groundwork" has its marker last.
    private static (int Marker, string Namespace) Find(string[] labels, bool isConsul)
    {
        if (IsMarker(labels[^1])) return (labels.Length - 1, Names.DefaultNamespace);
        if (labels.Length < 2 || !IsMarker(labels[^2])) return (-1, "");
        var last = labels[^1].ToLowerInvariant();
        return isConsul
            ? ProtocolNames.IsConsulDatacenter(last) ? (labels.Length - 2, Names.DefaultNamespace) : (-1, "")
            : Names.IsNamespace(last) ? (labels.Length - 2, last) : (-1, "");
    }

    private static QuestionForm FormOf(string[] before, bool isAddress) => before switch
    {
        [] => QuestionForm.Between,
        [_] when isAddress => QuestionForm.Address,
        _ when isAddress => QuestionForm.Nothing,
        [var one, var two, var three] when Is(one, "_services") && Is(two, "_dns-sd") && Is(three, "_udp") =>
            QuestionForm.Browse,
        [['_', _, ..], var protocol] when Is(protocol, "_tcp") => QuestionForm.Sd,
        [_, ['_', _, ..], var protocol] when Is(protocol, "_tcp") => QuestionForm.SdInstance,
        _ => QuestionForm.Service,
    };

    private static bool IsMarker(string label) => Is(label, "service") || Is(label, Callee.AddressLabel);

    private static bool Is(string label, string word) => string.Equals(label, word, StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Finds the service, and the tag that is asked for. All labels together are tried as a name first, because names
    /// may have dots; then the first is a tag.
    /// </summary>
    /// <param name="key">The service as it is called; where none is, the one that was asked for.</param>
    public NameMatch Find(IRegistryView registry, out ServiceKey key, out ServiceView? view, out string? tag)
    {
        tag = null;
        if (Form == QuestionForm.Service && Labels is [['_', _, ..], ['_', _, ..]])
        {
            tag = Labels[1][1..];
            return Find(registry, Labels[0][1..], out key, out view);
        }
        if (Form is QuestionForm.Sd) return Find(registry, Labels[0][1..], out key, out view);
        if (Form is QuestionForm.SdInstance) return Find(registry, Labels[1][1..], out key, out view);
        var match = Find(registry, string.Join('.', Labels), out key, out view);
        if (match != NameMatch.None || Labels.Length < 2) return match;
        tag = Labels[0];
        return Find(registry, string.Join('.', Labels, 1, Labels.Length - 1), out key, out view);
    }

    private NameMatch Find(IRegistryView registry, string name, out ServiceKey key, out ServiceView? view)
    {
        view = null;
        // A slash would name a namespace, which stands elsewhere in these names.
        if (name.Contains('/', StringComparison.Ordinal)
            || !ServiceKey.TryParse(name.ToLowerInvariant(), Namespace, out var asked))
        {
            key = new ServiceKey(Namespace, ServiceKey.DefaultGroup, name);
            return NameMatch.None;
        }
        key = asked.Value;
        var match = registry.ByName.Find(registry, key.ToFullName(), out view);
        if (view is not null) key = view.Key;
        return match;
    }
}
