using Groundwork.Kernel.Resources;
using Groundwork.Services.Settings.Releases;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Settings.Readers;

/// <summary>
/// Says of each reader what became of a setting there. Whoever should have a version and has not said so is old.
/// </summary>
internal static class ReceiptReport
{
    public const string Old = "old";

    /// <param name="setting">Null when it is gone; then only what is stored is told.</param>
    /// <param name="revision">The publication; null: each reader is held to what is meant for it now.</param>
    public static SettingReceipts Of(
        ResourceKey key, Resource? setting, bool secret, long? revision, AudienceRows rows, Audience audience)
    {
        var receipts = rows.Receipts.ToLookup(receipt => receipt.Key.Reader);
        var known = rows.Readers.ToDictionary(reader => reader.Key);
        var lines = new List<ReaderReceipt>();
        var told = new HashSet<ReaderKey>();
        // Of a version that is somebody's now, only those count whom it is meant for and who are waited for.
        var inForce = setting is null ? [] : audience.VersionsOf(setting);
        if (setting is not null)
        {
            foreach (var reader in rows.Readers)
            {
                if (!audience.IsLive(reader, rows.Now)) continue;
                var version = audience.Choose(setting, reader);
                if (!audience.Asks(reader, key.Name)
                    || !audience.MayRead(reader, key, version.Rule?.Secret ?? secret)) continue;
                if (revision is not null && version.Revision != revision) continue;
                told.Add(reader.Key);
                lines.Add(Line(reader.Key, reader.Node, version.Revision, version.Release ?? "", receipts[reader.Key]));
            }
        }
        foreach (var receipt in rows.Receipts)
        {
            // A publication of the past is told as it was stored, whoever has gone since.
            var version = receipt.Key;
            if (revision != version.Revision || inForce.Contains((version.Revision, version.Release))
                || !told.Add(version.Reader)) continue;
            var node = known.GetValueOrDefault(version.Reader)?.Node ?? "";
            lines.Add(Line(version.Reader, node, version.Revision, version.Release, receipts[version.Reader]));
        }
        var (group, dataId) = SettingKind.Split(key.Name) ?? ("", key.Name);
        return new SettingReceipts(
            key.Namespace, group, dataId,
            lines.Count(line => line.State == Word(ReceiptState.Applied)),
            lines.Count(line => line.State == Word(ReceiptState.Rejected)),
            lines.Count(line => line.State == Word(ReceiptState.Delivered)),
            lines.Count(line => line.State == Old),
            [.. lines.OrderBy(line => line.Service, StringComparer.Ordinal)
                .ThenBy(line => line.Instance, StringComparer.Ordinal)],
            revision);
    }

    public static string Word(ReceiptState state) => state switch
    {
        ReceiptState.Applied => "applied",
        ReceiptState.Rejected => "rejected",
        ReceiptState.Delivered => "delivered",
        _ => Old,
    };

    private static ReaderReceipt Line(
        ReaderKey reader, string node, long revision, string release, IEnumerable<StoredReceipt> receipts)
    {
        var all = receipts.ToList();
        var own = all.Find(one => one.Key.Revision == revision && one.Key.Release == release);
        var has = all
            .Where(one => one.State is ReceiptState.Applied or ReceiptState.Delivered)
            .OrderByDescending(one => one.ConfirmedAt ?? one.SentAt).ThenByDescending(one => one.Key.Revision)
            .FirstOrDefault();
        return new ReaderReceipt(
            reader.Service,
            reader.Instance,
            node,
            Word(own?.State ?? ReceiptState.Sent),
            revision,
            release.Length > 0 ? release : null,
            own?.Error,
            has?.Key.Revision,
            has?.Key.Release is { Length: > 0 } text ? text : null,
            own?.SentAt,
            own?.ConfirmedAt);
    }
}
