using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Groundwork.Kernel.Storage;

namespace Groundwork.Services.Settings.Readers;

/// <summary>
/// The tables of who reads settings and what became of them. Times are the database's, so that nodes with different
/// clocks agree.
/// </summary>
internal sealed class ReaderStore(IStorage storage)
{
    /// <summary>Revisions of a setting whose receipts are kept, besides those in force.</summary>
    public const int KeptRevisions = 5;

    /// <summary>Rows of one transaction: it holds the store's writer lock for some tens of milliseconds.</summary>
    public const int MaxRowsPerWrite = 2000;

    /// <summary>Configuration keys of one setting and reader, over all reports.</summary>
    public const int MaxKeys = 256;

    /// <summary>
    /// Readers that the store keeps: who is behind one key can invent any number, and the rows of those go first.
    /// </summary>
    private const int MaxReaders = 100_000;

    /// <summary>A reader that has not been seen for so long is forgotten, with the keys that it read.</summary>
    private static readonly TimeSpan ReaderRetention = TimeSpan.FromHours(24);

    /// <summary>Receipts of readers that are forgotten, and sums of flags that nobody evaluates, go after so long.
    /// </summary>
    private static readonly TimeSpan RowRetention = TimeSpan.FromDays(30);

    public static Migration Schema { get; } = new(
        "settings",
        1,
        """
        CREATE TABLE settings_readers (
            namespace {key} NOT NULL, service {key} NOT NULL, instance {key} NOT NULL,
            groups_asked TEXT NOT NULL, labels TEXT NOT NULL, sends_receipts BIGINT NOT NULL, principal TEXT NOT NULL,
            node TEXT NOT NULL, last_seen BIGINT NOT NULL,
            PRIMARY KEY (namespace, service, instance)) {clustered}
        """,
        """
        CREATE TABLE settings_receipts (
            namespace {key} NOT NULL, setting {key} NOT NULL, revision BIGINT NOT NULL, release_name {key} NOT NULL,
            service {key} NOT NULL, instance {key} NOT NULL,
            state BIGINT NOT NULL, error TEXT, sent_at BIGINT, confirmed_at BIGINT,
            PRIMARY KEY (namespace, setting, revision, release_name, service, instance)) {clustered}
        """,
        """
        CREATE TABLE settings_reads (
            namespace {key} NOT NULL, setting {key} NOT NULL, service {key} NOT NULL, instance {key} NOT NULL,
            keys_read TEXT NOT NULL,
            PRIMARY KEY (namespace, setting, service, instance)) {clustered}
        """,
        """
        CREATE TABLE settings_exposures (
            namespace {key} NOT NULL, flag {key} NOT NULL, variant {key} NOT NULL, service {key} NOT NULL,
            exposures BIGINT NOT NULL, last_at BIGINT NOT NULL,
            PRIMARY KEY (namespace, flag, variant, service)) {clustered}
        """);

    public Task WriteAsync(ReaderWrites writes, CancellationToken cancellationToken) =>
        storage.WriteAsync(session => Write(session, writes), cancellationToken);

    /// <summary>The readers of a namespace and, where one is named, what became of a setting at them.</summary>
    public Task<AudienceRows> ReadAsync(string @namespace, string? setting, CancellationToken cancellationToken) =>
        storage.ReadAsync(
            session => new AudienceRows(
                DateTimeOffset.FromUnixTimeMilliseconds(session.ReadClock()),
                session.List(
                    """
                    SELECT service, instance, groups_asked, labels, sends_receipts, principal, node, last_seen
                    FROM settings_readers WHERE namespace = $1 ORDER BY service, instance
                    """,
                    row => ReadReader(@namespace, row),
                    @namespace),
                setting is null ? [] : ReadReceipts(session, @namespace, setting),
                ReadReads(session, @namespace, setting)),
            cancellationToken);

    public Task<List<(string Flag, string Variant, string Service, long Count, DateTimeOffset LastAt)>> ExposuresAsync(
        string @namespace, CancellationToken cancellationToken) => storage.ReadAsync(
        session => session.List(
            """
            SELECT flag, variant, service, exposures, last_at FROM settings_exposures
            WHERE namespace = $1 ORDER BY flag, variant, service
            """,
            row => (row.Text(0), row.Text(1), row.Text(2), row.Int64(3), row.Time(4)),
            @namespace),
        cancellationToken);

