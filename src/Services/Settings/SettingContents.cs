using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Settings;

/// <summary>
/// Reads the contents of settings, which snapshots leave out. What is no secret is kept for the next reader: hundreds
/// of instances read the same few texts when one is published.
/// </summary>
internal sealed class SettingContents(ChangeLog changes)
{
    /// <summary>
    /// Bytes of texts kept in memory; the newest publications of a platform of some hundred services.
    /// </summary>
    private const long MaxKeptBytes = 32 * 1024 * 1024;

    private readonly ConcurrentDictionary<ResourceKey, (long Revision, SettingDocument Document)> kept = new();
    private long keptBytes;

    /// <summary>The setting in the version that the snapshot has, its content in clear.</summary>
    public async ValueTask<Outcome<SettingDocument>> ReadAsync(Resource resource, CancellationToken cancellationToken)
    {
        if (kept.TryGetValue(resource.Key, out var known) && known.Revision == resource.Revision) return known.Document;
        var stored = await changes.ReadStoredAsync(resource, cancellationToken);
        if (!stored.TryGet(out var whole, out var fault)) return fault;
        var spec = JsonSerializer.Deserialize(changes.Open(whole).Span, SettingJson.Default.SettingSpec)
            ?? throw new InvalidDataException($"The spec of {resource.Key} is null.");
        var (group, dataId) = SettingKind.Split(resource.Key.Name) ?? ("", resource.Key.Name);
        var document = new SettingDocument(
            resource.Key.Namespace,
            group,
            dataId,
            spec.Format,
            spec.Content,
            Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(spec.Content))),
            resource.Revision,
            spec.Secret);
        if (!spec.Secret) Keep(resource, document);
        return document;
    }

    private void Keep(Resource resource, SettingDocument document)
    {
        var bytes = sizeof(char) * (long)document.Content.Length;
        if (Interlocked.Add(ref keptBytes, bytes) > MaxKeptBytes)
        {
            // Rare, and cheap to come back from: every text is read once more.
            kept.Clear();
            Interlocked.Exchange(ref keptBytes, bytes);
        }
        kept[resource.Key] = (resource.Revision, document);
    }
}
