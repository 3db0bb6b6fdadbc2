namespace Groundwork.Kernel.Hosting.Metering;

/// <summary>What every process shows, under the names that Prometheus has for it, and the runtime's own.</summary>
internal sealed class ProcessFigures(DateTimeOffset startedAt, string version) : IMetricsSource
{
    public void Write(MetricsText text)
    {
        text.Family("groundwork_build_info", "gauge", "1, with the version that runs.");
        text.Sample(1, ("version", version));
        text.Family("process_start_time_seconds", "gauge", "When the process started, in seconds since 1970.");
        text.Sample(startedAt.ToUnixTimeMilliseconds() / 1000.0);
        var usage = Environment.CpuUsage;
        text.Family("process_cpu_seconds_total", "counter", "Processor time of the process, its own and the system's.");
        text.Sample(usage.TotalTime.TotalSeconds);
        text.Family("process_resident_memory_bytes", "gauge", "Memory that the process holds.");
        text.Sample(Environment.WorkingSet);
        text.Family("dotnet_allocated_bytes_total", "counter", "Bytes allocated by managed code.");
        text.Sample(GC.GetTotalAllocatedBytes());
        text.Family("dotnet_collections_total", "counter", "Garbage collections by generation.");
        for (var generation = 0; generation <= GC.MaxGeneration; generation++)
            text.Sample(GC.CollectionCount(generation), ("generation", $"{generation}"));
        text.Family("dotnet_pause_seconds_total", "counter", "Time for which collections have stopped the process.");
        text.Sample(GC.GetTotalPauseDuration().TotalSeconds);
        text.Family("dotnet_threads", "gauge", "Threads of the pool.");
        text.Sample(ThreadPool.ThreadCount);
        text.Family("dotnet_queued_work_items", "gauge", "Work that waits for a thread of the pool.");
        text.Sample(ThreadPool.PendingWorkItemCount);
    }
}
