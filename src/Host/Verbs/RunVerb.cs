using System.CommandLine;
using Groundwork.Host.Api;
using Groundwork.Host.CommandLine;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Hosting.Logging;

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
        await using var logs = new ConsoleLogs(call.Terminal.Out, call.Time);
        await using var node = await NodeComposition.StartAsync(configuration, call.Time, logs, call.Cancellation);
        PrintPassword(call, node);
        await Task.Delay(Timeout.InfiniteTimeSpan, call.Time, call.Cancellation)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await node.StopAsync(call.Interruption.Insisted);
        return ExitCodes.Ok;
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
