using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Services.KeyValue;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Tests.Protocols.KeyValue;

/// <summary>
/// etcd's own layout of services, <c>services/SERVICE/HOST:PORT</c>, as a view of the registry: Debian's etcdctl and
/// npm's etcd3, beside a real etcd where the answers are to be the same.
/// </summary>
public sealed partial class EtcdNamingTests(NpmClients clients) : IAsyncLifetime
{
    private const string One = """{"Op":0,"Addr":"10.0.0.1:8080","Metadata":{"zone":"a"}}""";
    private const string Two = """{"Op":0,"Addr":"10.0.0.2:8080","Metadata":null}""";
    private const string Orders = "services/orders/";

    private static readonly string[] Script =
    [
        "get services/ --prefix -w json", $"put {Orders}10.0.0.1:8080 {One} -w json",
        $"put {Orders}10.0.0.2:8080 {Two} --prev-kv -w json", $"put {Orders}10.0.0.1:8080 {One} --prev-kv -w json",
        $"get {Orders}10.0.0.1:8080 -w json", $"get {Orders}10.0.0.3:8080 -w json", $"get {Orders} --prefix -w json",
        "get services/ --prefix -w json", $"get {Orders} --prefix --limit=1 -w json",
        "get services/bills/ --prefix -w json",
        $"get {Orders} --prefix --keys-only", $"get {Orders} --prefix --count-only -w json",
        $"get {Orders} --prefix --order=DESCEND --sort-by=KEY -w json",
        $"get {Orders} --prefix --sort-by=VERSION -w json", $"get {Orders} --prefix --sort-by=VALUE -w json",
        $"get {Orders} --prefix --order=DESCEND --sort-by=CREATE -w json",
        $"get {Orders} --prefix --sort-by=MODIFY --limit=1 -w json",
        $"get {Orders}10.0.0.1:8080 {Orders}10.0.0.2:8080 -w json",
        $"put {Orders}10.0.0.3:8080 --ignore-value", $"put {Orders}10.0.0.1:8080 {One} --lease=77",
        $"txn -w json|version(\"{Orders}10.0.0.4:8080\") = \"0\"\n\n"
            + $"put {Orders}10.0.0.4:8080 {{\"Op\":0,\"Addr\":\"10.0.0.4:8080\"}}\nget {Orders} --prefix\n\n"
            + $"get {Orders}\n\n",
        $"txn -w json|create(\"{Orders}10.0.0.4:8080\") = \"0\"\n\nget {Orders}\n\ndel {Orders}10.0.0.4:8080\n\n",
        $"txn|\nput {Orders}10.0.0.1:8080 {One}\nput {Orders}10.0.0.1:8080 {One}\n\n\n",
        $"del {Orders}10.0.0.2:8080 --prev-kv -w json", $"del {Orders}10.0.0.2:8080 -w json",
        $"del services/none/ --prefix -w json", $"put {Orders}10.0.0.2:8080 {Two} -w json",
        $"get {Orders} --prefix -w json", "lease grant 600", $"put {Orders}10.0.0.5:8080 {One} --lease=$1",
        $"put {Orders}10.0.0.1:8080 --ignore-value --lease=$1 -w json", $"get {Orders} --prefix -w json",
        $"put {Orders}10.0.0.1:8080 {One} -w json",
        "lease timetolive $1 --keys", "lease revoke $1", $"get {Orders} --prefix -w json",
        $"del {Orders} --prefix -w json", "get services/ --prefix -w json",
    ];

    private readonly TemporaryDirectory directory = new();
    private RunningNode node = null!; // Started before every test.
    private string key = "";

    public async ValueTask InitializeAsync()
    {
        node = await StartAsync();
        key = await node.MintAsync("all", [BuiltInRoles.Administrator]);
    }

    public async ValueTask DisposeAsync()
    {
        await node.DisposeAsync();
        directory.Dispose();
    }

