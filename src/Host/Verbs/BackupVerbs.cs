using System.CommandLine;
using Groundwork.Host.Api;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Output;

namespace Groundwork.Host.Verbs;

/// <summary><c>backup</c>: from a running node, under load.</summary>
internal static class BackupVerbs
{
    private const int BufferBytes = 128 * 1024;

    private static readonly Argument<string> File = new("file") { Description = "New file, or - for standard output" };

    public static Command CreateBackup() =>
        new Verb("backup", "Take a backup of a running node. The root key is not in it.", "backup monday.backup",
            BackupAsync)
        {
            File,
        };

    private static async Task<int> BackupAsync(Call call)
    {
        using var connection = call.Connect();
        var name = call.Required(File);
        var path = name == ResourceFiles.StandardInput
            ? null
            : Path.GetFullPath(name, call.Surroundings.WorkingDirectory);
        if (path is not null && System.IO.File.Exists(path))
            throw VerbFailure.Usage($"{path} exists; a backup overwrites nothing");
        if (Path.GetDirectoryName(path) is { } folder && !Directory.Exists(folder))
            throw VerbFailure.Usage($"there is no directory {folder}");
        using var progress = new Progress(call.Terminal, call.Time, "backing up");
        using var answer = await connection.OpenAsync(ApiRequest.Post("backup"), call.Cancellation);
        var total = path is null
            ? await CopyAsync(connection, answer, call.Terminal.OpenOutput(), progress, call.Cancellation)
            : await SaveAsync(connection, answer, path, progress, call.Cancellation);
        call.Terminal.Error.WriteLine(
            $"{Progress.Size(total)} written; keep the root key file beside it, without it the backup cannot be "
            + "opened");
        return ExitCodes.Ok;
    }

    /// <summary>
    /// Written beside and renamed when it is whole and on disk: half a backup must not look like one.
    /// </summary>
    private static async Task<long> SaveAsync(
        ApiConnection connection, HttpResponseMessage answer, string path, Progress progress,
            CancellationToken cancellationToken)
    {
        var beside = $"{path}.partial";
        try
        {
            long total;
            var options = new FileStreamOptions
            {
                Mode = FileMode.Create,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            };
            using (var file = new FileStream(beside, options))
            {
                total = await CopyAsync(connection, answer, file, progress, cancellationToken);
                file.Flush(flushToDisk: true);
            }
            System.IO.File.Move(beside, path, overwrite: false);
            return total;
        }
        catch
        {
            System.IO.File.Delete(beside);
            throw;
        }
    }

    private static async Task<long> CopyAsync(
        ApiConnection connection, HttpResponseMessage answer, Stream output, Progress progress,
            CancellationToken cancellationToken)
    {
        try
        {
            var input = await answer.Content.ReadAsStreamAsync(cancellationToken);
            var buffer = new byte[BufferBytes];
            var total = 0L;
            int read;
            while ((read = await input.ReadAsync(buffer, cancellationToken)) > 0)
            {
                await output.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                progress.Report(total += read);
            }
            await output.FlushAsync(cancellationToken);
            return total;
        }
        catch (HttpRequestException fault)
        {
            throw connection.BrokenOff(fault);
        }
    }
}
