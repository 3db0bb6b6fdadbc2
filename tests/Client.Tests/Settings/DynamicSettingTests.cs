using System.Collections.Concurrent;
using Groundwork.Client.Tests.Support;
using Groundwork.Tests.Support;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Groundwork.Client.Tests.Settings;

public sealed class DynamicSettingTests : IAsyncLifetime
{
    private PlatformStub platform = null!; // Set before every test.
    private ClientHost host = null!;

    public async ValueTask InitializeAsync()
    {
        platform = await PlatformStub.StartAsync();
        Publish(1);
        host = await ClientHost.StartAsync(
            platform.Address,
            before: builder => builder.Services.AddDynamicSetting<Front>("Front", Wrong));
        await Eventually.TrueAsync(() => platform.OpenStreams == 1, "the watch is open");
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        await platform.DisposeAsync();
    }

    [Fact]
    public async Task The_value_follows_the_platform()
    {
        var front = host.App.Services.GetRequiredService<DynamicSetting<Front>>();
        using var percent = Settings.WatchValue("Front:Percent", 7);
        using var absent = Settings.WatchValue("Front:Absent", TimeSpan.FromSeconds(7));
        Assert.Equal((1, 1, 7), (front.Value.Percent, percent.Value, (int)absent.Value.TotalSeconds));

        platform.Publish(("orders", "front", "json", """{"Front":{"Percent":2,"Absent":"00:00:09"}}"""));

        await Eventually.TrueAsync(() => front.Value.Percent == 2, "the object follows");
        await Eventually.TrueAsync(() => absent.Value == TimeSpan.FromSeconds(9), "the key follows");
        Assert.Equal(2, percent.Value);
        platform.Publish(("orders", "front", "json", null));
        await Eventually.TrueAsync(() => absent.Value == TimeSpan.FromSeconds(7), "it is absent again");
        await Eventually.TrueAsync(() => front.Value.Percent == 0, "a section that is gone is an object as made");
    }

    [Fact]
    public async Task A_value_that_does_not_validate_is_rejected_and_the_one_before_stays()
    {
        using var front = Settings.Watch<Front>("Front", Wrong);

        Publish(99);
        Assert.Equal("Front: 0 to 90", await RejectionAsync(12));
        Publish("many");
        Assert.StartsWith("Front: InvalidOperationException: ", await RejectionAsync(13), StringComparison.Ordinal);

        Assert.Equal(1, front.Value.Percent);
        Publish(2);
        await Eventually.TrueAsync(() => front.Value.Percent == 2, "a right one is taken");
        await SaysAsync(14, "applied");
    }

    [Fact]
    public async Task A_callback_that_throws_rejects_while_the_value_stays_and_the_others_are_told()
    {
        using var front = Settings.Watch<Front>("Front");
        var told = new ConcurrentQueue<int>();
        using var first = front.OnChange(value => Throw(value.Percent == 2));
        using var second = front.OnChange(value => told.Enqueue(value.Percent));

        Publish(2);
        Assert.Equal("Front: InvalidOperationException: no such theme", await RejectionAsync(12));
        Assert.Equal(2, front.Value.Percent);

        // Something else is published: the complaint stays, for nothing has changed about it.
        platform.Publish(("orders", "other", "json", "{}"));
        await Eventually.TrueAsync(() => Said().Any(receipt => receipt.DataId == "other"), "the other is applied");
        Assert.Equal("rejected", Said().Last(receipt => receipt.DataId == "front").State);

        Publish(3);
        await SaysAsync(14, "applied");
        Assert.Equal([2, 3], told);
    }

    [Fact]
    public async Task Callbacks_run_one_after_the_other_and_the_setting_is_delivered_until_they_return()
    {
        using var front = Settings.Watch<Front>("Front");
        var told = new ConcurrentQueue<int>();
        var running = 0;
        var overlaps = 0;
        var hold = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        async Task CallbackAsync(Front value, CancellationToken cancellationToken)
        {
            if (Interlocked.Increment(ref running) > 1) Interlocked.Increment(ref overlaps);
            told.Enqueue(value.Percent);
            await hold.Task.WaitAsync(cancellationToken);
            Interlocked.Decrement(ref running);
        }

        using var one = front.OnChange(CallbackAsync);
        using var two = front.OnChange(CallbackAsync);
        Publish(2);
        await SaysAsync(12, "delivered");
        for (var percent = 3; percent <= 9; percent++) Publish(percent);
        await Eventually.TrueAsync(() => front.Value.Percent == 9, "the value does not wait for callbacks");
        hold.SetResult();

        await SaysAsync(19, "applied");
        Assert.Equal([2, 2, 9, 9], told);
        Assert.Equal(0, overlaps);
    }

    [Fact]
    public async Task A_value_that_is_rejected_while_a_callback_runs_stays_rejected()
    {
        using var front = Settings.Watch<Front>("Front", Wrong);
        var hold = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var one = front.OnChange(async (_, _) =>
        {
            await hold.Task;
            done.SetResult();
        });

        Publish(2);
        Publish(99);
        await RejectionAsync(13);
        hold.SetResult();
        await done.Task.WaitAsync(Eventually.Patience);
        platform.Publish(("orders", "other", "json", "{}"));

        await Eventually.TrueAsync(() => Said().Any(receipt => receipt.DataId == "other"), "the other is applied");
        Assert.Equal("rejected", Said().Last(receipt => receipt.DataId == "front").State);
    }

    [Fact]
    public async Task Callbacks_end_with_their_registration_and_the_token_with_the_setting()
    {
        var front = Settings.Watch<Front>("Front");
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var calls = 0;
        var counted = front.OnChange(_ => Interlocked.Increment(ref calls));
        using var waiting = front.OnChange(async (_, token) =>
        {
            using var registration = token.Register(ended.SetResult);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
        });

        Publish(2);
        await Eventually.TrueAsync(() => Volatile.Read(ref calls) == 1, "it is told");
        counted.Dispose();
        front.Dispose();

        await ended.Task.WaitAsync(Eventually.Patience);
        Publish(3);
        await Eventually.TrueAsync(() => host.Configuration["Front:Percent"] == "3", "the next is in force");
        Assert.Equal((1, 2), (calls, front.Value.Percent));
    }

    [Fact]
    public void A_first_value_that_is_wrong_is_the_callers_fault() =>
        Assert.Throws<OptionsValidationException>(() => Settings.Watch<Front>("Front", _ => "never right"));

    private GroundworkSettings Settings => host.App.Services.GetRequiredService<GroundworkSettings>();

    private static string? Wrong(Front front) => front.Percent is >= 0 and <= 90 ? null : "0 to 90";

    private static void Throw(bool really)
    {
        if (really) throw new InvalidOperationException("no such theme");
    }

    private void Publish(object percent) =>
        platform.Publish(("orders", "front", "json", $$$"""{"Front":{"Percent":"{{{percent}}}"}}"""));

    private IEnumerable<ReceiptDocument> Said() => platform.Receipts.SelectMany(batch => batch.Receipts);

    private Task SaysAsync(long revision, string state) => Eventually.TrueAsync(
        () => Said().LastOrDefault(receipt => receipt.DataId == "front") is { } last
            && last.Revision == revision && last.State == state,
        $"revision {revision} is {state}");

    private async Task<string?> RejectionAsync(long revision)
    {
        await SaysAsync(revision, "rejected");
        return Said().Last(receipt => receipt.DataId == "front").Error;
    }

    public sealed class Front
    {
        public int Percent { get; set; }
    }
}
