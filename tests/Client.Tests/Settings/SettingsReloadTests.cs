using Groundwork.Client.Tests.Support;
using Groundwork.Tests.Support;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Groundwork.Client.Tests.Settings;

public sealed class SettingsReloadTests
{
    [Fact]
    public async Task Settings_are_there_before_the_host_is_built()
    {
        await using var platform = await PlatformStub.StartAsync();
        platform.Publish(("orders", "main", "json", """{"Pair":{"Left":"1"}}"""));
        string? seen = null;

        await using var host =
            await ClientHost.StartAsync(platform.Address, map: app => seen = app.Configuration["Pair:Left"]);

        Assert.Equal("1", seen);
        Assert.Equal(11, host.App.Services.GetRequiredService<GroundworkSettings>().Revision);
    }

    [Fact]
    public async Task A_publication_reaches_the_options_monitor()
    {
        await using var platform = await PlatformStub.StartAsync();
        platform.Publish(("orders", "main", "json", """{"Pair":{"Left":"1","Right":"1"}}"""));
        await using var host = await StartWithPairAsync(platform);
        var monitor = host.App.Services.GetRequiredService<IOptionsMonitor<Pair>>();
        var told = new TaskCompletionSource<string>();
        using var listening = monitor.OnChange(pair => told.TrySetResult(pair.Left));

        platform.Publish(("orders", "main", "json", """{"Pair":{"Left":"2","Right":"2"}}"""));

        Assert.Equal("2", await told.Task.WaitAsync(Eventually.Patience));
        Assert.Equal("2", monitor.CurrentValue.Right);
    }

    [Fact]
    public async Task A_reader_of_two_keys_never_sees_a_mix()
    {
        const int Publications = 300;
        await using var platform = await PlatformStub.StartAsync();
        platform.Publish(("orders", "left", "json", Left(0)), ("orders", "right", "json", Right(0)));
        await using var host = await StartWithPairAsync(platform);
        var settings = host.App.Services.GetRequiredService<GroundworkSettings>();
        using var done = new CancellationTokenSource();
        var mixes = 0;
        var reads = 0L;

        // Each way to read two keys together: a monitor's object, options made afresh while values change, and Read.
        var readers = new Func<(string Left, string Right)>[]
        {
            () => OfMonitor(host.App.Services.GetRequiredService<IOptionsMonitor<Pair>>()),
            () => OfFactory(host.App.Services.GetRequiredService<IOptionsFactory<Pair>>()),
            () => settings.Read(configuration => (configuration["Pair:Left"]!, configuration["Pair:Right"]!)),
        };
        var tasks = readers.Select(read => Task.Run(() =>
        {
            while (!done.IsCancellationRequested)
            {
                var (left, right) = read();
                Interlocked.Increment(ref reads);
                if (left != right) Interlocked.Increment(ref mixes);
            }
        })).ToArray();
        for (var i = 1; i <= Publications; i++)
            platform.Publish(("orders", "left", "json", Left(i)), ("orders", "right", "json", Right(i)));
        await Eventually.TrueAsync(
            () => host.Configuration["Pair:Left"] == $"{Publications}", "the last publication is in force");
        await done.CancelAsync();
        await Task.WhenAll(tasks);

        Assert.Equal(0, mixes);
        Assert.True(reads > Publications, $"only {reads} reads");

        static string Left(int value) => $$$"""{"Pair":{"Left":"{{{value}}}"}}""";
        static string Right(int value) => $$$"""{"Pair":{"Right":"{{{value}}}"}}""";
    }

    [Fact]
    public async Task A_removed_setting_takes_its_keys_with_it()
    {
        await using var platform = await PlatformStub.StartAsync();
        platform.Publish(("shared", "a", "json", """{"Key":"shared"}"""), ("orders", "b", "json", """{"Key":"own"}"""));
        await using var host = await ClientHost.StartAsync(platform.Address);
        Assert.Equal("own", host.Configuration["Key"]);
        await Eventually.TrueAsync(() => platform.OpenStreams == 1, "the watch is open");

        platform.Publish(("orders", "b", "json", null));

        await Eventually.TrueAsync(() => host.Configuration["Key"] == "shared", "the shared group's value shows");
    }

