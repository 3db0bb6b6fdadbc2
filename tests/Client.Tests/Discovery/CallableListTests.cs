using System.Runtime.CompilerServices;
using Groundwork.Client.Discovery;
using Groundwork.Tests.Support;
using Groundwork.Wire.Contracts;

namespace Groundwork.Client.Tests.Discovery;

public sealed class CallableListTests
{
    private const int Draws = 20_000;

    private readonly ManualTimeProvider time = new();

    // Places that do not end.
    private readonly List<CallPlace> held = [];

    [Fact]
    public void Idle_instances_get_the_share_of_their_weights()
    {
        var list = List([At(1, weight: 100), At(2, weight: 300)]);

        var second = Enumerable.Range(0, Draws).Count(_ => Choose(list)!.Port == 2);

        Assert.InRange(second / (double)Draws, 0.72, 0.78);
    }

    [Fact]
    public void Load_spreads_over_equal_instances_far_better_than_chance()
    {
        var list = List([.. Enumerable.Range(1, 10).Select(port => At(port))]);

        for (var i = 0; i < 10_000; i++) Hold(Choose(list)!); // None of them ends.

        // By chance alone the fullest would hold some 75 more than the average of 1,000; the better of two keeps within
        // a few.
        Assert.All(list.Callable, target => Assert.InRange(target.InFlight, 985, 1015));
    }

    [Fact]
    public void A_slow_instance_gets_less()
    {
        var list = List([At(1), At(2), At(3)]);
        for (var i = 0; i < 50; i++) Hold(list.Callable[0]);

        Assert.DoesNotContain(
            Enumerable.Range(0, 1000).Select(_ => Choose(list)!.Port), port => port == 1);
    }

    [Fact]
    public void The_instance_just_tried_is_not_chosen_again()
    {
        var list = List([At(1), At(2)]);

        Assert.All(Enumerable.Range(0, 100), _ => Assert.Equal(2, Choose(list, list.Callable[0])!.Port));
        Assert.Null(List([At(1)]) is var one ? Choose(one, one.Callable[0]) : null);
    }

    [Theory]
    [InlineData("starting")]
    [InlineData("draining")]
    [InlineData("out-of-service")]
    [InlineData("down")]
    public void Only_instances_that_are_up_are_callable(string status) =>
        Assert.Equal(2, Assert.Single(List([At(1) with { Status = status }, At(2)]).Callable).Port);

    [Fact]
    public void An_unhealthy_instance_is_callable_only_under_protection()
    {
        InstanceDocument[] instances =
            [At(1) with { Health = new("unhealthy", "checks", default) }, At(2) with { Weight = 0 }];

        Assert.Empty(List(instances).Callable);
        Assert.Equal(1, Assert.Single(List(instances, isProtected: true).Callable).Port);
    }

    [Fact]
    public void The_own_zone_is_preferred_until_its_instances_are_left_out()
    {
        var list = List([At(1) with { Zone = "here" }, At(2) with { Zone = "there" }], zone: "here");
        Assert.All(Enumerable.Range(0, 100), _ => Assert.Equal(1, Choose(list)!.Port));

        Fail(list.Callable[0], times: 2);

        Assert.All(Enumerable.Range(0, 100), _ => Assert.Equal(2, Choose(list)!.Port));
    }

    [Fact]
    public void Two_failures_in_a_row_leave_an_instance_out_for_five_seconds_then_ten()
    {
        var target = List([At(1), At(2)]).Callable[0];

        Assert.False(target.Learn(CallOutcome.ConnectFailed));
        Assert.False(target.IsEjected);
        Assert.True(target.Learn(CallOutcome.NoAnswer));
        Assert.True(target.IsEjected);
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.False(target.IsEjected);
        Assert.True(target.Learn(CallOutcome.ConnectFailed)); // On probation one failure is enough.
        time.Advance(TimeSpan.FromSeconds(9));
        Assert.True(target.IsEjected);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(target.IsEjected);
    }

