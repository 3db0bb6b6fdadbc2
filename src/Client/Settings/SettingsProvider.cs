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
    /// <param name="origins">Collects the settings that this thread reads from meanwhile.</param>
    public Pin PinCurrent(HashSet<string>? origins = null)
    {
        var before = pinned;
        pinned = new Pinned(this, Read, origins, before);
        return new Pin(before);
    }

    public override bool TryGet(string key, out string? value)
    {
        var pin = Own;
        if (!(pin?.Values ?? Current).Values.TryGetValue(key, out var found))
        {
            value = null;
            return false;
        }
        found.Use();
        pin?.Origins?.Add(found.Origin.Name);
        value = found.Text;
        return true;
    }

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

    /// <summary>What this thread reads: what it has pinned, else what is current.</summary>
    public SettingValues Read => Own?.Values ?? Current;

    // The innermost pin of this thread that is ours.
    private Pinned? Own
    {
        get
        {
            var pin = pinned;
            while (pin is not null && pin.Owner != this) pin = pin.Outer;
            return pin;
        }
    }

    /// <summary>What a thread has pinned, and what it had pinned before that.</summary>
    internal sealed record Pinned(
        SettingsProvider Owner, SettingValues Values, HashSet<string>? Origins, Pinned? Outer);

    /// <summary>Ends a <see cref="PinCurrent"/>, on the thread that began it.</summary>
    public readonly struct Pin : IDisposable
    {
        private readonly Pinned? before;

        internal Pin(Pinned? before) => this.before = before;

        public void Dispose() => pinned = before;
    }
}