    /// <summary>Forgets readers that are long gone, and those beyond the limit that were silent the longest.</summary>
    /// <returns>How many went.</returns>
    public Task<int> PurgeAsync(CancellationToken cancellationToken) => storage.WriteAsync(
        session =>
        {
            var now = session.ReadClock();
            var before = now - (long)ReaderRetention.TotalMilliseconds;
            var beyond = session.One(
                $"SELECT last_seen FROM settings_readers ORDER BY last_seen DESC LIMIT 1 OFFSET {MaxReaders}",
                row => row.Int64OrNull(0));
            if (beyond >= before) before = beyond.Value + 1;
            var gone = session.Execute("DELETE FROM settings_readers WHERE last_seen < $1", before);
            session.Execute(
                """
                DELETE FROM settings_reads WHERE NOT EXISTS (
                    SELECT 1 FROM settings_readers WHERE settings_readers.namespace = settings_reads.namespace
                        AND settings_readers.service = settings_reads.service
                        AND settings_readers.instance = settings_reads.instance)
                """);
            var old = now - (long)RowRetention.TotalMilliseconds;
            session.Execute(
                """
                DELETE FROM settings_receipts WHERE COALESCE(confirmed_at, sent_at) < $1 AND NOT EXISTS (
                    SELECT 1 FROM settings_readers WHERE settings_readers.namespace = settings_receipts.namespace
                        AND settings_readers.service = settings_receipts.service
                        AND settings_readers.instance = settings_receipts.instance)
                """,
                old);
            session.Execute("DELETE FROM settings_exposures WHERE last_at < $1", old);
            return gone;
        },
        cancellationToken);

    private static int Write(ISqlSession session, ReaderWrites writes)
    {
        var now = session.ReadClock();
        foreach (var reader in writes.Readers) WriteReader(session, reader, now);
        foreach (var (key, state) in writes.Sent) WriteSent(session, key, state, now);
        foreach (var report in writes.Reports) WriteReport(session, report, now);
        foreach (var (setting, versions) in writes.Versions)
            PurgeReceipts(session, setting.Namespace, setting.Setting, versions);
        return 0;
    }

    private static void WriteReader(ISqlSession session, StoredReader reader, long now) => session.Enqueue(
        """
        INSERT INTO settings_readers
            (namespace, service, instance, groups_asked, labels, sends_receipts, principal, node, last_seen)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (namespace, service, instance) DO UPDATE SET
            groups_asked = excluded.groups_asked, labels = excluded.labels,
            sends_receipts = excluded.sends_receipts, principal = excluded.principal, node = excluded.node,
            last_seen = excluded.last_seen
        """,
        reader.Key.Namespace,
        reader.Key.Service,
        reader.Key.Instance,
        JsonSerializer.Serialize(reader.Groups, ReaderJson.Default.IReadOnlyListString),
        JsonSerializer.Serialize(reader.Labels, ReaderJson.Default.ImmutableSortedDictionaryStringString),
        reader.SendsReceipts,
        reader.Principal,
        reader.Node,
        now);

    // What the reader has said of this version already counts more than that it was sent once more.
    private static void WriteSent(ISqlSession session, ReceiptKey key, ReceiptState state, long now) => session.Enqueue(
        """
        INSERT INTO settings_receipts
            (namespace, setting, revision, release_name, service, instance, state, sent_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (namespace, setting, revision, release_name, service, instance) DO UPDATE SET
            sent_at = COALESCE(settings_receipts.sent_at, excluded.sent_at),
            state = CASE WHEN settings_receipts.state > excluded.state
                THEN settings_receipts.state ELSE excluded.state END
        """,
        key.Reader.Namespace, key.Setting, key.Revision, key.Release, key.Reader.Service, key.Reader.Instance,
        (long)state, now);

    private static void WriteReport(ISqlSession session, ReaderReport report, long now)
    {
        var reader = report.Reader;
        session.Enqueue(
            """
            UPDATE settings_readers SET last_seen = $4, node = $5
            WHERE namespace = $1 AND service = $2 AND instance = $3
            """,
            reader.Namespace, reader.Service, reader.Instance, now, report.Node);
        foreach (var receipt in report.Receipts) WriteReceipt(session, receipt, now);
        foreach (var reads in report.Reads) WriteReads(session, reads);
        foreach (var (flag, variant, count) in report.Exposures)
        {
            session.Enqueue(
                """
                INSERT INTO settings_exposures (namespace, flag, variant, service, exposures, last_at)
                VALUES ($1, $2, $3, $4, $5, $6)
                ON CONFLICT (namespace, flag, variant, service) DO UPDATE SET
                    exposures = settings_exposures.exposures + excluded.exposures, last_at = excluded.last_at
                """,
                reader.Namespace, flag, variant, reader.Service, count, now);
        }
    }

