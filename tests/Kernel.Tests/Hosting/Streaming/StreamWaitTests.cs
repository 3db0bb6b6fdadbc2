using Groundwork.Kernel.Hosting.Streaming;
using Groundwork.Tests.Support;

namespace Groundwork.Kernel.Tests.Hosting.Streaming;

public sealed class StreamWaitTests
{
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task Wakings_before_a_wait_end_it_at_once_and_count_as_one()
    {
        var wait = new StreamWait();
        wait.Wake();
        wait.WakeHere();
        Assert.Equal(Woken.News, await BoundedAsync(wait.WaitAsync().AsTask()));
        var next = wait.WaitAsync().AsTask();
        Assert.False(next.IsCompleted);
        wait.Wake();
        Assert.Equal(Woken.News, await BoundedAsync(next));
    }

    [Fact]
    public async Task Whoever_wakes_here_runs_the_loop_until_it_waits_again()
    {
        var wait = new StreamWait();
        var rounds = 0;
        var loop = LoopAsync();
        for (var round = 1; round <= 3; round++)
        {
            wait.WakeHere();
            Assert.Equal(round, rounds);
        }
        wait.End();
        await loop;

        async Task LoopAsync()
        {
            while (await wait.WaitAsync().ConfigureAwait(false) != Woken.Ended) rounds++;
        }
    }

    [Fact]
    public async Task The_end_ends_this_wait_and_every_later_one()
    {
        using var ending = new CancellationTokenSource();
        var wait = new StreamWait();
        await using var atEnd = wait.EndWith(ending.Token);
        var waiting = wait.WaitAsync().AsTask();
        await ending.CancelAsync();
        Assert.Equal(Woken.Ended, await BoundedAsync(waiting));
        wait.Wake();
        Assert.Equal(Woken.Ended, await BoundedAsync(wait.WaitAsync().AsTask()));
    }

    [Fact]
    public async Task No_waking_is_lost_among_many_wakers()
    {
        const int Wakers = 4;
        var each = LongRun.Count(20_000, 500_000);
        var wait = new StreamWait();
        var (given, taken) = (0, 0);
        var loop = LoopAsync();
        await Task.WhenAll(Enumerable.Range(0, Wakers).Select(number => Task.Run(() =>
        {
            for (var round = 0; round < each; round++)
            {
                Interlocked.Increment(ref given);
                if (number % 2 == 0) wait.Wake();
                else wait.WakeHere();
                if (round % 16 == 0) wait.Remind();
            }
        })));
        await Eventually.TrueAsync(
            () => Volatile.Read(ref taken) == Wakers * each, "the loop has seen what came before the last waking");
        wait.End();
        await loop;

        async Task LoopAsync()
        {
            // On whatever thread it is woken: the runner's own may all be busy with other tests for longer than anybody
            // waits, and WakeHere goes on here only so.
            while (await wait.WaitAsync().ConfigureAwait(false) != Woken.Ended)
                Volatile.Write(ref taken, Volatile.Read(ref given));
        }
    }

    [Fact]
    public async Task The_pulse_reminds_of_silence_only_and_rests_without_streams()
    {
        var time = new ManualTimeProvider();
        var pulse = new StreamPulse(time, Silence);
        var (told, silent) = (new StreamWait(), new StreamWait());
        pulse.Join(told);
        pulse.Join(silent);
        var (news, reminder) = (told.WaitAsync().AsTask(), silent.WaitAsync().AsTask());
        time.Advance(Silence - TimeSpan.FromSeconds(1));
        told.ToldAt = time.GetTimestamp();
        Assert.False(reminder.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(Woken.Silence, await BoundedAsync(reminder));
        Assert.False(news.IsCompleted);
        pulse.Leave(told);
        pulse.Leave(silent);
        Assert.Equal(0, time.ActiveTimers);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(32)]
    [InlineData(33)]
    [InlineData(10_000)]
    public async Task All_are_told_once(int streams)
    {
        var told = new int[streams];
        using var all = new CountdownEvent(Math.Max(1, streams));
        Fanout<int, string>.Start([.. Enumerable.Range(0, streams)], "news", (stream, news) =>
        {
            Assert.Equal("news", news);
            Interlocked.Increment(ref told[stream]);
            all.Signal();
        });
        if (streams == 0) all.Signal();
        await Eventually.TrueAsync(() => all.IsSet, "all streams are told");
        Assert.All(told, times => Assert.Equal(1, times));
    }

    private static Task<Woken> BoundedAsync(Task<Woken> wait) =>
        wait.WaitAsync(Eventually.Patience, TimeProvider.System, CancellationToken.None);
}
