using System.Collections.Frozen;
using Microsoft.Extensions.Configuration;

namespace Groundwork.Client.Settings;

/// <summary>
/// The platform's settings as a source of the host's configuration. A publication replaces all keys in one write; a
/// thread that has pinned one goes on reading it until it lets go.
/// </summary>
internal sealed class SettingsProvider : ConfigurationProvider, IConfigurationSource
{
    private readonly ThreadLocal<SettingValues?> pinned = new();
    private SettingValues current = SettingValues.None;

    public SettingValues Current => Volatile.Read(ref current);

    /// <summary>
    /// The same provider each time: the host's configuration builds its sources again whenever one is added.
    /// </summary>
    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    /// <summary>Shows the values, and tells whoever watches the configuration. Called by one task at a time.</summary>
    public void Publish(SettingValues values)
    {
        Volatile.Write(ref current, values);
        OnReload();
    }

    /// <summary>Shows values that no reader can tell from the ones before: only the revision is another.</summary>
    public void Renumber(SettingValues values) => Volatile.Write(ref current, values);

    /// <summary>
    /// Until disposed, this thread reads one publication. For synchronous code, as binding is; nests.
    /// </summary>
    public Pin PinCurrent()
    {
        var before = pinned.Value;
        pinned.Value = before ?? Current;
        return new Pin(this, before);
    }

    public override bool TryGet(string key, out string? value) => Read.Values.TryGetValue(key, out value);

    /// <summary>
    /// The platform's settings are changed on the platform; the configuration's other sources take the value.
    /// </summary>
    public override void Set(string key, string? value)
    {
    }

    public override IEnumerable<string> GetChildKeys(IEnumerable<string> earlierKeys, string? parentPath)
    {
        var start = parentPath is null ? "" : parentPath + ConfigurationPath.KeyDelimiter;
        var children = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var key in Read.Values.Keys)
        {
            if (!key.StartsWith(start, StringComparison.OrdinalIgnoreCase)) continue;
            var end = key.IndexOf(ConfigurationPath.KeyDelimiter, start.Length, StringComparison.Ordinal);
            children.Add(end < 0 ? key[start.Length..] : key[start.Length..end]);
        }
        return children.Concat(earlierKeys).Order(ConfigurationKeyComparer.Instance);
    }

    public override string ToString() => $"Groundwork settings at revision {Current.Revision}";

    private SettingValues Read => pinned.Value ?? Current;

    /// <summary>Ends a <see cref="PinCurrent"/>.</summary>
    public readonly struct Pin(SettingsProvider provider, SettingValues? before) : IDisposable
    {
        public void Dispose() => provider.pinned.Value = before;
    }
}
