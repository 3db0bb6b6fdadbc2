using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Groundwork.Client.Flags;
using Groundwork.Client.Platform;
using Groundwork.Client.Receipts;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Logging;

namespace Groundwork.Client.Settings;

/// <summary>
/// Keeps the service's settings the platform's: loads them, watches from the revision it has, and publishes each change
/// as one swap. Everything but <see cref="Known"/> belongs to one task, and to the start before it.
/// </summary>
internal sealed partial class SettingsFollower
{
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The watch waits so long for the server to listen, because then the reader has a name; later it is opened anew.
    /// </summary>
    private static readonly TimeSpan NamePatience = TimeSpan.FromSeconds(2);

    private readonly PlatformConnection platform;
    private readonly ReaderIdentity reader;
    private readonly ReceiptBook book;
    private readonly SettingOrigins origins;
    private readonly SettingUsers users;
    private readonly FlagTable flags;
    private readonly FlagExposures exposures;
    private readonly SettingsProvider provider;
    private readonly ClientMeters meters;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly ImmutableArray<string> groups;
    private readonly string snapshotPath;
    private readonly string watchPath;
    private readonly Action changed;
    private readonly Action reached;

    // The last readable form of each setting, by group and dataId, so that a broken text costs one setting only.
    private readonly Dictionary<(string Group, string DataId), ReadSetting> readable = [];
    private SettingSnapshot? known;

    // False until the platform gave everything, and again when the watch cannot be resumed.
    private bool loaded;

    // The revision up to which we have seen everything; at least that of the snapshot.
    private long seen;

    // What the load that is in force said of the reader: gray releases are chosen by it.
    private string? loadedAs;

    public SettingsFollower(
        GroundworkOptions options, PlatformConnection platform, SettingsProvider provider, ReaderIdentity reader,
        ReceiptBook book, SettingOrigins origins, SettingUsers users, FlagTable flags, FlagExposures exposures,
        ClientMeters meters,
        ILogger log, Action changed, Action reached)
    {
        this.reader = reader;
        this.book = book;
        this.origins = origins;
        this.users = users;
        this.flags = flags;
        this.exposures = exposures;
        this.reached = reached;
        this.platform = platform;
        this.provider = provider;
        this.meters = meters;
        this.log = log;
        this.changed = changed;
        time = options.Time;
        groups = [.. options.SettingGroups];
        var query = string.Join('&', groups.Select(group => $"group={Uri.EscapeDataString(group)}"));
        snapshotPath = $"/settings/{options.Namespace}?{query}";
        watchPath = $"/settings/{options.Namespace}/watch?{query}";
    }

    /// <summary>Everything known now, for the disk; null before anything came.</summary>
    public SettingSnapshot? Known => Volatile.Read(ref known);

    /// <summary>Takes over what a run before this one left on disk.</summary>
    public void Restore(SettingSnapshot snapshot) => Take(snapshot with { Removed = null });

    /// <summary>Loads everything once.</summary>
    public async Task<Fault?> LoadAsync(CancellationToken cancellationToken)
    {
        var asks = reader.Query;
        var outcome = await platform.GetAsync(
            snapshotPath + asks, WireJson.Lenient.SettingSnapshot, CallLimit, cancellationToken);
        if (!outcome.TryGet(out var snapshot, out var fault)) return fault;
        if (snapshot.Withheld is { Count: > 0 } withheld) LogWithheld(string.Join(", ", withheld));
        Take(snapshot with { Removed = null });
        loaded = true;
        loadedAs = asks;
        return null;
    }

