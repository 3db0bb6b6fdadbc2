using System.Collections.Concurrent;
using Groundwork.Kernel.Resources;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Settings.Readers;

/// <summary>
/// The readers that this node has seen lately, and what it has sent them. Every change goes to the store, where all
/// nodes find it.
/// </summary>
internal sealed class LiveReaders(string node, ReaderWriter writer, RemovedSettings removed, TimeProvider time)
{
    /// <summary>Readers without a sign of life for so long are waited for no longer.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Readers of one node; it parks 10,000 watches. Those beyond are served, and nobody knows of them.
    /// </summary>
    private const int MaxReaders = 50_000;

    /// <summary>How often a sign of life is written, which all nodes judge silence by.</summary>
    private static readonly TimeSpan WriteEvery = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<ReaderKey, LiveReader> readers = new();

    public int Count => readers.Count;

    /// <summary>A call of a reader begins, which may last; null for one that names no instance.</summary>
    public ReaderConnection? Begin(SettingCaller caller, SettingSelection selection) =>
        caller.Reader.IsNamed ? new ReaderConnection(this, caller, selection) : null;

    /// <summary>Notes that a reader is there; null when there are too many already.</summary>
    internal LiveReader? See(SettingCaller caller, SettingSelection selection, bool connects)
    {
        var key = new ReaderKey(selection.Namespace, caller.Reader.Service, caller.Reader.Instance);
        while (true)
        {
            if (!readers.TryGetValue(key, out var reader))
            {
                if (readers.Count >= MaxReaders) return null;
                reader = readers.GetOrAdd(key, static _ => new LiveReader());
            }
            if (See(reader, key, caller, selection, connects)) return reader;
        }
    }

    /// <summary>False when the reader was forgotten at this very moment.</summary>
    private bool See(
        LiveReader reader, ReaderKey key, SettingCaller caller, SettingSelection selection, bool connects)
    {
        StoredReader? row = null;
        lock (reader)
        {
            if (reader.IsForgotten) return false;
            var seen = new StoredReader(
                key, selection.Groups ?? [], caller.Reader.Labels, caller.Reader.SendsReceipts,
                caller.Principal.Name, node, default);
            if (connects) reader.Connections++;
            reader.SeenAt = time.GetTimestamp();
            if (reader.Row is null || !IsSame(reader.Row, seen) || IsDue(reader)) row = reader.Row = seen;
            if (row is not null) reader.WrittenAt = time.GetTimestamp();
        }
        if (row is not null) writer.NoteReader(row);
        return true;
    }

    internal void Sent(LiveReader reader, SettingSnapshot news, Snapshot at)
    {
        var changed = new List<(ReceiptKey Key, ReceiptState State)>();
        lock (reader)
        {
            if (reader.Row is not { } row) return;
            var state = row.SendsReceipts ? ReceiptState.Sent : ReceiptState.Delivered;
            foreach (var setting in news.Settings)
                Add($"{setting.Group}/{setting.DataId}", setting.Revision, setting.Release ?? "");
            foreach (var gone in news.Removed ?? [])
            {
                // What only the reader has lost, with a right or a group, is no publication.
                var key = new ResourceKey(SettingKind.Name, news.Namespace, gone);
                if (at.Find(key) is null) Add(gone, removed.RevisionOf(key) ?? news.Revision, "");
            }

            void Add(string setting, long revision, string release)
            {
                if (reader.Sent.TryGetValue(setting, out var last) && last == (revision, release)) return;
                reader.Sent[setting] = (revision, release);
                changed.Add((new ReceiptKey(row.Key, setting, revision, release), state));
            }
        }
        foreach (var (key, state) in changed) writer.NoteSent(key, state);
    }

    internal void Leave(LiveReader reader)
    {
        lock (reader)
        {
            reader.Connections--;
            reader.SeenAt = time.GetTimestamp();
        }
    }

    /// <summary>Writes the signs of life that are due, and forgets whom nobody waits for.</summary>
    public void Tend()
    {
        foreach (var (key, reader) in readers)
        {
            StoredReader? row = null;
            lock (reader)
            {
                var silent = reader.Connections == 0 && time.GetElapsedTime(reader.SeenAt) >= Silence;
                if (silent)
                {
                    reader.IsForgotten = true;
                    readers.TryRemove(key, out _);
                }
                else if (reader.Row is not null && IsDue(reader) && IsNews(reader))
                {
                    row = reader.Row;
                    reader.WrittenAt = time.GetTimestamp();
                }
            }
            if (row is not null) writer.NoteReader(row);
        }
    }

    private bool IsDue(LiveReader reader) => time.GetElapsedTime(reader.WrittenAt) >= WriteEvery;

    // One that is connected is there now; another was there when it was last seen, which may be written already.
    private static bool IsNews(LiveReader reader) => reader.Connections > 0 || reader.SeenAt > reader.WrittenAt;

    private static bool IsSame(StoredReader a, StoredReader b) =>
        a.SendsReceipts == b.SendsReceipts && a.Principal == b.Principal && a.Groups.SequenceEqual(b.Groups)
        && a.Labels.SequenceEqual(b.Labels);
}

/// <summary>One reader as this node knows it; its own lock guards it.</summary>
internal sealed class LiveReader
{
    public StoredReader? Row { get; set; }

    /// <summary>Watches that are open.</summary>
    public int Connections { get; set; }

    /// <summary>True when it is no longer among the readers.</summary>
    public bool IsForgotten { get; set; }

    public long SeenAt { get; set; }

    public long WrittenAt { get; set; }

    /// <summary>The newest version that was sent, by setting; bounded by the settings that it may read.</summary>
    public Dictionary<string, (long Revision, string Release)> Sent { get; } = new(StringComparer.Ordinal);
}

/// <summary>One call of a reader, from its beginning to its end. One loop's alone.</summary>
internal sealed class ReaderConnection(LiveReaders readers, SettingCaller caller, SettingSelection selection)
    : IDisposable
{
    private LiveReader? reader;

    /// <summary>
    /// The reader has seen something, so it counts: who may read nothing here could invent any number of readers.
    /// </summary>
    public void See() => reader ??= readers.See(caller, selection, connects: true);

    /// <summary>An answer was written.</summary>
    public void Sent(SettingSnapshot news, Snapshot at)
    {
        if (news.Settings.Count == 0 && news.Withheld is null && reader is null) return;
        See();
        if (reader is not null) readers.Sent(reader, news, at);
    }

    public void Dispose()
    {
        if (reader is not null) readers.Leave(reader);
    }
}
