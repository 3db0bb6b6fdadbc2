using System.Globalization;
using Groundwork.Tests.Support;

namespace Groundwork.Host.Tests.Up;

/// <summary><c>up</c> with the real executable and small real services.</summary>
public sealed class UpTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Services_run_with_what_they_need_and_stop_in_reverse_order_on_Ctrl_C()
    {
        Write("""
            services:
              first:
                command: [sh, -c, "echo I am $GROUNDWORK_SERVICE $GROUNDWORK_INSTANCE_ID of $GROUNDWORK_NAMESPACE at $GROUNDWORK_ADDRESS on $ASPNETCORE_URLS with $LEVEL and ${DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS-nothing}; stat -c 'key %a' $GROUNDWORK_ACCESS_KEY_FILE; cut -c1-3 $GROUNDWORK_ACCESS_KEY_FILE; trap 'echo first >> stops; exit 0' TERM; while :; do sleep 0.05; done"]
                environment: {LEVEL: 7}
              second:
                command: [sh, -c, "trap 'sleep 0.2; echo second >> stops; exit 0' TERM; echo second is here; while :; do sleep 0.05; done"]
                dependsOn: [first]
            """);
        await using var up = await UpAsync();
        await up.PrintsAsync("second is here");
        await up.PrintsAsync("gw_");
        Assert.Matches(@"first-1  \| I am first first-1 of default at http://127.0.0.1:\d+ on http://127.0.0.1:\d+ with 7 and nothing", up.Output);
        Assert.Contains("first-1  | key 600", up.Output, StringComparison.Ordinal);
        Assert.Matches(@"api +http://127.0.0.1:\d+\n", up.Output);
        Assert.Matches(@"gateway +http://127.0.0.1:\d+\n", up.Output);
        Assert.Matches(@"sign in +groundwork login admin", up.Output);
        Assert.Matches(@"first +first-1 +http://127.0.0.1:\d+ +healthy", up.Output);
        Assert.DoesNotContain('\e', up.Output);
        up.Signal(Signals.Interrupt);
        Assert.Equal(0, await up.ExitAsync());
        Assert.Equal(["second", "first"], File.ReadAllLines(directory.Combine("app", "stops")));
        Assert.False(Directory.Exists(directory.Combine(".groundwork", "up")), "the keys are gone");
        Assert.False(File.Exists(directory.Combine(".groundwork", "node.json")), "the node says that it is gone");
    }

    [Fact]
    public async Task Kill_9_leaves_no_child_and_the_next_up_starts_as_usual()
    {
        Write("""
            services:
              a: {command: [sh, -c, "echo $$ >> pids; exec sleep 1000"], replicas: 3}
            """);
        await using (var up = await UpAsync())
        {
            await Eventually.TrueAsync(() => Pids().Length == 3, "three children run", TimeSpan.FromMinutes(1));
            Assert.All(Pids(), pid => Assert.True(HostProgram.IsAlive(pid)));
            up.Signal(Signals.Kill);
            await Eventually.TrueAsync(() => !Array.Exists(Pids(), HostProgram.IsAlive), "no child is left");
        }
        await using var again = await UpAsync();
        await again.PrintsAsync("a-3");
        again.Signal(Signals.Terminate);
        Assert.Equal(0, await again.ExitAsync());
    }

    [Fact]
    public async Task A_second_Ctrl_C_ends_what_does_not_stop()
    {
        Write("""
            services:
              a: {command: [sh, -c, "trap '' TERM INT; echo $$ >> pids; while :; do sleep 0.05; done"]}
            """);
        await using var up = await UpAsync();
        await Eventually.TrueAsync(() => Pids().Length == 1, "the child runs", TimeSpan.FromMinutes(1));
        await up.PrintsAsync("a-1");
        up.Signal(Signals.Interrupt);
        await up.PrintsAsync("stopping; Ctrl-C again ends everything at once");
        up.Signal(Signals.Interrupt);
        Assert.Equal(0, await up.ExitAsync());
        Assert.False(HostProgram.IsAlive(Pids()[0]));
    }

    [Fact]
    public async Task Two_at_once_take_different_ports_and_the_second_in_one_directory_names_the_first()
    {
        Write("services: {a: {command: [sleep, '1000']}}");
        await using var first = await UpAsync();
        using var elsewhere = new TemporaryDirectory();
        await using var second = await GroundworkProcess.UpAsync(elsewhere.Path, directory.Combine("app"));
        Assert.NotEqual(first.Address("api"), second.Address("api"));
        Assert.NotEqual(first.Address("gateway"), second.Address("gateway"));
        using var third = HostProgram.Start(HostProgram.Command[0], "up", directory.Combine("app"), "--data", first.DataDirectory);
        var error = await third.StandardError.ReadToEndAsync();
        await third.WaitForExitAsync();
        Assert.Equal(1, third.ExitCode);
        Assert.Contains($"directory_locked: {first.DataDirectory} is in use by process {first.Id}.", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Faults_of_the_file_are_told_by_line_and_nothing_starts()
    {
        Write("services:\n  a: {comand: [x]}\n  b: {command: [x], replicas: 99}\n");
        using var up = HostProgram.Start(HostProgram.Command[0], "up", directory.Combine("app"));
        var error = await up.StandardError.ReadToEndAsync();
        await up.WaitForExitAsync();
        Assert.Equal(2, up.ExitCode);
        var file = directory.Combine("app", "up.yaml");
        Assert.Contains($"{file}:2:7: services.a.comand 'comand' is not known here", error, StringComparison.Ordinal);
        Assert.Contains($"{file}:3:21: services.b.replicas must be a whole number from 1 to 16", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(directory.Combine("app", ".groundwork")));
    }

    [Fact]
    public async Task Resources_with_faults_end_it_and_leave_nothing_running()
    {
        Write("services: {a: {command: [sleep, '1000']}}\nresources: [bad.yaml]\n");
        directory.Write("app/bad.yaml", "kind: route\nname: shop\nspec:\n  service: 5\n");
        using var up = HostProgram.Start(HostProgram.Command[0], "up", directory.Combine("app"), "--data", directory.Combine("data"));
        var error = await up.StandardError.ReadToEndAsync();
        await up.WaitForExitAsync();
        Assert.Equal(1, up.ExitCode);
        Assert.Contains($"{directory.Combine("app", "bad.yaml")}:", error, StringComparison.Ordinal);
        Assert.False(File.Exists(directory.Combine("data", "node.json")));
    }

    [Fact]
    public async Task An_optional_service_without_its_program_is_left_out_in_one_line_and_the_rest_runs()
    {
        Write("""
            services:
              bare: {command: [no-such-program, x], optional: true}
              odd: {command: [./no-such-file], optional: true}
              a: {command: [sh, -c, "echo a is here; exec sleep 1000"], dependsOn: [bare]}
            """);
        await using var up = await UpAsync();
        await up.PrintsAsync("a is here");
        Assert.Equal(
            ["bare is left out: there is no program 'no-such-program' here, and it is optional",
                "odd is left out: there is no program './no-such-file' here, and it is optional"],
            up.Output.Split('\n').Where(line => line.Contains("bare", StringComparison.Ordinal)
                || line.Contains("odd", StringComparison.Ordinal)));
        up.Signal(Signals.Interrupt);
        Assert.Equal(0, await up.ExitAsync());
    }

    [Fact]
    public async Task A_project_is_built_once_and_run()
    {
        directory.Write("app/One/One.csproj", Project);
        directory.Write("app/One/Program.cs", "Console.WriteLine(\"built and run on \" + Environment.GetEnvironmentVariable(\"PORT\")); Thread.Sleep(-1);");
        Write("services:\n  one: {project: One/One.csproj, replicas: 2}\n");
        await using var up = await UpAsync();
        await up.PrintsAsync("one-2 | built and run on ");
        await up.PrintsAsync("one-1 | built and run on ");
        Assert.Contains("building 1 project\n", up.Output, StringComparison.Ordinal);
        up.Signal(Signals.Interrupt);
        Assert.Equal(0, await up.ExitAsync());
    }

    [Fact]
    public async Task A_project_that_does_not_build_ends_it_with_the_compilers_words()
    {
        directory.Write("app/One/One.csproj", Project);
        directory.Write("app/One/Program.cs", "this is no C#");
        Write("services:\n  one: {project: One/One.csproj}\n");
        using var up = HostProgram.Start(HostProgram.Command[0], "up", directory.Combine("app"), "--data", directory.Combine("data"));
        var error = await up.StandardError.ReadToEndAsync();
        await up.WaitForExitAsync();
        Assert.Equal(1, up.ExitCode);
        Assert.Contains("groundwork: the build failed", error, StringComparison.Ordinal);
        Assert.Contains("Program.cs(1,", error, StringComparison.Ordinal);
        Assert.Contains(": error CS", error, StringComparison.Ordinal);
    }

    private const string Project =
        """
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <OutputType>Exe</OutputType>
            <TargetFramework>net10.0</TargetFramework>
            <ImplicitUsings>enable</ImplicitUsings>
          </PropertyGroup>
        </Project>
        """;

    private int[] Pids() => File.Exists(directory.Combine("app", "pids"))
        ? [.. File.ReadAllLines(directory.Combine("app", "pids")).Select(line => int.Parse(line, CultureInfo.InvariantCulture))]
        : [];

    private void Write(string file) => directory.Write("app/up.yaml", file);

    private Task<GroundworkProcess> UpAsync() => GroundworkProcess.UpAsync(directory.Path, directory.Combine("app"));
}