    [Fact]
    public async Task The_same_script_gives_the_same_answers_as_a_real_etcd()
    {
        await using var server = await EtcdServer.StartAsync();
        var theirs = await RunAsync(new Etcdctl(server.Port));
        var ours = await RunAsync(Ours());
        var differences = Script.Index().Where(line => theirs[line.Index] != ours[line.Index])
            .Select(line => $"{line.Item}\n  etcd: {theirs[line.Index]}\n  ours: {ours[line.Index]}");
        Assert.True(theirs.SequenceEqual(ours), string.Join("\n", differences));
    }

    [Fact]
    public async Task A_watch_sees_the_same_as_of_a_real_etcd()
    {
        await using var server = await EtcdServer.StartAsync();
        var seen = new List<List<string>>();
        foreach (var etcd in new[] { new Etcdctl(server.Port), Ours() })
        {
            var first = RevisionOf(await etcd.RunAsync("get services/ --prefix -w json"));
            foreach (var line in new[]
            {
                $"put {Orders}10.0.0.1:8080 {One}", $"put {Orders}10.0.0.2:8080 {Two}",
                $"put services/bills/10.0.0.1:8080 {One}", $"del {Orders}10.0.0.1:8080",
                $"put {Orders}10.0.0.1:8080 {One}", $"put {Orders}end {One}",
            })
                Assert.EndsWith("exit 0", await etcd.RunAsync(line), StringComparison.Ordinal);
            foreach (var watch in new[]
            {
                $"{Orders} --prefix", "services/ --prefix --prev-kv", $"{Orders}10.0.0.1:8080 {Orders}end0",
            })
                seen.Add(await etcd.FollowAsync($"watch {watch} --rev={first + 1}", "end"));
        }
        Assert.Equal(seen[..3], seen[3..]);
        Assert.Contains("DELETE", seen[0]);
    }

