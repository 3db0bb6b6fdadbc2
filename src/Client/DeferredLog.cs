using Microsoft.Extensions.Logging;

namespace Groundwork.Client;

/// <summary>
/// A log for the time before the host has one: keeps what is written, hands it over when the host's log comes, and
/// passes everything on from then. Thread-safe.
/// </summary>
internal sealed class DeferredLog : ILogger
{
    /// <summary>Lines kept: a start writes a handful; a host that is built and never run must not grow.</summary>
    private const int MaxKept = 100;

    private readonly Lock gate = new();
    private List<Action<ILogger>>? kept = [];
    private ILogger? target;

    public void Attach(ILogger log)
    {
        lock (gate)
        {
            foreach (var write in kept ?? []) write(log);
            kept = null;
            Volatile.Write(ref target, log);
        }
    }

    public bool IsEnabled(LogLevel logLevel) => Volatile.Read(ref target)?.IsEnabled(logLevel) ?? true;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => Volatile.Read(ref target)?.BeginScope(state);

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        if (Volatile.Read(ref target) is { } log)
        {
            log.Log(logLevel, eventId, state, exception, formatter);
            return;
        }
        lock (gate)
        {
            if (target is { } attached) attached.Log(logLevel, eventId, state, exception, formatter);
            else if (kept is { Count: < MaxKept })
                kept.Add(later => later.Log(logLevel, eventId, state, exception, formatter));
        }
    }
}
