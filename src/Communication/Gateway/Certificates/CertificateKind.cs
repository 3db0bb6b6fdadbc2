using Groundwork.Kernel.Resources;

namespace Groundwork.Communication.Gateway.Certificates;

/// <summary>The kind <c>certificate</c>: a chain with its private key, or authorities that are believed.</summary>
public static class CertificateKind
{
    /// <summary>The kind's name.</summary>
    public const string Name = "certificate";

    public static Kind<CertificateSpec> Kind { get; } = new(Name, CertificateJson.Default.CertificateSpec)
    {
        Module = GatewayModule.ModuleName,
        Summary = "A certificate with its private key, or authorities that are believed.",
        SecretFields = ["privateKey"],
        Validate = static (spec, faults) => CertificateRules.Check(spec, TimeProvider.System, faults),
        ValidateAgainst = CertificateRules.CheckAgainst,
    };

    /// <summary>Reads <c>[namespace/]name</c>.</summary>
    internal static bool TryReadKey(string text, string ns, out ResourceKey key) =>
        FieldRules.TryReadLongName(text, ns, Name, out key);
}
