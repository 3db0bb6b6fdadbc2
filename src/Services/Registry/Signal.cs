namespace Groundwork.Services.Registry;

/// <summary>
/// Wakes one loop: set by anyone, any number of times; the next or the current wait returns once for all of them.
/// </summary>
internal sealed class Signal
{
    private readonly Lock gate = new(); // Innermost lock.
    private TaskCompletionSource? waiter;
    private bool isSet;

    public void Set()
    {
        TaskCompletionSource? woken;
        lock (gate)
        {
            woken = waiter;
            waiter = null;
            if (woken is null) isSet = true;
        }
        woken?.TrySetResult();
    }

    /// <summary>Completes when set, or after the time given. One waiter at a time.</summary>
    /// <returns>True when it was set.</returns>
    public async Task<bool> WaitAsync(TimeSpan patience, TimeProvider time, CancellationToken cancellationToken)
    {
        Task wait;
        lock (gate)
        {
            if (isSet)
            {
                isSet = false;
                return true;
            }
            waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            wait = waiter.Task;
        }
        try
        {
            await wait.WaitAsync(patience, time, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return Withdraw();
        }
        catch (OperationCanceledException)
        {
            Withdraw();
            throw;
        }
    }

    // True when it was set between the timeout and here.
    private bool Withdraw()
    {
        lock (gate)
        {
            var wasWoken = waiter is null;
            waiter = null;
            return wasWoken;
        }
    }
}