    [Fact]
    public void A_silent_instance_gets_one_call_at_a_time_that_can_be_repeated()
    {
        var list = List([At(1), At(2)]);
        Hold(list.Callable[0]).Asked();
        for (var i = 0; i < 5; i++) Hold(list.Callable[1]); // So that load is not what keeps calls away.
        Assert.Contains(1, Ports(list, repeatable: false));

        time.Advance(TimeSpan.FromSeconds(1.1));
        Assert.DoesNotContain(1, Ports(list, repeatable: false));
        var probe = list.Take(Wish(repeatable: true))!;
        Assert.Equal(1, probe.Target.Port);
        Assert.DoesNotContain(1, Ports(list, repeatable: true));

        probe.Asked();
        probe.Heard(time.GetTimestamp());
        Assert.Contains(1, Ports(list, repeatable: false));
    }

    [Fact]
    public void After_a_failure_one_call_at_a_time_finds_out()
    {
        var list = List([At(1), At(2)]);
        Fail(list.Callable[0], times: 1);
        for (var i = 0; i < 5; i++) Hold(list.Callable[1]);
        Assert.DoesNotContain(1, Ports(list, repeatable: false));

        var trial = list.Take(Wish(repeatable: true))!;
        Assert.Equal(1, trial.Target.Port);
        Assert.DoesNotContain(1, Ports(list, repeatable: true));
        trial.Dispose();

        time.Advance(TimeSpan.FromSeconds(5)); // Nothing repeatable comes.
        Assert.Contains(1, Ports(list, repeatable: false));
    }

    [Fact]
    public void When_all_are_doubted_those_that_are_not_left_out_are_called()
    {
        var list = List([At(1), At(2)]);
        Fail(list.Callable[0], times: 2);
        Fail(list.Callable[1], times: 1);

        Assert.All(Ports(list, repeatable: false), port => Assert.Equal(2, port));
    }

    [Fact]
    public async Task An_answer_that_its_caller_forgets_is_load_no_longer()
    {
        var list = List([At(1)]);
        Forget(list);
        await Eventually.TrueAsync(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return list.Callable[0].InFlight == 1;
            },
            "only the place that is held is load");
        Assert.Single(held);

