using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Tests.Resources;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Kernel.Tests.Hosting;

public sealed class NodeHostTests
{
    [Fact]
    public async Task Node_starts_on_sqlite_and_a_resource_survives_its_restart()
    {
        using var directory = new TemporaryDirectory();
        var data = directory.Combine("data");
        long revision;
        await using (var first = await RunningNode.StartAsync([Toy()], directory: data))
        {
            Assert.NotNull(first.Host.FirstPassword);
            using var answer = await first.Local.PutAsJsonAsync(
                "/groundwork/v1/resources/toy/default/bear", new { spec = new { text = "a bear" } });
            Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
            // A 201 has a body.
            revision = (await answer.Content.ReadFromJsonAsync(WireJson.Strict.ChangesetAnswer))!.Revision;
            Assert.Equal($"{revision}", Assert.Single(answer.Headers.GetValues(HeaderNames.Revision)));
            await first.StopAsync();
        }

        await using var second = await RunningNode.StartAsync([Toy()], directory: data);
        Assert.Null(second.Host.FirstPassword);
        var bear = second.Node.Snapshots.Current.Find("toy", "default", "bear");
        Assert.Equal(("a bear", revision), (bear?.As<Toy>().Text, bear?.Revision));
    }

    [Fact]
    public async Task Life_of_a_module_is_declare_start_drain_stop()
    {
        var toy = Toy();
        await using var node = await RunningNode.StartAsync([toy]);
        Assert.Equal(["declare", "declare", "start"], toy.Life); // Once by the test's own configuration.
        await node.StopAsync();
        await node.StopAsync();
        Assert.Equal(["drain", "stop"], toy.Life[3..]);
    }

    [Fact]
    public async Task Node_is_not_ready_while_it_drains_and_still_answers()
    {
        var toy = new ToyModule();
        await using var node = await RunningNode.StartAsync([toy]);
        using var ready = await node.Client().GetAsync("/health/ready");
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);

