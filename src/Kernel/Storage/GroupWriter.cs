using System.Runtime.ExceptionServices;
using Groundwork.Wire;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Storage;

/// <summary>
/// The one writer of a store: a thread that takes all writes that wait, runs them in one transaction, and answers them
/// when it is on disk. It knows neither engine; see <see cref="IWriterConnection"/>.
/// </summary>
internal sealed partial class GroupWriter : IAsyncDisposable
{
    /// <summary>Between two attempts to reach a database that is away: doubles from the first to the last.</summary>
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LastBackoff = TimeSpan.FromMilliseconds(500);

    private readonly WriteQueue queue = new(StorageLimits.MaxWaitingWrites, StorageLimits.MaxWritesPerGroup);
    private readonly List<PendingWrite> group = new(StorageLimits.MaxWritesPerGroup); // The writer's thread only.
    private readonly List<PendingWrite> expired = []; // The writer's thread only.
    private readonly CancellationTokenSource stopping = new();
    private readonly TaskCompletionSource stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Func<IWriterConnection> connect;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private IWriteGroupObserver? observer;

    public GroupWriter(Func<IWriterConnection> connect, TimeProvider time, ILogger log)
    {
        this.connect = connect;
        this.time = time;
        this.log = log;
    }

    /// <summary>
    /// Starts the thread; the task ends when the connection is open, or with the reason why it is not.
    /// </summary>
    public Task StartAsync()
    {
        var opened = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() => Run(opened)) { IsBackground = true, Name = "store writer" }.Start();
        return opened.Task;
    }

    public void Attach(IWriteGroupObserver newObserver)
    {
        if (Interlocked.CompareExchange(ref observer, newObserver, null) is not null)
            throw new InvalidOperationException("The storage has an observer already.");
    }

    public Task<T> WriteAsync<T>(
        Func<ISqlSession, T> write, WriteScope scope, bool isExclusive, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return Task.FromCanceled<T>(cancellationToken);
        var pending = new PendingWrite<T>(write, scope, isExclusive, time.GetTimestamp(), cancellationToken);
        switch (queue.Put(pending))
        {
            case QueueAnswer.Full:
                pending.Fail(new StorageException(QueueFull));
                break;
            case QueueAnswer.Closed:
                pending.Fail(new StorageException(Closed));
                break;
        }

        return pending.Task;
    }

    /// <summary>Lets the writes that wait finish, then ends the thread and closes the connection.</summary>
    public async ValueTask DisposeAsync()
    {
        queue.Close();
        await stopping.CancelAsync(); // Never disposed: it has no timer, and closing twice is allowed.
        await stopped.Task;
    }

    private static Fault QueueFull { get; } = new(
        ErrorCodes.WriteQueueFull, $"{StorageLimits.MaxWaitingWrites} writes are waiting already.")
    {
        RetryAfter = TimeSpan.FromSeconds(1),
    };

    private static Fault Closed { get; } = new(ErrorCodes.StorageUnavailable, "The storage is closed.");

    private void Run(TaskCompletionSource opened)
    {
        try
        {
            using var connection = connect();
            opened.SetResult();
            var patience = Timeout.InfiniteTimeSpan;
            while (queue.Take(group, patience))
            {
                if (group.Count > 0) WriteGroup(connection);
                group.Clear();
                patience = connection.Settle(writesWait: queue.Count > 0);
            }
        }
#pragma warning disable CA1031 // Whatever opening throws is the opener's answer.
        catch (Exception exception) when (!opened.Task.IsCompleted)
#pragma warning restore CA1031
        {
            queue.Close();
            opened.SetException(exception);
        }
        finally
        {
            stopped.SetResult();
        }
    }

    /// <summary>Runs the group until it is committed or failed, and answers every write of it.</summary>
    private void WriteGroup(IWriterConnection connection)
    {
        var withCare = false;
        var backoff = FirstBackoff;
        while (group.Count > 0)
        {
            var failure = TryGroup(() => RunGroup(connection, withCare));
            if (failure is RetryGroupException { IsInDoubt: true } doubt)
            {
                LogInDoubt(log, doubt, group.Count);
                failure = TryGroup(() => ResolveGroup(connection));
            }

            switch (failure)
            {
                case null when group.Count == 0:
                    return;
                case null: // Was in doubt, and is known not to have happened.
                    RollBack(connection);
                    break;
                case RetryGroupException lost:
                    LogLost(log, lost, group.Count);
                    RollBack(connection);
                    WaitForDatabase(lost, ref backoff);
                    break;
                case SpoiledGroupException spoiled when !withCare:
                    LogSpoiled(log, group.Count, spoiled.Message);
                    RollBack(connection);
                    withCare = true;
                    break;
                default:
                    RollBack(connection);
                    FailGroup(failure is SpoiledGroupException { Refused: var refused } ? refused : failure);
                    break;
            }
        }
    }

    private static Exception? TryGroup(Action attempt)
    {
        try
        {
            attempt();
            return null;
        }
#pragma warning disable CA1031 // A group that cannot be written answers its writes; the writer goes on.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return exception;
        }
    }

    /// <summary>One attempt. When no write succeeds there is nothing to commit.</summary>
    private void RunGroup(IWriterConnection connection, bool withCare)
    {
        var session = connection.Begin(group[0].IsExclusive);
        var seen = group[0].IsExclusive ? null : Volatile.Read(ref observer);
        seen?.Begin(session);
        session.StartWrite();
        Rethrow(session);
        var alone = group.Count == 1;
        var succeeded = 0;
        foreach (var write in group)
        {
            var hasSavepoint = !alone && (withCare || write.Scope == WriteScope.Savepoint);
            if (RunWrite(connection, session, write, hasSavepoint, withCare)) succeeded++;
            else if (alone) break;
        }

        if (succeeded == 0)
        {
            RollBack(connection);
            AnswerGroup();
            return;
        }

        session.StartWrite();
        seen?.Committing(session);
        Rethrow(session);
        connection.Commit();
        TellCommitted(seen);
        AnswerGroup();
    }

    /// <summary>Runs one write; false when it failed alone and left nothing behind.</summary>
    private bool RunWrite(
        IWriterConnection connection, IWriterSession session, PendingWrite write, bool hasSavepoint, bool withCare)
    {
        if (hasSavepoint) connection.SetSavepoint();
        session.StartWrite();
        write.Run(session);
        if (withCare && write.Failure is null && session.Refused is null && session.GroupFailure is null)
            FlushFor(session, write);
        if (session.GroupFailure is not null) Rethrow(session);
        write.Failure ??= session.Refused; // A delegate that swallowed the refusal has failed all the same.
        if (write.Failure is null)
        {
            if (hasSavepoint) connection.ReleaseSavepoint();
            return true;
        }

        if (hasSavepoint)
        {
            connection.UndoToSavepoint();
            connection.ReleaseSavepoint();
        }
        else if (group.Count > 1 && (session.HasChanged || session.Refused is not null))
        {
            throw new SpoiledGroupException(
                session.Refused ?? new StatementException(write.Failure.Message, false, write.Failure));
        }

        return false;
    }

    private static void FlushFor(IWriterSession session, PendingWrite write)
    {
        try
        {
            session.Flush();
        }
        catch (StatementException refused)
        {
            write.Failure = refused;
        }
    }

    private static void Rethrow(IWriterSession session)
    {
        // A delegate or the observer may have swallowed or wrapped what the session threw at it.
        if ((session.GroupFailure ?? session.Refused) is { } failure) ExceptionDispatchInfo.Throw(failure);
    }

    private void TellCommitted(IWriteGroupObserver? seen)
    {
        try
        {
            seen?.Committed();
        }
#pragma warning disable CA1031 // The writes are on disk and must be answered so, whatever the observer makes of it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogObserverFailed(log, exception);
        }
    }

    private void AnswerGroup()
    {
        foreach (var write in group) write.Answer();
        group.Clear();
    }

    private void FailGroup(Exception exception)
    {
        LogGroupFailed(log, exception, group.Count);
        foreach (var write in group) write.Fail(exception);
        group.Clear();
    }

    private void RollBack(IWriterConnection connection)
    {
        connection.RollBack();
        if (!group[0].IsExclusive) Volatile.Read(ref observer)?.RolledBack();
    }

    /// <summary>
    /// Asks until the database tells what became of the group, and answers it when it was committed. There is no limit
    /// of time: neither answer would be true. Only the end of the process cuts it short.
    /// </summary>
    private void ResolveGroup(IWriterConnection connection)
    {
        var backoff = FirstBackoff;
        while (true)
        {
            try
            {
                if (!connection.Resolve()) return;
                TellCommitted(group[0].IsExclusive ? null : Volatile.Read(ref observer));
                AnswerGroup();
                return;
            }
            catch (RetryGroupException)
            {
                if (stopping.Token.WaitHandle.WaitOne(backoff))
                {
                    throw new StorageException(new Fault(
                        ErrorCodes.WriteInDoubt,
                            "The process stopped before the database that was committing came back."));
                }

                FailExpired();
                backoff = Next(backoff);
            }
        }
    }

    /// <summary>Waits a little, and fails the writes that have waited their limit.</summary>
    private void WaitForDatabase(RetryGroupException lost, ref TimeSpan backoff)
    {
        var isStopping = stopping.Token.IsCancellationRequested;
        for (var i = group.Count - 1; i >= 0; i--)
        {
            var patience = group[i].IsExclusive ? StorageLimits.MaxLockWait : StorageLimits.MaxUnavailableWait;
            if (!isStopping && time.GetElapsedTime(group[i].QueuedAt) < patience) continue;
            group[i].Fail(Unavailable(lost));
            group.RemoveAt(i);
        }

        FailExpired();
        if (group.Count == 0) return;
        stopping.Token.WaitHandle.WaitOne(backoff);
        backoff = Next(backoff);
    }

    private void FailExpired()
    {
        queue.TakeOlder(Oldest(), expired);
        foreach (var write in expired) write.Fail(Unavailable(null));
        expired.Clear();
    }

    private long Oldest() =>
        time.GetTimestamp() - (long)(StorageLimits.MaxUnavailableWait.TotalSeconds * time.TimestampFrequency);

    private static TimeSpan Next(TimeSpan backoff) => backoff * 2 < LastBackoff ? backoff * 2 : LastBackoff;

    private static StorageException Unavailable(Exception? cause) => new(
        new Fault(ErrorCodes.StorageUnavailable, cause?.Message ?? "The database has been away for too long.")
        {
            RetryAfter = TimeSpan.FromSeconds(1),
        },
        cause);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The database is away; {Writes} writes wait for it.")]
    private static partial void LogLost(ILogger log, Exception exception, int writes);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The database was lost while {Writes} writes were committed.")]
    private static partial void LogInDoubt(ILogger log, Exception exception, int writes);

    [LoggerMessage(Level = LogLevel.Critical, Message = "The observer of write groups failed after a commit.")]
    private static partial void LogObserverFailed(ILogger log, Exception exception);

    [LoggerMessage(Level = LogLevel.Debug, Message = "A group of {Writes} writes runs again with care: {Reason}")]
    private static partial void LogSpoiled(ILogger log, int writes, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "A group of {Writes} writes failed.")]
    private static partial void LogGroupFailed(ILogger log, Exception exception, int writes);
}
