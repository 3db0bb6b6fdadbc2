using System.Buffers.Binary;
using System.Collections.Immutable;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text.Json;
using Groundwork.Wire;

namespace Groundwork.Kernel.Storage.Backup;

/// <summary>
/// A backup in one file that any engine can take: <c>magic, tables, manifest, its length (8 bytes), SHA-256 of all
/// before (32 bytes), end mark</c>. It can be written to a connection as it is made, because what describes it comes
/// last.
/// </summary>
public static class BackupArchive
{
    private const int LengthBytes = 8;
    private const int TailBytes = LengthBytes + SHA256.HashSizeInBytes + 16;

    /// <summary>Rows between two reports of progress.</summary>
    private const int RowsPerReport = 1_000;

    private static readonly byte[] Magic = "groundwork-backup 1\n"u8.ToArray();
    private static readonly byte[] EndMark = "\nend-of-backup!\n"u8.ToArray();

    /// <summary>Writes a consistent backup while the store goes on working.</summary>
    /// <param name="identify">Reads the store's id and its revision from the same state that is backed up.</param>
    /// <exception cref="StorageException"><c>storage_full</c>: SQLite's copy needs as much room as the
    /// store.</exception>
    public static async Task<BackupManifest> WriteAsync(
        IStorage storage,
        Stream output,
        Func<ISqlSession, (Guid StoreId, long Revision)> identify,
        TimeProvider time,
        IProgress<BackupProgress>? progress,
        CancellationToken cancellationToken)
    {
        var content = Content(storage);
        using var abort = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var pipe = new Pipe();
        var dump = Task.Run(
            async () =>
            {
                Exception? failure = null;
                try
                {
                    return await content.ReadAllAsync(
                        session =>
                            Dump(session, content, pipe.Writer, identify, time, progress, abort.Token), abort.Token);
                }
                catch (Exception exception)
                {
                    failure = exception;
                    throw;
                }
                finally
                {
                    await pipe.Writer.CompleteAsync(failure);
                }
            },
            CancellationToken.None);
        try
        {
            await pipe.Reader.CopyToAsync(output, cancellationToken);
            await output.FlushAsync(cancellationToken);
        }
        catch
        {
            // The dump may stand at a full pipe; and what went wrong in it is the better reason.
            await abort.CancelAsync();
            await pipe.Reader.CompleteAsync();
            await dump.ContinueWith(
                _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            if (dump is { IsFaulted: true, Exception.InnerException: StorageException reason }) throw reason;
            throw;
        }

        await pipe.Reader.CompleteAsync();
        return await dump;
    }

    /// <summary>Reads the whole archive and checks every hash: the manifest, or <c>backup_invalid</c>.</summary>
    /// <param name="archive">Seekable, from its start.</param>
    public static async Task<Outcome<BackupManifest>> VerifyAsync(Stream archive, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadManifestAsync(archive, cancellationToken);
        }
        catch (Exception exception) when (exception is InvalidDataException or EndOfStreamException or JsonException)
        {
            return new Fault(ErrorCodes.BackupInvalid, exception.Message);
        }
    }

    /// <summary>
    /// Checks the archive, then replaces the content of the store by it in one transaction: all of it or nothing.
    /// Faults:
    /// <c>backup_invalid</c>, <c>restore_not_empty</c>, <c>schema_newer</c>.
    /// </summary>
    /// <param name="migrations">All that this version knows; those up to the archive's steps are run first.</param>
    /// <param name="force">Replace what is there.</param>
    /// <param name="adjust">Runs in the same transaction after the rows are in, such as to move the revision
    /// on.</param>
    public static async Task<Outcome<BackupManifest>> RestoreAsync(
        Stream archive,
        IStorage storage,
        IReadOnlyList<Migration> migrations,
        bool force,
        Action<ISqlSession, BackupManifest>? adjust,
        IProgress<BackupProgress>? progress,
        CancellationToken cancellationToken)
    {
        var content = Content(storage);
        MigrationStore.Check(migrations);
        if (!(await VerifyAsync(archive, cancellationToken)).TryGet(out var manifest, out var fault)) return fault;
        try
        {
            await content.ReplaceAsync(
                session =>
                {
                    RestoreStore.Prepare(session, content.Dialect, manifest, migrations, force);
                    RestoreStore.Load(session, content.Dialect, archive, manifest, progress, cancellationToken);
                    adjust?.Invoke(session, manifest);
                    return 0;
                },
                cancellationToken);
            return manifest;
        }
        catch (StorageException refused) when (IsExpected(refused.Fault.Error))
        {
            return refused.Fault;
        }
    }

    private static bool IsExpected(ErrorCode code) =>
        code == ErrorCodes.RestoreNotEmpty || code == ErrorCodes.SchemaNewer || code == ErrorCodes.BackupInvalid;

    private static IStorageContent Content(IStorage storage) => storage as IStorageContent
        ?? throw new ArgumentException("This storage cannot be backed up.", nameof(storage));

