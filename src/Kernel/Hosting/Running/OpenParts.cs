using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Hosting.Running;

/// <summary>
/// What has been opened, to be closed in reverse: by a stop, or by a start that failed half way. One part that fails to
/// close does not keep the others open.
/// </summary>
internal sealed partial class OpenParts(ILogger logger)
{
    private readonly Stack<(string Name, Func<CancellationToken, ValueTask> Close)> parts = new();

    public void Add(string name, Func<CancellationToken, ValueTask> close) => parts.Push((name, close));

    public void Add(string name, IAsyncDisposable part) => Add(name, _ => part.DisposeAsync());

    public void Add(string name, IDisposable part) => Add(name, _ =>
    {
        part.Dispose();
        return ValueTask.CompletedTask;
    });

    /// <summary>Closes all of them; returns the first failure when all have been tried.</summary>
    public async Task<Exception?> CloseAsync(CancellationToken patience)
    {
        Exception? first = null;
        while (parts.TryPop(out var part))
        {
            try
            {
                await part.Close(patience);
            }
            catch (Exception failure)
            {
                LogNotClosed(failure, part.Name);
                first ??= failure;
            }
        }
        return first;
    }

    [LoggerMessage(1, LogLevel.Error, "Closing {Part} failed; the others are closed all the same")]
    private partial void LogNotClosed(Exception failure, string part);
}
