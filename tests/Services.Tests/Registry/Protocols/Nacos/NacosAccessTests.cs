using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;

namespace Groundwork.Services.Tests.Registry.Protocols.Nacos;

public sealed class NacosAccessTests
{
    private const string Instance = "serviceName=orders&ip=10.0.0.7&port=8080";

    private static readonly (string Method, string Path, string Query)[] Calls =
    [
        ("POST", "v1/ns/instance", Instance),
        ("PUT", "v1/ns/instance", Instance + "&weight=2"),
        ("GET", "v1/ns/instance", Instance),
        ("GET", "v1/ns/instance/list", "serviceName=orders"),
        ("GET", "v1/ns/service", "serviceName=orders"),
        ("GET", "v1/ns/service/subscribers", "serviceName=orders"),
        ("PUT", "v1/ns/instance/beat", Instance),
        ("DELETE", "v1/ns/instance", Instance),
    ];

    [Fact]
    public async Task Nobody_and_who_holds_too_little_are_refused_and_nothing_is_changed()
    {
        await using var open = await OpenNacos.StartAsync();
        await open.RegisterAsync(Instance);
        using var nobody = open.Running.Client();
        using var other = open.Running.Client(await open.Running.MintAsync(
            "other", [], [new Grant(["register", "renew", "discover"], ["instance"], ["shop"])]));
        using var wrong = open.Running.Client("gw_" + new string('x', 43));
        foreach (var client in (HttpClient[])[nobody, other, wrong])
        {
            foreach (var (method, path, query) in Calls)
            {
                var (status, body) = await open.SendAsync(method, path, query, client);
                Assert.True(status == 403, $"{method} {path}: {status} {body}");
                var (second, envelope) = await open.SendAsync(
                    method, path.Replace("v1", "v2", StringComparison.Ordinal), query, client);
                if (second == 404 && path.EndsWith("subscribers", StringComparison.Ordinal)) continue;
                Assert.Equal(403, second);
                using var json = JsonDocument.Parse(envelope);
                Assert.Equal(10001, json.RootElement.GetProperty("code").GetInt32());
            }
        }
        Assert.Equal(100, Assert.Single((await open.ServiceAsync()).Instances).Weight);
        // A list of names shows none that the caller may not see.
        var (_, names) = await open.SendAsync("GET", "v1/ns/service/list", "pageNo=1&pageSize=10", other);
        Assert.Equal("""{"count":0,"doms":[]}""", names);
    }

