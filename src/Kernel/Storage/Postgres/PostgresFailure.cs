using Groundwork.Wire;
using Npgsql;

namespace Groundwork.Kernel.Storage.Postgres;

/// <summary>Turns what Npgsql throws into ours.</summary>
internal static class PostgresFailure
{
    /// <summary>
    /// A <see cref="StatementException"/> when the server refused a statement and the session lives; a
    /// <see cref="StorageException"/> when it cannot write; a <see cref="RetryGroupException"/> when the connection is
    /// lost or the server asks to try again.
    /// </summary>
    /// <param name="isCommit">A lost connection leaves in doubt whether the commit happened.</param>
    public static Exception From(Exception exception, bool isCommit) => exception switch
    {
        PostgresException refused => From(refused, isCommit),
        NpgsqlException or IOException or TimeoutException or System.Net.Sockets.SocketException
            or InvalidOperationException or ObjectDisposedException =>
            new RetryGroupException($"The connection to PostgreSQL is lost: {exception.Message}", isCommit, exception),
        _ => exception,
    };

    /// <summary>For what opening a connection throws: wrong credentials do not get better, the rest may.</summary>
    public static Exception Connecting(Exception exception) =>
        exception is PostgresException { SqlState: ['2' or '3', ..] } refused
        ? Storage(ErrorCodes.StorageUnavailable, refused)
        : new RetryGroupException($"PostgreSQL cannot be reached: {exception.Message}", isInDoubt: false, exception);

    private static Exception From(PostgresException refused, bool isCommit)
    {
        var isFatal = refused.Severity is "FATAL" or "PANIC" || refused.InvariantSeverity is "FATAL" or "PANIC";
        if (isFatal) return new RetryGroupException(refused.MessageText, isCommit, refused);
        return refused.SqlState switch
        {
            // The transaction is undone and the server asks to run it again: nothing is in doubt.
            PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected
                or PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.QueryCanceled =>
                new RetryGroupException(refused.MessageText, isInDoubt: false, refused),
            PostgresErrorCodes.DiskFull => Storage(ErrorCodes.StorageFull, refused),
            PostgresErrorCodes.ReadOnlySqlTransaction => Storage(ErrorCodes.StorageUnavailable, refused),
            ['5', '3' or '8', ..] or ['X', 'X', ..] => Storage(ErrorCodes.StorageUnavailable, refused),
            _ => new StatementException(
                $"{refused.MessageText} ({refused.SqlState})",
                isConstraint: refused.SqlState.StartsWith("23", StringComparison.Ordinal),
                refused),
        };
    }

    private static StorageException Storage(ErrorCode code, PostgresException refused) =>
        new(new Fault(code, $"{refused.MessageText} ({refused.SqlState})"), refused);
}
