using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;

namespace Groundwork.Kernel.Storage.Backup;

/// <summary>
/// Where the thread that reads the database puts the archive's bytes: it hashes them and hands them to a pipe, and
/// waits there for the reader of a slow connection, so that memory stays bounded.
/// </summary>
internal sealed class BackupOutput(PipeWriter pipe, CancellationToken cancellationToken) : IDisposable
{
    /// <summary>Bytes given to the pipe at a time.</summary>
    private const int FlushBytes = 64 * 1024;

    private readonly IncrementalHash whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly IncrementalHash part = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private int unflushed;

    /// <summary>Bytes written so far.</summary>
    public long Position { get; private set; }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        whole.AppendData(bytes);
        part.AppendData(bytes);
        pipe.Write(bytes);
        Position += bytes.Length;
        unflushed += bytes.Length;
        if (unflushed >= FlushBytes) Flush();
    }

    /// <summary>Ends a part and returns the hash of what was written since the last one ended.</summary>
    public string EndPart() => Convert.ToHexStringLower(part.GetHashAndReset());

    /// <summary>The hash of everything written so far.</summary>
    public byte[] WholeHash() => whole.GetCurrentHash();

    public void Flush()
    {
        unflushed = 0;
        // This thread belongs to the dump; nobody else waits on it.
        var result = pipe.FlushAsync(cancellationToken).AsTask().GetAwaiter().GetResult();
        if (result.IsCompleted) throw new IOException("The receiver of the backup is gone.");
    }

    public void Dispose()
    {
        whole.Dispose();
        part.Dispose();
    }
}
