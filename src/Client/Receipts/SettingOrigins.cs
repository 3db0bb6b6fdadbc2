using System.Collections.Concurrent;
using Groundwork.Client.Settings;

namespace Groundwork.Client.Receipts;

/// <summary>The settings of this process by name, and the keys of them that were read. Thread-safe.</summary>
internal sealed class SettingOrigins
{
    /// <summary>Settings that one report tells keys of, as the platform takes them.</summary>
    private const int MaxSettings = 256;

    private readonly ConcurrentDictionary<string, SettingOrigin> known = new(StringComparer.Ordinal);

    public SettingOrigin Of(string name) => known.GetOrAdd(name, static one => new SettingOrigin(one));

    public bool IsSecret(string name) => known.TryGetValue(name, out var origin) && origin.IsSecret;

    /// <summary>Forgets a setting that is gone.</summary>
    public void Forget(string name) => known.TryRemove(name, out _);

    /// <summary>Keys that nobody was told of yet, by setting; at most so many.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> TakeUnreported(int most)
    {
        var taken = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var (name, origin) in known)
        {
            if (most <= 0 || taken.Count >= MaxSettings) break;
            var keys = origin.TakeUnreported(most);
            if (keys.Count == 0) continue;
            taken[name] = keys;
            most -= keys.Count;
        }
        return taken;
    }

    /// <summary>What was taken did not arrive.</summary>
    public void GiveBack(IReadOnlyDictionary<string, IReadOnlyList<string>> keys)
    {
        foreach (var (name, list) in keys)
            if (known.TryGetValue(name, out var origin)) origin.GiveBack(list);
    }

    /// <summary>All keys are to be reported again.</summary>
    public void ReportAgain()
    {
        foreach (var origin in known.Values) origin.ReportAgain();
    }
}
