using Groundwork.Client.Calls;
using Groundwork.Tests.Support;

namespace Groundwork.Client.Tests.Calls;

public sealed class RetryBudgetTests
{
    private readonly ManualTimeProvider time = new();

    [Fact]
    public void There_is_a_retry_for_each_so_many_calls_of_the_last_ten_seconds()
    {
        var budget = new RetryBudget(new BudgetPolicy(0.2, 0), time);
        for (var i = 0; i < 100; i++) budget.Called(time.GetTimestamp());

        Assert.Equal(20, Take(budget, 100));
        time.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(0, Take(budget, 100));
        time.Advance(TimeSpan.FromSeconds(1)); // Calls and retries of ten seconds ago are forgotten together.
        Assert.Equal(0, Take(budget, 100));
        for (var i = 0; i < 10; i++) budget.Called(time.GetTimestamp());
        Assert.Equal(2, Take(budget, 100));
    }

    [Fact]
    public void A_few_are_always_there()
    {
        var budget = new RetryBudget(new BudgetPolicy(0, 3), time);

        Assert.Equal(30, Take(budget, 100));
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(30, Take(budget, 100));
    }

    [Fact]
    public void Never_more_are_taken_however_many_take_at_a_time()
    {
        var budget = new RetryBudget(new BudgetPolicy(0.5, 0), time);
        Parallel.For(0, 10_000, _ => budget.Called(time.GetTimestamp()));
        var taken = 0;

        Parallel.For(0, 20_000, _ =>
        {
            if (budget.TryTake()) Interlocked.Increment(ref taken);
        });

        Assert.Equal(5_000, taken);
    }

    private static int Take(RetryBudget budget, int tries) => Enumerable.Range(0, tries).Count(_ => budget.TryTake());
}
