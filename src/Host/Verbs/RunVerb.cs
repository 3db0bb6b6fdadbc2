using System.CommandLine;
using Groundwork.Host.Api;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Processes;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Hosting.Logging;
using Groundwork.Wire;

namespace Groundwork.Host.Verbs;

/// <summary><c>run</c>: a node, until SIGTERM or Ctrl-C; then it drains, and a second signal hurries.</summary>
internal static class RunVerb
{
    public static Command Create() => ProcessFlags.With(
        new Verb(
            "run", "Run a node; SIGTERM drains and stops it.", "run --config /etc/groundwork/groundwork.yaml", RunAsync)
        {
            EndsWellWhenStopped = true,
        });

    private static async Task<int> RunAsync(Call call)
    {
        if (call.Parsed.GetValue(SharedOptions.Server) is not null)
            throw VerbFailure.Usage("run starts a node; --server does not go with it");
        var configuration = ProcessFlags.Require(call, call.Surroundings.WorkingDirectory, ApiTarget.SystemDirectory);
        using var succession = Succession.OfProcess();
        var kept = await ServeAsync(call, configuration, succession.Asked);
        // From here on clients wait.
        if (kept is not null)
            throw VerbFailure.From(new Fault(
                ErrorCodes.Internal, $"This process cannot give way to a new one: {Succession.Give(kept)}."));
        return ExitCodes.Ok;
    }

    /// <summary>Runs a node until it is to end; its sockets when another is to take its place.</summary>
    private static async Task<IReadOnlyDictionary<string, int>?> ServeAsync(
        Call call, ProcessConfiguration configuration, CancellationToken giveWay)
    {
        await using var logs = new ConsoleLogs(call.Terminal.Out, call.Time);
        await using var node = await NodeComposition.StartAsync(configuration, call.Time, logs, call.Cancellation);
        PrintPassword(call, node);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(call.Cancellation, giveWay);
        await Task.Delay(Timeout.InfiniteTimeSpan, call.Time, either.Token)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var kept = call.Cancellation.IsCancellationRequested ? null : node.Node.Listeners.KeepSockets();
        await node.StopAsync(call.Interruption.Insisted);
        // Who wants the end meanwhile gets it.
        return call.Cancellation.IsCancellationRequested ? null : kept;
    }

    /// <summary>To a person at a terminal only: a log is kept and shipped. Its file's path is harmless.</summary>
    private static void PrintPassword(Call call, NodeHost node)
    {
        if (node.FirstPassword is not { } first) return;
        if (call.Terminal.IsErrorInteractive)
        {
            call.Terminal.Error.WriteLine($"groundwork: operator admin, password {first.Password} (shown this once)");
            first.Shown();
        }
        else
        {
            call.Terminal.Error.WriteLine($"groundwork: operator admin; the password is in {first.Path}");
        }
    }
}
