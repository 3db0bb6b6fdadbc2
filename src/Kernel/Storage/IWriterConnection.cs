namespace Groundwork.Kernel.Storage;

/// <summary>
/// The engine's side of the one writer: its connection and the transaction on it. Used by the writer's thread only.
/// </summary>
internal interface IWriterConnection : IDisposable
{
    /// <summary>Connects when need be and opens a transaction under the store's writer lock.</summary>
    /// <param name="isExclusive">It may take long: a migration or a restore.</param>
    /// <exception cref="RetryGroupException">The database is away.</exception>
    IWriterSession Begin(bool isExclusive);

    void SetSavepoint();

    void ReleaseSavepoint();

    /// <summary>Undoes what came after the savepoint and clears <see cref="IWriterSession.Refused"/>.</summary>
    void UndoToSavepoint();

    /// <summary>Sends what is enqueued, makes it durable and ends the transaction.</summary>
    /// <exception cref="RetryGroupException">In doubt when the connection broke while the commit was under
    /// way.</exception>
    void Commit();

    /// <summary>Ends the transaction without a trace; never throws.</summary>
    void RollBack();

    /// <summary>
    /// After a commit in doubt: true when it happened, false when it is known that it did not and never will.
    /// </summary>
    /// <exception cref="RetryGroupException">The database is still away.</exception>
    bool Resolve();

    /// <summary>
    /// Does what no write waits for, such as a checkpoint or a notification, and says when it wants to be called again
    /// even if no write comes. Never throws.
    /// </summary>
    TimeSpan Settle(bool writesWait);
}

/// <summary>The session that a group's writes share.</summary>
internal interface IWriterSession : ISqlSession
{
    /// <summary>
    /// A statement of the write at hand was refused. Until its savepoint is undone the session takes no more
    /// statements, also where the engine would (SQLite), so that a module cannot come to rely on it.
    /// </summary>
    StatementException? Refused { get; }

    /// <summary>
    /// What ends the whole group: the disk is full, the connection broke, or an earlier write's statement was refused.
    /// </summary>
    Exception? GroupFailure { get; }

    /// <summary>A statement since <see cref="StartWrite"/> changed something, or may have.</summary>
    bool HasChanged { get; }

    /// <summary>The statements that follow belong to the next write.</summary>
    void StartWrite();

    /// <summary>Sends what is enqueued and hears the answers.</summary>
    void Flush();
}

/// <summary>The group did not happen, or is in doubt, and is to be run again once the database is back.</summary>
internal sealed class RetryGroupException(
    string message, bool isInDoubt, Exception? cause = null) : Exception(message, cause)
{
    public bool IsInDoubt { get; } = isInDoubt;
}

/// <summary>
/// A statement of an earlier write was refused when it was sent with others: the group is run again with care.
/// </summary>
internal sealed class SpoiledGroupException(StatementException refused) : Exception(refused.Message, refused)
{
    public StatementException Refused { get; } = refused;
}