        var stop = node.StopAsync();
        using var draining = await node.Client().GetAsync("/health/ready");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, draining.StatusCode);
        Assert.Equal("failing", (await draining.Content.ReadFromJsonAsync(WireJson.Strict.HealthDocument))?.Status);
        Assert.False(stop.IsCompleted);
        toy.Drained.SetResult();
        await stop;
        await Assert.ThrowsAsync<HttpRequestException>(() => node.Client().GetAsync("/health/live"));
    }

    [Fact]
    public async Task Drain_has_a_bound_and_what_follows_it_runs_all_the_same()
    {
        var toy = new ToyModule();
        await using var node = await RunningNode.StartAsync(
            [toy], configuration => configuration with { Drain = TimeSpan.FromMilliseconds(50) });
        await node.StopAsync();
        Assert.Equal("stop", toy.Life[^1]);
        Assert.Contains("did not drain in time", node.Log.ToString());
    }

    [Fact]
    public async Task Node_file_says_where_the_node_is_and_goes_with_it()
    {
        await using var node = await RunningNode.StartAsync();
        var file = NodeFile.Read(node.Node.DataDirectory.Path);
        Assert.NotNull(file);
        Assert.Equal(Environment.ProcessId, file.Pid);
        Assert.Equal(node.Node.Snapshots.Current.StoreId, file.StoreId);
        using var client = new HttpClient { BaseAddress = new Uri(file.ApiAddress!) }; // Every node has an API.
        using var live = await client.GetAsync("/health/live");
        Assert.Equal(HttpStatusCode.OK, live.StatusCode);
        await node.StopAsync();
        Assert.Null(NodeFile.Read(node.Node.DataDirectory.Path));
    }

    [Fact]
    public async Task Start_that_fails_half_way_closes_what_it_opened()
    {
        using var directory = new TemporaryDirectory();
        var data = directory.Combine("data");
        using var holder = new TcpListener(IPAddress.Loopback, 0);
        holder.Start();
        var toy = Toy();
        var taken = (IPEndPoint)holder.LocalEndpoint;
        var fault = await Assert.ThrowsAsync<StartupException>(() => RunningNode.StartAsync(
            [toy],
            configuration => configuration with
            {
                Listeners = configuration.Listeners.SetItem(
                    "api", new ListenerOptions { Address = new ListenAddress(taken.Address, taken.Port) }),
            },
            data));
        Assert.Equal("address_in_use", fault.Fault.Error.Code);
        Assert.Equal("stop", toy.Life[^1]);
        Assert.Null(NodeFile.Read(data));
        // The lock and the database are free again.
        await using var again = await RunningNode.StartAsync([Toy()], directory: data);
    }

    [Fact]
    public async Task Module_that_cannot_start_stops_the_node_with_its_own_exception()
    {
        var broken = new ToyModule("broken", _ => throw new InvalidOperationException("no luck"));
        var fault = await Assert.ThrowsAsync<InvalidOperationException>(() => RunningNode.StartAsync([broken]));
        Assert.Equal("no luck", fault.Message);
        Assert.Equal("stop", broken.Life[^1]);
    }

    [Fact]
    public async Task Modules_start_in_order_and_stop_in_reverse()
    {
        var order = new List<string>();
        var one = new ToyModule("one", _ => order.Add("one"));
        var two = new ToyModule("two", _ => order.Add("two"));
        one.Drained.SetResult();
        two.Drained.SetResult();
        await using var node = await RunningNode.StartAsync([two, one], configuration => configuration with
        {
            Modules = new ModuleSelection(
                [new("one", Layer.Services), new("two", Layer.Services, "one")], IsEdge: false),
        });
        Assert.Equal(["one", "two"], order);
    }

    [Fact]
    public async Task Second_node_on_one_directory_is_refused_with_the_pid_of_the_first()
    {
        await using var node = await RunningNode.StartAsync();
        var fault = await Assert.ThrowsAsync<StartupException>(
            () => RunningNode.StartAsync(directory: node.Node.DataDirectory.Path));
        Assert.Equal("directory_locked", fault.Fault.Error.Code);
    }

    [Fact]
    public async Task Node_with_another_root_key_is_refused()
    {
        using var directory = new TemporaryDirectory();
        var data = directory.Combine("data");
        await using (var first = await RunningNode.StartAsync(directory: data)) await first.StopAsync();
        var fault = await Assert.ThrowsAsync<StartupException>(() => RunningNode.StartAsync(
            configure: configuration =>
                configuration with { RootKeyFile = directory.Combine("other.key") }, directory: data));
        Assert.Equal("root_key_mismatch", fault.Fault.Error.Code);
    }

    [Fact]
    public async Task Local_user_administers_and_a_caller_without_a_key_may_nothing()
    {
        await using var node = await RunningNode.StartAsync();
        var version = await node.Local.GetFromJsonAsync("/groundwork/v1/version", WireJson.Strict.VersionDocument);
        Assert.StartsWith("sqlite", version?.Engine);
        using var refused = await node.Client().GetAsync("/groundwork/v1/version");
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        var reader = node.Client(await node.MintAsync("reader", [BuiltInRoles.Reader]));
        using var allowed = await reader.GetAsync("/groundwork/v1/version");
        Assert.Equal(HttpStatusCode.OK, allowed.StatusCode);
        using var forbidden = await reader.GetAsync("/groundwork/v1/doctor");
        Assert.Equal(HttpStatusCode.Forbidden, forbidden.StatusCode);
    }

    [Fact]
    public async Task Doctor_tells_each_option_with_its_origin()
    {
        await using var node = await RunningNode.StartAsync(configure: configuration => configuration with
        {
            Values = [new ConfigurationValue("listeners.api.address", "127.0.0.1:0", "groundwork.yaml:3")],
        });
        var doctor = await node.Local.GetFromJsonAsync("/groundwork/v1/doctor", WireJson.Strict.DoctorDocument);
        var option = Assert.Single(doctor?.Options ?? []);
        Assert.Equal(("groundwork.yaml:3", "host:port"), (option.Origin, option.Unit));
        Assert.Equal($"127.0.0.1:{node.Node.Listeners.UrlOf("api").Port}", doctor?.Listeners["api"]);
        Assert.True(doctor?.FreeBytes > 0);
    }

    [Fact]
    public async Task Nodes_and_modules_are_listed()
    {
        await using var node = await RunningNode.StartAsync();
        var nodes = await node.Local.GetFromJsonAsync("/groundwork/v1/nodes", WireJson.Strict.NodeList);
        Assert.Equal(("test", "live"), (Assert.Single(nodes!.Items).Name, nodes.Items[0].State)); // The call succeeded.
        var modules = await node.Local.GetFromJsonAsync("/groundwork/v1/modules", WireJson.Strict.ModuleList);
        Assert.Equal(Modules.Table.Length, modules?.Items.Count);
        Assert.All(modules?.Items ?? [], module => Assert.False(module.Running));
    }

    [Fact]
    public async Task By_default_no_socket_of_the_process_is_off_loopback()
    {
        await using var node = await RunningNode.StartAsync([Toy()]);
        var open = OpenSockets.Listening(Environment.ProcessId);
        Assert.Contains(open, socket => socket.Port == node.Node.Listeners.UrlOf("api").Port);
        Assert.All(open, socket => Assert.True(IPAddress.IsLoopback(socket.Address), $"{socket} is off loopback"));

        // The check itself: a socket off loopback is seen.
        using var planted = new TcpListener(IPAddress.Any, 0);
        planted.Start();
        Assert.Contains(OpenSockets.Listening(Environment.ProcessId), socket => !IPAddress.IsLoopback(socket.Address));
    }

    [Fact]
    public async Task Log_lines_carry_the_revision_once_there_is_one()
    {
        await using var node = await RunningNode.StartAsync();
        await node.StopAsync();
        var revision = node.Node.Snapshots.Current.Revision;
        await Eventually.TrueAsync(
            () =>
                node.Log.ToString()
                    .Contains($"category=Kernel.Hosting.NodeHost revision={revision}", StringComparison.Ordinal),
            "a line with the revision");
    }

    [Fact]
    public async Task Watch_ends_when_the_node_stops()
    {
        await using var node = await RunningNode.StartAsync([Toy()]);
        using var stream = await node.Local.GetAsync(
            "/groundwork/v1/watch?after=0", HttpCompletionOption.ResponseHeadersRead);
        var read = stream.Content.ReadAsStringAsync();
        await node.StopAsync();
        Assert.DoesNotContain("event: problem", await read);
    }

    private static ToyModule Toy()
    {
        var toy = new ToyModule();
        toy.Drained.SetResult();
        return toy;
    }
}
