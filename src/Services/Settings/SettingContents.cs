using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Settings.Releases;
using Groundwork.Services.Settings.Sealing;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Settings;

/// <summary>
/// Reads the contents of settings, which snapshots leave out. What is no secret is kept for the next reader: hundreds
/// of instances read the same few texts when one is published.
/// </summary>
internal sealed class SettingContents(ChangeLog changes, SealedTexts sealedTexts)
{
    /// <summary>
    /// Bytes of texts kept in memory; the newest publications of a platform of some hundred services.
    /// </summary>
    private const long MaxKeptBytes = 32 * 1024 * 1024;

    private readonly ConcurrentDictionary<ResourceKey, (long Revision, SettingDocument Document)> kept = new();
    private readonly ConcurrentDictionary<
        (ResourceKey Key, long Revision), Task<Outcome<SettingDocument>>> underWay = new();
    private long keptBytes;

    /// <summary>The setting in the version that the snapshot has, its content in clear.</summary>
    public ValueTask<Outcome<SettingDocument>> ReadAsync(SettingVersion version, CancellationToken cancellationToken) =>
        version.Rule is { } rule
            ? ReadAsync(version.Setting, rule, cancellationToken)
            : ReadAsync(version.Setting, cancellationToken);

    private async ValueTask<Outcome<SettingDocument>> ReadAsync(
        Resource setting, CancellationToken cancellationToken) =>
        Find(setting) is { } known
            ? known
            : await ReadOnceAsync(setting, () => ReadStoredAsync(setting)).WaitAsync(cancellationToken);

    private async ValueTask<Outcome<SettingDocument>> ReadAsync(
        Resource setting, ReleaseRule rule, CancellationToken cancellationToken)
    {
        var own = await ReadAsync(setting, cancellationToken);
        if (!own.TryGet(out var beside, out var fault)) return fault;
        // The setting's format may have changed beside a release that leaves its own to it.
        if (Find(rule.Resource) is { } known) return known with { Format = beside.Format };
        var read = await ReadOnceAsync(rule.Resource, () => ReadStoredAsync(setting, beside.Format, rule))
            .WaitAsync(cancellationToken);
        return read.TryGet(out var released, out fault) ? released with { Format = beside.Format } : fault;
    }

    /// <summary>
    /// One read for all who ask while it is under way: after a publication ten thousand readers ask for one new text.
    /// Not with the token of the first of them, who may leave.
    /// </summary>
    private Task<Outcome<SettingDocument>> ReadOnceAsync(
        Resource resource, Func<Task<Outcome<SettingDocument>>> readAsync)
    {
        var version = (resource.Key, resource.Revision);
        if (underWay.TryGetValue(version, out var other)) return other;
        var source = new TaskCompletionSource<Outcome<SettingDocument>>(
            TaskCreationOptions.RunContinuationsAsynchronously);
        var first = underWay.GetOrAdd(version, source.Task);
        return ReferenceEquals(first, source.Task) ? ReadFirstAsync() : first;

        async Task<Outcome<SettingDocument>> ReadFirstAsync()
        {
            try
            {
                source.SetResult(await readAsync());
            }
            catch (Exception failure)
            {
                source.SetException(failure);
            }
            underWay.TryRemove(version, out _);
            return await source.Task;
        }
    }

    private async Task<Outcome<SettingDocument>> ReadStoredAsync(Resource setting)
    {
        var stored = await changes.ReadStoredAsync(setting, CancellationToken.None);
        if (!stored.TryGet(out var whole, out var fault)) return fault;
        var spec = SettingKind.Read(changes.Open(whole));
        var (content, secret) = Opened(setting.Key.Namespace, spec.Format, spec.Content, spec.Secret);
        var document = Document(setting.Key, content, setting.Revision) with
        {
            Format = spec.Format, Secret = secret,
        };
        return Keep(setting, document);
    }

    private async Task<Outcome<SettingDocument>> ReadStoredAsync(Resource setting, string format, ReleaseRule rule)
    {
        var stored = await changes.ReadStoredAsync(rule.Resource, CancellationToken.None);
        if (!stored.TryGet(out var whole, out var fault)) return fault;
        var spec = GrayReleaseKind.Read(changes.Open(whole));
        var (content, secret) = Opened(setting.Key.Namespace, format, spec.Content, spec.Secret);
        var document = Document(setting.Key, content, rule.Resource.Revision) with
        {
            Format = format, Secret = secret, Release = rule.Name,
        };
        return Keep(rule.Resource, document);
    }

    /// <summary>With a sealed value in it a text is a secret as it is delivered.</summary>
    private (string Content, bool Secret) Opened(string @namespace, string format, string content, bool secret) =>
        SealedTexts.IsIn(content) ? (sealedTexts.Open(@namespace, format, content), true) : (content, secret);

    private static SettingDocument Document(ResourceKey setting, string content, long revision)
    {
        var (group, dataId) = SettingKind.Split(setting.Name) ?? ("", setting.Name);
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(content)));
        return new SettingDocument(setting.Namespace, group, dataId, "", content, hash, revision);
    }

    private SettingDocument? Find(Resource resource) =>
        kept.TryGetValue(resource.Key, out var known) && known.Revision == resource.Revision ? known.Document : null;

    private SettingDocument Keep(Resource resource, SettingDocument document)
    {
        if (document.Secret) return document;
        var bytes = sizeof(char) * (long)document.Content.Length;
        if (Interlocked.Add(ref keptBytes, bytes) > MaxKeptBytes)
        {
            // Rare, and cheap to come back from: every text is read once more.
            kept.Clear();
            Interlocked.Exchange(ref keptBytes, bytes);
        }
        kept[resource.Key] = (resource.Revision, document);
        return document;
    }
}
