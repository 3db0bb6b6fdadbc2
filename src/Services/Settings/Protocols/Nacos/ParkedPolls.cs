using Groundwork.Kernel.Hosting.Streaming;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Settings.Releases;

namespace Groundwork.Services.Settings.Protocols.Nacos;

/// <summary>One poll that waits for a change of what it names.</summary>
internal sealed class ParkedPoll(IReadOnlyList<ListenedKey> keys, string address)
{
    public IReadOnlyList<ListenedKey> Keys => keys;

    /// <summary>Where the client calls from.</summary>
    public string Address => address;

    public StreamWait Changed { get; } = new();
}

/// <summary>A configuration that a poll names, with the text that its client has.</summary>
/// <param name="Hash">The MD5 of it; empty: none.</param>
/// <param name="Echo">As it is answered when it has changed: what was sent, without the hash.</param>
internal sealed record ListenedKey(ResourceKey Setting, string Hash, string Echo);

/// <summary>
/// The polls that wait, by what they wait for. A publication wakes those that named what it changed, and no others.
/// </summary>
internal sealed class ParkedPolls : IDisposable
{
    private readonly Lock gate = new(); // Innermost lock.
    private readonly Dictionary<ResourceKey, HashSet<ParkedPoll>> bySetting = [];
    private readonly GrayReleases releases;
    private readonly IDisposable subscription;
    private int count; // Guarded by the gate.

    public ParkedPolls(ISnapshotSource snapshots, GrayReleases releases)
    {
        this.releases = releases;
        subscription = snapshots.Subscribe(Hear);
    }

    public int Count
    {
        get
        {
            lock (gate) return count;
        }
    }

    /// <summary>
    /// The poll is woken with every change from now on; to be done before it looks. False when too many wait.
    /// </summary>
    public bool Park(ParkedPoll poll)
    {
        lock (gate)
        {
            if (count >= NacosConfigLimits.MaxParked) return false;
            count++;
            foreach (var key in poll.Keys)
            {
                if (!bySetting.TryGetValue(key.Setting, out var polls)) bySetting[key.Setting] = polls = [];
                polls.Add(poll);
            }
            return true;
        }
    }

    public void Leave(ParkedPoll poll)
    {
        lock (gate)
        {
            count--;
            foreach (var key in poll.Keys)
            {
                if (!bySetting.TryGetValue(key.Setting, out var polls) || !polls.Remove(poll)) continue;
                if (polls.Count == 0) bySetting.Remove(key.Setting);
            }
        }
    }

    /// <summary>The polls that wait for a setting.</summary>
    public IReadOnlyList<ParkedPoll> Of(ResourceKey setting)
    {
        lock (gate) return bySetting.TryGetValue(setting, out var polls) ? [.. polls] : [];
    }

    public void Dispose() => subscription.Dispose();

    private void Hear(SnapshotChange change)
    {
        if (change.Before is null)
        {
            Wake([], namespaces: null);
            _ = ReadReleasesAsync(change); // So that it is known of each release, when it goes, whose it was.
            return;
        }
        var settings = new HashSet<ResourceKey>();
        var touchesReleases = false;
        foreach (var one in change.Changes)
        {
            if (one.Key.Kind == SettingKind.Name) settings.Add(one.Key);
            else if (one.Key.Kind == GrayReleaseKind.Name) touchesReleases = true;
        }
        if (settings.Count > 0) Wake(settings, []);
        if (touchesReleases) _ = HearReleasesAsync(change);
    }

    /// <summary>A release says which setting it is of only in its text, which is read here first.</summary>
    private async Task HearReleasesAsync(SnapshotChange change)
    {
        var known = await ReadReleasesAsync(change);
        var settings = new HashSet<ResourceKey>();
        var namespaces = new HashSet<string>(StringComparer.Ordinal); // Where it could not be found out.
        foreach (var one in change.Changes)
        {
            if (one.Key.Kind != GrayReleaseKind.Name) continue;
            foreach (var release in (Resource?[])[one.Before, one.After])
            {
                if (release is null) continue;
                if (GrayReleaseKind.KnownRuleOf(release) is { } rule)
                    settings.Add(new ResourceKey(SettingKind.Name, release.Key.Namespace, rule.Setting));
                else if (!known || ReferenceEquals(release, one.Before)) namespaces.Add(release.Key.Namespace);
            }
        }
        Wake(settings, namespaces);
    }

    private async Task<bool> ReadReleasesAsync(SnapshotChange change)
    {
        try
        {
            return (await releases.AtAsync(change.After, CancellationToken.None)).Succeeded;
        }
        catch (Kernel.Storage.StorageException)
        {
            return false; // Whoever is woken needlessly looks, and waits again.
        }
    }

    /// <param name="namespaces">Those of which everybody is woken; null: all.</param>
    private void Wake(IEnumerable<ResourceKey> settings, HashSet<string>? namespaces)
    {
        var woken = new HashSet<ParkedPoll>();
        lock (gate)
        {
            foreach (var setting in settings)
                if (bySetting.TryGetValue(setting, out var polls)) woken.UnionWith(polls);
            if (namespaces is null or { Count: > 0 })
                foreach (var (key, polls) in bySetting)
                    if (namespaces?.Contains(key.Namespace) != false) woken.UnionWith(polls);
        }
        if (woken.Count > 0)
            Fanout<ParkedPoll, object?>.Start([.. woken], null, static (poll, _) => poll.Changed.WakeHere());
    }
}
