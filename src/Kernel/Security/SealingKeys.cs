using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Security;

/// <summary>
/// The key pairs that values are sealed under, by anybody who has the public half. The private halves are wrapped by a
/// key derived from the root key and kept in the store; a rotation goes as that of <see cref="WorkingKeys"/>, and old
/// pairs open for ever.
/// </summary>
public sealed partial class SealingKeys
{
    private readonly IStorage storage;
    private readonly WorkingKey wrapping;
    private readonly ILogger logger;
    private State state;

    private SealingKeys(IStorage storage, WorkingKey wrapping, State state, ILogger logger)
    {
        this.storage = storage;
        this.wrapping = wrapping;
        this.state = state;
        this.logger = logger;
    }

    /// <summary>The public halves, the current one first.</summary>
    public IReadOnlyList<SealingKeyDocument> Public => Volatile.Read(ref state).Public;

    /// <summary>Makes the first pair at the first start. The store is this root key's.</summary>
    public static async Task<Outcome<SealingKeys>> OpenAsync(
        IStorage storage, RootKey root, ILogger logger, CancellationToken cancellationToken)
    {
        var wrapper = new WorkingKey("root", root.SealingKey());
        var first = Make(wrapper);
        var rows = await storage.WriteAsync(
            session =>
            {
                if (SealingKeyStore.Read(session).Count == 0)
                    SealingKeyStore.Insert(
                        session, first with { Created = session.ReadClock(), State = WorkingKeyState.Current });
                return SealingKeyStore.Read(session);
            },
            cancellationToken);
        return Unwrap(wrapper, rows) is { } opened
            ? new SealingKeys(storage, wrapper, opened, logger)
            : new Fault(ErrorCodes.RootKeyInvalid, "A sealing key in the store does not open; the store is damaged.");
    }

    /// <summary>The text of a sealed value; null when it does not open in this namespace.</summary>
    public string? Open(ReadOnlySpan<char> value, string @namespace)
    {
        if (SealedValue.Read(value) is not var (id, message)) return null;
        if (!Volatile.Read(ref state).ById.TryGetValue(id, out var pair)) return null;
        using var key = ECDiffieHellman.Create(); // Not thread-safe, and made in no time beside what it does.
        key.ImportPkcs8PrivateKey(pair, out _);
        return SealedValue.Open(id, key, @namespace, message);
    }

    /// <summary>Announces a new pair, which takes over when every node knows it; returns its id.</summary>
    public async Task<string> RotateAsync(CancellationToken cancellationToken)
    {
        var next = Make(wrapping);
        await storage.WriteAsync(
            session =>
            {
                SealingKeyStore.Insert(
                    session, next with { Created = session.ReadClock(), State = WorkingKeyState.Announced });
                return true;
            },
            cancellationToken);
        await ReloadAsync(cancellationToken);
        LogAnnounced(next.Id, WorkingKeys.AnnouncedFor);
        return next.Id;
    }

    /// <summary>Reads the pairs, and lets an announced one take over that is due.</summary>
    public async Task ReloadAsync(CancellationToken cancellationToken)
    {
        var rows = await storage.ReadAsync(SealingKeyStore.Read, cancellationToken);
        if (rows.Exists(row => row.State == WorkingKeyState.Announced))
        {
            rows = await storage.WriteAsync(
                session =>
                {
                    var now = session.ReadClock();
                    if (SealingKeyStore.Read(session).FindLast(row => IsDue(row, now)) is { } due)
                        SealingKeyStore.MakeCurrent(session, due.Id);
                    return SealingKeyStore.Read(session);
                },
                cancellationToken);
        }
        if (Unwrap(wrapping, rows) is { } next) Volatile.Write(ref state, next);
        else LogUnreadable();
    }

    /// <summary>The loop of a running node.</summary>
    public async Task RunAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(WorkingKeys.ReloadInterval, time);
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

    private static bool IsDue(SealingKeyRow row, long now) => row.State == WorkingKeyState.Announced
        && now - row.Created >= (long)WorkingKeys.AnnouncedFor.TotalMilliseconds;

    private static SealingKeyRow Make(WorkingKey wrapper)
    {
        using var pair = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        var id = SealedValue.KeyPrefix
            + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(SealedValue.IdBytes));
        return new SealingKeyRow(
            id, pair.ExportSubjectPublicKeyInfo(),
            wrapper.Seal(pair.ExportPkcs8PrivateKey(), Encoding.ASCII.GetBytes(id)), 0, WorkingKeyState.Announced);
    }

    private static State? Unwrap(WorkingKey wrapper, List<SealingKeyRow> rows)
    {
        var pairs = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var row in rows)
        {
            if (wrapper.TryOpen(row.Wrapped, Encoding.ASCII.GetBytes(row.Id)) is not { } pair) return null;
            pairs.Add(row.Id, pair);
        }
        // One that is announced is not given out: another node may not know it yet.
        var known = rows.Where(row => row.State != WorkingKeyState.Announced)
            .OrderByDescending(row => row.State == WorkingKeyState.Current)
            .Select(row => new SealingKeyDocument(
                row.Id, SealedValue.Algorithm, Convert.ToBase64String(row.Public),
                row.State == WorkingKeyState.Current));
        return new State(pairs.ToFrozenDictionary(StringComparer.Ordinal), [.. known]);
    }

    private sealed record State(
        FrozenDictionary<string, byte[]> ById, ImmutableArray<SealingKeyDocument> Known)
    {
        public IReadOnlyList<SealingKeyDocument> Public { get; } = Known;
    }

    [LoggerMessage(LogLevel.Information, "Sealing key {Id} is announced and takes over in {AnnouncedFor}.")]
    private partial void LogAnnounced(string id, TimeSpan announcedFor);

    [LoggerMessage(LogLevel.Error, "A sealing key in the store does not open; the keys known before stay in use.")]
    private partial void LogUnreadable();

    [LoggerMessage(LogLevel.Warning, "The sealing keys could not be read: {Reason}. The known ones stay in use.")]
    private partial void LogReloadFailed(string reason);
}