    [Fact]
    public async Task Settings_rank_above_files_and_below_what_comes_after_them()
    {
        using var directory = new TemporaryDirectory();
        var file = directory.Write("appsettings.json", """{"InFile":"file","InBoth":"file","Everywhere":"file"}""");
        await using var platform = await PlatformStub.StartAsync();
        platform.Publish(("orders", "main", "json", """{"InBoth":"platform","Everywhere":"platform"}"""));

        await using var host = await ClientHost.StartAsync(platform.Address, before: builder => builder.Configuration
            .AddJsonFile(file)
            .AddInMemoryCollection([new("Everywhere", "command line")]));

        Assert.Equal("file", host.Configuration["InFile"]);
        Assert.Equal("platform", host.Configuration["InBoth"]);
        Assert.Equal("command line", host.Configuration["Everywhere"]);
    }

    [Fact]
    public async Task A_watch_that_broke_resumes_after_the_last_revision()
    {
        await using var platform = await PlatformStub.StartAsync();
        platform.Publish(("orders", "main", "json", """{"Key":"1"}"""));
        await using var host = await ClientHost.StartAsync(platform.Address);
        await Eventually.TrueAsync(() => platform.OpenStreams == 1, "the watch is open");
        platform.Publish(("orders", "main", "json", """{"Key":"2"}"""));
        await Eventually.TrueAsync(() => host.Configuration["Key"] == "2", "the change arrives");
        var loads = platform.Count("GET /settings/default?");

        platform.BreakStreams();
        platform.Publish(("orders", "main", "json", """{"Key":"3"}"""));

        await Eventually.TrueAsync(() => host.Configuration["Key"] == "3", "the change made meanwhile arrives");
        Assert.Equal(1, platform.Count("GET /settings/default/watch?group=shared&group=orders&after=12"));
        Assert.Equal(loads, platform.Count("GET /settings/default?"));
    }

    [Fact]
    public async Task A_progress_event_moves_where_the_watch_resumes()
    {
        await using var platform = await PlatformStub.StartAsync();
        await using var host = await ClientHost.StartAsync(platform.Address);
        await Eventually.TrueAsync(() => platform.OpenStreams == 1, "the watch is open");

        platform.SendRaw("event: progress\nid: store-1.400.0\ndata: {}\n\n");
        platform.SendRaw("event: progress\nid: 500\ndata: {}\n\n");
        platform.BreakStreams();

        await Eventually.TrueAsync(
            () => platform.Count("GET /settings/default/watch?group=shared&group=orders&after=500") == 1,
                "it resumes there");
    }

    [Theory]
    [InlineData("revision_compacted")]
    [InlineData("watch_store_changed")]
    public async Task A_watch_that_cannot_be_resumed_loads_everything_again(string code)
    {
        await using var platform = await PlatformStub.StartAsync();
        platform.Publish(("orders", "main", "json", """{"Key":"1"}"""));
        await using var host = await ClientHost.StartAsync(platform.Address);
        await Eventually.TrueAsync(() => platform.OpenStreams == 1, "the watch is open");

        // Another store counts from another number, here a lower one.
        platform.StoreId = "store-2";
        platform.Revision = 3;
        platform.Failures["/settings/default/watch"] = (410, code);
        platform.BreakStreams();
        platform.Publish(("orders", "main", "json", """{"Key":"2"}"""));

        await Eventually.TrueAsync(() => host.Configuration["Key"] == "2", "the other store's settings are in force");
        Assert.Equal(4, host.App.Services.GetRequiredService<GroundworkSettings>().Revision);
    }

    [Fact]
    public async Task A_problem_event_ends_the_watch_and_loads_again()
    {
        await using var platform = await PlatformStub.StartAsync();
        await using var host = await ClientHost.StartAsync(platform.Address);
        await Eventually.TrueAsync(() => platform.OpenStreams == 1, "the watch is open");
        var loads = platform.Count("GET /settings/default?");

        platform.SendRaw("""
            event: problem
            data: {"type":"x","title":"x","status":410,"detail":"x","code":"revision_compacted"}


            """);

        await Eventually.TrueAsync(() => platform.Count("GET /settings/default?") > loads, "it loads again");
    }

    [Fact]
    public async Task Without_a_watch_settings_are_polled()
    {
        await using var platform = await PlatformStub.StartAsync();
        platform.Failures["/settings/default/watch"] = (405, "method_not_allowed");
        await using var host = await ClientHost.StartAsync(platform.Address);

        platform.Publish(("orders", "main", "json", """{"Key":"polled"}"""));

        await Eventually.TrueAsync(() => host.Configuration["Key"] == "polled", "the poll finds it");
    }

