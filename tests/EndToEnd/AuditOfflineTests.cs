using System.Net.Http.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Storage.Sqlite;
using Groundwork.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Tests.EndToEnd;

/// <summary>The audit trail of a store that no node has open.</summary>
public sealed class AuditOfflineTests
{
    [Fact]
    public async Task Store_of_a_killed_node_verifies_and_an_edited_author_is_found()
    {
        using var directory = new TemporaryDirectory();
        var data = directory.Combine("data");
        await using var node = await GroundworkProcess.StartAsync(
            data, ["run", .. GroundworkProcess.AnyPorts]);
        using var client = node.Local();
        using var written = await client.PutAsJsonAsync(
            "resources/setting/default/audit/one", new { spec = new { format = "text", content = "x" } });
        Assert.True(written.IsSuccessStatusCode, await written.Content.ReadAsStringAsync());

        var (exit, output, error) = await node.VerbAsync("", "audit", "verify", "--offline");
        Assert.True(exit != 0 && error.Contains($"{node.Id}", StringComparison.Ordinal), output + error);

        node.Signal(Signals.Kill);
        await node.ExitAsync();
        (exit, output, error) = await node.VerbAsync("", "audit", "verify", "--offline");
        Assert.True(exit == 0 && output.StartsWith("intact: ", StringComparison.Ordinal), output + error);

        await using (var storage = await SqliteStorage.OpenAsync(
            new SqliteOptions { Path = Path.Combine(data, NodeStorage.SqliteFile) }, TimeProvider.System,
            NullLoggerFactory.Instance, CancellationToken.None))
        {
            await storage.WriteAsync(
                session => session.Execute("UPDATE resource_changes SET author = 'operator:nobody' WHERE revision = 2"),
                CancellationToken.None);
        }
        (exit, output, error) = await node.VerbAsync("", "audit", "verify", "--offline");
        Assert.True(exit == 1 && output.StartsWith("NOT intact: ", StringComparison.Ordinal), output + error);
    }
}
