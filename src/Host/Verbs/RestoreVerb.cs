using System.CommandLine;
using System.Text.Json.Nodes;
using Groundwork.Host.Api;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Output;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Hosting.Logging;
using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Storage.Backup;
using Microsoft.Extensions.Logging;

namespace Groundwork.Host.Verbs;

/// <summary><c>restore</c>: opens the data directory itself, because no node may run on what it replaces.</summary>
internal static class RestoreVerb
{
    private static readonly Argument<string> Archive = new("file") { Description = "What backup has written" };

    private static readonly Option<bool> Force = new("--force")
    {
        Description = "Replace the store that is there",
    };

    public static Command Create() => ProcessFlags.With(
        new Verb("restore", "Restore a backup where no node runs; the root key must be there.",
            "restore monday.backup --data /var/lib/groundwork", RestoreAsync)
        {
            Archive, Force,
        });

    private static async Task<int> RestoreAsync(Call call)
    {
        if (call.Parsed.GetValue(SharedOptions.Server) is not null)
            throw VerbFailure.Usage("restore replaces the store of this machine's node; --server does not go with it");
        var configuration = ProcessFlags.Require(call, call.Surroundings.WorkingDirectory, ApiTarget.SystemDirectory);
        if (configuration.Follow is not null)
            throw VerbFailure.Usage("a node that follows another has no store to restore");
        var path = Path.GetFullPath(call.Required(Archive), call.Surroundings.WorkingDirectory);
        await using var archive = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        await using var logs = new ConsoleLogs(call.Terminal.Error, call.Time, LogLevel.Warning);
        using var progress = new Progress(call.Terminal, call.Time, "restoring");
        var restore = new NodeRestore(new NodeRestoreParts(
            configuration, NodeComposition.All(configuration), $"local:{Environment.UserName}", call.Time, logs));
        try
        {
            var outcome = await restore.RunAsync(
                archive, call.Get(Force), new Bytes(progress), call.Cancellation);
            if (!outcome.TryGet(out var restored, out var fault)) throw VerbFailure.From(fault);
            Print(call, restored);
            return ExitCodes.Ok;
        }
        catch (StorageException failure)
        {
            throw VerbFailure.From(failure.Fault);
        }
    }

    private static void Print(Call call, RestoredStore restored)
    {
        var backup = restored.Backup;
        var document = new JsonObject
        {
            ["storeId"] = restored.StoreId,
            ["revision"] = restored.Revision,
            ["backup"] = new JsonObject
            {
                ["storeId"] = backup.StoreId.ToString("N"),
                ["revision"] = backup.Revision,
                ["createdAt"] = backup.Created.ToString("O"),
                ["engine"] = backup.Engine,
                ["rows"] = backup.Tables.Sum(table => table.Rows),
            },
        };
        call.Answer.Print(
            document,
            $"restored revision {backup.Revision} of {ReadVerbs.Text(backup.Created)}; the store goes on after "
            + $"revision {restored.Revision} as {restored.StoreId}");
        if (call.Answer.IsTable)
        {
            call.Terminal.Error.WriteLine(
                "everybody signs in anew; access keys that were revoked after the backup are in force again");
        }
    }

    private sealed class Bytes(Progress progress) : IProgress<BackupProgress>
    {
        public void Report(BackupProgress value) => progress.Report(value.Bytes);
    }
}