    [Fact]
    public async Task A_credential_counts_in_a_header_and_as_a_parameter()
    {
        await using var open = await OpenNacos.StartAsync();
        var key = await open.Running.MintAsync(
            "shop", [], [new Grant(["register", "renew", "discover"], ["instance"], ["default"])]);
        using var none = open.Running.Client();
        foreach (var credential in (string[])[$"accessToken={key}", $"username=whoever&password={key}"])
            Assert.Equal(
                200, (await open.SendAsync("POST", "v1/ns/instance", $"{Instance}&{credential}", none)).Status);
        Assert.Equal(200, (await open.BeatAsync(
            """{"serviceName":"orders","ip":"10.0.0.7","port":8080}""", $"&accessToken={key}", none)).Status);
        using var basic = open.Running.Client();
        basic.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"whoever:{key}")));
        Assert.Equal(200, (await open.SendAsync("POST", "v1/ns/instance", Instance, basic)).Status);
        // Nothing of it is in the log, nor in the history of who did it.
        Assert.DoesNotContain(key, open.Running.Log.ToString(), StringComparison.Ordinal);
        Assert.EndsWith(
            "key:shop", Assert.Single((await open.ServiceAsync()).Instances).RegisteredBy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_login_gives_a_token_that_counts_and_a_wrong_password_gives_none()
    {
        await using var open = await OpenNacos.StartAsync();
        var file = Path.Combine(open.Running.Node.DataDirectory.Path, AdminBootstrap.FileName);
        var password = (await File.ReadAllTextAsync(file)).Trim();
        using var none = open.Running.Client();
        var token = await SignInAsync(open, none, "admin", password);
        Assert.Equal(200, (await open.SendAsync(
            "POST", "v1/ns/instance", $"{Instance}&accessToken={token}", none)).Status);
        var key = await open.Running.MintAsync("shop", [BuiltInRoles.Administrator]);
        Assert.Equal(key, await SignInAsync(open, none, "whoever", key));
        using var wrong = Form("admin", "wrong");
        Assert.Equal(403, (await open.SendAsync("POST", "v1/auth/login", "", none, wrong)).Status);
        using var empty = Form("admin", "");
        Assert.Equal(400, (await open.SendAsync("POST", "v1/auth/users/login", "", none, empty)).Status);
        Assert.Equal(403, (await open.SendAsync(
            "POST", "v1/ns/instance", $"{Instance}&accessToken={token}x", none)).Status);
    }

    [Fact]
    public async Task Who_may_renew_and_not_register_keeps_what_is_there_and_brings_back_nothing()
    {
        await using var open = await OpenNacos.StartAsync();
        using var renews = open.Running.Client(
            await open.Running.MintAsync("beats", [], [new Grant(["renew"], ["instance"], ["default"])]));
        const string Beat = """{"serviceName":"orders","ip":"10.0.0.7","port":8080}""";
        Assert.Equal(403, (await open.BeatAsync(Beat, client: renews)).Status);
        await open.RegisterAsync(Instance);
        Assert.Equal(200, (await open.BeatAsync(Beat, client: renews)).Status);
        using var registers = open.Running.Client(
            await open.Running.MintAsync("reads", [], [new Grant(["discover"], ["instance"], ["default"])]));
        Assert.Equal(403, (await open.BeatAsync(Beat, client: registers)).Status);
    }

    [Fact]
    public async Task The_protocol_is_nowhere_when_it_is_off_and_besides_at_an_address_of_its_own_when_it_has_one()
    {
        await using (var off = await OpenNacos.StartAsync(configure: With(new ListenerOptions { Off = true })))
            Assert.Equal(404, (await off.SendAsync("GET", "v1/ns/operator/metrics")).Status);
        var own = new ListenerOptions { Address = ListenAddress.Parse("127.0.0.1:0", "The test's address") };
        await using var open = await OpenNacos.StartAsync(configure: With(own));
        using var client = open.Running.Client(listener: ProtocolListeners.Nacos.Name);
        Assert.NotEqual(open.Client.BaseAddress, client.BaseAddress);
        foreach (var one in (HttpClient[])[client, open.Client])
        {
            var (status, body) = await open.SendAsync("GET", "v1/ns/operator/metrics", "", one);
            Assert.Equal((200, """{"status":"UP"}"""), (status, body));
            (_, body) = await open.SendAsync("GET", "serverlist", "", one);
            Assert.Equal($"{one.BaseAddress?.Authority}\r\n", body);
        }
        using var ours = await client.GetAsync("/groundwork/v1/registry/services");
        Assert.Equal(404, (int)ours.StatusCode);
    }

    [Fact]
    public async Task A_restart_keeps_the_instances_and_a_beat_finds_them()
    {
        using var directory = new TemporaryDirectory();
        await using (var before = await OpenNacos.StartAsync(directory.Combine("data")))
        {
            await before.RegisterAsync(Instance + "&weight=2");
            await before.Running.StopAsync();
        }
        var running = await RunningNode.StartAsync([new RegistryModule()], directory: directory.Combine("data"));
        await using var after = await OpenNacos.OverAsync(running, "again");
        // Not heard of yet, and listed all the same: no list shrinks because the platform was started anew.
        Assert.True(Assert.Single(await after.HostsAsync("serviceName=orders")).GetProperty("healthy").GetBoolean());
        Assert.Contains(
            "10200", await after.MustAsync("PUT", "v1/ns/instance/beat", Instance), StringComparison.Ordinal);
        Assert.Equal("healthy", Assert.Single((await after.ServiceAsync()).Instances).Health?.State);
    }

    private static async Task<string?> SignInAsync(OpenNacos open, HttpClient client, string name, string password)
    {
        using var form = Form(name, password);
        var (status, body) = await open.SendAsync("POST", "v1/auth/login", "", client, form);
        Assert.True(status == 200, $"{status} {body}");
        using var json = JsonDocument.Parse(body);
        Assert.InRange(json.RootElement.GetProperty("tokenTtl").GetInt64(), 60, int.MaxValue);
        return json.RootElement.GetProperty("accessToken").GetString();
    }

    private static FormUrlEncodedContent Form(string name, string password) =>
        new([KeyValuePair.Create("username", name), KeyValuePair.Create("password", password)]);

    private static Func<ProcessConfiguration, ProcessConfiguration> With(ListenerOptions options) =>
        configuration => configuration with
        {
            Listeners = configuration.Listeners.SetItem(ProtocolListeners.Nacos.Name, options),
        };
}
