using System.Collections.Concurrent;
using System.Text.Json;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings.Releases;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Settings;

/// <summary>
/// What there is of settings, page by page, without their texts: ten thousand of them are one small answer. What stands
/// beside a text is read once for each version and kept.
/// </summary>
internal sealed class SettingSummaries(ChangeLog changes, GrayReleases releases, Authorizer authorizer)
{
    // By setting, the version it is of beside it; what lives no longer goes when there is twice as much as lives.
    private readonly ConcurrentDictionary<ResourceKey, Marks> kept = new();

    /// <param name="namespace">Null: all.</param>
    /// <param name="prefix">What names begin with.</param>
    /// <param name="format">Only those of this format; null: all.</param>
    /// <param name="after">The setting that the page before ended with; null: from the first.</param>
    public async Task<Outcome<SettingList>> ListAsync(
        Principal caller, string? @namespace, string prefix, string? format, ResourceKey? after, int limit,
        CancellationToken cancellationToken)
    {
        var now = changes.Snapshots.Current;
        var found = await releases.AtAsync(now, cancellationToken);
        if (!found.TryGet(out var inForce, out var fault)) return fault;
        var settings = now.Of(SettingKind.Name);
        var items = new List<SettingSummary>();
        foreach (var (key, setting) in settings)
        {
            if (after is { } last && key.CompareTo(last) <= 0) continue;
            if (@namespace is not null && key.Namespace != @namespace) continue;
            if (!key.Name.StartsWith(prefix, StringComparison.Ordinal)) continue;
            if (!authorizer.Allows(caller, Verb.Read, key)) continue;
            var read = await MarksAsync(setting, cancellationToken);
            if (!read.TryGet(out var marks, out fault)) return fault;
            if (format is not null && marks.Format != format) continue;
            if (items.Count == limit)
            {
                var end = items[^1];
                return new SettingList(now.Revision, items, $"{end.Namespace}/{end.Group}/{end.DataId}");
            }
            items.Add(Summary(setting, marks, inForce));
        }
        if (kept.Count > 2 * settings.Count + 1) Forget(now);
        return new SettingList(now.Revision, items);
    }

    private static SettingSummary Summary(Resource setting, Marks marks, ReleasesInForce inForce)
    {
        var (group, dataId) = SettingKind.Split(setting.Key.Name) ?? ("", setting.Key.Name);
        var gray = inForce.Of(setting.Key.Namespace, setting.Key.Name);
        return new SettingSummary(
            setting.Key.Namespace, group, dataId, marks.Format, setting.Revision, setting.ChangedBy, setting.ChangedAt,
            marks.Secret, marks.HasSchema, marks.Description,
            gray.IsEmpty ? null : [.. gray.Select(rule => rule.Name)]);
    }

    private async ValueTask<Outcome<Marks>> MarksAsync(Resource setting, CancellationToken cancellationToken)
    {
        if (kept.TryGetValue(setting.Key, out var known) && known.Revision == setting.Revision) return known;
        var stored = await changes.ReadStoredAsync(setting, cancellationToken);
        if (!stored.TryGet(out var whole, out var fault)) return fault;
        using var spec = JsonDocument.Parse(whole.Spec);
        var marks = new Marks(
            setting.Revision, Text(spec, "format") ?? "", SettingKind.IsSecret(spec.RootElement),
            spec.RootElement.TryGetProperty("schema", out var schema) && schema.ValueKind != JsonValueKind.Null,
            Text(spec, "description"));
        return kept[setting.Key] = marks;
    }

    private static string? Text(JsonDocument spec, string member) =>
        spec.RootElement.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    private void Forget(Snapshot now)
    {
        foreach (var key in kept.Keys)
            if (now.Find(key) is null) kept.TryRemove(key, out _);
    }

    private sealed record Marks(long Revision, string Format, bool Secret, bool HasSchema, string? Description);
}
