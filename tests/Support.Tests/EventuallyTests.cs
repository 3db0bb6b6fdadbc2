using Groundwork.Tests.Support;
using Xunit.Sdk;

namespace Groundwork.Support.Tests;

public sealed class EventuallyTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(50);

    [Fact]
    public async Task A_condition_that_comes_true_ends_the_wait()
    {
        var looks = 0;
        await Eventually.TrueAsync(() => ++looks == 3, "the third look");
        Assert.Equal(3, looks);
    }

    [Fact]
    public async Task A_condition_that_stays_false_fails_with_its_name()
    {
        var failure = await Assert.ThrowsAnyAsync<XunitException>(
            () => Eventually.TrueAsync(() => false, "pigs fly", Soon));
        Assert.Contains("pigs fly", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Assertions_are_repeated_and_the_last_failure_is_the_tests()
    {
        var looks = 0;
        await Eventually.PassesAsync(() =>
        {
            Assert.Equal(3, ++looks);
            return Task.CompletedTask;
        });
        Assert.Equal(3, looks);

        await Assert.ThrowsAsync<EqualException>(() => Eventually.PassesAsync(
            () =>
            {
                Assert.Equal(1, 2);
                return Task.CompletedTask;
            },
            Soon));
    }

    [Fact]
    public async Task A_bug_ends_the_wait_at_once()
    {
        var looks = 0;
        await Assert.ThrowsAsync<InvalidOperationException>(() => Eventually.PassesAsync(() =>
        {
            looks++;
            throw new InvalidOperationException("a bug");
        }));
        Assert.Equal(1, looks);
    }
}
