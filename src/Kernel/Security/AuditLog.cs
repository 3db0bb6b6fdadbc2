using System.Text;
using System.Threading.Channels;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Security;

/// <summary>The trail of what is not a changeset: sign-ins, key uses, secret reads, refusals.</summary>
public sealed partial class AuditLog
{
    /// <summary>The outcome of what went well; anything else is an error code, and counted.</summary>
    public const string Ok = "ok";

    /// <summary>
    /// Rows waiting for the writer: a second of a flood. More is counted and dropped, and the count is written.
    /// </summary>
    public const int MaxQueued = 8_192;

    /// <summary>Refusals told apart within a minute; those beyond are counted together.</summary>
    public const int MaxCounted = 4_096;

    /// <summary>Characters of a text in a row; callers choose some of them.</summary>
    public const int MaxTextLength = 512;

    /// <summary>How long refusals of one principal, address and code are one row.</summary>
    public static readonly TimeSpan CountingWindow = TimeSpan.FromMinutes(1);

    /// <summary>From an event to its row; half a second leaves the other half to the write.</summary>
    public static readonly TimeSpan FlushInterval = TimeSpan.FromMilliseconds(500);

    // Rows of one write: bounds the time that the writer's lock is held.
    private const int MaxBatch = 1_000;

    private readonly IStorage storage;
    private readonly AuditChain chain;
    private readonly string node;
    private readonly TimeProvider time;
    private readonly ILogger logger;

    private readonly Channel<AuditRow> queue = Channel.CreateBounded<AuditRow>(
        new BoundedChannelOptions(MaxQueued) { SingleReader = true });

    private readonly Lock counting = new();
    // Under counting.
    private readonly Dictionary<(string Principal, string Address, string Outcome), Window> windows = [];
    private readonly SemaphoreSlim flushing = new(1, 1);
    private readonly List<AuditRow> unwritten = []; // Under flushing: taken from the queue, not on disk yet.
    private long dropped;
    private long written;

    internal AuditLog(IStorage storage, AuditChain chain, string node, TimeProvider time, ILogger logger)
    {
        this.storage = storage;
        this.chain = chain;
        this.node = node;
        this.time = time;
        this.logger = logger;
    }

    /// <summary>Rows that this node has written.</summary>
    internal long Written => Interlocked.Read(ref written);

    /// <summary>
    /// Appends an event; written behind within a second, in order. Refusals are counted per principal, address and
    /// code: the first in a minute is a row, the rest one row with a count. Never blocks; overflow is counted in a row
    /// of its own.
    /// </summary>
    public void Append(AuditEvent @event)
    {
        if (@event.Outcome == Ok || IsFirst(@event)) Enqueue(@event, count: 1);
    }

    /// <summary>Writes what is waiting; at the end of a node's life also the counts of unfinished minutes.</summary>
    public async Task FlushAsync(bool closing, CancellationToken cancellationToken)
    {
        await flushing.WaitAsync(cancellationToken);
        try
        {
            CloseWindows(closing);
            while (TakeBatch())
            {
                await storage.WriteAsync(session => AuditStore.Append(session, unwritten, chain), cancellationToken);
                Interlocked.Add(ref written, unwritten.Count);
                unwritten.Clear();
            }
        }
        finally
        {
            flushing.Release();
        }
    }

    /// <summary>
    /// Rows newest first, older than a sequence. What was appended within the last second may not be there yet.
    /// </summary>
    public Task<List<AuditEntry>> ListAsync(
        long before, AuditFilter filter, int limit, CancellationToken cancellationToken) =>
        storage.ReadAsync(session => AuditStore.ReadBefore(session, before, filter, limit), cancellationToken);

