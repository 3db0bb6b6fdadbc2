using System.Collections.Frozen;
using Microsoft.Extensions.Configuration;

namespace Groundwork.Client.Settings;

/// <summary>
/// The platform's settings as a source of the host's configuration. A publication replaces all keys in one write; a
/// thread that has pinned one goes on reading it until it lets go.
/// </summary>
internal sealed class SettingsProvider : ConfigurationProvider, IConfigurationSource
{
    // What this thread has pinned, of any provider of the process. Static, so that a provider holds nothing to dispose:
    // the host's configuration disposes of its providers whenever a source is added, and goes on with this same one.
    [ThreadStatic]
    private static Pinned? pinned;

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
        var before = pinned;
        pinned = new Pinned(this, Read, before);
        return new Pin(before);
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

    private SettingValues Read
    {
        get
        {
            for (var pin = pinned; pin is not null; pin = pin.Outer)
                if (pin.Owner == this) return pin.Values;
            return Current;
        }
    }

    /// <summary>What a thread has pinned, and what it had pinned before that.</summary>
    internal sealed record Pinned(SettingsProvider Owner, SettingValues Values, Pinned? Outer);

    /// <summary>Ends a <see cref="PinCurrent"/>, on the thread that began it.</summary>
    public readonly struct Pin : IDisposable
    {
        private readonly Pinned? before;

        internal Pin(Pinned? before) => this.before = before;

        public void Dispose() => pinned = before;
    }
}
