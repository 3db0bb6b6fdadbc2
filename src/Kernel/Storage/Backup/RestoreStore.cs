using Groundwork.Wire;

namespace Groundwork.Kernel.Storage.Backup;

/// <summary>The SQL of a restore: which tables there are, emptying the store, and loading rows.</summary>
internal static class RestoreStore
{
    /// <summary>
    /// The engine's own tables, which no backup holds: locks, markers, and the steps, which are in the manifest.
    /// </summary>
    private const string OwnPrefix = "storage_";

    private const int RowsPerReport = 1_000;

    public static List<string> Tables(ISqlSession session, SqlDialect dialect)
    {
        var tables = session.List(dialect.Tables, row => row.Text(0));
        tables.RemoveAll(table => table.StartsWith(OwnPrefix, StringComparison.Ordinal));
        return tables;
    }

    /// <summary>Makes the store's tables as they were when the backup was made, and empty.</summary>
    public static void Prepare(
        ISqlSession session,
        SqlDialect dialect,
        BackupManifest manifest,
        IReadOnlyList<Migration> migrations,
        bool force)
    {
        RefuseNewer(manifest, migrations);
        foreach (var table in Tables(session, dialect))
        {
            var quoted = SqlDialect.Quote(table);
            if (!force && session.One($"SELECT 1 FROM {quoted} LIMIT 1", row => row.Int64(0)) == 1)
            {
                throw new StorageException(new Fault(
                    ErrorCodes.RestoreNotEmpty, $"Table {table} has rows. Restore into an empty store, or force it."));
            }

            session.Execute($"DROP TABLE {quoted}");
        }

        session.Execute("DELETE FROM storage_migrations");
        MigrationStore.Run(
            session,
            dialect,
            [.. migrations.Where(
                migration => migration.Number <= manifest.Migrations.GetValueOrDefault(migration.Module))]);
        foreach (var table in Tables(session, dialect)) session.Execute($"DELETE FROM {SqlDialect.Quote(table)}");
    }

    public static void Load(
        ISqlSession session,
        SqlDialect dialect,
        Stream archive,
        BackupManifest manifest,
        IProgress<BackupProgress>? progress,
        CancellationToken cancellationToken)
    {
        var known = Tables(session, dialect).ToHashSet(StringComparer.Ordinal);
        long rowsBefore = 0;
        foreach (var table in manifest.Tables)
        {
            if (!known.Contains(table.Name))
            {
                throw new StorageException(new Fault(
                    ErrorCodes.BackupInvalid, $"No step of the schema makes table {table.Name} of the backup."));
            }

            archive.Position = table.Offset;
            // Not disposed: the archive belongs to the caller.
            var buffered = new BufferedStream(archive, 128 * 1024);
            var names = table.Columns.Select(SqlDialect.Quote);
            var places = Enumerable.Range(1, table.Columns.Length).Select(number => $"${number}");
            var insert = $"INSERT INTO {SqlDialect.Quote(table.Name)} ({string.Join(", ", names)}) "
                + $"VALUES ({string.Join(", ", places)})";
            var values = new SqlValue[table.Columns.Length];
            for (long row = 0; row < table.Rows; row++)
            {
                BackupRows.Read(buffered, values);
                session.Enqueue(insert, values);
                if (row % RowsPerReport != 0) continue;
                cancellationToken.ThrowIfCancellationRequested();
                progress?.Report(new BackupProgress(table.Name, rowsBefore + row, table.Offset));
            }

            rowsBefore += table.Rows;
        }
    }

    private static void RefuseNewer(BackupManifest manifest, IReadOnlyList<Migration> migrations)
    {
        foreach (var (module, number) in manifest.Migrations)
        {
            var known = migrations.Count(migration => migration.Module == module);
            if (number > known)
            {
                throw new StorageException(new Fault(
                    ErrorCodes.SchemaNewer,
                    $"The backup has the tables of {module} at step {number}; this version of the platform knows "
                    + $"{known}."));
            }
        }
    }
}
