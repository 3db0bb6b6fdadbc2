namespace Groundwork.Client.Settings;

/// <summary>
/// A setting that keys come from, and which of its keys this process has really read. The same object through all its
/// publications. Thread-safe.
/// </summary>
internal sealed class SettingOrigin(string name)
{
    /// <summary>Keys of one setting that are remembered and reported: enough to see who depends on it.</summary>
    public const int MaxUsedKeys = 256;

    /// <summary>Longer keys are not reported; the platform takes none.</summary>
    private const int MaxKeyLength = 512;

    private readonly Lock gate = new();
    private readonly HashSet<string> used = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<string> unreported = [];
    private bool isSecret;

    /// <summary><c>group/dataId</c>.</summary>
    public string Name => name;

    /// <summary>Its text is a secret, or was one: once true it stays so.</summary>
    public bool IsSecret => Volatile.Read(ref isSecret);

    public void SetSecret() => Volatile.Write(ref isSecret, true);

    public void Use(string key)
    {
        if (key.Length is 0 or > MaxKeyLength || key.Any(c => char.IsControl(c) || char.IsSurrogate(c))) return;
        lock (gate)
        {
            if (used.Count < MaxUsedKeys && used.Add(key)) unreported.Add(key);
        }
    }

    /// <summary>Keys read since the last time this was asked, at most so many.</summary>
    public IReadOnlyList<string> TakeUnreported(int most)
    {
        lock (gate)
        {
            if (unreported.Count == 0) return [];
            var taken = unreported.Take(most).ToList();
            unreported.RemoveRange(0, taken.Count);
            return taken;
        }
    }

    /// <summary>What was taken did not arrive.</summary>
    public void GiveBack(IEnumerable<string> keys)
    {
        lock (gate) unreported.InsertRange(0, keys);
    }

    /// <summary>Nobody knows any of them any more, as when the platform's store is another.</summary>
    public void ReportAgain()
    {
        lock (gate)
        {
            unreported.Clear();
            unreported.AddRange(used);
        }
    }
}
