using Groundwork.Wire;
using SQLitePCL;

namespace Groundwork.Kernel.Storage.Sqlite;

/// <summary>Turns SQLite's result codes into ours.</summary>
internal static class SqliteFailure
{
    /// <summary>
    /// The exception for a code that is not success: either of one statement, or of the storage as a whole.
    /// </summary>
    public static Exception From(int code, sqlite3 connection) =>
        From(code, raw.sqlite3_extended_errcode(connection), raw.sqlite3_errmsg(connection).utf8_to_string());

    private static Exception From(int code, int extended, string message) => (code & 0xFF) switch
    {
        raw.SQLITE_FULL => Storage(ErrorCodes.StorageFull, message),
        // The shared-memory file could not grow: the file system is full before the log itself noticed.
        raw.SQLITE_IOERR when extended is raw.SQLITE_IOERR_SHMSIZE => Storage(ErrorCodes.StorageFull, message),
        raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB => Storage(ErrorCodes.StorageDamaged, message),
        raw.SQLITE_IOERR or raw.SQLITE_BUSY or raw.SQLITE_LOCKED or raw.SQLITE_CANTOPEN or raw.SQLITE_READONLY
            or raw.SQLITE_PERM or raw.SQLITE_PROTOCOL =>
                Storage(ErrorCodes.StorageUnavailable, $"{message} ({extended})"),
        raw.SQLITE_CONSTRAINT => new StatementException(message, isConstraint: true),
        raw.SQLITE_MISUSE => new InvalidOperationException($"SQLite was misused: {message}"),
        raw.SQLITE_NOMEM => new InsufficientMemoryException(message),
        _ => new StatementException($"{message} ({extended})", isConstraint: false),
    };

    private static StorageException Storage(ErrorCode code, string message) => new(new Fault(code, message));
}
