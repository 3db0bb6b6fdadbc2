using Groundwork.Communication.Gateway.Callers;
using Groundwork.Communication.Gateway.Certificates;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Listening;

/// <summary>What a listener must be.</summary>
internal static class ListenerRules
{
    /// <summary>Certificates that one listener names; who has more leaves the list out.</summary>
    public const int MaxCertificates = 256;

    /// <summary>Resources with authorities of clients.</summary>
    public const int MaxAuthorities = 16;

    /// <summary>Connections at once: what the server takes of a listener in any case.</summary>
    public const int MaxConnections = 12_000;

    /// <summary>Bytes of a request's body: what the gateway takes in any case.</summary>
    public const int MaxBodyBytes = 1024 * 1024 * 1024;

    /// <summary>Networks of one list: it is gone through for each request.</summary>
    public const int MaxNetworks = 64;

    /// <summary>Proxies one behind the other.</summary>
    public const int MaxHops = 10;

    public static void Check(GatewayListenerSpec spec, ICollection<FieldFault> faults)
    {
        if (spec.Tls is { } tls) CheckTls("spec.tls", tls, faults);
        if (spec.Bounds is { } bounds) CheckBounds(bounds, faults);
        if (spec.Caller is { } caller) Check(caller, faults);
        AccessRules.Check(spec.Access, faults);
        Limits.LimitRules.Check(spec.Limits, null, faults);
    }

    public static void CheckTls(string at, ListenerTlsSpec tls, ICollection<FieldFault> faults)
    {
        CheckKeys($"{at}.certificates", tls.Certificates, MaxCertificates, faults);
        if (tls.Default is { } fallback) CheckKeys($"{at}.default", [fallback], 1, faults);
        if (tls.MinVersion is not ("1.2" or "1.3"))
            faults.Add(new FieldFault($"{at}.minVersion", "must be 1.2 or 1.3"));
        if (tls.ClientCertificates is not { } clients) return;
        CheckKeys($"{at}.clientCertificates.authorities", clients.Authorities, MaxAuthorities, faults);
        if (clients.Mode is not ("require" or "ask"))
            faults.Add(new FieldFault($"{at}.clientCertificates.mode", "must be require or ask"));
    }

    public static void CheckNetworks(
        string at, IReadOnlyList<string>? networks, int least, ICollection<FieldFault> faults)
    {
        if (networks is null) return;
        if (networks.Count < least || networks.Count > MaxNetworks)
            faults.Add(new FieldFault(at, $"must have {least} to {MaxNetworks} networks"));
        for (var index = 0; index < networks.Count; index++)
            if (NetworkList.Explain(networks[index]) is { } why) faults.Add(new FieldFault($"{at}[{index}]", why));
    }

    private static void CheckBounds(ListenerBoundsSpec bounds, ICollection<FieldFault> faults)
    {
        FieldRules.CheckRange("spec.bounds.maxConnections", bounds.MaxConnections, 1, MaxConnections, faults);
        FieldRules.CheckRange(
            "spec.bounds.maxConnectionsPerAddress", bounds.MaxConnectionsPerAddress, 1, MaxConnections, faults);
        FieldRules.CheckRange("spec.bounds.bodyBytes", bounds.BodyBytes, 0, MaxBodyBytes, faults);
        FieldRules.CheckRange("spec.bounds.headMs", bounds.HeadMs, 100, 60_000, faults);
        FieldRules.CheckRange("spec.bounds.keepAliveMs", bounds.KeepAliveMs, 1_000, 3_600_000, faults);
        FieldRules.CheckRange("spec.bounds.responseHeadMs", bounds.ResponseHeadMs, 10, 3_600_000, faults);
        FieldRules.CheckRange("spec.bounds.idleMs", bounds.IdleMs, 1_000, 86_400_000, faults);
    }

    private static void Check(CallerSpec caller, ICollection<FieldFault> faults)
    {
        CheckNetworks("spec.caller.trusted", caller.Trusted, 0, faults);
        CheckNetworks("spec.caller.proxyProtocol", caller.ProxyProtocol, 1, faults);
        FieldRules.CheckRange("spec.caller.hops", caller.Hops, 1, MaxHops, faults);
        if (!MatchRules.IsToken(caller.Source))
            faults.Add(new FieldFault(
                "spec.caller.source", "must be x-forwarded-for, forwarded, x-real-ip or the name of another header"));
        if (caller.Tell?.Any(one => one is not ("x-real-ip" or "forwarded")) == true)
            faults.Add(new FieldFault("spec.caller.tell", "must be of x-real-ip and forwarded"));
    }

    private static void CheckKeys(
        string at, IReadOnlyList<string>? names, int most, ICollection<FieldFault> faults)
    {
        if (names is null) return;
        if (names.Count is 0 || names.Count > most) faults.Add(new FieldFault(at, $"must have 1 to {most} names"));
        foreach (var name in names)
            if (!CertificateKind.TryReadKey(name, Names.DefaultNamespace, out _))
                faults.Add(new FieldFault(at, "must name certificates, such as shop or default/shop"));
    }
}
