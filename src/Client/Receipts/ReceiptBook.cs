using System.Collections.Immutable;
using Groundwork.Client.Settings;
using Groundwork.Wire.Contracts;

namespace Groundwork.Client.Receipts;

/// <summary>
/// What became of each setting in this process. Whoever uses settings (an options type, a dynamic setting, a check)
/// says of each publication whether it could take it over; the settings that it reads and that changed since it last
/// could are those to blame. Thread-safe.
/// </summary>
internal sealed class ReceiptBook
{
    /// <summary>Users that are judged; names of options made up at run time must not fill the memory.</summary>
    private const int MaxUsers = 1000;

    private const string Applied = "applied";

    private readonly Lock gate = new();
    private readonly Dictionary<string, Line> lines = new(StringComparer.Ordinal);
    private readonly Dictionary<object, SettingUser> users = [];
    private string storeId = "";
    private ImmutableDictionary<string, SettingVersion> current = ImmutableDictionary<string, SettingVersion>.Empty;
    private long publication;

    // From the moment that a publication is known until everybody who is told at once has seen it.
    private bool isJudging;

    // Whether somebody has refused the publication that is being judged.
    private bool isRefused;

    /// <summary>A publication has come. Returns which text of each setting it has.</summary>
    /// <param name="whole">All settings that are in force now.</param>
    /// <param name="isOtherStore">The platform's store is another, so that nothing that was sent is known
    /// there.</param>
    public ImmutableDictionary<string, SettingVersion> Begin(SettingSnapshot whole, out bool isOtherStore)
    {
        lock (gate)
        {
            publication++;
            isJudging = true;
            isRefused = false;
            isOtherStore = whole.StoreId != storeId;
            storeId = whole.StoreId;
            var versions = ImmutableDictionary.CreateBuilder<string, SettingVersion>(StringComparer.Ordinal);
            foreach (var setting in whole.Settings)
                versions[NameOf(setting)] = new SettingVersion(setting.Revision, setting.Release, IsGone: false);
            foreach (var gone in lines.Values.Where(line => !versions.ContainsKey(line.Name)).ToList())
            {
                if (isOtherStore) lines.Remove(gone.Name);
                else
                    versions[gone.Name] = gone.Version.IsGone
                        ? gone.Version : new SettingVersion(whole.Revision, null, IsGone: true);
            }
            foreach (var (name, version) in versions)
            {
                if (!lines.TryGetValue(name, out var line)) lines[name] = line = new Line(name);
                if (line.Version != version) line.ListenersError = null;
                if (isOtherStore) line.Sent = null;
                if (version.IsGone) line.ReadingError = null;
                line.IsNew = line.Version != version;
                line.Version = version;
            }
            return current = versions.ToImmutable();
        }
    }

    /// <summary>Whether the setting's text could be read; null when it could.</summary>
    public void Read(string name, string? error)
    {
        lock (gate)
        {
            if (lines.TryGetValue(name, out var line)) line.ReadingError = error;
        }
    }

    /// <summary>Somebody who listens to the configuration threw, and nobody else said why.</summary>
    public void ListenerThrew(string error)
    {
        lock (gate)
        {
            if (isRefused) return;
            foreach (var line in lines.Values.Where(line => line.IsNew)) line.ListenersError = error;
        }
    }

    /// <summary>Everybody who is told at once has seen the publication.</summary>
    /// <param name="isEqual">Its values are those of the one before, so nobody was told.</param>
    public void Settle(bool isEqual)
    {
        lock (gate)
        {
            isJudging = false;
            if (isEqual)
            {
                // To those who had taken the one before, this one is the same.
                foreach (var user in users.Values.Where(user => user.Publication == publication - 1 && user.HasPassed))
                {
                    user.LastGood = user.Versions = current;
                    user.Publication = publication;
                }
                return;
            }
            // Who was not asked this time cannot be heard about texts that were replaced.
            foreach (var user in users.Values.Where(user => user.Publication < publication && user.Error is not null))
            {
                user.Suspects = [.. user.Suspects.Where(name =>
                    lines.GetValueOrDefault(name)?.Version == user.Versions.GetValueOrDefault(name))];
                if (user.Suspects.Count == 0) user.Error = null;
            }
        }
    }

    /// <summary>True when the user took the publication over that is the newest now.</summary>
    public bool HasPassed(object user)
    {
        lock (gate)
            return users.TryGetValue(user, out var known) && known.HasPassed && known.Publication == publication;
    }

    /// <summary>The user took this publication over.</summary>
    /// <param name="user">The same object, or an equal one, each time.</param>
    /// <param name="origins">The settings that it read.</param>
    /// <param name="versions">Of the publication that it read them of.</param>
    public void Passed(
        object user, IEnumerable<string> origins, ImmutableDictionary<string, SettingVersion> versions)
    {
        lock (gate)
        {
            if (Find(user) is not { } known) return;
            known.Origins = [.. origins];
            known.LastGood = known.Versions = versions;
            known.Suspects = [];
            known.Error = null;
            known.IsAtWork = false;
            known.Publication = publication;
        }
    }

    /// <summary>The user has taken the values, and what it does with them is not finished.</summary>
    public void IsAtWork(
        object user, IEnumerable<string> origins, ImmutableDictionary<string, SettingVersion> versions) =>
        Suspect(user, origins, versions, error: null);

