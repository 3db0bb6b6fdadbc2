namespace Groundwork.Client.Platform;

/// <summary>The access key this process calls with: from its file, or given outright. Thread-safe.</summary>
internal sealed class AccessKey
{
    /// <summary>An access key is some 50 characters; a larger file is something else.</summary>
    private const int MaxFileBytes = 4096;

    private readonly string? file;
    private string? text;

    public AccessKey(GroundworkOptions options)
    {
        file = options.AccessKeyFile;
        text = options.AccessKey;
        Reload();
    }

    /// <summary>Null: calls carry no credential, which a platform on this machine may allow.</summary>
    public string? Text => Volatile.Read(ref text);

    /// <summary>Why the file could not be read; null when it was, or when there is none.</summary>
    public string? FileFault { get; private set; }

    /// <summary>
    /// Reads the file again, as after a refusal: keys are rotated under running processes. True: the key is another.
    /// </summary>
    public bool Reload()
    {
        if (file is null) return false;
        try
        {
            var read = Read(file);
            FileFault = null;
            return Interlocked.Exchange(ref text, read) != read;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            FileFault = fault.Message;
            return false;
        }
    }

    private static string Read(string path)
    {
        if (new FileInfo(path) is { Exists: true, Length: > MaxFileBytes })
            throw new InvalidDataException($"'{path}' is over {MaxFileBytes} bytes, so it is no access key.");
        var key = File.ReadAllText(path).Trim();
        return key.Length > 0 && key.All(c => c is > ' ' and < '\u007f')
            ? key
            : throw new InvalidDataException($"'{path}' does not hold an access key.");
    }
}
