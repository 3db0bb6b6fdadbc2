using System.Text.Json;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.Registry.Following;

/// <summary>
/// The follower's copy on disk, one service a line, replaced as a whole: what it starts from when the node is away.
/// </summary>
internal sealed partial class FollowerCopy(string path, TimeProvider time, ILogger logger)
{
    /// <summary>Changes of so long are written together; a copy some seconds old serves as well.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly Signal changed = new();

    public void Changed() => changed.Set();

    /// <summary>What the copy holds; empty when there is none. A line that cannot be read is passed over.</summary>
    public async Task<IReadOnlyList<ServiceDocument>> LoadAsync(CancellationToken cancellationToken)
    {
        var documents = new List<ServiceDocument>();
        if (!File.Exists(path)) return documents;
        await foreach (var line in File.ReadLinesAsync(path, cancellationToken))
        {
            try
            {
                if (JsonSerializer.Deserialize(line, WireJson.Lenient.ServiceDocument) is { } document)
                    documents.Add(document);
            }
            catch (JsonException fault)
            {
                LogDamaged(path, fault.Message);
            }
        }
        return documents;
    }

    public async Task RunAsync(
        Func<IEnumerable<ServiceView>> views, Func<string?> storeId, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (!await changed.WaitAsync(Timeout.InfiniteTimeSpan, time, cancellationToken)) continue;
            try
            {
                await WriteAsync(views(), storeId() ?? "", cancellationToken);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                LogNotWritten(path, failure.Message);
            }
            await Task.Delay(Interval, time, cancellationToken);
        }
    }

    private async Task WriteAsync(IEnumerable<ServiceView> views, string storeId, CancellationToken cancellationToken)
    {
        var next = path + ".next";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using (var file = new FileStream(next, options))
        {
            foreach (var view in views)
            {
                var line = JsonSerializer.SerializeToUtf8Bytes(
                    InstanceDocuments.Write(view, storeId), WireJson.Strict.ServiceDocument);
                await file.WriteAsync(line, cancellationToken);
                file.WriteByte((byte)'\n');
            }
            file.Flush(flushToDisk: true);
        }
        File.Move(next, path, overwrite: true);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A line of {Path} cannot be read and is passed over: {Reason}")]
    private partial void LogDamaged(string path, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The copy {Path} cannot be written: {Reason}")]
    private partial void LogNotWritten(string path, string reason);
}