    /// <summary>
    /// The loop of a running node; ends with the token. What it leaves, <see cref="FlushAsync"/> writes.
    /// </summary>
    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(FlushInterval, time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            try
            {
                await FlushAsync(closing: false, cancellationToken);
            }
            catch (Exception failure) when (failure is StorageException or StatementException)
            {
                LogWriteFailed(unwritten.Count, failure.Message); // The rows stay and are tried again.
            }
        }
    }

    private bool TakeBatch()
    {
        while (unwritten.Count < MaxBatch && queue.Reader.TryRead(out var row)) unwritten.Add(row);
        if (unwritten.Count < MaxBatch && Interlocked.Exchange(ref dropped, 0) is var lost and > 0)
            unwritten.Add(
                Row(new AuditEvent("system:audit", "overflow", "audit", ErrorCodes.WriteQueueFull.Code), lost));
        return unwritten.Count > 0;
    }

    private bool IsFirst(AuditEvent refusal)
    {
        var key = (refusal.Principal, refusal.Address ?? "", refusal.Outcome);
        lock (counting)
        {
            if (!windows.ContainsKey(key) && windows.Count >= MaxCounted) key = ("", "", refusal.Outcome);
            if (windows.TryGetValue(key, out var window))
            {
                window.Repeats++;
                return false;
            }
            var counted = key.Item1.Length == 0 ? refusal with { Principal = "others", Address = null } : refusal;
            windows.Add(key, new Window(counted, time.GetTimestamp()));
            return true;
        }
    }

    private void CloseWindows(bool all)
    {
        lock (counting)
        {
            foreach (var (key, window) in windows)
            {
                if (!all && time.GetElapsedTime(window.Opened) < CountingWindow) continue;
                if (window.Repeats > 0) Enqueue(window.First, window.Repeats);
                windows.Remove(key);
            }
        }
    }

    private void Enqueue(AuditEvent @event, long count)
    {
        if (!queue.Writer.TryWrite(Row(@event, count))) Interlocked.Add(ref dropped, count);
    }

    private AuditRow Row(AuditEvent @event, long count) => new(
        DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds()),
        node,
        Clean(@event.Principal),
        Clean(@event.Action),
        Clean(@event.Target),
        Clean(@event.Outcome),
        count,
        @event.Address is null ? null : Clean(@event.Address),
        @event.Detail is null ? null : Clean(@event.Detail));

    /// <summary>
    /// One line, of bounded length, that both engines can hold: callers choose what stands in a path or a name, and one
    /// row that cannot be written would hold up all behind it.
    /// </summary>
    private static string Clean(string text)
    {
        if (text.Length <= MaxTextLength && Ascii.IsValid(text)
            && text.AsSpan().IndexOfAnyInRange('\0', '\u001f') < 0) return text;
        var clean = new StringBuilder();
        foreach (var rune in text.EnumerateRunes()) // Half a character becomes the replacement character.
        {
            if (clean.Length + rune.Utf16SequenceLength > MaxTextLength) break;
            clean.Append(Rune.IsControl(rune) ? "?" : rune.ToString());
        }
        return clean.ToString();
    }

    [LoggerMessage(LogLevel.Warning, "{Rows} rows of the audit trail could not be written and wait: {Reason}.")]
    private partial void LogWriteFailed(int rows, string reason);

    private sealed class Window(AuditEvent first, long opened)
    {
        public AuditEvent First => first;

        public long Opened => opened;

        public long Repeats { get; set; }
    }
}

/// <summary>One thing that happened.</summary>
/// <param name="Action">Such as <c>sign-in</c>, <c>key-use</c>, <c>secret-read</c>, <c>refused</c>.</param>
/// <param name="Target">The resource or endpoint, never with a secret or a raw query.</param>
/// <param name="Outcome"><c>ok</c> or an error code.</param>
public sealed record AuditEvent(
    string Principal, string Action, string Target, string Outcome, string? Address = null, string? Detail = null);

/// <summary>What a list of the trail selects; a null selects all.</summary>
/// <param name="Target">A part of the target, in any case.</param>
/// <param name="Outcome">An outcome, or <see cref="Refused"/>.</param>
/// <param name="Since">From this time on.</param>
/// <param name="Until">Before this time.</param>
public sealed record AuditFilter(
    string? Principal = null,
    string? Action = null,
    string? Target = null,
    string? Outcome = null,
    DateTimeOffset? Since = null,
    DateTimeOffset? Until = null)
{
    /// <summary>Every outcome but <see cref="AuditLog.Ok"/>.</summary>
    public const string Refused = "refused";
}
