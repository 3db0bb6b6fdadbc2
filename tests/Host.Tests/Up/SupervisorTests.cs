using System.Collections.Immutable;
using System.Globalization;
using Groundwork.Host.Output;
using Groundwork.Host.Processes;
using Groundwork.Host.Up;
using Groundwork.Tests.Support;

namespace Groundwork.Host.Tests.Up;

public sealed class SupervisorTests : IAsyncDisposable
{
    private static readonly SupervisionOptions Quick = new()
    {
        FirstDelay = TimeSpan.FromMilliseconds(20),
        MaxDelay = TimeSpan.FromMilliseconds(80),
        StopPatience = TimeSpan.FromSeconds(20),
        StartingProbeInterval = TimeSpan.FromMilliseconds(20),
        ProbeInterval = TimeSpan.FromMilliseconds(20),
    };

    private readonly TemporaryDirectory directory = new();
    private readonly Launcher launcher = new(HostProgram.Command);
    private readonly RecordedText output = new();
    private readonly LogPrinter log;

    public SupervisorTests()
    {
        log = new LogPrinter(new Terminal(TextReader.Null, output, TextWriter.Null), ["a-1", "b-1", "c-1"]);
        log.Open();
    }

    public async ValueTask DisposeAsync()
    {
        launcher.Dispose();
        await log.DisposeAsync();
        directory.Dispose();
    }

    [Fact]
    public async Task A_child_that_ends_is_started_again_with_growing_delays_up_to_the_bound()
    {
        using var supervisor = Supervise(Quick, Shell("a", "echo run >> runs; exit 3"));
        supervisor.Start();
        await Eventually.TrueAsync(() => Lines("runs").Length >= 6, "six runs");
        await supervisor.StopAsync();
        Assert.Equal(
            ["0.02", "0.04", "0.08", "0.08", "0.08"],
            Printed().Where(line => line.Contains("exited with code 3", StringComparison.Ordinal))
                .Select(line => line.Split("again in ")[1].Split(' ')[0]).Take(5));
    }

