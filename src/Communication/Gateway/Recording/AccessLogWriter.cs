using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway.Recording;

/// <summary>
/// The one thread that writes the access log: takes what waits a few times a second, makes lines of it and writes them
/// at once. What cannot be written is lost and counted, and the next batch is tried anew.
/// </summary>
internal sealed partial class AccessLogWriter : IDisposable
{
    /// <summary>How long a line waits at most: short for who watches the file.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    /// <summary>Bytes of lines that are written in one go.</summary>
    private const int BatchBytes = 256 * 1024;

    /// <summary>A disk that does not take the last lines in this time will not.</summary>
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(5);

    private readonly Func<int, ReadOnlyMemory<byte>?> take;
    private readonly AccessLogFile output;
    private readonly AccessLogFormat format;
    private readonly ILogger logger;
    private readonly AutoResetEvent wanted = new(initialState: false);
    private readonly ArrayBufferWriter<byte> lines = new(2 * BatchBytes);
    private readonly Thread thread;
    private int waiting; // Lines of the batch. The thread's.
    private bool failed; // The last batch was lost. The thread's.
    private long written; // Interlocked.
    private long lost; // Interlocked.
    private volatile bool ending;

    /// <param name="take">Gives what waits of each buffer, by its index; null behind the last.</param>
    public AccessLogWriter(
        AccessLogOptions options, Func<int, ReadOnlyMemory<byte>?> take, TimeProvider time, ILogger logger)
    {
        this.take = take;
        this.logger = logger;
        format = options.Format;
        output = new AccessLogFile(options, time);
        thread = new Thread(Run) { IsBackground = true, Name = "access log" };
        thread.Start();
    }

    public long Written => Interlocked.Read(ref written);

    public long Lost => Interlocked.Read(ref lost);

    /// <summary>Has it write now.</summary>
    public void Hurry() => wanted.Set();

    public void Dispose()
    {
        ending = true;
        wanted.Set();
        if (!thread.Join(EndPatience)) return; // It holds the file, and ends with the process.
        output.Dispose();
        wanted.Dispose();
    }

    private void Run()
    {
        bool last;
        do
        {
            wanted.WaitOne(Interval);
            last = ending; // Looked at before the buffers, so that nothing that came before the end is left in them.
            for (var index = 0; take(index) is { } entries; index++) Format(entries.Span);
            Flush();
        }
        while (!last);
    }

    private void Format(ReadOnlySpan<byte> entries)
    {
        while (!entries.IsEmpty)
        {
            var length = MemoryMarshal.Read<AccessEntry>(entries).Length;
            if (format == AccessLogFormat.Json) AccessLine.WriteJson(entries[..length], lines);
            else AccessLine.WriteCombined(entries[..length], lines);
            entries = entries[length..];
            waiting++;
            if (lines.WrittenCount >= BatchBytes) Flush();
        }
    }

    private void Flush()
    {
        if (waiting == 0) return;
        try
        {
            output.Write(lines.WrittenSpan);
            Interlocked.Add(ref written, waiting);
            if (failed) LogWritten();
            failed = false;
        }
        catch (Exception fault) // Whatever it is: a thread that ended by it would end the process.
        {
            Interlocked.Add(ref lost, waiting);
            if (!failed) LogLost(fault);
            failed = true;
        }
        lines.ResetWrittenCount();
        waiting = 0;
    }

    [LoggerMessage(1, LogLevel.Error, "The access log cannot be written; its lines are lost until it can")]
    private partial void LogLost(Exception fault);

    [LoggerMessage(2, LogLevel.Information, "The access log is written again")]
    private partial void LogWritten();
}
