using Groundwork.Kernel.Resources;
using Groundwork.Services.Settings.Releases;
using Groundwork.Services.Settings.Texts;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Settings.Readers;

/// <summary>Whom a publication would reach, by what readers have really read.</summary>
internal static class BlastReport
{
    /// <summary>Configuration keys of one question.</summary>
    public const int MaxKeys = 256;

    /// <summary>Who asks names no release yet; a release of this name has the same receivers.</summary>
    private const string UnnamedRelease = "planned";

    public static Fault? Check(BlastRadiusRequest request)
    {
        var faults = new List<FieldFault>();
        if (!Names.IsName(request.Setting) || SettingKind.Split(request.Setting) is null)
            faults.Add(new FieldFault("setting", "must be the group/dataId of a setting"));
        if (request.Keys is { } keys
            && (keys.Count is 0 or > MaxKeys
                || keys.Any(key => key is not { Length: > 0 and <= ReceiptRules.MaxKeyLength })))
            faults.Add(new FieldFault(
                "keys", $"must have 1 to {MaxKeys} keys of 1 to {ReceiptRules.MaxKeyLength} characters"));
        if (request.Keys is not null && request.Content is not null)
            faults.Add(new FieldFault("content", "says which keys change, and so does 'keys'; give one of them"));
        if (request.Release is { } release && !Names.IsSegment(release))
            faults.Add(new FieldFault("release", "must be the name of a gray release, one segment"));
        if (request.Release is not null && request.To is null)
            faults.Add(new FieldFault("release", "takes 'to', which says whom it is for"));
        if (request.To is { } to) GrayReleaseKind.CheckReceivers(to, "to", faults);
        return faults.Count == 0
            ? null
            : new Fault(ErrorCodes.BadRequest, "The question has faults.") { Fields = [.. faults] };
    }

    public static BlastRadius Of(
        ResourceKey key, Resource? setting, bool secret, BlastRadiusRequest request, AudienceRows rows,
        Audience audience)
    {
        var planned = request.To is { } to ? ReleaseReceivers.Of(request.Release ?? UnnamedRelease, to) : null;
        var reads = rows.Reads.Where(one => one.Setting == key.Name).ToDictionary(one => one.Reader, one => one.Keys);
        var readers = new List<BlastReader>();
        foreach (var reader in rows.Readers)
        {
            var now = setting is null ? default : audience.Choose(setting, reader);
            if (!audience.Asks(reader, key.Name)
                || !audience.MayRead(reader, key, now.Rule?.Secret ?? secret)) continue;
            var keys = reads.GetValueOrDefault(reader.Key) ?? [];
            if (request.Keys is { } asked)
                keys = [.. keys.Where(read => asked.Any(wanted => IsAtOrBelow(read, wanted)))];
            // Without receivers of its own a publication reaches whoever is in no gray release.
            var receives = planned?.Include(reader.Identity) ?? now.Rule is null;
            readers.Add(new BlastReader(
                reader.Key.Service, reader.Key.Instance, receives, audience.IsLive(reader, rows.Now), reader.LastSeen,
                [.. keys.Order(StringComparer.Ordinal)], now.Rule?.Name));
        }
        var services = readers
            .GroupBy(reader => reader.Service, StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => new BlastService(
                group.Key,
                group.Count(),
                group.Count(reader => reader.Receives),
                [.. group.SelectMany(reader => reader.Keys).Distinct(StringComparer.Ordinal)
                    .Order(StringComparer.Ordinal)]));
        return new BlastRadius(key.Name, readers.Count(reader => reader.Receives), [.. services], readers);
    }

    /// <summary>The keys that differ between two texts of a format; null when it has none, or there are too many.
    /// </summary>
    public static IReadOnlyList<string>? Changed(string format, string before, string after)
    {
        if (KeyedText.Read(format, after) is not { } planned) return null;
        if (before.Length > 0 && KeyedText.Read(format, before) is null) return null;
        var was = KeyedText.ToDictionary(before.Length > 0 ? KeyedText.Read(format, before) : null);
        var becomes = KeyedText.ToDictionary(planned);
        var changed = was.Keys.Union(becomes.Keys, StringComparer.OrdinalIgnoreCase)
            .Where(key => was.TryGetValue(key, out var one) != becomes.TryGetValue(key, out var other) || one != other)
            .Order(StringComparer.OrdinalIgnoreCase)
            .ToList();
        return changed.Count <= MaxKeys ? changed : null;
    }

    // Configuration keys are compared as .NET reads them: without case, and a section stands for what is below it.
    private static bool IsAtOrBelow(string read, string wanted) =>
        read.StartsWith(wanted, StringComparison.OrdinalIgnoreCase)
        && (read.Length == wanted.Length || read[wanted.Length] == ':');
}
