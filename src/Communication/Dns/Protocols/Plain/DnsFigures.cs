using Groundwork.Kernel.Hosting.Metering;
using Groundwork.Wire.Dns;

namespace Groundwork.Communication.Dns.Protocols.Plain;

/// <summary>How a question came.</summary>
internal enum DnsTransport
{
    Udp,
    Tcp,
    Doh,
    HttpDns,
}

/// <summary>How many questions were answered and how, and how many were not.</summary>
internal sealed class DnsFigures : IMetricsSource
{
    private static readonly string[] Transports = ["udp", "tcp", "doh", "httpdns"];
    private static readonly DnsRcode[] Codes = Enum.GetValues<DnsRcode>();

    private readonly long[] answers = new long[Transports.Length * 32]; // Interlocked.
    private long dropped; // Interlocked.
    private long limited; // Interlocked.

    public void Answered(DnsTransport transport, DnsRcode code) =>
        Interlocked.Increment(ref answers[((int)transport * 32) + Math.Min((int)code, 31)]);

    /// <summary>Bytes that are no question.</summary>
    public void Dropped() => Interlocked.Increment(ref dropped);

    /// <summary>Questions of a network that asks too much.</summary>
    public void Limited() => Interlocked.Increment(ref limited);

    /// <summary>All that were answered, however.</summary>
    public long Total => answers.Sum();

    public void Write(MetricsText text)
    {
        text.Family("groundwork_dns_answers_total", "counter", "Answers to questions for names.");
        for (var transport = 0; transport < Transports.Length; transport++)
            foreach (var code in Codes)
                text.Sample(
                    Interlocked.Read(ref answers[(transport * 32) + (int)code]),
                    ("transport", Transports[transport]), ("rcode", code.ToString().ToUpperInvariant()));
        text.Family("groundwork_dns_dropped_total", "counter", "Datagrams that were no question, and had no answer.");
        text.Sample(Interlocked.Read(ref dropped));
        text.Family("groundwork_dns_limited_total", "counter", "Questions over UDP beyond the rate of their network.");
        text.Sample(Interlocked.Read(ref limited));
    }
}
