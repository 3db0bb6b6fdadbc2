using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Settings;

/// <summary>
/// Events of settings as bytes. Readers with the same selection are mostly told the same, so the last event of a
/// selection is kept for the next of them; what holds a secret is not.
/// </summary>
internal sealed class SharedEvents
{
    private const int MaxKept = 256;

    /// <summary>Longer ones are rare, and kept they would take the memory for nothing.</summary>
    private const int MaxKeptBytes = 64 * 1024;

    private readonly ConcurrentDictionary<string, (SettingSnapshot Content, byte[] Event)> kept =
        new(StringComparer.Ordinal);

    /// <param name="selection">Whose readers may be told the same.</param>
    public byte[] Of(SettingSnapshot content, string selection)
    {
        if (kept.TryGetValue(selection, out var known) && IsSame(known.Content, content)) return known.Event;
        var json = JsonSerializer.Serialize(content, WireJson.Strict.SettingSnapshot);
        var bytes = Encoding.UTF8.GetBytes(string.Create(
            CultureInfo.InvariantCulture, $"event: settings\nid: {content.Revision}\ndata: {json}\n\n"));
        if (bytes.Length <= MaxKeptBytes && !content.Settings.Any(setting => setting.Secret))
        {
            if (kept.Count >= MaxKept) kept.Clear();
            kept[selection] = (content, bytes);
        }
        return bytes;
    }

    // Settings that are no secrets are read once for all readers, so that the same text is the same object.
    private static bool IsSame(SettingSnapshot a, SettingSnapshot b)
    {
        if (a.Revision != b.Revision || a.StoreId != b.StoreId || a.Namespace != b.Namespace
            || a.Settings.Count != b.Settings.Count) return false;
        for (var at = 0; at < a.Settings.Count; at++)
            if (!ReferenceEquals(a.Settings[at], b.Settings[at])) return false;
        return IsSame(a.Removed, b.Removed) && IsSame(a.Withheld, b.Withheld) && IsSame(a.Groups, b.Groups);
    }

    private static bool IsSame(IReadOnlyList<string>? a, IReadOnlyList<string>? b)
    {
        if (ReferenceEquals(a, b)) return true;
        if (a is null || b is null || a.Count != b.Count) return false;
        for (var at = 0; at < a.Count; at++)
            if (!string.Equals(a[at], b[at], StringComparison.Ordinal)) return false;
        return true;
    }
}
