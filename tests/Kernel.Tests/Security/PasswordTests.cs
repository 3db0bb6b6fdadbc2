using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Groundwork.Kernel.Tests.Security;

public sealed class PasswordTests : IAsyncLifetime
{
    private readonly TemporaryDirectory directory = new();
    private OpenSecurity node = null!; // Opened before each test.

    private PasswordVerifier Passwords => node.Security.Passwords;

    public async ValueTask InitializeAsync() => node = await OpenSecurity.OnAsync(directory);

    public async ValueTask DisposeAsync()
    {
        await node.DisposeAsync();
        directory.Dispose();
    }

    [Fact]
    public void Hash_and_the_hasher_of_AspNetCore_Identity_understand_each_other()
    {
        var theirs = new PasswordHasher<object>(Options.Create(new PasswordHasherOptions { IterationCount = 210_000 }));
        var hash = theirs.HashPassword(this, "Grüße, 世界");
        Assert.Null(PasswordHash.FindFault(hash));
        Assert.True(PasswordHash.Verify(hash, "Grüße, 世界"));
        Assert.False(PasswordHash.Verify(hash, "grüße, 世界"));
        Assert.Equal(
            PasswordVerificationResult.Success,
            theirs.VerifyHashedPassword(this, OpenSecurity.AdminHash, OpenSecurity.AdminPassword));
    }

    [Fact]
    public void Two_hashes_of_one_password_differ() =>
        Assert.NotEqual(PasswordHash.Create(OpenSecurity.AdminPassword), OpenSecurity.AdminHash);

    [Fact]
    public async Task Right_password_is_computed_once_a_minute()
    {
        Assert.True((await Passwords.VerifyAsync("admin", OpenSecurity.AdminPassword)).Succeeded);
        Assert.True((await Passwords.VerifyAsync("admin", OpenSecurity.AdminPassword)).Succeeded);
        Assert.Equal(1, Passwords.Computed);
        node.Time.Advance(PasswordVerifier.CacheFor);
        Assert.True((await Passwords.VerifyAsync("admin", OpenSecurity.AdminPassword)).Succeeded);
        Assert.Equal(2, Passwords.Computed);
    }

    [Fact]
    public async Task Wrong_password_unknown_name_and_disabled_operator_get_one_answer_and_cost_the_same_work()
    {
        await node.MustCommitAsync(OpenSecurity.Admin, node.Operator("gone", [], disabled: true));
        var answers = new[]
        {
            await Passwords.VerifyAsync("admin", "wrong"),
            await Passwords.VerifyAsync("nobody", OpenSecurity.AdminPassword),
            await Passwords.VerifyAsync("gone", OpenSecurity.AdminPassword),
        };
        Assert.Equal(3, Passwords.Computed);
        Assert.Single(answers.Select(answer => answer.Fault).Distinct());
        Assert.Equal(ErrorCodes.SignInFailed, answers[0].Fault?.Error);
    }

    [Fact]
    public async Task Changed_password_counts_at_once()
    {
        Assert.True((await Passwords.VerifyAsync("admin", OpenSecurity.AdminPassword)).Succeeded);
        await node.MustCommitAsync(
            OpenSecurity.Admin, node.Operator("admin", [BuiltInRoles.Administrator], PasswordHash.Create("another")));
        Assert.False((await Passwords.VerifyAsync("admin", OpenSecurity.AdminPassword)).Succeeded);
        Assert.True((await Passwords.VerifyAsync("admin", "another")).Succeeded);
    }

    [Fact]
    public async Task Third_password_at_a_time_is_asked_to_come_back()
    {
        var all = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(number => Passwords.VerifyAsync("admin", $"guess {number}").AsTask()));
        Assert.Equal(PasswordVerifier.MaxAtOnce, all.Count(answer => answer.Fault?.Error == ErrorCodes.SignInFailed));
        var busy = all.First(answer => answer.Fault?.Error == ErrorCodes.TooManySignIns);
        Assert.Equal(
            8 - PasswordVerifier.MaxAtOnce, all.Count(answer => answer.Fault?.Error == ErrorCodes.TooManySignIns));
        Assert.NotNull(busy.Fault!.RetryAfter);
        Assert.True((await Passwords.VerifyAsync("admin", OpenSecurity.AdminPassword)).Succeeded);
    }

    [Fact]
    public async Task Many_calls_with_one_password_share_one_verification()
    {
        var all = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ =>
            Passwords.VerifyAsync("admin", OpenSecurity.AdminPassword).AsTask()));
        Assert.All(all, answer => Assert.True(answer.Succeeded));
        Assert.Equal(1, Passwords.Computed);
    }
}
