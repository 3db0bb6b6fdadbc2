using System.Net;
using Groundwork.Tests.Support;

namespace Groundwork.Host.Tests.Verbs;

/// <summary><c>run</c> with the real executable, and verbs that talk to it.</summary>
public sealed class RunTests
{
    [Theory]
    [InlineData(Signals.Terminate)]
    [InlineData(Signals.Interrupt)]
    public async Task A_signal_drains_and_stops_it(int signal)
    {
        await using var node = await GroundworkProcess.StartNodeAsync();
        node.Signal(signal);
        Assert.Equal(0, await node.ExitAsync());
        Assert.Contains("has stopped", node.Output, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(node.DataDirectory, "node.json")));
    }

    [Fact]
    public async Task Verbs_find_it_over_its_socket_and_nobody_gets_in_without_a_credential()
    {
        await using var node = await GroundworkProcess.StartNodeAsync();
        using (var kinds = HostProgram.Start(HostProgram.Command[0], "list", "--data", node.DataDirectory))
        {
            Assert.Contains("access-key", await kinds.StandardOutput.ReadToEndAsync(), StringComparison.Ordinal);
            await kinds.WaitForExitAsync();
            Assert.Equal(0, kinds.ExitCode);
        }
        using var client = new HttpClient();
        using var answer = await client.GetAsync(new Uri(node.Address("api"), "/groundwork/v1/kinds"));
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task The_first_password_goes_to_a_file_and_not_into_the_log()
    {
        await using var node = await GroundworkProcess.StartNodeAsync();
        var path = Path.Combine(node.DataDirectory, "admin-password");
        await node.PrintsAsync(path);
        Assert.DoesNotContain((await File.ReadAllTextAsync(path)).Trim(), node.Output, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Fact]
    public async Task A_taken_port_is_named_with_its_holder()
    {
        await using var first = await GroundworkProcess.StartNodeAsync();
        using var directory = new TemporaryDirectory();
        using var second = HostProgram.Start(
            HostProgram.Command[0], "run", "--data", directory.Combine(
                "data"), "--set", $"listeners.api.address={first.Address("api").Authority}");
        var error = await second.StandardError.ReadToEndAsync();
        await second.WaitForExitAsync();
        Assert.Equal(1, second.ExitCode);
        Assert.Contains(first.Address("api")
            .Port.ToString(System.Globalization.CultureInfo.InvariantCulture), error, StringComparison.Ordinal);
        Assert.Contains(
            first.Id.ToString(System.Globalization.CultureInfo.InvariantCulture), error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_configuration_is_told_whole_and_nothing_starts()
    {
        using var directory = new TemporaryDirectory();
        using var node = HostProgram.Start(
            HostProgram.Command[0], "run", "--data", directory.Combine(
                "data"), "--set", "drainSeconds=soon", "--modules", "none");
        var error = await node.StandardError.ReadToEndAsync();
        await node.WaitForExitAsync();
        Assert.Equal(2, node.ExitCode);
        Assert.Contains("drainSeconds", error, StringComparison.Ordinal);
        Assert.Contains("none", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(directory.Combine("data")));
    }
}
