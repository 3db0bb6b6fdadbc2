using System.Collections.Concurrent;
using System.Threading.Channels;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Settings.Releases;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.Settings.Protocols.Apollo;

/// <summary>
/// When each namespace has changed last, as a revision, and who waits for the next change. The numbers go up over
/// restarts and nodes, because revisions do: of what happened before this node started nothing is remembered but that
/// it was before the revision that the node started at, so that a client which knows less asks again, once.
/// </summary>
internal sealed partial class ApolloNews : IAsyncDisposable
{
    /// <summary>Changes that are not looked at yet; beyond, everything counts as changed.</summary>
    private const int MaxPending = 10_000;

    /// <summary>Names that are remembered with their change, those that are gone, too; beyond, likewise.</summary>
    private const int MaxRemembered = 200_000;

    private readonly ConcurrentDictionary<string, ApolloChange> changedAt = new(StringComparer.OrdinalIgnoreCase);
    private readonly Channel<SnapshotChange> pending = Channel.CreateBounded<SnapshotChange>(
        new BoundedChannelOptions(MaxPending) { SingleReader = true });
    private readonly Lock gate = new(); // Innermost lock; guards who waits.
    private readonly Dictionary<string, HashSet<ApolloWait>> waiting = new(StringComparer.OrdinalIgnoreCase);
    private readonly GrayReleases releases;
    private readonly ILogger logger;
    private readonly IDisposable subscription;
    private readonly Task loop;
    private long floor; // Interlocked: everything that is not remembered counts as changed then.

    public ApolloNews(ISnapshotSource snapshots, GrayReleases releases, ILogger<ApolloNews> logger)
    {
        this.releases = releases;
        this.logger = logger;
        subscription = snapshots.Subscribe(change =>
        {
            if (change.Before is null) Rise(change.After.Revision);
            else Take(change);
        });
        loop = Task.Run(RunAsync);
    }

    /// <summary>What changes before this node started, and others that are forgotten, count as.</summary>
    public long Floor => Interlocked.Read(ref floor);

    /// <summary>Name by which changes of a setting are known, the same for all formats.</summary>
    public static string KeyOf(string @namespace, string group, string dataId)
    {
        var name = ApolloNames.DataIdOf(dataId);
        var ending = Array.Find(ApolloIndex.Endings, one => name.EndsWith(one, StringComparison.OrdinalIgnoreCase));
        return $"{@namespace}/{group}/{name[..(name.Length - (ending?.Length ?? 0))]}";
    }

    /// <summary>The last change that is remembered.</summary>
    public ApolloChange? ChangeOf(string key) => changedAt.TryGetValue(key, out var change) ? change : null;

    /// <summary>Waits for changes of some names from now on, until it is disposed.</summary>
    public ApolloWait Wait(IReadOnlyList<string> keys)
    {
        var wait = new ApolloWait(this, keys);
        lock (gate)
        {
            foreach (var key in keys)
            {
                if (!waiting.TryGetValue(key, out var all)) waiting[key] = all = [];
                all.Add(wait);
            }
        }
        return wait;
    }

    internal void Leave(ApolloWait wait)
    {
        lock (gate)
        {
            foreach (var key in wait.Keys)
            {
                if (!waiting.TryGetValue(key, out var all)) continue;
                all.Remove(wait);
                if (all.Count == 0) waiting.Remove(key);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        subscription.Dispose();
        pending.Writer.TryComplete();
        await loop;
    }

    private async Task RunAsync()
    {
        await foreach (var change in pending.Reader.ReadAllAsync())
        {
            try
            {
                await TakeAsync(change);
            }
            catch (Exception failure)
            {
                // Not to know what has changed means that everything may have.
                LogNotUnderstood(failure);
                Rise(change.After.Revision);
            }
        }
    }

    private async ValueTask TakeAsync(SnapshotChange change)
    {
        // Whom releases are for is known from here on, also when they are gone.
        if (!(await releases.AtAsync(change.After, CancellationToken.None)).Succeeded) Rise(change.After.Revision);
        foreach (var one in change.Changes)
        {
            if (one.Key.Kind != GrayReleaseKind.Name) continue;
            foreach (var version in new[] { one.Before, one.After })
            {
                if (version is null) continue;
                if (GrayReleaseKind.KnownRuleOf(version) is { } rule)
                    Note(new ResourceKey(SettingKind.Name, one.Key.Namespace, rule.Setting), change.After.Revision);
                else Rise(change.After.Revision);
            }
        }
    }

    // On the publisher's thread: what is answered from here on has the settings' own changes in it. Releases have to be
    // read first.
    private void Take(SnapshotChange change)
    {
        foreach (var one in change.Changes)
            if (one.Key.Kind == SettingKind.Name) Note(one.Key, change.After.Revision);
        if (change.Touches(GrayReleaseKind.Name) && !pending.Writer.TryWrite(change)) Rise(change.After.Revision);
    }

    private void Note(ResourceKey setting, long revision)
    {
        if (SettingKind.Split(setting.Name) is not var (group, dataId)) return;
        if (changedAt.Count >= MaxRemembered)
        {
            Rise(revision);
            changedAt.Clear();
        }
        var key = KeyOf(setting.Namespace, group, dataId);
        changedAt[key] = new ApolloChange(setting, revision);
        ApolloWait[] woken;
        lock (gate) woken = waiting.TryGetValue(key, out var all) ? [.. all] : [];
        foreach (var wait in woken) wait.Wake();
    }

    private void Rise(long revision)
    {
        for (var known = Floor; revision > known; known = Floor)
            if (Interlocked.CompareExchange(ref floor, revision, known) == known) break;
        ApolloWait[] woken;
        lock (gate) woken = [.. waiting.Values.SelectMany(all => all).Distinct()];
        foreach (var wait in woken) wait.Wake();
    }

    [LoggerMessage(1, LogLevel.Error, "A change of settings was not understood; clients of Apollo ask for all anew")]
    private partial void LogNotUnderstood(Exception failure);
}

/// <summary>The last change of a name.</summary>
/// <param name="Setting">The one that changed, which may be gone.</param>
internal sealed record ApolloChange(ResourceKey Setting, long Revision);

/// <summary>A poll that waits for changes of some names. One loop's alone, but for <see cref="Wake"/>.</summary>
internal sealed class ApolloWait(ApolloNews news, IReadOnlyList<string> keys) : IDisposable
{
    private TaskCompletionSource woken = New();

    public IReadOnlyList<string> Keys => keys;

    public void Wake() => Volatile.Read(ref woken).TrySetResult();

    /// <summary>True when something has changed since the last time, or does in time; false when the time is up.
    /// </summary>
    public async Task<bool> WaitAsync(TimeSpan patience, TimeProvider time, CancellationToken cancellationToken)
    {
        var current = Volatile.Read(ref woken);
        try
        {
            await current.Task.WaitAsync(patience, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            return false;
        }
        Volatile.Write(ref woken, New());
        return true;
    }

    public void Dispose() => news.Leave(this);

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
