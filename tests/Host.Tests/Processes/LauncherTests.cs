using System.Globalization;
using Groundwork.Host.Processes;
using Groundwork.Tests.Support;

namespace Groundwork.Host.Tests.Processes;

public sealed class LauncherTests
{
    [Fact]
    public async Task A_child_leads_its_own_group_and_has_no_input()
    {
        using var launcher = new Launcher(HostProgram.Command);
        using var child = await launcher.StartAsync(
            ["sh", "-c", "cut -d' ' -f5 /proc/$$/stat; cat; echo end"], "/", new Dictionary<string, string?>());
        var output = await child.StandardOutput.ReadToEndAsync();
        Assert.Equal($"{child.Id}\nend\n", output);
        await child.WaitForExitAsync();
        Assert.Equal(0, child.ExitCode);
    }

    [Fact]
    public async Task A_child_gets_its_directory_and_environment()
    {
        using var directory = new TemporaryDirectory();
        using var launcher = new Launcher(HostProgram.Command);
        var environment = new Dictionary<string, string?> { ["GIVEN"] = "a b", ["HOME"] = null };
        using var child = await launcher.StartAsync(
            ["sh", "-c", "pwd; echo $GIVEN; echo ${HOME-none}"], directory.Path, environment);
        Assert.Equal($"{directory.Path}\na b\nnone\n", await child.StandardOutput.ReadToEndAsync());
    }

    [Fact]
    public async Task A_broken_pipe_ends_a_child_as_it_would_from_a_shell()
    {
        using var launcher = new Launcher(HostProgram.Command);
        using var child = await launcher.StartAsync(["yes"], "/", new Dictionary<string, string?>());
        await child.StandardOutput.ReadLineAsync();
        child.StandardOutput.Close();
        await child.WaitForExitAsync().WaitAsync(Eventually.Patience);
        Assert.Equal(128 + 13, child.ExitCode); // SIGPIPE, not an error message about a failed write.
    }

    [Theory]
    [InlineData("no-such-program", 127)]
    [InlineData("/etc/passwd", 126)]
    public async Task A_command_that_cannot_start_says_so(string program, int exitCode)
    {
        using var launcher = new Launcher(HostProgram.Command);
        using var child = await launcher.StartAsync([program], "/", new Dictionary<string, string?>());
        var error = await child.StandardError.ReadToEndAsync();
        await child.WaitForExitAsync();
        Assert.Equal(exitCode, child.ExitCode);
        Assert.StartsWith($"groundwork: cannot start {program}: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_end_of_the_launchers_thread_ends_the_children()
    {
        var launcher = new Launcher(HostProgram.Command);
        using var child = await launcher.StartAsync(
            ["sh", "-c", "echo ready; exec sleep 1000"], "/", new Dictionary<string, string?>());
        Assert.Equal("ready", await child.StandardOutput.ReadLineAsync());
        launcher.Dispose();
        await child.WaitForExitAsync().WaitAsync(Eventually.Patience);
        Assert.Equal(128 + Posix.SigKill, child.ExitCode);
    }

    [Fact]
    public async Task Kill_9_of_the_parent_ends_the_child()
    {
        // The shell is the parent: it starts the child through launch, tells us its id, and gets kill -9.
        var script = $"{HostProgram.Command[0]} launch --parent $$ -- sh -c 'echo child $$; exec sleep 1000' & wait";
        using var parent = HostProgram.Start("sh", "-c", script);
        var line = await parent.StandardOutput.ReadLineAsync() ?? "";
        var child = int.Parse(line["child ".Length..], CultureInfo.InvariantCulture);
        Assert.True(HostProgram.IsAlive(child));
        parent.Kill();
        await Eventually.TrueAsync(() => !HostProgram.IsAlive(child), "the child is gone");
    }

    [Fact]
    public async Task A_parent_that_is_gone_already_starts_nothing()
    {
        using var launch = HostProgram.Start(
            HostProgram.Command[0], "launch", "--parent", "1", "--", "echo", "started");
        Assert.Equal("", await launch.StandardOutput.ReadToEndAsync());
        await launch.WaitForExitAsync();
        Assert.Equal(126, launch.ExitCode);
    }
}