    // "Delivered" that comes late takes nothing back; of "applied" and "rejected" the last word counts.
    private static void WriteReceipt(ISqlSession session, ReportedReceipt receipt, long now)
    {
        const string Update =
            """
            state = $7, error = $8, confirmed_at = $9
            """;
        var key = receipt.Key;
        if (receipt.IsCurrent)
        {
            session.Enqueue(
                $"""
                INSERT INTO settings_receipts
                    (namespace, setting, revision, release_name, service, instance, state, error, confirmed_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                ON CONFLICT (namespace, setting, revision, release_name, service, instance) DO UPDATE SET {Update}
                WHERE settings_receipts.state < 2 OR $7 >= 2
                """,
                key.Reader.Namespace, key.Setting, key.Revision, key.Release, key.Reader.Service, key.Reader.Instance,
                (long)receipt.State, receipt.Error, now);
            return;
        }
        session.Enqueue(
            $"""
            UPDATE settings_receipts SET {Update}
            WHERE namespace = $1 AND setting = $2 AND revision = $3 AND release_name = $4 AND service = $5
                AND instance = $6 AND (state < 2 OR $7 >= 2)
            """,
            key.Reader.Namespace, key.Setting, key.Revision, key.Release, key.Reader.Service, key.Reader.Instance,
            (long)receipt.State, receipt.Error, now);
    }

    private static void WriteReads(ISqlSession session, StoredReads reads)
    {
        var reader = reads.Reader;
        var known = session.One(
            """
            SELECT keys_read FROM settings_reads
            WHERE namespace = $1 AND setting = $2 AND service = $3 AND instance = $4
            """,
            row => row.Text(0),
            reader.Namespace, reads.Setting, reader.Service, reader.Instance);
        var keys = ReadTexts(known).Union(reads.Keys, StringComparer.Ordinal).Take(MaxKeys).ToList();
        session.Enqueue(
            """
            INSERT INTO settings_reads (namespace, setting, service, instance, keys_read) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (namespace, setting, service, instance) DO UPDATE SET keys_read = excluded.keys_read
            """,
            reader.Namespace, reads.Setting, reader.Service, reader.Instance,
            JsonSerializer.Serialize(keys, ReaderJson.Default.IReadOnlyListString));
    }

    private static void PurgeReceipts(
        ISqlSession session, string @namespace, string setting, IReadOnlyList<long> inForce)
    {
        var revisions = session.List(
            """
            SELECT DISTINCT revision FROM settings_receipts WHERE namespace = $1 AND setting = $2
            ORDER BY revision DESC
            """,
            row => row.Int64(0),
            @namespace,
            setting);
        foreach (var revision in revisions.Skip(KeptRevisions).Except(inForce))
        {
            session.Enqueue(
                "DELETE FROM settings_receipts WHERE namespace = $1 AND setting = $2 AND revision = $3",
                @namespace, setting, revision);
        }
    }

    private static List<StoredReceipt> ReadReceipts(ISqlSession session, string @namespace, string setting) =>
        session.List(
            """
            SELECT revision, release_name, service, instance, state, error, sent_at, confirmed_at
            FROM settings_receipts WHERE namespace = $1 AND setting = $2
            ORDER BY revision DESC, release_name, service, instance
            """,
            row => new StoredReceipt(
                new ReceiptKey(
                    new ReaderKey(@namespace, row.Text(2), row.Text(3)), setting, row.Int64(0), row.Text(1)),
                (ReceiptState)row.Int64(4),
                row.TextOrNull(5),
                row.IsNull(6) ? null : row.Time(6),
                row.IsNull(7) ? null : row.Time(7)),
            @namespace,
            setting);

    private static List<StoredReads> ReadReads(ISqlSession session, string @namespace, string? setting) =>
        session.List(
            """
            SELECT service, instance, setting, keys_read FROM settings_reads
            WHERE namespace = $1 AND ($2 = '' OR setting = $2)
            """,
            row => new StoredReads(
                new ReaderKey(@namespace, row.Text(0), row.Text(1)), row.Text(2), ReadTexts(row.Text(3))),
            @namespace,
            setting ?? "");

    private static StoredReader ReadReader(string @namespace, ISqlRow row) => new(
        new ReaderKey(@namespace, row.Text(0), row.Text(1)),
        ReadTexts(row.Text(2)),
        (JsonSerializer.Deserialize(row.Text(3), ReaderJson.Default.ImmutableSortedDictionaryStringString)
            ?? ReaderIdentity.None.Labels).WithComparers(StringComparer.Ordinal),
        row.Int64(4) != 0,
        row.Text(5),
        row.Text(6),
        row.Time(7));

    private static IReadOnlyList<string> ReadTexts(string? json) =>
        json is null ? [] : JsonSerializer.Deserialize(json, ReaderJson.Default.IReadOnlyListString) ?? [];
}

[JsonSerializable(typeof(IReadOnlyList<string>))]
[JsonSerializable(typeof(ImmutableSortedDictionary<string, string>))]
internal sealed partial class ReaderJson : JsonSerializerContext;
