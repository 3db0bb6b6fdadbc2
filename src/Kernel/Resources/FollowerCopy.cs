using System.Text.Json;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Resources;

/// <summary>
/// The follower's copy on disk: the newest snapshot as lines of JSON, secrets masked as the node sent them. Replaced
/// whole, so that a crash leaves the one before; losing it costs nothing but a start while the node is away.
/// </summary>
internal sealed partial class FollowerCopy(string path, ILogger<FollowerCopy> log) : IDisposable
{
    private readonly Lock gate = new();
    private Snapshot? waiting;
    private Task? writing; // Null when nothing waits.

    /// <summary>The copy, or null when there is none that can be read.</summary>
    public (SnapshotHead Head, List<ResourceDocument> Resources)? Read()
    {
        try
        {
            if (!File.Exists(path)) return null;
            using var reader = new StreamReader(path);
            var head = JsonSerializer.Deserialize(reader.ReadLine() ?? "null", WireJson.Lenient.SnapshotHead);
            if (head is null) return null;
            var documents = new List<ResourceDocument>();
            while (reader.ReadLine() is { } line)
                if (JsonSerializer.Deserialize(line, WireJson.Lenient.ResourceDocument) is { } document)
                    documents.Add(document);
            return (head, documents);
        }
        catch (Exception fault) when (fault is IOException or JsonException or UnauthorizedAccessException)
        {
            Unreadable(log, fault, path);
            return null;
        }
    }

    public void Write(SnapshotHead head, IEnumerable<ResourceDocument> documents)
    {
        try
        {
            var partial = path + ".new";
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using (var writer = new StreamWriter(partial, options))
            {
                writer.WriteLine(JsonSerializer.Serialize(head, WireJson.Lenient.SnapshotHead));
                foreach (var document in documents)
                    writer.WriteLine(JsonSerializer.Serialize(document, WireJson.Lenient.ResourceDocument));
            }
            File.Move(partial, path, overwrite: true);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            NotWritten(log, fault, path);
        }
    }

    /// <summary>Writes the newest of the snapshots given, one at a time, off the caller's thread.</summary>
    public void Write(Snapshot snapshot)
    {
        lock (gate)
        {
            waiting = snapshot;
            writing ??= Task.Run(WriteWaiting);
        }
    }

    private void WriteWaiting()
    {
        while (true)
        {
            Snapshot? next;
            lock (gate)
            {
                (next, waiting) = (waiting, null);
                if (next is null)
                {
                    writing = null;
                    return;
                }
            }
            Write(new SnapshotHead(next.StoreId, next.Revision), Documents(next));
        }
    }

    private static IEnumerable<ResourceDocument> Documents(Snapshot snapshot) => snapshot.Kinds
        .SelectMany(kind => snapshot.Of(kind).Values)
        .Select(resource => new ResourceDocument(
            resource.Key.Kind,
            resource.Key.Name,
            resource.Key.Namespace,
            resource.Version,
            resource.Labels,
            resource.Spec.IsEmpty ? null : ResourceDocuments.Parse(resource.Spec),
            resource.Revision,
            resource.ChangedBy,
            resource.ChangedAt));

    public void Dispose()
    {
        Task? last;
        lock (gate) last = writing;
        last?.Wait();
    }

    [LoggerMessage(LogLevel.Warning, "The copy {Path} cannot be read; it is made anew.")]
    private static partial void Unreadable(ILogger log, Exception fault, string path);

    [LoggerMessage(LogLevel.Warning, "The copy {Path} cannot be written; a start while the node is away would fail.")]
    private static partial void NotWritten(ILogger log, Exception fault, string path);
}
