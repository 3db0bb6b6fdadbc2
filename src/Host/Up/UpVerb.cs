using System.Collections.Immutable;
using System.CommandLine;
using Groundwork.Host.Api;
using Groundwork.Host.CommandLine;
using Groundwork.Kernel.Hosting;

namespace Groundwork.Host.Up;

/// <summary><c>up DIR</c>: a node on embedded engines and the services of <c>DIR/up.yaml</c>, until Ctrl-C.</summary>
internal static class UpVerb
{
    private static readonly Argument<string> Folder = new("directory")
    {
        Description = $"Directory with {UpFile.FileName} (default: this one)",
        HelpName = "DIR",
        DefaultValueFactory = _ => ".",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public static Command Create() => ProcessFlags.With(
        new Verb("up", "Build and run the services of DIR/up.yaml with a node; Ctrl-C stops them.", "up samples/Shop",
            RunAsync)
        {
            EndsWellWhenStopped = true,
            Arguments = { Folder },
        });

    private static async Task<int> RunAsync(Call call)
    {
        if (call.Parsed.GetValue(SharedOptions.Server) is not null)
            throw VerbFailure.Usage("up starts a node of its own; --server does not go with it");
        var file = Read(call);
        var configuration = ProcessFlags.Require(
            call, file.Directory, ApiTarget.UpDirectory) with { NextFreePort = true };
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(call.Cancellation);
        // The node starts while the compiler works; neither needs the other.
        var building = new ProjectBuild(call.Terminal, call.Time).RunAsync(Projects(file), stopping.Token);
        await using var session = new UpSession(call, file, configuration);
        try
        {
            await session.StartNodeAsync(stopping.Token);
            var assemblies = await building;
            await session.RunServicesAsync(assemblies, stopping.Token);
        }
        finally
        {
            await stopping.CancelAsync(); // Ends the build when the node did not start.
            await ((Task)building).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await session.StopAsync();
        }
        return ExitCodes.Ok;
    }

    private static UpFile Read(Call call)
    {
        var folder = Path.GetFullPath(call.Get(Folder) ?? ".", call.Surroundings.WorkingDirectory);
        var (file, faults) = UpFileReader.Read(folder);
        if (file is not null) return file;
        var path = Path.Combine(folder, UpFile.FileName);
        throw VerbFailure.Usage(
            $"{UpFile.FileName} has faults", faults.Select(fault => VerbFailure.Describe(path, fault)));
    }

    private static ImmutableArray<string> Projects(UpFile file) =>
    [
        .. file.Services
            // An optional service may not have been written yet.
            .Where(service => service.Project is not null && (!service.Optional || File.Exists(service.Project)))
            .Select(service => service.Project!) // Filtered just above.
            .Distinct(StringComparer.Ordinal),
    ];
}
