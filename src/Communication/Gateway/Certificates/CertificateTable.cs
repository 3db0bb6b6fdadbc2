using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Groundwork.Kernel.Hosting.Secrets;
using Groundwork.Kernel.Resources;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway.Certificates;

/// <summary>
/// The certificates in force, kept in step with the snapshots. One that cannot be loaded leaves the last good one of
/// its name in place.
/// </summary>
internal sealed partial class CertificateTable : IDisposable
{
    /// <summary>When a certificate is about to expire, an operator has a fortnight.</summary>
    private static readonly TimeSpan Warning = TimeSpan.FromDays(14);

    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly SecretTable<ServedCertificate> table;

    public CertificateTable(ISnapshotSource snapshots, OpenSpec open, TimeProvider time, ILogger logger)
    {
        this.time = time;
        this.logger = logger;
        var kind = new SecretKind<ServedCertificate>(CertificateKind.Name, Load)
        {
            HasSecret = static resource => resource.As<CertificateSpec>().PrivateKey == HiddenKeyJson.Hidden,
            KeepsLastGood = true,
        };
        table = new SecretTable<ServedCertificate>(snapshots, kind, open, time, logger);
    }

    /// <inheritdoc cref="SecretTable{T}.Changed"/>
    public Action? Changed
    {
        get => table.Changed;
        set => table.Changed = value;
    }

    public ImmutableDictionary<ResourceKey, ServedCertificate> Current => table.Current;

    public ServedCertificate? Find(ResourceKey key) => Current.GetValueOrDefault(key);

    public void Dispose() => table.Dispose();

    private ServedCertificate Load(Resource resource, ReadOnlyMemory<byte> open)
    {
        var spec = resource.As<CertificateSpec>();
        var key = spec.PrivateKey;
        if (key == HiddenKeyJson.Hidden)
            key = JsonSerializer.Deserialize(open.Span, CertificateJson.Default.CertificateSpec)?.PrivateKey;
        if (key == HiddenKeyJson.Hidden) throw new CryptographicException("This node may not read its private key.");
        var loaded = ServedCertificate.Load(resource.Key, spec.Chain, key);
        if (loaded.NotAfter - time.GetUtcNow().UtcDateTime < Warning) LogExpires(resource.Key, loaded.NotAfter);
        return loaded;
    }

    [LoggerMessage(1, LogLevel.Warning, "The {Certificate} expires on {NotAfter} UTC")]
    private partial void LogExpires(ResourceKey certificate, DateTime notAfter);
}
