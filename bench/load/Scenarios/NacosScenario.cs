using Groundwork.Load.Peers;
using Groundwork.Load.Wire;

namespace Groundwork.Load.Scenarios;

/// <summary>
/// Nacos's calls as its clients make them: beats of ten thousand instances, registrations of instances that change each
/// time, lists and configurations, beside an empty handler on the same server software with the same generator.
/// </summary>
internal sealed class NacosScenario : Scenario
{
    private const int Instances = 10_000;
    private const int PerService = 10;
    private const int Settings = 1_000;
    private const string Naming = "/nacos/v1/ns/instance";
    private const string Configurations = "/nacos/v1/cs/configs";

    public override string Name => "nacos";

    public override string Question => "How many of Nacos's calls does a node answer a second?";

    public override IReadOnlyList<Contender> Contenders =>
    [
        new("beat", options => StartAsync(options, Instances, Beat)),
        new("register, another weight each time", options => StartAsync(options, 3 * Instances, Register)),
        new("list of a service with 10", options => StartAsync(options, Instances / PerService, List)),
        new("read of a configuration of 1 KB", options => StartAsync(options, Settings, Read)),
        new("Kestrel, empty handler", options => EmptyServer.StartAsync(
            options, Name, Http1Connection.Request("PUT", Beat(0).Path, "x"))),
    ];

    public override Task<int> ServeAsync(string[] arguments) => EmptyServer.ServeAsync(arguments);

    private static async Task<Running> StartAsync(
        LoadOptions options, int requests, Func<int, (string Method, string Path)> request)
    {
        var node = await GroundworkNode.StartAsync();
        using (var connection = await node.ConnectAsync())
        {
            for (var number = 0; number < Instances; number++) await connection.SendAsync(Sent(Register(number)));
            for (var number = 0; number < Settings; number++)
                await connection.SendAsync(Sent(("POST",
                    $"{Configurations}?dataId=d{number}&group=load&type=text&content={new string('x', 1_000)}")));
        }
        // Made beforehand: the generator only sends.
        var made = Enumerable.Range(0, requests).Select(number => Sent(request(number))).ToArray();
        return await Running.OverConnectionsAsync(
            options,
            node.ConnectAsync,
            (connection, number) => connection.SendAsync(made[number % made.Length]),
            node.Process,
            node);

        byte[] Sent((string Method, string Path) call) =>
            Http1Connection.Request(call.Method, call.Path, node.AccessKey);
    }

    // The text of a beat is that of the npm client.
    private static (string, string Path) Beat(int number)
    {
        var beat = Uri.EscapeDataString(
            $$"""
            {"serviceName":"{{Service(number)}}","ip":"10.0.0.1","port":{{Port(number)}},"cluster":"DEFAULT",
            "weight":1,"metadata":{},"scheduled":true}
            """);
        return ("PUT", $"{Naming}/beat?namespaceId=public&serviceName={Service(number)}&beat={beat}");
    }

    private static (string, string) Register(int number) => (
        "POST",
        $"{Naming}?namespaceId=public&serviceName={Service(number)}&ip=10.0.0.1&port={Port(number)}"
        + $"&weight={1 + (number / Instances)}&metadata=%7B%22preserved.heart.beat.timeout%22%3A%223600000%22%7D");

    private static (string, string) List(int number) =>
        ("GET", $"{Naming}/list?namespaceId=public&serviceName={Service(number * PerService)}&healthyOnly=true");

    private static (string, string) Read(int number) => ("GET", $"{Configurations}?dataId=d{number}&group=load");

    private static string Service(int number) => $"DEFAULT_GROUP@@service-{number % Instances / PerService}";

    private static int Port(int number) => 10_000 + (number % Instances);
}
