using System.Buffers;
using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Calling;

/// <summary>
/// The same request to another instance while the first still owes its answer: over a connection of its own, up to the
/// head. Whoever takes the answer takes the connection with it; else it is closed, since the rest of the answer is
/// nobody's.
/// </summary>
internal sealed class SecondCall(
    InstancePool pool, ReadOnlyMemory<byte> message, byte[] rented, ResponseHead answer, KnownMethod method,
    TimeProvider time) : IEndable
{
    private readonly CancellationTokenSource ending = new(); // Never disposed: it has no timer, and ends may be late.
    private InstanceConnection? connection; // The caller's task's, until it is taken.

    public InstancePool Pool => pool;

    public ResponseHead Answer => answer;

    /// <summary>Why it failed.</summary>
    public Exception? Cause { get; private set; }

    /// <summary>Sends it, and reads the head of its answer. Never throws for what an instance does.</summary>
    /// <param name="limit">Of all that.</param>
    public async Task<CallFailure> SendAsync(TimeSpan connectLimit, TimeSpan limit)
    {
        using var patience = new CancellationTokenSource(limit, time);
        await using var late = patience.Token.UnsafeRegister(static self => ((SecondCall)self!).Abort(), this);
        var taken = pool.TryTake(time.GetTimestamp());
        if (taken is null)
        {
            (taken, var failure, Cause) = await pool.OpenAsync(connectLimit, ending.Token);
            if (taken is null) return ending.IsCancellationRequested ? Ended(patience) : failure;
        }
        await using var told = ending.Token.UnsafeRegister(static one => ((InstanceConnection)one!).Abort(), taken);
        try
        {
            await taken.SendAsync(message);
            await AnswerHeads.ReadAsync(taken, answer, method);
            // From here on its end is the taker's.
            if (!told.Unregister()) throw new IOException("it was ended");
            if (answer.Status == 101)
                throw new InvalidDataException("it switched to a protocol that was not asked for");
            connection = taken;
            return CallFailure.None;
        }
        catch (Exception fault) when (Exchanges.Exchange.IsBroken(fault))
        {
            Cause = fault;
            var wasReused = taken.IsReused;
            pool.Close(taken);
            return ending.IsCancellationRequested ? Ended(patience)
                : wasReused && answer.Fields.Filled == 0 ? CallFailure.KeptClosed : CallFailure.Broken;
        }
    }

    /// <summary>Ends it at once, from any thread.</summary>
    public void Abort() => ending.Cancel();

    /// <summary>Takes the connection over, once the head is there.</summary>
    public InstanceConnection Take()
    {
        var taken = connection ?? throw new InvalidOperationException("There is no answer to take.");
        connection = null;
        return taken;
    }

    /// <summary>Gives up what nobody has taken; the call is over.</summary>
    /// <param name="unused">A head that is not needed.</param>
    public void Close(ResponseHead unused)
    {
        if (connection is { } left) pool.Close(left);
        connection = null;
        unused.Release();
        ArrayPool<byte>.Shared.Return(rented);
    }

    private static CallFailure Ended(CancellationTokenSource patience) =>
        patience.IsCancellationRequested ? CallFailure.Timeout : CallFailure.Outrun;
}
