namespace Groundwork.Communication.Gateway.Recording;

/// <summary>
/// Where the lines go: the standard output, or a file that is put aside when it is full. Somebody else may move the
/// file away too, as logrotate does: once a second it is looked whether it is still there. Used by one thread.
/// </summary>
internal sealed class AccessLogFile(AccessLogOptions options, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private Stream? stream;
    private long size; // Of the file, as far as we have written it.
    private long looked; // Timestamp.

    /// <exception cref="IOException">The disk is full, or the file cannot be opened; the next call tries again.</exception>
    public void Write(ReadOnlySpan<byte> lines)
    {
        try
        {
            LeaveMoved();
            if (options.File is not null && stream is { CanSeek: true } && size > 0 && size + lines.Length > options.MaxFileBytes)
                PutAside(options.File);
            stream ??= Open();
            stream.Write(lines);
            stream.Flush();
            size += lines.Length;
        }
        catch
        {
            Close(); // Opened anew by the next call.
            throw;
        }
    }

    public void Dispose() => Close();

    private Stream Open()
    {
        if (options.File is not { } path) return Console.OpenStandardOutput();
        var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = 0,
            // Who asked for what is nobody's business but the operator's.
            UnixCreateMode = OperatingSystem.IsWindows() ? null : UnixFileMode.UserRead | UnixFileMode.UserWrite
                | UnixFileMode.GroupRead,
        });
        size = file.CanSeek ? file.Length : 0;
        looked = time.GetTimestamp();
        return file;
    }

    // Gone, or another file that has not what we have written.
    private void LeaveMoved()
    {
        if (options.File is not { } path || stream is not { CanSeek: true } || time.GetElapsedTime(looked) < LookEvery) return;
        looked = time.GetTimestamp();
        var there = new FileInfo(path);
        if (!there.Exists || there.Length != size) Close();
    }

    private void PutAside(string path)
    {
        Close();
        for (var index = options.KeptFiles; index > 0; index--)
        {
            var from = index == 1 ? path : $"{path}.{index - 1}";
            if (File.Exists(from)) File.Move(from, $"{path}.{index}", overwrite: true);
        }
        if (options.KeptFiles == 0) File.Delete(path);
    }

    private void Close()
    {
        if (options.File is not null) stream?.Dispose();
        stream = null;
        size = 0;
    }
}
