using Groundwork.Wire;

namespace Groundwork.Kernel.Storage;

/// <summary>Which steps of which modules a database has seen. Its table is made by each engine when it opens.</summary>
internal static class MigrationStore
{
    public const string CreateTable = """
        CREATE TABLE IF NOT EXISTS storage_migrations (
            module {key} NOT NULL, number BIGINT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (module, number))
        """;

    /// <summary>
    /// Throws when the list itself is wrong: a gap, a repeat, or a step out of order. That is a bug of a module.
    /// </summary>
    public static void Check(IReadOnlyList<Migration> migrations)
    {
        var last = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var migration in migrations)
        {
            var expected = last.GetValueOrDefault(migration.Module) + 1;
            if (migration.Number != expected)
            {
                throw new ArgumentException(
                    $"Module {migration.Module} has migration {migration.Number} where {expected} is due.",
                    nameof(migrations));
            }

            last[migration.Module] = expected;
        }
    }

    /// <summary>
    /// Runs what is missing. The session holds the store's lock, so two nodes do not run one step twice.
    /// </summary>
    public static int Run(ISqlSession session, SqlDialect dialect, IReadOnlyList<Migration> migrations)
    {
        var seen = Seen(session);
        RefuseNewer(seen, migrations);
        var ran = 0;
        foreach (var migration in migrations)
        {
            if (migration.Number <= seen.GetValueOrDefault(migration.Module)) continue;
            foreach (var statement in migration.Sql) session.Execute(dialect.Translate(statement));
            session.Execute(
                "INSERT INTO storage_migrations (module, number, at) VALUES ($1, $2, $3)",
                migration.Module,
                (long)migration.Number,
                session.ReadClock());
            ran++;
        }

        return ran;
    }

    /// <summary>The last step of each module that this database has seen.</summary>
    public static Dictionary<string, int> Seen(ISqlSession session)
    {
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        session.Query(
            "SELECT module, max(number) FROM storage_migrations GROUP BY module",
            row => seen.Add(row.Text(0), (int)row.Int64(1)));
        return seen;
    }

    private static void RefuseNewer(Dictionary<string, int> seen, IReadOnlyList<Migration> migrations)
    {
        foreach (var known in migrations.GroupBy(migration => migration.Module, StringComparer.Ordinal))
        {
            var newest = known.Max(migration => migration.Number);
            if (seen.GetValueOrDefault(known.Key) is var number && number > newest)
            {
                throw new StorageException(new Fault(
                    ErrorCodes.SchemaNewer,
                    $"The tables of {known.Key} are at step {number}; this version of the platform knows {newest}. "
                        + "Start the newer version, or restore a backup of the older."));
            }
        }
    }
}
