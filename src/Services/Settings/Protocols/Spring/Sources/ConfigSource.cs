using System.Threading.Channels;
using Groundwork.Wire;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.Settings.Protocols.Spring.Sources;

/// <summary>
/// A source in force: its place, the loop that looks there, and what the last look said. Requests never wait for what
/// is outside, but for the first look of a source that has nothing yet.
/// </summary>
internal sealed partial class ConfigSource : IAsyncDisposable
{
    /// <summary>What a request waits for a source that has just come.</summary>
    private static readonly TimeSpan FirstPatience = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource stopping = new();
    private readonly Channel<bool> pokes = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly TaskCompletionSource first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock gate = new(); // Guards next.
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Task loop;
    private TaskCompletionSource next = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile string? failure = "was not read yet";

    /// <param name="before">What must have ended first: the one that this takes the place of, and its disk.</param>
    public ConfigSource(
        string name, long revision, ConfigSourceSpec spec, ConfigOrigin origin, Task before, TimeProvider time,
        ILogger logger)
    {
        Name = name;
        Revision = revision;
        Spec = spec;
        Origin = origin;
        if (origin is SvnOrigin svn) svn.Look = RefreshAsync;
        this.time = time;
        this.logger = logger;
        loop = Task.Run(() => RunAsync(before));
    }

    public string Name { get; }

    /// <summary>Of the resource that it was made of.</summary>
    public long Revision { get; }

    public ConfigSourceSpec Spec { get; }

    public ConfigOrigin Origin { get; }

    /// <summary>What pushes are signed with; null: only somebody who may operate the source tells of one.</summary>
    public string? WebhookSecret { get; init; }

    /// <summary>Why the last look went wrong; null when it went well.</summary>
    public string? Failure => failure;

    /// <summary>Looks now; done when a look that began after this call is over, however it went.</summary>
    public Task RefreshAsync()
    {
        Task looked;
        lock (gate) looked = next.Task;
        pokes.Writer.TryWrite(true);
        return looked;
    }

    /// <summary>The files of a label; null for one that is not there.</summary>
    public async ValueTask<Outcome<SourceTree?>> FindAsync(string? label, CancellationToken cancellationToken)
    {
        if (!first.Task.IsCompleted)
        {
            try
            {
                await first.Task.WaitAsync(FirstPatience, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                return new Fault(ErrorCodes.SourceUnavailable, $"The source {Name} was not read yet.");
            }
        }
        var found = await Origin.FindAsync(label, cancellationToken);
        // Of a source that never was read the last fault says more.
        return found.Fault is { } fault && failure is { } why
            ? fault with { Detail = $"The source {Name}: {why}" }
            : found;
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await loop;
        (Origin as IDisposable)?.Dispose();
        stopping.Dispose();
    }

    private async Task RunAsync(Task before)
    {
        try
        {
            // However it ended, it has.
            await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (await RestoreAsync()) first.TrySetResult();
            while (true)
            {
                await LookAsync();
                first.TrySetResult();
                await WaitAsync();
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The source ends.
        }
        finally
        {
            first.TrySetResult();
            lock (gate) next.TrySetResult();
        }
    }

    private async Task<bool> RestoreAsync()
    {
        try
        {
            return await Origin.RestoreAsync(stopping.Token);
        }
        catch (Exception fault) when (!stopping.IsCancellationRequested)
        {
            // What was kept is of no use; the first look brings it anew.
            LogFailed(Name, fault.Message);
            return false;
        }
    }

    private async Task LookAsync()
    {
        TaskCompletionSource awaited;
        lock (gate)
        {
            awaited = next;
            next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        string? now;
        try
        {
            now = (await Origin.RefreshAsync(stopping.Token))?.Detail;
        }
        catch (Exception fault) when (fault is not OperationCanceledException || !stopping.IsCancellationRequested)
        {
            now = fault.Message; // The loop goes on: what is wrong with one look may be mended before the next.
        }
        var before = failure;
        failure = now;
        awaited.TrySetResult();
        if (now is not null && now != before) LogFailed(Name, now);
        else if (now is null && before is not null) LogRead(Name);
    }

    private async Task WaitAsync()
    {
        try
        {
            await pokes.Reader.ReadAsync(stopping.Token).AsTask()
                .WaitAsync(TimeSpan.FromSeconds(Spec.RefreshSeconds), time, stopping.Token);
        }
        catch (TimeoutException)
        {
            // It is time.
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "The source of configuration {Source} is not up to date: {Why}")]
    private partial void LogFailed(string source, string why);

    [LoggerMessage(2, LogLevel.Information, "The source of configuration {Source} was read")]
    private partial void LogRead(string source);
}
