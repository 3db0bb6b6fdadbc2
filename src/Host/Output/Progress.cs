using System.Globalization;

namespace Groundwork.Host.Output;

/// <summary>
/// Says on stderr what is under way, once that has lasted two seconds; again and again on a terminal, now and then
/// otherwise.
/// </summary>
internal sealed class Progress : IDisposable
{
    /// <summary>What is done sooner needs no word.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan TerminalInterval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LogInterval = TimeSpan.FromSeconds(10);

    private readonly Terminal terminal;
    private readonly TimeProvider time;
    private readonly string what;
    private readonly long started;
    private readonly Lock gate = new(); // Guards the fields below and the line itself.
    private readonly ITimer timer;
    private long bytes;
    private int shown;
    private bool ended;

    public Progress(Terminal terminal, TimeProvider time, string what)
    {
        this.terminal = terminal;
        this.time = time;
        this.what = what;
        started = time.GetTimestamp();
        timer = time.CreateTimer(
            _ => Show(), null, Silence, terminal.IsErrorInteractive ? TerminalInterval : LogInterval);
    }

    /// <summary>So much of the data has passed so far.</summary>
    public void Report(long total) => Interlocked.Exchange(ref bytes, total);

    public void Dispose()
    {
        timer.Dispose();
        lock (gate)
        {
            ended = true;
            if (shown > 0 && terminal.IsErrorInteractive) terminal.Error.Write($"\r{new string(' ', shown)}\r");
        }
    }

    public static string Size(long bytes) => bytes switch
    {
        < 10 * 1024 => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
        < 10 * 1024 * 1024 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024} KiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / (1024 * 1024)} MiB"),
    };

    private void Show()
    {
        var passed = Interlocked.Read(ref bytes);
        var seconds = (int)time.GetElapsedTime(started).TotalSeconds;
        var line = string.Create(
            CultureInfo.InvariantCulture, $"{what}: {seconds} s{(passed > 0 ? $", {Size(passed)}" : "")}");
        lock (gate)
        {
            if (ended) return;
            if (terminal.IsErrorInteractive) terminal.Error.Write($"\r{line.PadRight(shown)}");
            else terminal.Error.WriteLine(line);
            shown = line.Length;
        }
    }
}
