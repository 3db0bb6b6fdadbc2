namespace Groundwork.Load;

/// <summary>
/// A question about speed, with ours and at least one peer to answer it side by side, in the same run.
/// </summary>
internal abstract class Scenario
{
    /// <summary>The argument that chooses it.</summary>
    public abstract string Name { get; }

    /// <summary>What the figures answer, one sentence.</summary>
    public abstract string Question { get; }

    /// <summary>Operations under way at once, when the question leaves no choice; null: the options say.</summary>
    public virtual int? Workers => null;

    /// <summary>What a figure of the scenario's own is called, with its unit; null: there is none.</summary>
    public virtual string? Figure => null;

    /// <summary>The contenders; the last is the peer to which the others' ratios refer.</summary>
    public abstract IReadOnlyList<Contender> Contenders { get; }

    /// <summary>
    /// Runs a server of this scenario in this process, which <see cref="ServerProcess.StartSelf"/> started for that:
    /// the CPU of server and generator are then two figures.
    /// </summary>
    public virtual Task<int> ServeAsync(string[] arguments) =>
        throw new NotSupportedException($"{Name} has no server of its own.");
}

/// <summary>One side of a comparison.</summary>
/// <param name="StartAsync">Starts what is measured and returns when it answers.</param>
internal sealed record Contender(string Name, Func<LoadOptions, Task<Running>> StartAsync);

/// <summary>A contender that answers.</summary>
/// <param name="Operation">
/// One operation of the worker with this number, awaited to its end; a worker runs one at a time. Throws if the answer
/// is wrong: an error is no operation.
/// </param>
/// <param name="Server">The process that serves; null when all happens in the generator's own.</param>
/// <param name="StopAsync">Ends what was started.</param>
internal sealed record Running(
    Func<int, CancellationToken, Task> Operation, ServerProcess? Server, Func<Task> StopAsync)
{
    /// <summary>
    /// From the begin of a worker's operation to the begin of its next; zero: at once. The wait is not measured.
    /// </summary>
    public TimeSpan Pace { get; init; }

    /// <summary>The scenario's own figure.</summary>
    public double? Figure { get; init; }

    /// <summary>A contender that each worker calls over a connection of its own, with the numbers 0, 1, 2…</summary>
    /// <param name="owner">Disposed of last, after the connections.</param>
    public static async Task<Running> OverConnectionsAsync<TConnection>(
        LoadOptions options,
        Func<Task<TConnection>> connect,
        Func<TConnection, int, ValueTask> call,
        ServerProcess server,
        IAsyncDisposable owner)
        where TConnection : IDisposable
    {
        var connections = new TConnection[options.Workers];
        for (var worker = 0; worker < connections.Length; worker++) connections[worker] = await connect();
        var counters = new int[options.Workers];
        return new Running(
            async (worker, _) => await call(connections[worker], counters[worker]++ * options.Workers + worker),
            server,
            async () =>
            {
                foreach (var connection in connections) connection.Dispose();
                await owner.DisposeAsync();
            });
    }
}
