using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;

namespace Groundwork.Kernel.Tests.Security;

public sealed class AdminBootstrapTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task First_start_makes_an_administrator_whose_password_is_in_a_file_of_the_owner_alone()
    {
        await using var node = await OpenSecurity.OnAsync(directory, withAdmin: false);
        var first = (await AdminBootstrap.RunAsync(node.Changes, directory.Path, default)).Value!;
        Assert.True(first.Password.Length >= 20);
        Assert.Equal(first.Password, File.ReadAllText(first.Path).Trim());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(first.Path));
        var answer = await node.Security.SignIns.SignInAsync("admin", first.Password, null, default);
        Assert.Equal("operator:admin", answer.Value.Principal);
        Assert.DoesNotContain(first.Password, first.ToString(), StringComparison.Ordinal);
        first.Shown();
        Assert.False(File.Exists(first.Path));
    }

    [Fact]
    public async Task Second_start_makes_nothing()
    {
        await using var node = await OpenSecurity.OnAsync(directory, withAdmin: false);
        Assert.NotNull((await AdminBootstrap.RunAsync(node.Changes, directory.Path, default)).Value);
        Assert.Null((await AdminBootstrap.RunAsync(node.Changes, directory.Path, default)).Value);
    }

    [Fact]
    public async Task Of_many_first_starts_at_once_one_makes_the_operator()
    {
        await using var node = await OpenSecurity.OnAsync(directory, withAdmin: false);
        var paths = Enumerable.Range(0, 4)
            .Select(number => Directory.CreateDirectory(directory.Combine($"n{number}")).FullName).ToList();
        var all = await Task.WhenAll(paths.Select(path => AdminBootstrap.RunAsync(node.Changes, path, default)));
        var first = Assert.Single(all, outcome => outcome.Value is not null).Value!;
        Assert.True((await node.Security.SignIns.SignInAsync("admin", first.Password, null, default)).Succeeded);
        Assert.Single(paths, path => File.Exists(Path.Combine(path, AdminBootstrap.FileName)));
    }

    [Fact]
    public async Task Two_installs_share_no_secret()
    {
        using var elsewhere = new TemporaryDirectory();
        await using var one = await OpenSecurity.OnAsync(directory, withAdmin: false);
        await using var other = await OpenSecurity.OnAsync(elsewhere, withAdmin: false);
        var first = (await AdminBootstrap.RunAsync(one.Changes, directory.Path, default)).Value!;
        var second = (await AdminBootstrap.RunAsync(other.Changes, elsewhere.Path, default)).Value!;
        Assert.NotEqual(first.Password, second.Password);
        Assert.NotEqual(one.Security.Keys.CurrentId, other.Security.Keys.CurrentId);
        var signedIn = (await one.Security.SignIns.SignInAsync("admin", first.Password, null, default)).Value;
        Assert.False((await other.Security.SignIns.AuthenticateAsync(signedIn.AccessToken, default)).Succeeded);
        Assert.False((await other.Security.SignIns.SignInAsync("admin", first.Password, null, default)).Succeeded);
    }
}
