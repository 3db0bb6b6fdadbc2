using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Tests.Storage;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Kernel.Tests.Security;

/// <summary>What holds on both engines.</summary>
public abstract class SignInsContract : SecurityContract
{
    private protected SignInsContract(ITestDatabase database)
        : base(database)
    {
    }

    private SignIns SignIns => Node.Security.SignIns;

    [Fact]
    public async Task Sign_in_gives_a_token_that_is_who_signed_in_for_fifteen_minutes()
    {
        var answer = await SignInAsync();
        var principal = (await Authenticate(answer.AccessToken)).Value;
        Assert.Equal("operator:admin", principal.Name);
        Assert.Equal([BuiltInRoles.Administrator], principal.Roles);
        Node.Time.Advance(SignIns.AccessFor - TimeSpan.FromSeconds(1));
        Assert.True((await Authenticate(answer.AccessToken)).Succeeded);
        Node.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(ErrorCodes.Unauthenticated, (await Authenticate(answer.AccessToken)).Fault?.Error);
    }

    [Fact]
    public async Task Wrong_password_is_refused_and_audited_without_the_name_of_nobody()
    {
        Assert.Equal(
            ErrorCodes.SignInFailed, (await SignIns.SignInAsync("admin", "wrong", "10.0.0.1", default)).Fault?.Error);
        Assert.Equal(
            ErrorCodes.SignInFailed, (await SignIns.SignInAsync("hunter2", "x", "10.0.0.1", default)).Fault?.Error);
        var rows = await Node.AuditAsync();
        Assert.Contains(
            rows, row => row.Row is { Principal: "operator:admin", Action: "sign-in", Outcome: "sign_in_failed" });
        Assert.Contains(
            rows, row => row.Row is { Principal: "anonymous", Action: "sign-in", Outcome: "sign_in_failed" });
        Assert.DoesNotContain(rows, row => row.Row.ToString().Contains("hunter2", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Refresh_replaces_both_tokens()
    {
        var first = await SignInAsync();
        var second = (await SignIns.RefreshAsync(first.RefreshToken, null, default)).Value;
        Assert.NotEqual(first.AccessToken, second.AccessToken);
        Assert.NotEqual(first.RefreshToken, second.RefreshToken);
        Assert.True((await Authenticate(second.AccessToken)).Succeeded);
        Assert.False((await Authenticate(first.AccessToken)).Succeeded);
        Node.Time.ShiftWallClock(TimeSpan.FromDays(29));
        Assert.True((await SignIns.RefreshAsync(second.RefreshToken, null, default)).Succeeded);
    }

    [Fact]
    public async Task Refresh_token_that_comes_twice_ends_the_sign_in_for_both()
    {
        var first = await SignInAsync();
        var second = (await SignIns.RefreshAsync(first.RefreshToken, null, default)).Value;
        Assert.False((await SignIns.RefreshAsync(first.RefreshToken, "10.0.0.9", default)).Succeeded);
        Assert.False((await SignIns.RefreshAsync(second.RefreshToken, null, default)).Succeeded);
        Assert.False((await Authenticate(second.AccessToken)).Succeeded);
        Assert.Empty((await SignIns.ListAsync("admin", default)).Items);
        Assert.Contains(await Node.AuditAsync(), row =>
            row.Row is { Action: "sign-in-revoked", Address: "10.0.0.9" }
                && row.Row.Detail!.Contains("second time", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Only_one_of_many_refreshes_at_once_gets_through()
    {
        var first = await SignInAsync();
        var all = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(_ => SignIns.RefreshAsync(first.RefreshToken, null, default)));
        Assert.Equal(1, all.Count(answer => answer.Succeeded));
    }

    [Fact]
    public async Task Made_up_token_with_a_real_id_neither_signs_in_nor_ends_the_sign_in()
    {
        var answer = await SignInAsync();
        var id = (await SignIns.ListAsync(null, default)).Items[0].Id;
        var madeUp = new SignInTokens(new byte[32]).MintRefresh(id);
        Assert.False((await SignIns.RefreshAsync(madeUp, null, default)).Succeeded);
        foreach (var junk in new[] { "", "gwr_", "gws_", "gwr_" + new string('!', 86), "gws_"
            + new string('~', 64), answer.AccessToken })
            Assert.False((await SignIns.RefreshAsync(junk, null, default)).Succeeded);
        Assert.False((await Authenticate(answer.RefreshToken)).Succeeded);
        Assert.True((await Authenticate(answer.AccessToken)).Succeeded);
    }

    [Fact]
    public async Task Unused_sign_in_ends_after_thirty_days_and_is_forgotten()
    {
        var answer = await SignInAsync();
        Node.Time.ShiftWallClock(SignIns.RefreshFor);
        Assert.False((await SignIns.RefreshAsync(answer.RefreshToken, null, default)).Succeeded);
        await SignInAsync();
        Assert.Equal(1, await CountRows());
    }

    [Fact]
    public async Task Revoked_sign_in_ends_at_once_here_and_within_a_minute_on_another_node()
    {
        var answer = await SignInAsync();
        await using var other = await OtherNodeAsync();
        Assert.True((await other.Security.SignIns.AuthenticateAsync(answer.AccessToken, default)).Succeeded);
        Assert.True(await SignIns.SignOutAsync(answer.AccessToken, null, default));
        Assert.False((await Authenticate(answer.AccessToken)).Succeeded);
        Assert.True((await other.Security.SignIns.AuthenticateAsync(answer.AccessToken, default)).Succeeded);
        Node.Time.Advance(SignIns.TrustMemoryFor);
        Assert.False((await other.Security.SignIns.AuthenticateAsync(answer.AccessToken, default)).Succeeded);
        Assert.False(await SignIns.SignOutAsync(answer.AccessToken, null, default));
    }

    [Theory]
    [InlineData("password")]
    [InlineData("disabled")]
    [InlineData("deleted")]
    public async Task Changed_operator_ends_the_sign_in_at_once(string what)
    {
        await Node.MustCommitAsync(OpenSecurity.Admin, Node.Operator("bob", [BuiltInRoles.Reader]));
        var answer = (await SignIns.SignInAsync("bob", OpenSecurity.AdminPassword, null, default)).Value;
        Assert.True((await Authenticate(answer.AccessToken)).Succeeded);
        await Node.MustCommitAsync(OpenSecurity.Admin, what switch
        {
            "password" => Node.Operator("bob", [BuiltInRoles.Reader], PasswordHash.Create("another")),
            "disabled" => Node.Operator("bob", [BuiltInRoles.Reader], disabled: true),
            _ => OpenSecurity.Delete("operator", "bob"),
        });
        Assert.False((await Authenticate(answer.AccessToken)).Succeeded);
        Assert.False((await SignIns.RefreshAsync(answer.RefreshToken, null, default)).Succeeded);
    }

    [Fact]
    public async Task Changed_roles_count_at_once_without_a_new_sign_in()
    {
        await Node.MustCommitAsync(OpenSecurity.Admin, Node.Operator("bob", [BuiltInRoles.Administrator]));
        var answer = (await SignIns.SignInAsync("bob", OpenSecurity.AdminPassword, null, default)).Value;
        await Node.MustCommitAsync(OpenSecurity.Admin, Node.Operator("bob", [BuiltInRoles.Reader]));
        Assert.Equal([BuiltInRoles.Reader], (await Authenticate(answer.AccessToken)).Value.Roles);
    }

    [Fact]
    public async Task More_sign_ins_than_an_operator_may_have_end_the_oldest()
    {
        var first = await SignInAsync();
        for (var more = 0; more < SignIns.MaxPerOperator; more++)
        {
            Node.Time.Advance(TimeSpan.FromMilliseconds(1));
            await SignInAsync();
        }
        Assert.Equal(SignIns.MaxPerOperator, (await SignIns.ListAsync("admin", default)).Items.Count);
        Assert.False((await SignIns.RefreshAsync(first.RefreshToken, null, default)).Succeeded);
    }

    [Fact]
    public async Task No_token_is_in_the_store_as_it_was_given()
    {
        var answer = await SignInAsync();
        var rows = await Node.Storage.ReadAsync(
            session => session.List(
                "SELECT access_hash, refresh_hash FROM security_sign_ins", row => (row.Blob(0), row.Blob(1))),
            default);
        Assert.Equal(SignInTokens.Digest(answer.AccessToken), rows[0].Item1);
        Assert.Equal(SignInTokens.Digest(answer.RefreshToken), rows[0].Item2);
        Assert.DoesNotContain(await Node.AuditAsync(), row =>
            row.Row.ToString().Contains(SignInTokens.AccessPrefix, StringComparison.Ordinal)
            || row.Row.ToString().Contains(SignInTokens.RefreshPrefix, StringComparison.Ordinal));
    }

    private async Task<SignInAnswer> SignInAsync() =>
        (await SignIns.SignInAsync("admin", OpenSecurity.AdminPassword, "10.0.0.1", default)).Value;

    private ValueTask<Outcome<Principal>> Authenticate(string token) => SignIns.AuthenticateAsync(token, default);

    private Task<int> CountRows() => Node.Storage.ReadAsync(
        session => session.List("SELECT id FROM security_sign_ins", row => row.Guid(0)).Count, default);
}