    [Fact]
    public async Task What_registers_by_another_protocol_is_a_key_as_long_as_traffic_goes_to_it()
    {
        var ours = Ours();
        var watching = ours.FollowAsync($"watch {Orders} --prefix --prev-kv", "10.9.9.9");
        await Task.WhenAny(watching, Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System));
        await RegisterAsync("a", "10.0.0.7", "passing");
        Assert.Contains(
            """{"Op":0,"Addr":"10.0.0.7:80","Metadata":{"team":"x"}}""",
            await ours.RunAsync($"get {Orders} --prefix"), StringComparison.Ordinal);
        await RegisterAsync("b", "10.0.0.8", "passing");
        await RegisterAsync("c", "::1", "passing");
        await RegisterAsync("d", "10.0.0.9", "passing");
        await RegisterAsync("a", "10.0.0.7", "critical");
        Assert.Equal(
            $"{Orders}10.0.0.8:80\n\n{Orders}10.0.0.9:80\n\n{Orders}[::1]:80\n\nexit 0",
            await ours.RunAsync($"get {Orders} --prefix --keys-only"));
        await RegisterAsync("a", "10.0.0.7", "passing");
        await RegisterAsync("e", "10.9.9.9", "passing");
        var lines = await watching;
        Assert.Equal(
            [
                $"PUT {Orders}10.0.0.7:80", $"PUT {Orders}10.0.0.8:80", $"PUT {Orders}[::1]:80",
                $"PUT {Orders}10.0.0.9:80", $"DELETE {Orders}10.0.0.7:80", $"PUT {Orders}10.0.0.7:80",
                $"PUT {Orders}10.9.9.9:80",
            ],
            Events(lines));
        Assert.DoesNotContain("10.0.0.7", await ours.RunAsync("get services --from-key"),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_put_is_an_instance_with_all_that_was_said()
    {
        var value = """{"Op":0,"Addr":"10.0.0.1:8080","Metadata":{"zone":"a","n":5},"Extra":[1]}""";
        Assert.EndsWith("exit 0", await Ours().RunAsync($"put services/shop%2Fblue@@orders/one {value}"));
        var service = await ListAsync("shop/blue@@orders");
        var instance = Assert.Single(service.Instances);
        Assert.Equal(("one", "10.0.0.1", 8080, "a"), (instance.Id, instance.Host, instance.Port, instance.Zone));
        Assert.Equal("5", instance.Metadata?["n"]);
        Assert.StartsWith("etcd, ", instance.RegisteredBy, StringComparison.Ordinal);
        Assert.Contains(value, await Ours().RunAsync("get services/shop%2Fblue@@orders/one"), StringComparison.Ordinal);
        // What changes over another protocol stands in the value, and what that cannot say stays.
        using var http = node.Client(key);
        using var answer = await http.PutAsJsonAsync(
            "groundwork/v1/registry/instances",
            instance with
            {
                Port = 9090, RegisteredBy = null, RegisteredFrom = null, Health = null, Incarnation = null,
                Callable = null, ExpiresAt = null,
            },
            WireJson.Strict.InstanceDocument);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        Assert.Contains(
            """{"Op":0,"Addr":"10.0.0.1:9090","Metadata":{"zone":"a","n":5},"Extra":[1]}""",
            await Ours().RunAsync("get services/shop%2Fblue@@orders/one"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("put services/orders {}", "bad_request")]
    [InlineData("put services/orders/a/b {}", "bad_request")]
    [InlineData("put services/ {}", "bad_request")]
    [InlineData("put services/or,ders/a {}", "name_invalid")]
    [InlineData("put services/Shop%2Forders/a {}", "namespace_invalid")]
    [InlineData("put services/orders/a text", "instance_invalid")]
    [InlineData("put services/orders/a []", "instance_invalid")]
    [InlineData("""put services/orders/a {"Op":0}""", "instance_invalid")]
    [InlineData("""put services/orders/a {"Op":1,"Addr":"10.0.0.1:80"}""", "instance_invalid")]
    [InlineData("""put services/orders/a {"Op":0,"Addr":"10.0.0.1"}""", "instance_invalid")]
    [InlineData("""put services/orders/a {"Op":0,"Addr":"::1:80"}""", "instance_invalid")]
    [InlineData("""put services/orders/a {"Op":0,"Addr":"10.0.0.1:0"}""", "instance_invalid")]
    [InlineData("""put services/orders/a {"Op":0,"Addr":"10.0.0.1:80","Addr":"10.0.0.2:80"}""", "instance_invalid")]
    [InlineData("""put services/orders/a {"Op":0,"Addr":"10.0.0.1:80","Metadata":{"":"x"}}""", "instance_invalid")]
    [InlineData("txn|\nput services/orders/a {}\nput other 1\n\n\n", "bad_request")]
    public async Task What_is_no_instance_is_refused_by_name(string line, string code)
    {
        var parts = line.Split('|');
        var said = await Ours().RunAsync(parts[0], parts.ElementAtOrDefault(1) ?? "");
        Assert.Contains($"etcdserver: {code}: ", said, StringComparison.Ordinal);
        Assert.DoesNotContain("exit 0", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_of_the_table_and_instances_do_not_mix()
    {
        var ours = Ours();
        await ours.RunAsync("put serv table");
        await ours.RunAsync($"put {Orders}10.0.0.1:8080 {One}");
        Assert.DoesNotContain("10.0.0.1", await ours.RunAsync("get serv --prefix"), StringComparison.Ordinal);
        Assert.Contains("table", await ours.RunAsync("get serv --prefix"), StringComparison.Ordinal);
        Assert.DoesNotContain("10.0.0.1", await ours.RunAsync("get a --from-key"), StringComparison.Ordinal);
        await ours.RunAsync("put services0 table");
        var beyond = await ours.RunAsync("get services/ --from-key");
        Assert.Equal("services0\ntable\nexit 0", beyond);
        await ours.RunAsync("del services/ --from-key");
        await ours.RunAsync("del a --from-key");
        Assert.Contains("10.0.0.1", await ours.RunAsync("get services/ --prefix"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Past_revisions_are_read_as_far_as_they_are_known()
    {
        var ours = Ours();
        var empty = RevisionOf(await ours.RunAsync("get services/ --prefix -w json"));
        var one = RevisionOf(await ours.RunAsync($"put {Orders}10.0.0.1:8080 {One} -w json"));
        var two = RevisionOf(await ours.RunAsync($"put {Orders}10.0.0.2:8080 {Two} -w json"));
        await ours.RunAsync($"del {Orders}10.0.0.1:8080");
        Assert.Equal($"{Orders}10.0.0.1:8080\n\nexit 0", await At(one));
        Assert.Equal($"{Orders}10.0.0.1:8080\n\n{Orders}10.0.0.2:8080\n\nexit 0", await At(two));
        Assert.Equal("exit 0", await At(empty));
        Assert.Contains("has been compacted", await At(empty - 1), StringComparison.Ordinal);
        Assert.Contains("future revision", await At(two + 1_000), StringComparison.Ordinal);

        Task<string> At(long revision) => ours.RunAsync($"get {Orders} --prefix --keys-only --rev={revision}");
    }

    [Fact]
    public async Task Who_may_not_neither_sees_nor_registers_and_lists_show_what_he_may_see()
    {
        await Ours().RunAsync($"put {Orders}10.0.0.1:8080 {One}");
        var told = RevisionOf(await Ours().RunAsync($"put services/bills/10.0.0.1:8080 {One} -w json"));
        await Ours().RunAsync($"put services/bills/10.0.0.2:8080 {Two}");
        await Ours().RunAsync("del services/bills/10.0.0.2:8080");
        var secret = await node.MintAsync(
            "narrow", [],
            [
                new Grant(["discover"], ["instance"], ["default"], ["default/orders/*"]),
                new Grant(["register"], ["instance"], ["default"], ["default/orders/10.0.0.2:8080"]),
                new Grant(["read", "write", "delete"], ["kv-key"], ["default"], ["*"]),
            ]);
        var narrow = new Etcdctl(Port, $"narrow:{secret}");
        Assert.Equal(
            $"{Orders}10.0.0.1:8080\n\nexit 0", await narrow.RunAsync("get services/ --prefix --keys-only"));
        Assert.EndsWith("exit 0", await narrow.RunAsync($"put {Orders}10.0.0.2:8080 {Two}"));
        Assert.EndsWith("exit 0", await narrow.RunAsync($"del {Orders}10.0.0.2:8080"));
        foreach (var refused in new[]
        {
            "get services/bills/ --prefix", $"put {Orders}10.0.0.1:8080 {One}",
            $"put services/bills/10.0.0.2:8080 {Two}",
            $"del {Orders}10.0.0.1:8080", $"del {Orders} --prefix", "del services/ --prefix",
            "del services/bills/10.0.0.9:1",
        })
            Assert.Contains("permission denied", await narrow.RunAsync(refused), StringComparison.Ordinal);
        Assert.Contains(
            "canceled by the server", await narrow.RunAsync("watch services/bills/ --prefix"),
            StringComparison.Ordinal);
        await Ours().RunAsync($"put {Orders}end {One}");
        Assert.Equal(
            [$"PUT {Orders}10.0.0.2:8080", $"DELETE {Orders}10.0.0.2:8080", $"PUT {Orders}end"],
            Events(await narrow.FollowAsync($"watch services/ --prefix --rev={told + 1}", "end")));
        Assert.Contains(
            "user name is empty", await new Etcdctl(Port).RunAsync("get services/ --prefix"), StringComparison.Ordinal);
        Assert.Single((await ListAsync("default/bills")).Instances);
    }

    [Fact]
    public async Task Whole_life_of_an_instance_by_etcd3()
    {
        await using var client = Run("naming");
        var seen = await client.NextAsync("naming");
        await client.EndAsync();
        Assert.Equal(
            One, seen.GetProperty("kept").EnumerateObject().Single(one => one.Name == $"{Orders}10.0.0.1:8080").Value
                .GetString());
        Assert.False(seen.GetProperty("succeeded").GetBoolean());
        Assert.Equal("[]", seen.GetProperty("left").GetRawText());
        Assert.Equal(
            [
                $"put {Orders}10.0.0.1:8080", $"put {Orders}10.0.0.2:8080", $"delete {Orders}10.0.0.2:8080",
                $"delete {Orders}10.0.0.1:8080",
            ],
            seen.GetProperty("events").EnumerateArray().Select(one => one.GetString()));
    }

    [Fact]
    public async Task An_instance_whose_client_is_killed_goes_with_its_lease_and_the_history_says_why()
    {
        await using (var client = Run("hold"))
        {
            await client.NextAsync("held");
            await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System); // Beyond its two seconds.
            Assert.Single((await ListAsync("default/held")).Instances);
        }
        await Eventually.TrueAsync(
            async () => (await ListAsync("default/held")).Instances.Count == 0, "the instance is gone");
        Assert.Contains("of etcd is over", (await ListAsync("default/held")).EmptyReason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Over_a_restart_leases_keep_their_instances_and_watches_go_on()
    {
        var ours = Ours();
        await ours.RunAsync("lease grant 600");
        await ours.RunAsync("lease grant 4");
        await ours.RunAsync($"put {Orders}10.0.0.1:8080 {One} --lease=$1");
        await ours.RunAsync($"put {Orders}10.0.0.2:8080 {Two} --lease=$2");
        await ours.RunAsync($"put {Orders}10.0.0.3:8080 {{\"Addr\":\"10.0.0.3:8080\"}}");
        var told = RevisionOf(await ours.RunAsync("get services/ --prefix -w json"));
        await ours.RunAsync($"del {Orders}10.0.0.3:8080"); // Which somebody who is away has not heard of.
        await node.DisposeAsync();
        node = await StartAsync();
        var again = Ours();
        var listed = await again.RunAsync("get services/ --prefix --keys-only");
        Assert.Equal($"{Orders}10.0.0.1:8080\n\n{Orders}10.0.0.2:8080\n\nexit 0", listed);
        Assert.True(RevisionOf(await again.RunAsync("get services/ --prefix -w json")) > told + 1);
        var watching = again.FollowAsync($"watch services/ --prefix --rev={told + 1}", "end");
        await Eventually.TrueAsync(
            async () => (await ListAsync("default/orders")).Instances.Count == 1, "the lease of four seconds is over");
        await again.RunAsync($"put {Orders}end {One}");
        Assert.Equal(
            [
                $"PUT {Orders}10.0.0.1:8080", $"PUT {Orders}10.0.0.2:8080", $"DELETE {Orders}10.0.0.3:8080",
                $"DELETE {Orders}10.0.0.2:8080", $"PUT {Orders}end",
            ],
            Events(await watching));
    }

    [Fact]
    public async Task Killed_and_started_again_an_instance_stays_with_its_lease_and_goes_with_it()
    {
        string[] arguments = ["run", .. GroundworkProcess.AnyPorts];
        var killed = await GroundworkProcess.StartAsync(directory.Combine("killed"), arguments);
        using var local = killed.Local();
        using var minted = await local.PostAsJsonAsync(
            "access-keys", new AccessKeyRequest("etcd", [BuiltInRoles.Administrator]),
            WireJson.Strict.AccessKeyRequest);
        var secret = (await minted.Content.ReadFromJsonAsync(WireJson.Strict.AccessKeyAnswer))?.Secret;
        var before = new Etcdctl(killed.Address(ProtocolListeners.GrpcName).Port, $"etcd:{secret}");
        await before.RunAsync("lease grant 600");
        await before.RunAsync("lease grant 3");
        await before.RunAsync($"put {Orders}10.0.0.1:8080 {One} --lease=$1");
        var told = RevisionOf(await before.RunAsync($"put {Orders}10.0.0.2:8080 {Two} --lease=$2 -w json"));
        killed.Signal(Signals.Kill);
        await killed.ExitAsync();
        await killed.DisposeAsync();

        await using var started = await GroundworkProcess.StartAsync(directory.Combine("killed"), arguments);
        var after = new Etcdctl(started.Address(ProtocolListeners.GrpcName).Port, $"etcd:{secret}");
        // Nobody asks for a key before the lease is over.
        using var listing = started.Local();
        await Eventually.TrueAsync(
            async () => (await ListAsync(listing)).Instances.Count == 1, "the lease of three seconds is over");
        // What happened is written down a moment after it did.
        await Eventually.PassesAsync(async () => Assert.Contains(
            $"lease {before.Leases[1]} of etcd is over",
            await listing.GetStringAsync("registry/events?namespace=default&service=orders"),
            StringComparison.Ordinal));
        Assert.Equal($"{Orders}10.0.0.1:8080\n\nexit 0", await after.RunAsync("get services/ --prefix --keys-only"));
        Assert.True(RevisionOf(await after.RunAsync("get services/ --prefix -w json")) > told);
        await after.RunAsync($"lease revoke {before.Leases[0]}");
        Assert.Equal("exit 0", await after.RunAsync("get services/ --prefix --keys-only"));

        static async Task<ServiceDocument> ListAsync(HttpClient http) => await http.GetFromJsonAsync(
            "registry/services/default/orders", WireJson.Strict.ServiceDocument)
            ?? throw new InvalidOperationException("There is no such service.");
    }

    private async Task<RunningNode> StartAsync()
    {
        var registry = new RegistryModule();
        return await RunningNode.StartAsync(
            [registry, new KeyValueModule(() => registry.Naming)], directory: directory.Combine("data"));
    }

    private int Port => node.Node.Listeners.UrlOf(ProtocolListeners.GrpcName).Port;

    private Etcdctl Ours() => new(Port, $"all:{key}");

    private NpmClient Run(string part) => clients.Run(
        "etcd3.mjs", node.Node.Listeners.UrlOf(ProtocolListeners.GrpcName).ToString().TrimEnd('/'), "client", key,
        part);

    private async Task RegisterAsync(string id, string host, string state)
    {
        using var http = node.Client(key);
        using var answer = await http.PutAsJsonAsync(
            "groundwork/v1/registry/instances",
            new InstanceDocument("orders", host, 80, Id: id)
            {
                LeaseSeconds = 600,
                Metadata = new Dictionary<string, string> { ["team"] = "x" },
                Checks = [new InstanceCheck("own", state, DateTimeOffset.UnixEpoch, "instance")],
            },
            WireJson.Strict.InstanceDocument);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private async Task<ServiceDocument> ListAsync(string service)
    {
        using var http = node.Client(key);
        return await http.GetFromJsonAsync(
            $"groundwork/v1/registry/services/{service}", WireJson.Strict.ServiceDocument)
            ?? throw new InvalidOperationException("There is no such service.");
    }

    private static long RevisionOf(string said) =>
        long.Parse(Revision().Match(said).Groups[2].ValueSpan, CultureInfo.InvariantCulture);

    // Revisions as places in the order of all that were said: the registry's have gaps.
    private static async Task<string[]> RunAsync(Etcdctl etcd)
    {
        var said = new List<string>();
        foreach (var line in Script)
        {
            var parts = line.Split('|');
            said.Add(await etcd.RunAsync(parts[0], parts.ElementAtOrDefault(1) ?? ""));
        }
        var all = said.SelectMany(text => Revision().Matches(text)).Select(Number).Distinct().Order().ToList();
        return
        [
            .. said.Select(text => Revision().Replace(text, one => $"{one.Groups[1]}{all.IndexOf(Number(one))}")),
        ];

        static long Number(Match one) => long.Parse(one.Groups[2].ValueSpan, CultureInfo.InvariantCulture);
    }

    private static IEnumerable<string> Events(List<string> lines) => lines.Index()
        .Where(line => line.Item is "PUT" or "DELETE" && line.Index + 1 < lines.Count)
        // With the key before it, a change has that first.
        .Select(line => $"{line.Item} {lines.Skip(line.Index + 1).First(IsKey)}");

    private static bool IsKey(string line) => line.StartsWith("services/", StringComparison.Ordinal);

    [GeneratedRegex(@"(""(?:create_|mod_)?revision"":)(\d+)", RegexOptions.None, 1000)]
    private static partial Regex Revision();
}