    /// <summary>The user could not take this publication over.</summary>
    public void Failed(
        object user, IEnumerable<string> origins, ImmutableDictionary<string, SettingVersion> versions, string error) =>
        Suspect(user, origins, versions, error);

    /// <summary>The user is no more.</summary>
    public void Forget(object user)
    {
        lock (gate) users.Remove(user);
    }

    /// <summary>Receipts that were not sent yet, at most so many.</summary>
    public IReadOnlyList<ReceiptDocument> Take(int most)
    {
        lock (gate) return [.. Unsent().Take(most)];
    }

    /// <summary>These receipts have arrived.</summary>
    public void Confirm(IEnumerable<ReceiptDocument> receipts)
    {
        lock (gate)
        {
            foreach (var receipt in receipts)
                if (lines.TryGetValue($"{receipt.Group}/{receipt.DataId}", out var line)) line.Sent = receipt;
            // What is gone has its last word when that was heard: not while somebody may still refuse that it is gone.
            var over = Receipts().Where(one =>
                one.Line.Version.IsGone && one.Receipt.State == Applied && one.Line.Sent == one.Receipt).ToList();
            foreach (var (line, _) in over) lines.Remove(line.Name);
        }
    }

    /// <summary>The platform may have forgotten, or have heard of it on another node: everything is sent
    /// again.</summary>
    public void SendAgain()
    {
        lock (gate)
            foreach (var line in lines.Values) line.Sent = null;
    }

    public static string NameOf(SettingDocument setting) => $"{setting.Group}/{setting.DataId}";

    private void Suspect(
        object user, IEnumerable<string> origins, ImmutableDictionary<string, SettingVersion> versions, string? error)
    {
        lock (gate)
        {
            if (Find(user) is not { } known) return;
            // What it read before counts too: a setting that is gone is read by nobody.
            known.Origins.UnionWith(origins);
            HashSet<string> suspects = [.. known.Origins.Where(name =>
                versions.GetValueOrDefault(name) != known.LastGood.GetValueOrDefault(name))];
            // The same complaint as before is about the same settings, and not about those that came since.
            if (error is not null && error == known.Error && known.Suspects.Any(suspects.Contains))
                suspects.IntersectWith(known.Suspects);
            known.Suspects = suspects;
            known.Versions = versions;
            known.Error = error;
            known.IsAtWork = error is null;
            known.Publication = publication;
            isRefused |= error is not null;
        }
    }

    private SettingUser? Find(object user)
    {
        if (users.TryGetValue(user, out var known)) return known;
        return users.Count >= MaxUsers ? null : users[user] = new SettingUser();
    }

    private IEnumerable<ReceiptDocument> Unsent() =>
        Receipts().Where(one => one.Line.Sent != one.Receipt).Select(one => one.Receipt);

    private IEnumerable<(Line Line, ReceiptDocument Receipt)> Receipts()
    {
        var errors = new Dictionary<string, string>(StringComparer.Ordinal);
        var open = new HashSet<string>(StringComparer.Ordinal);
        foreach (var user in users.Values)
        {
            if (user.IsAtWork) open.UnionWith(user.Suspects);
            if (user.Error is not { } error) continue;
            foreach (var name in user.Suspects) errors.TryAdd(name, error);
        }
        foreach (var line in lines.Values)
        {
            var error = line.ReadingError ?? errors.GetValueOrDefault(line.Name) ?? line.ListenersError;
            var state = error is not null ? "rejected"
                : (isJudging && line.IsNew) || open.Contains(line.Name) ? "delivered" : Applied;
            var slash = line.Name.IndexOf('/', StringComparison.Ordinal);
            yield return (line, new ReceiptDocument(
                line.Name[..slash], line.Name[(slash + 1)..], line.Version.Revision, state, line.Version.Release,
                error));
        }
    }

    /// <summary>One setting.</summary>
    private sealed class Line(string name)
    {
        public string Name => name;

        public SettingVersion Version { get; set; }

        /// <summary>It came, or changed, with the newest publication.</summary>
        public bool IsNew { get; set; }

        public string? ReadingError { get; set; }

        public string? ListenersError { get; set; }

        public ReceiptDocument? Sent { get; set; }
    }

    /// <summary>Somebody who uses settings, and what it last said.</summary>
    private sealed class SettingUser
    {
        /// <summary>The settings that it reads.</summary>
        public HashSet<string> Origins { get; set; } = [];

        /// <summary>As they were when it last took them over.</summary>
        public ImmutableDictionary<string, SettingVersion> LastGood { get; set; } =
            ImmutableDictionary<string, SettingVersion>.Empty;

        /// <summary>As they were when it last spoke.</summary>
        public ImmutableDictionary<string, SettingVersion> Versions { get; set; } =
            ImmutableDictionary<string, SettingVersion>.Empty;

        /// <summary>The settings that are to blame, or that it is still at work on.</summary>
        public HashSet<string> Suspects { get; set; } = [];

        public string? Error { get; set; }

        public bool IsAtWork { get; set; }

        public bool HasPassed => Error is null && !IsAtWork;

        /// <summary>The publication in which it last spoke.</summary>
        public long Publication { get; set; }
    }
}
