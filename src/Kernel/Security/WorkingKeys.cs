using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Security;

/// <summary>
/// The keys that secrets are encrypted under: random, wrapped by a key derived from the root key, kept in the store. A
/// rotation announces a new one; it takes over when every node has had time to read it, so that no node meets a
/// ciphertext it cannot open. Old keys open for ever.
/// </summary>
public sealed partial class WorkingKeys
{
    /// <summary>How often a node reads the keys.</summary>
    public static readonly TimeSpan ReloadInterval = TimeSpan.FromSeconds(60);

    /// <summary>From announcement to use: each node has read the keys at least once in between.</summary>
    public static readonly TimeSpan AnnouncedFor = 2 * ReloadInterval;

    // Hex digits of an id: enough that two never meet, and that whoever looks for one finds it.
    private const int IdBytes = 6;

    private readonly IStorage storage;
    private readonly WorkingKey wrapping;
    private readonly ILogger logger;
    private State state;

    private WorkingKeys(IStorage storage, RootKey root, State state, ILogger logger)
    {
        this.storage = storage;
        this.logger = logger;
        this.state = state;
        wrapping = new WorkingKey("root", root.WrappingKey());
    }

    /// <summary>The id of the key that new secrets are written under.</summary>
    public string CurrentId => Current.Id;

    internal WorkingKey Current => Volatile.Read(ref state).Current;

    internal WorkingKey? Find(string id) => Volatile.Read(ref state).ById.GetValueOrDefault(id);

    /// <summary>
    /// Ties the store to the root key at the first start and makes the first working key; afterwards refuses a store
    /// that belongs to another root key. The migrations of <see cref="SecuritySchema"/> have run.
    /// </summary>
    public static async Task<Outcome<WorkingKeys>> OpenAsync(
        IStorage storage, RootKey root, ILogger logger, CancellationToken cancellationToken)
    {
        var wrapper = new WorkingKey("root", root.WrappingKey());
        var first = Make(wrapper);
        var rows = await storage.WriteAsync(
            session =>
            {
                var now = session.ReadClock();
                var owner = SecurityStore.ClaimInstall(session, root.Fingerprint, now);
                if (owner != root.Fingerprint) return (Owner: owner, Keys: []);
                if (SecurityStore.ReadKeys(session).Count == 0)
                    SecurityStore.InsertKey(session, first with { Created = now, State = WorkingKeyState.Current });
                return (Owner: owner, Keys: SecurityStore.ReadKeys(session));
            },
            cancellationToken);
        if (rows.Owner != root.Fingerprint)
        {
            return new Fault(
                ErrorCodes.RootKeyMismatch,
                $"The store belongs to the root key {rows.Owner}; this node has {root.Fingerprint}. "
                + "Copy the root key with 'groundwork node invite', or point the node at its own store.");
        }
        return Unwrap(wrapper, rows.Keys) is { } opened
            ? new WorkingKeys(storage, root, opened, logger)
            : new Fault(ErrorCodes.RootKeyInvalid, "A working key in the store does not open; the store is damaged.");
    }

    /// <summary>Announces a new key, which takes over after <see cref="AnnouncedFor"/>; returns its id.</summary>
    public async Task<string> RotateAsync(CancellationToken cancellationToken)
    {
        var next = Make(wrapping);
        await storage.WriteAsync(
            session =>
            {
                SecurityStore.InsertKey(
                    session, next with { Created = session.ReadClock(), State = WorkingKeyState.Announced });
                return true;
            },
            cancellationToken);
        await ReloadAsync(cancellationToken);
        LogAnnounced(next.Id, AnnouncedFor);
        return next.Id;
    }

    /// <summary>Reads the keys, and lets an announced one take over that is due.</summary>
    public async Task ReloadAsync(CancellationToken cancellationToken)
    {
        var due = await storage.ReadAsync(
            session =>
                SecurityStore.ReadKeys(session).Exists(row => IsDue(row, session.ReadClock())), cancellationToken);
        if (due) await storage.WriteAsync(Promote, cancellationToken);
        var rows = await storage.ReadAsync(SecurityStore.ReadKeys, cancellationToken);
        var next = Unwrap(wrapping, rows);
        if (next is null)
        {
            LogUnreadable();
            return;
        }
        var before = Current.Id;
        Volatile.Write(ref state, next);
        if (before != next.Current.Id) LogTakenOver(next.Current.Id, before);
    }

    /// <summary>The loop of a running node: one reload a minute until it stops.</summary>
    public async Task RunAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(ReloadInterval, time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            try
            {
                await ReloadAsync(cancellationToken);
            }
            catch (StorageException failure)
            {
                LogReloadFailed(failure.Fault.ToString());
            }
        }
    }

    private static bool Promote(ISqlSession session)
    {
        var now = session.ReadClock();
        if (SecurityStore.ReadKeys(session).FindLast(row => IsDue(row, now)) is not { } due) return false;
        SecurityStore.MakeCurrent(session, due.Id);
        return true;
    }

    private static bool IsDue(WorkingKeyRow row, long now) =>
        row.State == WorkingKeyState.Announced && now - row.Created >= (long)AnnouncedFor.TotalMilliseconds;

    private static WorkingKeyRow Make(WorkingKey wrapper)
    {
        var id = "k-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdBytes));
        var key = RandomNumberGenerator.GetBytes(WorkingKey.KeyBytes);
        return new WorkingKeyRow(
            id, wrapper.Seal(key, Encoding.ASCII.GetBytes(id)), Created: 0, WorkingKeyState.Announced);
    }

    private static State? Unwrap(WorkingKey wrapper, List<WorkingKeyRow> rows)
    {
        var keys = new Dictionary<string, WorkingKey>(StringComparer.Ordinal);
        WorkingKey? current = null;
        foreach (var row in rows)
        {
            if (wrapper.TryOpen(row.Wrapped, Encoding.ASCII.GetBytes(row.Id)) is not { } key) return null;
            var opened = new WorkingKey(row.Id, key);
            keys.Add(row.Id, opened);
            if (row.State == WorkingKeyState.Current) current = opened;
        }
        return current is null ? null : new State(keys.ToFrozenDictionary(StringComparer.Ordinal), current);
    }

    private sealed record State(FrozenDictionary<string, WorkingKey> ById, WorkingKey Current);

    [LoggerMessage(LogLevel.Information, "Working key {Id} is announced and takes over in {AnnouncedFor}.")]
    private partial void LogAnnounced(string id, TimeSpan announcedFor);

    [LoggerMessage(LogLevel.Information, "Working key {Id} has taken over from {Before}.")]
    private partial void LogTakenOver(string id, string before);

    [LoggerMessage(LogLevel.Error, "A working key in the store does not open; the keys known before stay in use.")]
    private partial void LogUnreadable();

    [LoggerMessage(LogLevel.Warning, "The working keys could not be read: {Reason}. The known ones stay in use.")]
    private partial void LogReloadFailed(string reason);
}
