using System.Threading.Channels;

namespace Groundwork.Services.Settings.Protocols.Spring.Bus;

/// <summary>
/// Tells applications to read again once what they are to read is here: the loop waits for the looks at the sources,
/// and then publishes.
/// </summary>
internal sealed class RefreshNews(ConfigBuses buses, TimeProvider time) : IAsyncDisposable
{
    /// <summary>Notices that wait for their looks; of more, the oldest are told at once.</summary>
    private const int MaxWaiting = 1_024;

    /// <summary>A remote that hangs does not keep applications from reading what is here.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource stopping = new();
    private readonly Channel<(Task Looks, IReadOnlyList<string> Destinations)> waiting =
        Channel.CreateBounded<(Task Looks, IReadOnlyList<string> Destinations)>(
            new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
    private Task? loop;

    public void Start() => loop = Task.Run(RunAsync);

    /// <summary>Publishes when the looks are over; returns at once.</summary>
    public void After(Task looks, IReadOnlyList<string> destinations)
    {
        if (!waiting.Writer.TryWrite((looks, destinations))) Publish(destinations);
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        if (loop is not null) await loop;
        stopping.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                var (looks, destinations) = await waiting.Reader.ReadAsync(stopping.Token);
                try
                {
                    await looks.WaitAsync(Patience, time, stopping.Token);
                }
                catch (TimeoutException)
                {
                    // They read what there is.
                }
                Publish(destinations);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The node stops.
        }
    }

    private void Publish(IReadOnlyList<string> destinations)
    {
        foreach (var destination in destinations) buses.Publish(destination, static _ => true);
    }
}
