using System.Collections.Immutable;
using System.ComponentModel;
using System.Diagnostics;
using Groundwork.Host.Processes;

namespace Groundwork.Host.Up;

internal enum ReplicaState { Waiting, Starting, Healthy, Unhealthy, BackingOff, Stopping, Stopped }

/// <summary>What is known of a replica at one moment.</summary>
/// <param name="Reason">Why it is so, where that is not plain.</param>
internal sealed record ReplicaStatus(
    ReplicaState State, int Port = 0, int ProcessId = 0, int Restarts = 0, string Reason = "");

/// <summary>How to run a replica on a port.</summary>
internal sealed record ReplicaStart(
    ImmutableArray<string> Command, string WorkingDirectory, ImmutableDictionary<string, string?> Environment);

/// <summary>
/// One instance of a service: started, watched, restarted with growing delays, and stopped with SIGTERM, then SIGKILL.
/// </summary>
internal sealed class Replica(
    ServiceDefinition service,
    int number,
    Func<int, ReplicaStart> start,
    Launcher launcher,
    LoopbackPorts ports,
    LogPrinter log,
    SupervisionOptions options,
    TimeProvider time)
{
    private readonly TaskCompletionSource healthy = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ReplicaStatus status = new(ReplicaState.Waiting);

    public ServiceDefinition Service => service;

    public string Id { get; } = service.InstanceId(number);

    public ReplicaStatus Status => Volatile.Read(ref status);

    private int? WantedPort => number <= service.Ports.Length ? service.Ports[number - 1] : null;

    /// <summary>Completes when the instance is healthy for the first time.</summary>
    public Task Healthy => healthy.Task;

    /// <summary>Runs the replica until told to stop.</summary>
    /// <param name="stopping">Stop with SIGTERM and patience.</param>
    /// <param name="killing">Stop with SIGKILL at once.</param>
    public async Task RunAsync(CancellationToken stopping, CancellationToken killing)
    {
        for (var failures = 0; !stopping.IsCancellationRequested;)
        {
            var started = time.GetTimestamp();
            var end = await RunOnceAsync(stopping, killing);
            if (stopping.IsCancellationRequested) break;
            failures = time.GetElapsedTime(started) >= options.StableAfter ? 1 : failures + 1;
            var delay = options.Delay(failures);
            Set(Status with { State = ReplicaState.BackingOff, ProcessId = 0, Reason = end });
            await log.EventAsync(Id, $"{end}; starts again in {delay.TotalSeconds:0.##} s");
            await Task.Delay(delay, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Set(Status with { Restarts = Status.Restarts + 1 });
        }
        Set(Status with { State = ReplicaState.Stopped, ProcessId = 0, Reason = "" });
    }

    /// <summary>One run of the process.</summary>
    /// <returns>How it ended.</returns>
    private async Task<string> RunOnceAsync(CancellationToken stopping, CancellationToken killing)
    {
        var port = ports.Take(Status.Port != 0 ? Status.Port : WantedPort);
        var run = start(port);
        Process process;
        try
        {
            process = await launcher.StartAsync(run.Command, run.WorkingDirectory, run.Environment);
        }
        catch (Win32Exception fault)
        {
            return $"cannot be started: {fault.Message}";
        }
        using (process)
        {
            Set(Status with { State = ReplicaState.Starting, Port = port, ProcessId = process.Id, Reason = "" });
            using var ended = new CancellationTokenSource();
            var output = Task.WhenAll(
                PumpAsync(process.StandardOutput, ended.Token), PumpAsync(process.StandardError, ended.Token));
            using var probing = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            var probe = WatchHealthAsync(port, probing.Token);
            await process.WaitForExitAsync(stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await probing.CancelAsync();
            await probe;
            if (!process.HasExited) await StopAsync(process, killing);
            Posix.SignalGroup(process.Id, Posix.SigKill); // What the process itself started and left behind.
            ended.CancelAfter(options.OutputPatience);
            await output;
            return process.ExitCode > 128
                ? $"was ended by signal {process.ExitCode - 128}"
                : $"exited with code {process.ExitCode}";
        }
    }

    private async Task StopAsync(Process process, CancellationToken killing)
    {
        Set(Status with { State = ReplicaState.Stopping, Reason = "" });
        Posix.SignalProcessOrGroup(process.Id, Posix.SigTerm);
        using var patience = new CancellationTokenSource(options.StopPatience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, killing);
        await process.WaitForExitAsync(either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (process.HasExited) return;
        if (!killing.IsCancellationRequested)
            await log.EventAsync(Id, $"did not stop within {options.StopPatience.TotalSeconds:0.##} s and is killed");
        Posix.SignalProcessOrGroup(process.Id, Posix.SigKill);
        await process.WaitForExitAsync(CancellationToken.None);
    }

    private async Task PumpAsync(StreamReader output, CancellationToken ended)
    {
        try
        {
            await LineReader.ReadAsync(output, line => log.LineAsync(Id, line), ended);
        }
        catch (OperationCanceledException)
        {
            // Something the child started still holds its output; we have waited for it.
        }
    }

    private async Task WatchHealthAsync(int port, CancellationToken cancellationToken)
    {
        if (service.Health is null)
        {
            Set(Status with { State = ReplicaState.Healthy });
            healthy.TrySetResult();
            return;
        }
        using var probe = new HealthProbe(port, service.Health, options.ProbeTimeout, time);
        for (var failures = 0; !cancellationToken.IsCancellationRequested;)
        {
            var fault = await probe.AskAsync(cancellationToken);
            if (cancellationToken.IsCancellationRequested) return;
            failures = fault is null ? 0 : failures + 1;
            if (fault is null) BecomeHealthy();
            else if (Status.State != ReplicaState.Healthy) Set(Status with { Reason = fault });
            else if (failures >= options.UnhealthyAfter)
            {
                Set(Status with { State = ReplicaState.Unhealthy, Reason = fault });
                await log.EventAsync(Id, $"is unhealthy: {fault}");
            }
            var interval = Status.State == ReplicaState.Healthy ? options.ProbeInterval : options.StartingProbeInterval;
            await Task.Delay(interval, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void BecomeHealthy()
    {
        if (Status.State == ReplicaState.Healthy) return;
        Set(Status with { State = ReplicaState.Healthy, Reason = "" });
        healthy.TrySetResult();
    }

    private void Set(ReplicaStatus next) => Volatile.Write(ref status, next);
}
