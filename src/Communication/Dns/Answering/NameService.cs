using Groundwork.Wire.Dns;

namespace Groundwork.Communication.Dns.Answering;

/// <summary>Answers whatever is asked, from memory or by asking others.</summary>
internal sealed class NameService(NameAnswerer answerer, Forwarder forwarder)
{
    /// <summary>The answer, where it takes no waiting; else the zone whose servers are to be asked.</summary>
    public Answered Answer(DnsQuery query, Asker asker) => answerer.Answer(query, asker);

    public Task<DnsResponse> AskAsync(DnsQuery query, Zones.Zone zone, CancellationToken cancellationToken) =>
        forwarder.AskAsync(query, zone, cancellationToken);

    public async ValueTask<DnsResponse> ResolveAsync(
        DnsQuery query, Asker asker, CancellationToken cancellationToken)
    {
        var answered = answerer.Answer(query, asker);
        // One of the two is there.
        return answered.Response ?? await forwarder.AskAsync(query, answered.Ask!, cancellationToken);
    }
}
