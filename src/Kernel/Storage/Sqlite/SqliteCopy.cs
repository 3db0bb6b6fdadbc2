using System.Globalization;

namespace Groundwork.Kernel.Storage.Sqlite;

/// <summary>
/// A consistent copy of the file for as long as a backup reads it, so that a slow receiver does not hold the
/// write-ahead log.
/// </summary>
internal static class SqliteCopy
{
    private const string Suffix = ".copy-";

    private static int made;

    public static T Read<T>(string path, TimeProvider time, Func<ISqlSession, T> read)
    {
        var copy = path + Suffix + Interlocked.Increment(ref made).ToString(CultureInfo.InvariantCulture);
        SqliteWriter.CreateFile(copy); // With the mode that the store has; an empty file is filled.
        try
        {
            using (var source = SqliteConnection.Open(path, readOnly: false, StorageLimits.MaxUnavailableWait))
            {
                source.Pragma("PRAGMA wal_autocheckpoint=0");
                source.Pragma($"VACUUM INTO '{copy.Replace("'", "''", StringComparison.Ordinal)}'");
            }

            using var connection = SqliteConnection.Open(copy, readOnly: true, StorageLimits.MaxUnavailableWait);
            connection.Run("BEGIN DEFERRED");
            return read(new SqliteSession(connection, time));
        }
        finally
        {
            File.Delete(copy);
        }
    }

    /// <summary>Removes what a process left that died in a backup.</summary>
    public static void RemoveLeftOvers(string path)
    {
        var directory = Path.GetDirectoryName(Path.GetFullPath(path));
        if (directory is null || !Directory.Exists(directory)) return;
        foreach (var copy in Directory.GetFiles(directory, Path.GetFileName(path) + Suffix + "*")) File.Delete(copy);
    }
}
