using System.Globalization;
using System.Net;
using System.Text;
using Groundwork.Tests.Support;

namespace Groundwork.Tests.EndToEnd.Importing;

/// <summary>
/// One file of nginx's, read by a real nginx and, imported, by the real process: 1,000 recorded requests, from as many
/// addresses as they came from, go to the same upstreams with the same fields, but for what the committed table of
/// docs/gateway/importing.md tells.
/// </summary>
public sealed class NginxImportTests : IDisposable
{
    private static readonly string Folder = Path.Combine(GroundworkProcess.Repository, "tests/EndToEnd/Importing");

    private readonly TemporaryDirectory directory = new();

    [Fact]
    public async Task A_thousand_recorded_requests_go_where_a_real_nginx_sends_them()
    {
        await using var instances = new NamedInstances(
            "A1", "A2", "A3", "B1", "B2", "B3", "C1", "C2", "C3", "D1", "D2", "D3", "E1", "E2", "F1", "F2", "G1", "G2",
            "H1", "H2", "J1");
        var port = FreePort.Next();
        var file = instances.Fill(await File.ReadAllTextAsync(Path.Combine(Folder, "shop.conf")))
            .Replace("PORT", port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        await using var nginx = await NginxServer.StartAsync(_ => file, port);
        await using var node = await GroundworkProcess.StartAsync(
            directory.Combine("data"), ["run", .. GroundworkProcess.AnyPorts]);
        var (read, resources, leftOut) = await GroundworkProcess.RunAsync(file, "import", "nginx", "-");
        Assert.True(read == 0, leftOut);
        var (applied, output, error) = await node.VerbAsync("", "apply", "-f", directory.Write("shop.yaml", resources));
        Assert.True(applied == 0, output + error + resources);
        var gateway = IPEndPoint.Parse(node.Address("gateway").Authority);
        var comparison = new NginxComparison();

        foreach (var request in RecordedRequest.ReadAll(Path.Combine(Folder, "requests.txt")))
        {
            var theirs = await request.SendAsync(new IPEndPoint(IPAddress.Loopback, port), $"nginx-{request.Number}");
            var ours = await request.SendAsync(gateway, $"ours-{request.Number}");
            comparison.Add(
                request, (theirs, instances.Find($"nginx-{request.Number}")),
                (ours, instances.Find($"ours-{request.Number}")));
        }

        TestContext.Current.TestOutputHelper?.WriteLine(comparison.ToString() + leftOut);
        Assert.Equal(1_000, comparison.Requests);
        Assert.True(comparison.Unexplained.Count == 0, string.Join("\n\n", comparison.Unexplained.Take(20)));
        comparison.AssertOrders();
        AssertTable(comparison);
    }

    public void Dispose() => directory.Dispose();

    // Every difference that was seen has its line, and every line a difference that was seen.
    private static void AssertTable(NginxComparison comparison)
    {
        var page = File.ReadAllText(Path.Combine(GroundworkProcess.Repository, "docs/gateway/importing.md"));
        var table = page[page.IndexOf("## On the thousand requests", StringComparison.Ordinal)..]
            .Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(1)
            .Select(line => line.Split('|')[1].Trim()).Order(StringComparer.Ordinal);
        Assert.Equal(table, comparison.Words.Order(StringComparer.Ordinal));
    }
}
