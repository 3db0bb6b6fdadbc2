using System.Net.Sockets;
using Xunit.Sdk;

namespace Groundwork.Tests.Support;

/// <summary>
/// Waits for something that happens elsewhere: polls it, with a bound, and says what did not come true.
/// </summary>
public static class Eventually
{
    /// <summary>
    /// The bound unless told. Only a failing test waits this long, so it is generous: two cores may be shared by every
    /// suite.
    /// </summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Between two looks: short beside anything a person notices, long beside the look itself.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(10);

    /// <summary>Waits until the condition holds.</summary>
    /// <param name="what">What should come true, for the failure's message.</param>
    public static Task TrueAsync(Func<bool> condition, string what, TimeSpan? within = null) =>
        TrueAsync(() => Task.FromResult(condition()), what, within);

    /// <inheritdoc cref="TrueAsync(Func{bool}, string, TimeSpan?)"/>
    public static async Task TrueAsync(Func<Task<bool>> condition, string what, TimeSpan? within = null) =>
        await ValueAsync(condition, value => value, what, within);

    /// <summary>Reads until the value is as wanted, and returns it.</summary>
    public static async Task<T> ValueAsync<T>(
        Func<Task<T>> read, Func<T, bool> wanted, string what, TimeSpan? within = null)
    {
        var limit = within ?? Patience;
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var value = await read();
            if (wanted(value)) return value;
            if (TimeProvider.System.GetElapsedTime(started) >= limit)
                Assert.Fail($"Within {limit.TotalSeconds:0.#} s still not: {what}. Last seen: {value}");
            await Task.Delay(Interval, TimeProvider.System);
        }
    }

    /// <summary>Repeats the assertions until they hold; the last failure is the test's.</summary>
    public static async Task PassesAsync(Func<Task> assertions, TimeSpan? within = null)
    {
        var limit = within ?? Patience;
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                await assertions();
                return;
            }
            catch (Exception failure) when (IsTransient(failure) && TimeProvider.System.GetElapsedTime(started) < limit)
            {
                await Task.Delay(Interval, TimeProvider.System);
            }
        }
    }

    // A server that is still starting refuses or breaks off; anything else is a bug and ends the wait.
    private static bool IsTransient(Exception failure) =>
        failure is XunitException or HttpRequestException or IOException or SocketException;
}