    /// <summary>Follows the platform until cancelled. Without a watch it polls, at the pace of the back-off.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(15));
        await NamedAsync(cancellationToken);
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                if (!loaded || loadedAs != reader.Query) loaded = await LoadAsync(cancellationToken) is null;
                // A watch that does not come is followed by a load: that is the poll.
                if (loaded) loaded = await WatchAsync(backoff, cancellationToken);
                await Task.Delay(backoff.Next(), time, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault)
            {
                // A bug must not end the loop, or the service would keep old settings for ever.
                LogLoop(fault);
                loaded = false;
                await Task.Delay(backoff.Next(), time, cancellationToken)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    // True: the watch can be resumed from what was seen. False: everything must be loaded again.
    private async Task<bool> WatchAsync(Backoff backoff, CancellationToken cancellationToken)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"{watchPath}&after={seen}{loadedAs}");
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(
            cancellationToken, reader.Id is null ? reader.Named : CancellationToken.None);
        var opened = await platform.WatchAsync(path, CallLimit, ending.Token);
        if (!opened.TryGet(out var stream, out var refused))
        {
            LogWatchRefused(refused);
            return false;
        }
        reached();
        using (stream)
        {
            try
            {
                await foreach (var item in stream.ReadAsync(ending.Token))
                {
                    backoff.Reset();
                    if (!Take(item)) return false;
                }
                return true;
            }
            catch (Exception fault) when (fault is IOException or HttpRequestException)
            {
                LogWatchBroken(fault.Message);
                return true;
            }
            catch (JsonException fault)
            {
                LogWatchBroken(fault.Message);
                return false;
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return false; // The reader has a name now: what is meant for it may be another text.
            }
        }
    }

    private async Task NamedAsync(CancellationToken cancellationToken)
    {
        if (reader.Id is not null) return;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, reader.Named);
        await Task.Delay(NamePatience, time, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private bool Take(PlatformEvent item)
    {
        switch (item.Type)
        {
            case "settings":
                var snapshot = JsonSerializer.Deserialize(item.Content, WireJson.Lenient.SettingSnapshot)
                    ?? throw new JsonException("a settings event is null");
                if (snapshot.Removed is not null && snapshot.StoreId != known?.StoreId) return false;
                Take(snapshot);
                return true;
            case "progress":
                if (RevisionOf(item.Id) is { } revision) seen = Math.Max(seen, revision);
                return true;
            case "problem":
                var problem = JsonSerializer.Deserialize(item.Content, WireJson.Lenient.ProblemDocument);
                if (problem is not null) LogWatchRefused(PlatformConnection.ToFault(problem));
                return false; // The end of history or of the store: what we have is no ground to go on from.
            default:
                return true; // An event of a newer platform.
        }
    }

    // An id is a revision, or a token "storeId.revision.order".
    private static long? RevisionOf(string id)
    {
        var parts = id.Split('.');
        var text = parts.Length == 3 ? parts[1] : id;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var revision) ? revision : null;
    }

    private void Take(SettingSnapshot snapshot)
    {
        var before = known;
        var sameStore = before is not null && before.StoreId == snapshot.StoreId;
        // A node that lags behind the one we spoke to before: the revision never goes back.
        if (sameStore && snapshot.Revision < before!.Revision) return; // sameStore says that it is not null.
        var whole = snapshot.Removed is null || before is null ? snapshot : Merge(before, snapshot);
        whole = whole with { Removed = null, Withheld = null };
        Volatile.Write(ref known, whole);
        seen = sameStore ? Math.Max(seen, whole.Revision) : whole.Revision;
        Publish(whole);
        changed();
    }

    private static SettingSnapshot Merge(SettingSnapshot before, SettingSnapshot delta)
    {
        var merged = before.Settings.ToDictionary(setting => (setting.Group, setting.DataId));
        foreach (var name in delta.Removed ?? [])
        {
            var slash = name.IndexOf('/', StringComparison.Ordinal);
            if (slash > 0) merged.Remove((name[..slash], name[(slash + 1)..]));
        }
        foreach (var setting in delta.Settings) merged[(setting.Group, setting.DataId)] = setting;
        return delta with { Settings = [.. merged.Values], Groups = delta.Groups ?? before.Groups };
    }

    private void Publish(SettingSnapshot snapshot)
    {
        var versions = book.Begin(snapshot, out var isOtherStore);
        if (isOtherStore) origins.ReportAgain();
        var values = new SettingValues(snapshot.StoreId, snapshot.Revision, ValuesOf(snapshot), versions);
        if (values.SameValuesAs(provider.Current))
        {
            provider.Renumber(values);
            book.Settle(isEqual: true);
            return;
        }
        try
        {
            meters.Reloads.Add(1);
            provider.Publish(values);
            LogPublished(values.Revision, values.Values.Count);
        }
        catch (Exception fault)
        {
            // Thrown by a listener of the host's configuration. The values are in force, and the others were told.
            meters.ReloadFaults.Add(1);
            LogListener(fault, values.Revision);
            book.ListenerThrew(users.Say("a listener of the configuration", fault, []));
        }
        book.Settle(isEqual: false);
    }

    // Groups in the platform's order, which knows what they include, and within a group by dataId: the later wins.
    private FrozenDictionary<string, SettingValue> ValuesOf(SettingSnapshot snapshot)
    {
        var values = new Dictionary<string, SettingValue>(StringComparer.OrdinalIgnoreCase);
        var published = new Dictionary<string, Flag>(StringComparer.Ordinal);
        var present = new HashSet<(string, string)>();
        foreach (var group in snapshot.Groups ?? groups)
        {
            foreach (var setting in snapshot.Settings
                .Where(setting => setting.Group == group)
                .OrderBy(setting => setting.DataId, StringComparer.Ordinal))
            {
                present.Add((setting.Group, setting.DataId));
                if (ReadOf(setting) is not { } read) continue;
                foreach (var (key, value) in read.Keys) values[key] = value;
                foreach (var flag in read.Flags) published[flag.Name] = flag;
            }
        }
        foreach (var gone in readable.Keys.Where(key => !present.Contains(key)).ToList())
        {
            readable.Remove(gone);
            origins.Forget($"{gone.Group}/{gone.DataId}");
        }
        flags.Publish(published);
        return values.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
    }

    // What is in force of a setting: its text, else the last one that could be read, else nothing.
    private ReadSetting? ReadOf(SettingDocument setting)
    {
        var key = (setting.Group, setting.DataId);
        var origin = origins.Of(ReceiptBook.NameOf(setting));
        if (setting.Secret) origin.SetSecret();
        readable.TryGetValue(key, out var last);
        if (last is null || last.Hash != setting.Hash || last.Format != setting.Format)
        {
            if (!Read(setting, origin).TryGet(out var read, out var fault))
            {
                meters.ReloadFaults.Add(1);
                LogUnreadable(fault, setting.Revision);
                book.Read(origin.Name, users.Say("", fault.Detail, []));
                return last;
            }
            readable[key] = last = read;
        }
        book.Read(origin.Name, error: null);
        return last;
    }

    private Outcome<ReadSetting> Read(SettingDocument setting, SettingOrigin origin)
    {
        if (setting.Format == SettingText.Flags)
        {
            return SettingText.ReadFlags(setting, exposures).TryGet(out var found, out var wrong)
                ? new ReadSetting(setting.Hash, setting.Format, [], found) : wrong;
        }
        return SettingText.Read(setting).TryGet(out var keys, out var fault)
            ? new ReadSetting(
                setting.Hash, setting.Format,
                [.. keys.Select(one => KeyValuePair.Create(one.Key, new SettingValue(one.Key, one.Value, origin)))], [])
            : fault;
    }

    private sealed record ReadSetting(
        string Hash, string Format, ImmutableArray<KeyValuePair<string, SettingValue>> Keys,
        ImmutableArray<Flag> Flags);

    [LoggerMessage(Level = LogLevel.Information, Message = "Settings are at revision {Revision}, {Keys} keys")]
    private partial void LogPublished(long revision, int keys);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "These settings are secret and the access key may not read secrets, so they are missing: {Names}")]
    private partial void LogWithheld(string names);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "A setting of revision {Revision} cannot be read; its last readable content stays in force. {Fault}")]
    private partial void LogUnreadable(Fault fault, long revision);

    [LoggerMessage(Level = LogLevel.Error, Message = "A listener of the configuration failed on revision {Revision}")]
    private partial void LogListener(Exception fault, long revision);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The watch of settings was refused: {Fault}")]
    private partial void LogWatchRefused(Fault fault);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The watch of settings broke off: {Reason}")]
    private partial void LogWatchBroken(string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The watch of settings failed; starts again")]
    private partial void LogLoop(Exception fault);
}