    [Theory]
    [InlineData(1, 250)]
    [InlineData(2, 500)]
    [InlineData(6, 8000)]
    [InlineData(7, 15000)]
    [InlineData(5000, 15000)]
    public void Delays_double_up_to_the_bound(int failures, int milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), new SupervisionOptions().Delay(failures));

    [Fact]
    public async Task A_long_run_makes_the_next_delay_the_first_again()
    {
        // Every run counts as stable here, so no delay ever grows.
        using var supervisor = Supervise(
            Quick with { StableAfter = TimeSpan.Zero }, Shell("a", "echo run >> runs; exit 1"));
        supervisor.Start();
        await Eventually.TrueAsync(() => Lines("runs").Length >= 4, "four runs");
        await supervisor.StopAsync();
        Assert.All(
            Printed().Where(line => line.Contains("again in", StringComparison.Ordinal)),
            line => Assert.Contains("again in 0.02 s", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Services_stop_in_reverse_order_of_their_dependencies()
    {
        const string Script =
            "trap 'sleep 0.2; echo $NAME >> stops; exit 0' TERM; touch up-$NAME; while :; do sleep 0.05; done";
        using var supervisor = Supervise(
            Quick,
            Shell("a", $"NAME=a; {Script}"),
            Shell("b", $"NAME=b; {Script}") with { DependsOn = ["a"] },
            Shell("c", $"NAME=c; {Script}") with { DependsOn = ["b"] });
        supervisor.Start();
        await Eventually.TrueAsync(() => Exists("up-a") && Exists("up-b") && Exists("up-c"), "all three run");
        await supervisor.StopAsync();
        Assert.Equal(["c", "b", "a"], Lines("stops"));
        Assert.All(supervisor.Replicas, replica => Assert.Equal(ReplicaState.Stopped, replica.Status.State));
    }

    [Fact]
    public async Task A_service_waits_until_what_it_depends_on_is_healthy()
    {
        var first = Shell("a", "exec sleep 1000") with { Health = "/healthy" };
        using var supervisor = Supervise(
            Quick, first, Shell("b", "touch b-runs; exec sleep 1000") with { DependsOn = ["a"] });
        supervisor.Start();
        var replica = supervisor.Replicas.First();
        await Eventually.TrueAsync(() => replica.Status.Reason == "health cannot be connected", "nobody answers");
        // The test answers in the child's place, on the port that the child was given.
        var status = 503;
        await using var server = await AnswerAsync(replica.Status.Port, () => Volatile.Read(ref status));
        await Eventually.TrueAsync(
            () => replica.Status.Reason == "health answers 503", "a answers, and is not healthy");
        Assert.False(Exists("b-runs"));
        Volatile.Write(ref status, 204);
        await Eventually.TrueAsync(() => Exists("b-runs"), "b runs");
        await supervisor.Healthy.WaitAsync(Eventually.Patience);
        Volatile.Write(ref status, 500);
        await Eventually.TrueAsync(() => replica.Status.State == ReplicaState.Unhealthy, "a is unhealthy");
        Volatile.Write(ref status, 200);
        await Eventually.TrueAsync(() => replica.Status.State == ReplicaState.Healthy, "a is healthy again");
        await supervisor.StopAsync();
    }

    [Fact]
    public async Task An_optional_service_holds_up_nobody()
    {
        using var supervisor = Supervise(
            Quick,
            Shell("a", "exit 1") with { Optional = true, Health = "/never" },
            Shell("b", "touch b-runs; exec sleep 1000") with { DependsOn = ["a"] });
        supervisor.Start();
        await Eventually.TrueAsync(() => Exists("b-runs"), "b runs");
        await supervisor.Healthy.WaitAsync(Eventually.Patience);
        await supervisor.StopAsync();
    }

    [Fact]
    public async Task A_child_that_ignores_SIGTERM_is_killed_after_the_patience()
    {
        using var supervisor = Supervise(
            Quick with { StopPatience = TimeSpan.FromMilliseconds(200) },
            Shell("a", "trap '' TERM; touch a-runs; while :; do sleep 0.05; done"));
        supervisor.Start();
        await Eventually.TrueAsync(() => Exists("a-runs"), "a runs");
        await supervisor.StopAsync().WaitAsync(Eventually.Patience);
        Assert.Contains(
            Printed(), line => line.Contains("did not stop within 0.2 s and is killed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Kill_ends_at_once_what_would_still_take_its_time()
    {
        using var supervisor = Supervise(Quick, Shell("a", "trap '' TERM; touch a-runs; while :; do sleep 0.05; done"));
        supervisor.Start();
        await Eventually.TrueAsync(() => Exists("a-runs"), "a runs");
        var stopped = supervisor.StopAsync();
        Assert.False(stopped.IsCompleted);
        supervisor.Kill();
        await stopped.WaitAsync(TimeSpan.FromSeconds(10)); // The patience of Quick is 20 s.
    }

    [Fact]
    public async Task What_a_child_started_ends_with_it()
    {
        using var supervisor = Supervise(Quick, Shell("a", "sleep 1000 & echo $! > grandchild; sleep 1000 & wait"));
        supervisor.Start();
        await Eventually.TrueAsync(() => Lines("grandchild").Length == 1, "the grandchild runs");
        var grandchild = int.Parse(Lines("grandchild")[0], CultureInfo.InvariantCulture);
        Assert.True(HostProgram.IsAlive(grandchild));
        await supervisor.StopAsync();
        await Eventually.TrueAsync(() => !HostProgram.IsAlive(grandchild), "the grandchild is gone");
    }

    [Fact]
    public async Task Lines_carry_their_prefix_and_are_whole()
    {
        using var supervisor = Supervise(
            Quick, Shell("a", "echo out; echo err >&2; printf 'no end'; touch said; exec sleep 1000"));
        supervisor.Start();
        await Eventually.TrueAsync(() => Exists("said"), "all is said");
        await supervisor.StopAsync();
        await Eventually.TrueAsync(() => Printed().Length >= 3, "three lines");
        Assert.Equal(["a-1 | err", "a-1 | no end", "a-1 | out"], Printed().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_program_that_is_not_there_is_told_and_tried_again()
    {
        using var supervisor = Supervise(Quick, new ServiceDefinition("a") { Command = ["no-such-program"] });
        supervisor.Start();
        await Eventually.TrueAsync(() => supervisor.Replicas.Single().Status.Restarts >= 1, "a restart");
        await supervisor.StopAsync();
        Assert.Contains(Printed(), line => line.Contains("cannot start no-such-program", StringComparison.Ordinal));
    }

    private static ServiceDefinition Shell(string name, string script) => new(name) { Command = ["sh", "-c", script] };

    private static Task<HttpStub> AnswerAsync(int port, Func<int> status) => HttpStub.OnPortAsync(port, context =>
    {
        context.Response.StatusCode = context.Request.Path == "/healthy" ? status() : 404;
        return Task.CompletedTask;
    });

    private Supervisor Supervise(SupervisionOptions options, params ServiceDefinition[] services)
    {
        var ports = new LoopbackPorts();
        return new Supervisor(services.Select(service => (service, ImmutableArray.Create(new Replica(
            service, 1,
            port => new ReplicaStart(
                service.Command,
                directory.Path,
                ImmutableDictionary<string, string?>.Empty.Add("PORT", port.ToString(CultureInfo.InvariantCulture))),
            launcher, ports, log, options, TimeProvider.System)))));
    }

    private string[] Printed() => output.Lines;

    private bool Exists(string name) => File.Exists(directory.Combine(name));

    private string[] Lines(string name) => Exists(name) ? File.ReadAllLines(directory.Combine(name)) : [];
}
