using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;
using Groundwork.Wire;

namespace Groundwork.Kernel.Tests.Security;

public sealed class PasswordBackoffTests
{
    private readonly ManualTimeProvider time = new();

    [Fact]
    public void Delay_begins_after_some_failures_doubles_and_has_an_end()
    {
        var backoff = new PasswordBackoff(time);
        for (var failure = 1; failure < PasswordBackoff.FreeFailures; failure++)
        {
            backoff.Note("alice", isRight: false);
            Assert.Equal(TimeSpan.Zero, backoff.Delay("alice"));
        }
        var seconds = new List<double>();
        for (var failure = 0; failure < 8; failure++)
        {
            backoff.Note("alice", isRight: false);
            seconds.Add(backoff.Delay("alice").TotalSeconds);
        }
        Assert.Equal([1, 2, 4, 8, 16, 30, 30, 30], seconds);
        Assert.Equal(TimeSpan.Zero, backoff.Delay("bob"));
        time.Advance(PasswordBackoff.MaxDelay);
        Assert.Equal(TimeSpan.Zero, backoff.Delay("alice"));
    }

    [Fact]
    public void A_right_password_and_a_long_silence_begin_anew()
    {
        var backoff = new PasswordBackoff(time);
        Fail(backoff, "alice", PasswordBackoff.FreeFailures);
        backoff.Note("alice", isRight: true);
        Fail(backoff, "alice", PasswordBackoff.FreeFailures - 1);
        Assert.Equal(TimeSpan.Zero, backoff.Delay("alice"));
        time.Advance(PasswordBackoff.ForgetAfter);
        Fail(backoff, "alice", 1);
        Assert.Equal(TimeSpan.Zero, backoff.Delay("alice"));
    }

    [Fact]
    public void Invented_names_do_not_free_the_one_that_is_held_up()
    {
        var backoff = new PasswordBackoff(time);
        Fail(backoff, "alice", PasswordBackoff.FreeFailures + 3);
        for (var name = 0; name < PasswordBackoff.MaxNames + 10; name++) Fail(backoff, $"invented-{name}", 1);
        Assert.NotEqual(TimeSpan.Zero, backoff.Delay("alice"));
    }

    [Fact]
    public async Task Guessing_is_held_up_and_a_password_that_was_right_a_moment_ago_is_not()
    {
        using var directory = new TemporaryDirectory();
        await using var node = await OpenSecurity.OnAsync(directory, time: time);
        var passwords = node.Security.Passwords;
        Assert.True((await passwords.VerifyAsync("admin", OpenSecurity.AdminPassword)).Succeeded);
        for (var guess = 1; guess <= PasswordBackoff.FreeFailures; guess++)
            Assert.Equal(
                ErrorCodes.SignInFailed, (await passwords.VerifyAsync("admin", $"guess {guess}")).Fault?.Error);

        var refused = (await passwords.VerifyAsync("admin", "one more")).Fault;
        Assert.Equal(ErrorCodes.TooManySignIns, refused?.Error);
        Assert.Equal(PasswordBackoff.FirstDelay, refused?.RetryAfter);
        Assert.True((await passwords.VerifyAsync("admin", OpenSecurity.AdminPassword)).Succeeded);
        time.Advance(PasswordBackoff.FirstDelay);
        Assert.Equal(ErrorCodes.SignInFailed, (await passwords.VerifyAsync("admin", "one more")).Fault?.Error);
    }

    private static void Fail(PasswordBackoff backoff, string name, int times)
    {
        for (var failure = 0; failure < times; failure++) backoff.Note(name, isRight: false);
    }
}
