using System.Collections.Concurrent;
using Groundwork.Kernel.Storage;
using Groundwork.Tests.Support;

namespace Groundwork.Kernel.Tests.Storage;

/// <summary>
/// Writers that each count 0, 1, 2, … into <c>sample_log</c> without a key that would refuse a repeat, and that go on
/// to the next number only when one is answered.
/// </summary>
public sealed class CountedLoad
{
    private readonly ConcurrentDictionary<int, int> answered = new();
    private readonly CancellationTokenSource stopping = new();
    private readonly IStorage storage;
    private readonly int firstWriter;
    private readonly Task[] writers;
    private int total;

    public CountedLoad(IStorage storage, int writers, int firstWriter = 0)
    {
        this.storage = storage;
        this.firstWriter = firstWriter;
        this.writers = [.. Enumerable.Range(firstWriter, writers).Select(writer => Task.Run(() => WriteAsync(writer)))];
    }

    /// <summary>Waits until so many more writes are answered.</summary>
    public async Task WaitForMoreAsync(int more)
    {
        var target = Volatile.Read(ref total) + more;
        await Eventually.TrueAsync(
            () =>
                Volatile.Read(ref total) >= target
                    || Array.Exists(writers, writer => writer.IsFaulted), "writes are answered");
        foreach (var writer in writers.Where(writer => writer.IsFaulted)) await writer;
    }

    public async Task StopAsync()
    {
        await stopping.CancelAsync();
        await Task.WhenAll(writers);
    }

    /// <summary>Every answered number is there once, in its writer's order, and none that was not asked for.</summary>
    public async Task CheckAsync(IStorage from, CancellationToken cancellationToken)
    {
        var rows = await from.ReadAsync(
            session => session.List(
                "SELECT writer, item FROM sample_log ORDER BY position", row =>
                    (Writer: (int)row.Int64(0), Item: row.Int64(1))),
            cancellationToken);
        foreach (var (writer, count) in answered)
        {
            var items = rows.Where(row => row.Writer == writer).Select(row => row.Item);
            Assert.Equal(Enumerable.Range(0, count).Select(item => (long)item), items);
        }

        Assert.Equal(writers.Length, answered.Count(entry => entry.Key >= firstWriter));
    }

    private async Task WriteAsync(int writer)
    {
        for (var item = 0; !stopping.IsCancellationRequested; item++)
        {
            var number = item;
            await storage.WriteAsync(
                session => session.Execute(
                    """
                    INSERT INTO sample_log (position, writer, item)
                    SELECT coalesce(max(position), 0) + 1, $1, $2 FROM sample_log
                    """,
                    writer,
                    number),
                CancellationToken.None,
                number % 2 == 0 ? WriteScope.Group : WriteScope.Savepoint);
            answered[writer] = number + 1;
            Interlocked.Increment(ref total);
        }
    }
}
