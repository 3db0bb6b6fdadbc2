using Groundwork.Kernel.Resources;

namespace Groundwork.Communication.Dns.Protocols.HttpDns;

/// <summary>The kind <c>httpdns-account</c>: whose programs may ask over HTTPDNS.</summary>
public static class HttpDnsAccountKind
{
    /// <summary>The kind's name.</summary>
    public const string Name = "httpdns-account";

    public static Kind<HttpDnsAccountSpec> Kind { get; } =
        new(Name, HttpDnsAccountJson.Default.HttpDnsAccountSpec)
        {
            Module = DnsModule.ModuleName,
            Summary = "Whose programs may ask for names over HTTPDNS, and with what.",
            Namespaced = false,
            SecretFields = ["secret", "aesKey", "tencentKey", "token"],
            ValidateNamed = (key, spec, faults) => AccountRules.Check(key.Name, spec, faults),
        };
}
