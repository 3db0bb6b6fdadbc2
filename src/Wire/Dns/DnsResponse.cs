namespace Groundwork.Wire.Dns;

/// <summary>Why it ended so, in a number and words (RFC 8914).</summary>
public readonly record struct DnsExplanation(ushort Code, string Text)
{
    public const ushort Other = 0;
    public const ushort Prohibited = 18;
    public const ushort NotAuthoritative = 20;
    public const ushort NoReachableAuthority = 22;
}

/// <summary>What is answered to a question.</summary>
public sealed class DnsResponse
{
    public DnsRcode Rcode { get; set; }

    public bool Authoritative { get; set; }

    public bool RecursionAvailable { get; set; }

    public List<DnsRecord> Answers { get; } = [];

    public List<DnsRecord> Authority { get; } = [];

    public List<DnsRecord> Additional { get; } = [];

    /// <summary>Goes to who understands it: whoever sent an OPT record.</summary>
    public DnsExplanation? Explanation { get; set; }

    /// <summary>How much of the client's subnet the answer goes by; null: none of it.</summary>
    public byte? SubnetScope { get; set; }

    /// <summary>
    /// Seconds for which the whole may be kept: the smallest of its records, or what its SOA says of there being none.
    /// </summary>
    public uint CacheSeconds
    {
        get
        {
            var smallest = uint.MaxValue;
            foreach (var record in Answers) smallest = Math.Min(smallest, record.Ttl);
            if (Answers.Count == 0)
                foreach (var record in Authority) smallest = Math.Min(smallest, record.Ttl);
            return smallest == uint.MaxValue ? 0 : smallest;
        }
    }

    public static DnsResponse Refused(ushort code, string why) =>
        new() { Rcode = DnsRcode.Refused, Explanation = new DnsExplanation(code, why) };

    public static DnsResponse Failed(ushort code, string why) =>
        new() { Rcode = DnsRcode.ServFail, Explanation = new DnsExplanation(code, why) };
}