        // A method of its own, so that nothing here holds the place.
        [MethodImpl(MethodImplOptions.NoInlining)]
        void Forget(CallableList from)
        {
            from.Take(Wish(repeatable: true))!.HandOn();
            var kept = from.Take(Wish(repeatable: true))!;
            kept.HandOn();
            held.Add(kept);
        }
    }

    [Fact]
    public void Places_are_neither_lost_nor_given_back_twice()
    {
        var list = List([At(1), At(2)]);
        Parallel.For(0, 20_000, number =>
        {
            using var place = list.Take(Wish(repeatable: number % 2 == 0))!;
            if (number % 7 == 0) place.Target.Learn(CallOutcome.NoAnswer);
            place.Asked();
            place.Heard(number % 7 != 0 ? time.GetTimestamp() : null);
            place.Dispose();
        });
        Assert.All(list.Callable, target => Assert.Equal(0, target.InFlight));
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.All(list.Callable, target => Assert.True(target.CanTake(repeatable: true)));
    }

    [Fact]
    public void An_answer_forgets_failures_and_the_length_of_the_next_ejection()
    {
        var target = List([At(1)]).Callable[0];
        Fail(target, times: 2);
        time.Advance(TimeSpan.FromSeconds(5));

        target.Learn(CallOutcome.Answered);

        Assert.False(target.Learn(CallOutcome.NoAnswer));
        Assert.True(target.Learn(CallOutcome.NoAnswer));
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.False(target.IsEjected);
    }

    [Fact]
    public void An_ejection_never_lasts_longer_than_a_minute()
    {
        var target = List([At(1)]).Callable[0];
        for (var i = 0; i < 40; i++)
        {
            Fail(target, times: 2);
            time.Advance(TimeSpan.FromSeconds(60));
            Assert.False(target.IsEjected);
        }
    }

    [Fact]
    public void When_all_are_left_out_one_is_called_nevertheless()
    {
        var list = List([At(1), At(2)]);
        Fail(list.Callable[0], times: 2);
        Fail(list.Callable[1], times: 2);

        Assert.NotNull(Choose(list));
    }

    [Fact]
    public void What_was_learnt_survives_a_new_list_and_not_a_new_run_of_the_instance()
    {
        var before = List([At(1) with { Incarnation = 1 }, At(2) with { Incarnation = 1 }]);
        Fail(before.Callable[0], times: 2);
        Fail(before.Callable[1], times: 2);

        var after = CallableList.From(
            Document([At(1) with { Incarnation = 1 }, At(2) with { Incarnation = 2 }], index: 2), before, null, time);

        Assert.True(after.Callable[0].IsEjected);
        Assert.False(after.Callable[1].IsEjected);
    }

    [Fact]
    public void A_call_over_https_is_never_sent_in_plain()
    {
        Assert.Null(Choose(List([At(1)]), scheme: "https"));
        Assert.Equal(2, Choose(List([At(1), At(2) with { Scheme = "https" }]), scheme: "https")!.Port);
    }

    [Fact]
    public void A_list_goes_neither_back_nor_suddenly_empty_without_a_reason()
    {
        var entry = new ServiceEntry("catalog", null, time);
        Assert.Equal(ServiceEntry.Taken.Yes, entry.Take(Document([At(1)], index: 5)));

        Assert.Equal(ServiceEntry.Taken.Older, entry.Take(Document([At(2)], index: 4)));
        Assert.Equal(ServiceEntry.Taken.KeptEmpty, entry.Take(Document([], index: 6)));
        Assert.Equal(1, Assert.Single(entry.List!.Callable).Port);

        Assert.Equal(ServiceEntry.Taken.Yes, entry.Take(Document([], index: 7) with { EmptyReason = "deregistered" }));
        Assert.Empty(entry.List.Callable);
    }

    [Fact]
    public void Another_store_counts_from_its_own_number()
    {
        var entry = new ServiceEntry("catalog", null, time);
        entry.Take(Document([At(1)], index: 5));

        Assert.Equal(ServiceEntry.Taken.Yes, entry.Take(Document([At(2)], index: 1) with { StoreId = "another" }));
    }

    private static IEnumerable<int> Ports(CallableList list, bool repeatable) =>
        [.. Enumerable.Range(0, 200).Select(_ => Choose(list, repeatable: repeatable)!.Port)];

    private CallPlace Hold(ServiceTarget target)
    {
        held.Add(target.Begin(ChoiceReason.Only));
        return held[^1];
    }

    private static InstanceWish Wish(ServiceTarget? last = null, string scheme = "http", bool repeatable = true) =>
        new(ChoicePolicy.Usual, scheme, repeatable) { Last = last };

    private static ServiceTarget? Choose(
        CallableList list, ServiceTarget? last = null, string scheme = "http", bool repeatable = true) =>
        list.Choose(Wish(last, scheme, repeatable), out _);

    private static void Fail(ServiceTarget target, int times)
    {
        for (var i = 0; i < times; i++) target.Learn(CallOutcome.ConnectFailed);
    }

    private static InstanceDocument At(int port, int weight = 100) =>
        new("catalog", "127.0.0.1", port, Id: $"catalog-{port}", Weight: weight);

    private static ServiceDocument Document(InstanceDocument[] instances, long index = 1, bool isProtected = false) =>
        new("default", "default", "catalog", index, "store", isProtected, instances);

    private CallableList List(InstanceDocument[] instances, string? zone = null, bool isProtected = false) =>
        CallableList.From(Document(instances, isProtected: isProtected), null, zone, time);
}
