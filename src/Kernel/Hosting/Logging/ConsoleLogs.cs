using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Hosting.Logging;

/// <summary>
/// Writes the log to a stream, one line an entry, in logfmt: time, level, category, revision in force, trace id,
/// message, and the message's values by name. A slow reader of the stream never stalls a request: lines over the bound
/// are counted and the count is written.
/// </summary>
public sealed class ConsoleLogs : ILoggerFactory, IAsyncDisposable
{
    /// <summary>Lines waiting to be written: a second of a very talkative node.</summary>
    private const int MaxQueued = 8_192;

    /// <summary>
    /// The framework tells every request, with its raw query, at Information; what it says at Warning is worth reading.
    /// </summary>
    private const LogLevel FrameworkLevel = LogLevel.Warning;

    private readonly ConcurrentDictionary<string, ILogger> loggers = new(StringComparer.Ordinal);
    private readonly Channel<string> lines = Channel.CreateBounded<string>(
        new BoundedChannelOptions(MaxQueued) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    private readonly TextWriter output;
    private readonly TimeProvider time;
    private readonly LogLevel level;
    private readonly Task writing;
    private long dropped;

    public ConsoleLogs(TextWriter output, TimeProvider time, LogLevel level = LogLevel.Information)
    {
        this.output = output;
        this.time = time;
        this.level = level;
        writing = Task.Run(WriteAsync);
    }

    /// <summary>The revision stamped on every line, once the node has one.</summary>
    public RevisionInForce Revision { get; } = new();

    public ILogger CreateLogger(string categoryName) =>
        loggers.GetOrAdd(categoryName, static (category, logs) => new LineLogger(category, logs), this);

    public void AddProvider(ILoggerProvider provider) =>
        throw new NotSupportedException("The console is where the log of a node goes.");

    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>Writes what is waiting and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        lines.Writer.TryComplete();
        await writing;
    }

    private async Task WriteAsync()
    {
        await foreach (var line in lines.Reader.ReadAllAsync())
        {
            try
            {
                await output.WriteLineAsync(line);
                if (Interlocked.Exchange(ref dropped, 0) is var lost and > 0)
                    await output.WriteLineAsync(LogLine.Dropped(time.GetUtcNow(), lost));
                if (lines.Reader.Count == 0) await output.FlushAsync();
            }
            catch (Exception broken) when (broken is IOException or ObjectDisposedException)
            {
                // Nobody reads the log any more, and there is nowhere left to say so; the node goes on.
                Interlocked.Increment(ref dropped);
            }
        }
    }

    private void Enqueue(string line)
    {
        if (!lines.Writer.TryWrite(line)) Interlocked.Increment(ref dropped);
    }

    private sealed class LineLogger(string category, ConsoleLogs logs) : ILogger
    {
        private readonly bool isFramework = category.StartsWith("Microsoft.", StringComparison.Ordinal);

        // A listener that cannot open is told by the node, once and with the reason; the framework would add a stack
        // trace.
        private readonly bool isSilent = category.StartsWith("Microsoft.Extensions.Hosting", StringComparison.Ordinal);

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) =>
            logLevel != LogLevel.None && !isSilent && logLevel >= logs.level
                && (!isFramework || logLevel >= FrameworkLevel);

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?,
                string> formatter)
        {
            if (!IsEnabled(logLevel)) return;
            var line = new LogLine(logs.time.GetUtcNow(), logLevel, category)
            {
                Revision = logs.Revision.Current,
                TraceId = Activity.Current is { } activity ? activity.TraceId.ToHexString() : null,
                Exception = exception,
            };
            logs.Enqueue(
                line.Format(formatter(state, exception), state as IReadOnlyList<KeyValuePair<string, object?>>));
        }
    }
}

/// <summary>The revision in force, for whoever writes it down before there is a node.</summary>
public sealed class RevisionInForce
{
    private Func<long>? source;

    /// <summary>Null until the node has loaded its snapshot.</summary>
    public long? Current => Volatile.Read(ref source)?.Invoke();

    /// <summary>Called by the node when its snapshot is loaded.</summary>
    public void Follow(Func<long> revision) => Volatile.Write(ref source, revision);
}

/// <summary>One line of the log.</summary>
internal readonly record struct LogLine(DateTimeOffset At, LogLevel Level, string Category)
{
    /// <summary>Characters of one value; a stack trace fits, a body that somebody logs by mistake does not.</summary>
    private const int MaxValueLength = 8_192;

    private const string OwnPrefix = "Groundwork.";

    public long? Revision { get; init; }

    public string? TraceId { get; init; }

    public Exception? Exception { get; init; }

    public static string Dropped(DateTimeOffset at, long lines) =>
        new LogLine(at, LogLevel.Warning, "Groundwork.Log")
            .Format($"{lines} lines were dropped: nobody read them in time", null);

    public string Format(string message, IReadOnlyList<KeyValuePair<string, object?>>? values)
    {
        var line = new StringBuilder(256);
        line.Append("ts=")
            .Append(At.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        line.Append(" level=").Append(NameOf(Level));
        line.Append(" category=")
            .Append(Category.StartsWith(OwnPrefix, StringComparison.Ordinal) ? Category[OwnPrefix.Length..] : Category);
        if (Revision is { } revision) line.Append(" revision=").Append(revision.ToString(CultureInfo.InvariantCulture));
        if (TraceId is not null) line.Append(" trace=").Append(TraceId);
        Append(line, "msg", message);
        foreach (var (name, value) in values ?? [])
            if (name != "{OriginalFormat}")
                Append(line, name, Convert.ToString(value, CultureInfo.InvariantCulture) ?? "");
        if (Exception is not null) Append(line, "error", Exception.ToString());
        return line.ToString();
    }

    private static void Append(StringBuilder line, string name, string value)
    {
        line.Append(' ').Append(name).Append('=');
        if (value.Length > MaxValueLength) value = value[..MaxValueLength];
        if (value.Length > 0 && !value.AsSpan().ContainsAnyExceptInRange('!', '~')
            && !value.AsSpan().ContainsAny('"', '=', '\\'))
        {
            line.Append(value);
            return;
        }
        line.Append('"');
        foreach (var c in value)
        {
            // A line break in a value would let whoever chose it forge a line.
            _ = c switch
            {
                '"' or '\\' => line.Append('\\').Append(c),
                '\n' => line.Append("\\n"),
                '\r' => line.Append("\\r"),
                '\t' => line.Append("\\t"),
                _ when char.IsControl(c) =>
                    line.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture)),
                _ => line.Append(c),
            };
        }
        line.Append('"');
    }

    private static string NameOf(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "error",
        _ => "critical",
    };
}
