namespace Groundwork.Kernel.Storage;

/// <summary>One write from the moment it is queued until it is answered.</summary>
internal abstract class PendingWrite(WriteScope scope, bool isExclusive, long queuedAt)
{
    private const int Waiting = 0;
    private const int Taken = 1;
    private const int Withdrawn = 2;

    private int state = Waiting;

    public WriteScope Scope { get; } = scope;

    /// <summary>Runs alone, unseen by the observer: migrations and restores.</summary>
    public bool IsExclusive { get; } = isExclusive;

    /// <summary>Timestamp of the time provider.</summary>
    public long QueuedAt { get; } = queuedAt;

    /// <summary>Why this write fails although its group does not; written by each run.</summary>
    public Exception? Failure { get; set; }

    /// <summary>The writer takes it; false when its caller withdrew it first.</summary>
    public bool TryTake() => Interlocked.CompareExchange(ref state, Taken, Waiting) == Waiting;

    protected bool TryWithdraw() => Interlocked.CompareExchange(ref state, Withdrawn, Waiting) == Waiting;

    /// <summary>Runs the delegate and keeps its result or its exception.</summary>
    public abstract void Run(ISqlSession session);

    /// <summary>Answers with what the last run left.</summary>
    public abstract void Answer();

    /// <summary>Answers a write that did not happen, or of which it is not known.</summary>
    public abstract void Fail(Exception exception);
}

/// <summary>A write with its result. Continuations never run on the writer's thread.</summary>
internal sealed class PendingWrite<T> : PendingWrite
{
    private readonly TaskCompletionSource<T> completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Func<ISqlSession, T> write;
    private readonly CancellationTokenRegistration cancellation;
    private T? result;

    public PendingWrite(
        Func<ISqlSession, T> write,
        WriteScope scope,
        bool isExclusive,
        long queuedAt,
        CancellationToken cancellationToken)
        : base(scope, isExclusive, queuedAt)
    {
        this.write = write;
        cancellation = cancellationToken.UnsafeRegister(
            static (self, token) => ((PendingWrite<T>)self!).Withdraw(token), // Never null: it is what we passed.
            this);
    }

    public Task<T> Task => completion.Task;

    public override void Run(ISqlSession session)
    {
        Failure = null;
        try
        {
            result = write(session);
        }
#pragma warning disable CA1031 // Whatever the caller's delegate throws is the caller's answer.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Failure = exception;
        }
    }

    public override void Answer()
    {
        if (Failure is { } failure)
        {
            Fail(failure);
            return;
        }

        cancellation.Unregister();
        completion.TrySetResult(result!); // Set by the run that did not fail.
    }

    public override void Fail(Exception exception)
    {
        cancellation.Unregister();
        completion.TrySetException(exception);
    }

    private void Withdraw(CancellationToken token)
    {
        if (TryWithdraw()) completion.TrySetCanceled(token);
    }
}
