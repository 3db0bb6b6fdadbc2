using System.Diagnostics;

namespace Groundwork.Load;

/// <summary>What one measured run of one contender showed.</summary>
/// <param name="ServerCpu">CPU time of the serving process; null when it is the generator's own.</param>
/// <param name="GeneratorCpu">CPU time of this process.</param>
/// <param name="AllocatedBytes">Managed bytes allocated in this process.</param>
internal sealed record Sample(
    TimeSpan Took, TimeSpan? ServerCpu, TimeSpan GeneratorCpu, long AllocatedBytes, LatencyHistogram Latencies)
{
    /// <summary>The scenario's own figure.</summary>
    public double? Figure { get; init; }

    public long Operations => Latencies.Count;

    public double PerSecond => Operations / Took.TotalSeconds;

    public double? ServerMicros => ServerCpu?.TotalMicroseconds / Operations;

    public double GeneratorMicros => GeneratorCpu.TotalMicroseconds / Operations;

    public double BytesPerOperation => (double)AllocatedBytes / Operations;
}

/// <summary>
/// Runs the contenders in turn, round after round, so that what drifts on the machine drifts for all of them.
/// </summary>
internal static class Runner
{
    public static async Task<IReadOnlyDictionary<string, IReadOnlyList<Sample>>> RunAsync(
        Scenario scenario, LoadOptions options, TimeProvider time)
    {
        var contenders = Chosen(scenario, options);
        var samples = contenders.ToDictionary(contender => contender.Name, _ => new List<Sample>());
        for (var round = 1; round <= options.Rounds; round++)
        {
            foreach (var contender in contenders)
            {
                var running = await contender.StartAsync(options);
                try
                {
                    await MeasureAsync(running, options.Workers, options.WarmUp, time);
                    var sample = await MeasureAsync(running, options.Workers, options.Measured, time);
                    samples[contender.Name].Add(sample with { Figure = running.Figure });
                    Console.Error.WriteLine($"round {round} {contender.Name}: {sample.PerSecond:0}/s");
                }
                finally
                {
                    await running.StopAsync();
                }
            }
        }
        return samples.ToDictionary(entry => entry.Key, entry => (IReadOnlyList<Sample>)entry.Value);
    }

    /// <summary>The contenders that the options leave.</summary>
    public static IReadOnlyList<Contender> Chosen(Scenario scenario, LoadOptions options) =>
        options.Only == 0 ? scenario.Contenders : [scenario.Contenders[options.Only - 1]];

    private static async Task<Sample> MeasureAsync(Running running, int workers, TimeSpan duration, TimeProvider time)
    {
        using var self = Process.GetCurrentProcess();
        using var stop = new CancellationTokenSource();
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        var serverCpu = running.Server?.CpuTime;
        var ownCpu = self.TotalProcessorTime;
        var started = time.GetTimestamp();

        var loops = Enumerable.Range(0, workers)
            .Select(worker => Task.Run(() => WorkAsync(running, worker, time, stop.Token))).ToList();
        // A worker that fails ends the run at once, with its exception.
        var failed = Task.WhenAny(loops);
        if (await Task.WhenAny(failed, Task.Delay(duration, time)) == failed) await await failed;
        await stop.CancelAsync();
        var latencies = await Task.WhenAll(loops);

        var took = time.GetElapsedTime(started);
        self.Refresh();
        var sum = new LatencyHistogram();
        foreach (var one in latencies) sum.Add(one);
        return new Sample(
            took,
            running.Server?.CpuTime - serverCpu,
            self.TotalProcessorTime - ownCpu,
            GC.GetTotalAllocatedBytes(precise: true) - allocated,
            sum);
    }

    private static async Task<LatencyHistogram> WorkAsync(
        Running running, int worker, TimeProvider time, CancellationToken stop)
    {
        var latencies = new LatencyHistogram();
        var (begun, due) = (time.GetTimestamp(), TimeSpan.Zero);
        while (!stop.IsCancellationRequested)
        {
            if (running.Pace > TimeSpan.Zero)
            {
                var early = due - time.GetElapsedTime(begun);
                due += running.Pace;
                if (early > TimeSpan.Zero) await Task.Delay(early, time, CancellationToken.None);
            }
            var started = time.GetTimestamp();
            // Not the stop token: an operation that has begun is finished and counted.
            await running.Operation(worker, CancellationToken.None);
            latencies.Add(time.GetElapsedTime(started));
        }
        return latencies;
    }
}