    [Fact]
    public async Task An_older_revision_of_the_same_store_is_not_taken()
    {
        await using var platform = await PlatformStub.StartAsync();
        platform.Publish(("orders", "main", "json", """{"Key":"new"}"""));
        await using var host = await ClientHost.StartAsync(platform.Address);
        await Eventually.TrueAsync(() => platform.OpenStreams == 1, "the watch is open");

        platform.SendRaw(
            "event: settings\nid: 5\n"
            + "data: {\"storeId\":\"store-1\",\"revision\":5,\"namespace\":\"default\",\"settings\":[]}\n\n");
        platform.Publish(("orders", "other", "json", """{"Other":"1"}"""));

        await Eventually.TrueAsync(() => host.Configuration["Other"] == "1", "the later change arrives");
        Assert.Equal("new", host.Configuration["Key"]);
    }

    [Fact]
    public async Task A_value_that_cannot_be_bound_leaves_the_last_good_options_in_place()
    {
        await using var platform = await PlatformStub.StartAsync();
        platform.Publish(("orders", "main", "json", """{"Pair":{"Number":"1"}}"""));
        await using var host = await StartWithPairAsync(platform);
        var monitor = host.App.Services.GetRequiredService<IOptionsMonitor<Pair>>();
        Assert.Equal(1, monitor.CurrentValue.Number);

        platform.Publish(("orders", "main", "json", """{"Pair":{"Number":"many"}}"""));
        await Eventually.TrueAsync(() => host.Configuration["Pair:Number"] == "many", "the wrong value is in force");

        Assert.Equal(1, monitor.CurrentValue.Number);
        await Eventually.TrueAsync(() =>
            host.Log.Has("Error: The new settings do not make a valid Pair"), "the log says so");
        platform.Publish(("orders", "main", "json", """{"Pair":{"Number":"3"}}"""));
        await Eventually.TrueAsync(() => monitor.CurrentValue.Number == 3, "a right value is taken again");
    }

    [Fact]
    public async Task A_listener_that_throws_does_not_stop_the_next_publication()
    {
        await using var platform = await PlatformStub.StartAsync();
        await using var host = await StartWithPairAsync(platform);
        var monitor = host.App.Services.GetRequiredService<IOptionsMonitor<Pair>>();
        using var listening = monitor.OnChange(_ => throw new InvalidOperationException("as the test wants it"));

        platform.Publish(("orders", "main", "json", """{"Pair":{"Left":"1"}}"""));
        await Eventually.TrueAsync(() =>
            host.Log.Has("Error: A listener of the configuration failed"), "the log says so");
        platform.Publish(("orders", "main", "json", """{"Pair":{"Left":"2"}}"""));

        await Eventually.TrueAsync(() => monitor.CurrentValue.Left == "2", "the next publication arrives");
    }

    [Fact]
    public async Task A_broken_text_costs_only_its_own_setting()
    {
        await using var platform = await PlatformStub.StartAsync();
        platform.Publish(("orders", "a", "json", """{"A":"1"}"""), ("orders", "b", "json", """{"B":"1"}"""));
        await using var host = await ClientHost.StartAsync(platform.Address);
        await Eventually.TrueAsync(() => platform.OpenStreams == 1, "the watch is open");

        platform.Publish(("orders", "a", "json", "{"), ("orders", "b", "json", """{"B":"2"}"""));

        await Eventually.TrueAsync(() => host.Configuration["B"] == "2", "the good one arrives");
        Assert.Equal("1", host.Configuration["A"]);
        Assert.True(host.Log.Has("Error: A setting of revision 12 cannot be read"));
    }

    private static Task<ClientHost> StartWithPairAsync(PlatformStub platform) => ClientHost.StartAsync(
        platform.Address,
        before: builder => builder.Services.AddOptions<Pair>()
            .Configure<IConfiguration>((pair, configuration) => configuration.GetSection("Pair").Bind(pair))
            .Services.AddSingleton<IOptionsChangeTokenSource<Pair>>(
                provider => new ConfigurationChangeTokenSource<Pair>(provider.GetRequiredService<IConfiguration>())));

    private static (string Left, string Right) OfMonitor(IOptionsMonitor<Pair> monitor)
    {
        var pair = monitor.CurrentValue;
        return (pair.Left, pair.Right);
    }

    private static (string Left, string Right) OfFactory(IOptionsFactory<Pair> factory)
    {
        var pair = factory.Create(Options.DefaultName);
        return (pair.Left, pair.Right);
    }

    public sealed class Pair
    {
        public string Left { get; set; } = "";

        public string Right { get; set; } = "";

        public int Number { get; set; }
    }
}