    private static BackupManifest Dump(
        ISqlSession session,
        IStorageContent content,
        PipeWriter pipe,
        Func<ISqlSession, (Guid StoreId, long Revision)> identify,
        TimeProvider time,
        IProgress<BackupProgress>? progress,
        CancellationToken cancellationToken)
    {
        using var output = new BackupOutput(pipe, cancellationToken);
        output.Write(Magic);
        output.EndPart();
        var (storeId, revision) = identify(session);
        var tables = ImmutableArray.CreateBuilder<BackupTable>();
        foreach (var name in RestoreStore.Tables(session, content.Dialect))
            tables.Add(DumpTable(session, content.Dialect, output, name, tables.Sum(table => table.Rows), progress));
        var manifest = new BackupManifest(
            BackupManifest.CurrentFormat,
            storeId,
            revision,
            content.Engine,
            time.GetUtcNow(),
            BackupManifest.WithoutRootKey,
            MigrationStore.Seen(session).ToImmutableSortedDictionary(StringComparer.Ordinal),
            tables.ToImmutable());
        WriteTail(output, manifest);
        return manifest;
    }

    private static BackupTable DumpTable(
        ISqlSession session,
        SqlDialect dialect,
        BackupOutput output,
        string name,
        long rowsBefore,
        IProgress<BackupProgress>? progress)
    {
        var columns = session.List(dialect.Columns, row => row.Text(0), name);
        var start = output.Position;
        long rows = 0;
        session.Query(
            $"SELECT {string.Join(", ", columns.Select(SqlDialect.Quote))} FROM {SqlDialect.Quote(name)}",
            row =>
            {
                BackupRows.Write(output, row, columns.Count);
                if (++rows % RowsPerReport == 0)
                    progress?.Report(new BackupProgress(name, rowsBefore + rows, output.Position));
            });
        progress?.Report(new BackupProgress(name, rowsBefore + rows, output.Position));
        return new BackupTable(name, [.. columns], rows, start, output.Position - start, output.EndPart());
    }

    private static void WriteTail(BackupOutput output, BackupManifest manifest)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(manifest, BackupJson.Default.BackupManifest);
        output.Write(json);
        Span<byte> length = stackalloc byte[LengthBytes];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        output.Write(length);
        output.Write(output.WholeHash());
        output.Write(EndMark);
        output.Flush();
    }

    private static async Task<BackupManifest> ReadManifestAsync(Stream archive, CancellationToken cancellationToken)
    {
        if (archive.Length < Magic.Length + TailBytes)
            throw new InvalidDataException("The file is too short for a backup.");
        archive.Position = 0;
        var magic = new byte[Magic.Length];
        await archive.ReadExactlyAsync(magic, cancellationToken);
        if (!magic.AsSpan().SequenceEqual(Magic))
            throw new InvalidDataException("The file is not a backup of this format.");
        var tail = new byte[TailBytes];
        archive.Position = archive.Length - TailBytes;
        await archive.ReadExactlyAsync(tail, cancellationToken);
        if (!tail.AsSpan(^EndMark.Length..).SequenceEqual(EndMark))
            throw new InvalidDataException("The file is cut off: its end mark is missing.");

        var hashed = archive.Length - TailBytes + LengthBytes;
        var whole = await HashAsync(archive, 0, hashed, cancellationToken);
        if (!whole.AsSpan().SequenceEqual(tail.AsSpan(LengthBytes, SHA256.HashSizeInBytes)))
            throw new InvalidDataException("The file is damaged: its hash is not the one it ends with.");

        var length = BinaryPrimitives.ReadInt64LittleEndian(tail);
        var start = archive.Length - TailBytes - length;
        if (length <= 0 || start < Magic.Length) throw new InvalidDataException("The length of the manifest is wrong.");
        var json = new byte[length];
        archive.Position = start;
        await archive.ReadExactlyAsync(json, cancellationToken);
        var manifest = JsonSerializer.Deserialize(json, BackupJson.Default.BackupManifest)
            ?? throw new InvalidDataException("The manifest is null.");
        await CheckTablesAsync(archive, manifest, start, cancellationToken);
        return manifest;
    }

    private static async Task CheckTablesAsync(
        Stream archive, BackupManifest manifest, long end, CancellationToken cancellationToken)
    {
        if (manifest.Format != BackupManifest.CurrentFormat)
            throw new InvalidDataException($"The backup is of format {manifest.Format}; this version reads 1.");
        long position = Magic.Length;
        foreach (var table in manifest.Tables)
        {
            if (table.Offset != position || table.Length < 0 || table.Length > end - position)
                throw new InvalidDataException($"The place of table {table.Name} in the backup is wrong.");
            var hash = await HashAsync(archive, table.Offset, table.Length, cancellationToken);
            if (Convert.ToHexStringLower(hash) != table.Sha256)
                throw new InvalidDataException($"Table {table.Name} of the backup is damaged.");
            position += table.Length;
        }

        if (position != end) throw new InvalidDataException("The backup holds bytes that belong to no table.");
    }

    private static async Task<byte[]> HashAsync(
        Stream archive, long start, long length, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[128 * 1024];
        archive.Position = start;
        for (var left = length; left > 0;)
        {
            var read = await archive.ReadAsync(
                buffer.AsMemory(0, (int)Math.Min(left, buffer.Length)), cancellationToken);
            if (read == 0) throw new EndOfStreamException("The file ended while it was read.");
            hash.AppendData(buffer, 0, read);
            left -= read;
        }

        return hash.GetHashAndReset();
    }
}
