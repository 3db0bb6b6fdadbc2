namespace Groundwork.Wire.Dns;

/// <summary>Types of records (and of questions), by the numbers of the registry of DNS parameters.</summary>
public enum DnsType : ushort
{
    A = 1,
    Ns = 2,
    Cname = 5,
    Soa = 6,
    Ptr = 12,
    Hinfo = 13,
    Mx = 15,
    Txt = 16,
    Aaaa = 28,
    Srv = 33,
    Opt = 41,
    Ixfr = 251,
    Axfr = 252,
    Any = 255,
    Caa = 257,
}

/// <summary>How an answer ended.</summary>
public enum DnsRcode : ushort
{
    NoError = 0,
    FormErr = 1,
    ServFail = 2,
    NxDomain = 3,
    NotImp = 4,
    Refused = 5,
    BadVers = 16,
}

/// <summary>Bounds of the protocol, and ours where it leaves them open.</summary>
public static class DnsLimits
{
    /// <summary>Bytes of a message's header.</summary>
    public const int HeaderBytes = 12;

    /// <summary>Bytes of a name as it is written, the last zero included (RFC 1035, 3.1).</summary>
    public const int MaxNameBytes = 255;

    /// <summary>Bytes of one label.</summary>
    public const int MaxLabelBytes = 63;

    /// <summary>Bytes of an answer over UDP to who does not say more.</summary>
    public const int PlainDatagramBytes = 512;

    /// <summary>
    /// Bytes of an answer over UDP at most: what passes everywhere without fragments (the flag day of 2020).
    /// </summary>
    public const int MaxDatagramBytes = 1232;

    /// <summary>Bytes of a message: its length over TCP has two.</summary>
    public const int MaxMessageBytes = 65_535;

    /// <summary>Bytes of a query: the longest name, a client subnet, a cookie and padding.</summary>
    public const int MaxQueryBytes = 1_232;

    /// <summary>Records beside the question that a query may have: OPT and a signature.</summary>
    public const int MaxQueryRecords = 4;

    /// <summary>The class of everything that is asked here.</summary>
    public const ushort ClassInternet = 1;
}
