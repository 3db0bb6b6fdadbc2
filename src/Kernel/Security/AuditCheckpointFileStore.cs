using System.Text;
using System.Text.Json;

namespace Groundwork.Kernel.Security;

/// <summary>
/// The file of checkpoints: one line of JSON each, appended and synced. It belongs on another disk or in a log
/// collector as well: what an intruder cannot reach he cannot rewrite.
/// </summary>
internal sealed class AuditCheckpointFileStore(string path)
{
    public const string Name = "audit-checkpoints.log";

    /// <summary>Bytes that are read back: 40 years of hourly checkpoints.</summary>
    private const long MaxBytes = 256L * 1024 * 1024;

    public string Path => path;

    /// <summary>
    /// All whole lines. A last line without its end was cut by a crash while it was written and vouches for nothing.
    /// </summary>
    public (List<AuditCheckpoint> Checkpoints, List<string> Damage) Read()
    {
        var checkpoints = new List<AuditCheckpoint>();
        var damage = new List<string>();
        if (!File.Exists(path)) return (checkpoints, damage);
        if (new FileInfo(path).Length > MaxBytes)
        {
            damage.Add($"{path} is over {MaxBytes} bytes.");
            return (checkpoints, damage);
        }
        var text = File.ReadAllText(path);
        var number = 0;
        foreach (var line in text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            number++;
            try
            {
                if (JsonSerializer.Deserialize(line, AuditCheckpointJson.Default.AuditCheckpoint) is { } checkpoint)
                    checkpoints.Add(checkpoint);
                else damage.Add($"Line {number} of the checkpoint file is null.");
            }
            catch (JsonException)
            {
                damage.Add($"Line {number} of the checkpoint file is no checkpoint.");
            }
        }
        return (checkpoints, damage);
    }

    /// <summary>Appends a line and syncs it.</summary>
    public void Append(AuditCheckpoint checkpoint)
    {
        var isNew = !File.Exists(path);
        using var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = FileShare.Read,
            UnixCreateMode = SecretFile.OwnerOnly,
        });
        file.SetLength(EndOfLastLine(file));
        file.Seek(0, SeekOrigin.End);
        var line = JsonSerializer.Serialize(checkpoint, AuditCheckpointJson.Default.AuditCheckpoint);
        file.Write(Encoding.UTF8.GetBytes(line + "\n"));
        file.Flush(flushToDisk: true);
        if (isNew) Posix.SyncDirectory(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path)) ?? "/");
    }

    /// <summary>
    /// Puts the file aside when the store is replaced by a backup: its checkpoints vouch for what the backup lacks.
    /// </summary>
    public void SetAside(DateTimeOffset now)
    {
        if (File.Exists(path)) File.Move(path, $"{path}.before-{now:yyyyMMddHHmmss}", overwrite: false);
    }

    private static long EndOfLastLine(FileStream file)
    {
        for (var end = file.Length; end > 0; end--)
        {
            file.Seek(end - 1, SeekOrigin.Begin);
            if (file.ReadByte() == '\n') return end;
        }
        return 0;
    }
}
