using System.Globalization;
using System.Net.Http.Json;
using Groundwork.Tests.Support;
using Groundwork.Wire;

namespace Groundwork.Tests.EndToEnd;

/// <summary>A second node by invitation: the real verbs, over a real PostgreSQL.</summary>
public sealed class JoinTests(PostgresServer postgres) : IClassFixture<PostgresServer>, IDisposable
{
    private readonly TemporaryDirectory directory = new();

    private string Bundle => directory.Combine("two.bundle");

    [Fact]
    public async Task Invited_node_shares_the_store_and_reads_its_secrets()
    {
        await using var one = await StartFirstAsync();
        var code = await InviteAsync(one);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Bundle));
        Assert.DoesNotContain("gwroot1_", await File.ReadAllTextAsync(Bundle), StringComparison.Ordinal);
        await ApplyAsync(one, """
            kind: setting
            name: app/password
            spec: { format: text, secret: true, content: swordfish }
            """);

        var (exit, output, error) = await JoinAsync(code, "two");
        Assert.True(exit == 0, error);
        Assert.Contains("--database-file", output, StringComparison.Ordinal);
        foreach (var file in new[] { "root.key", "database" })
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(directory.Combine("two", file)));

        await using var two = await GroundworkProcess.StartAsync(
            directory.Combine("two"),
            [
                "run", "--node-name", "two", "--database-file", directory.Combine("two", "database"),
                .. GroundworkProcess.AnyPorts,
            ]);
        using var local = two.Local();
        await Eventually.TrueAsync(
            async () => (await local.GetFromJsonAsync("nodes", WireJson.Lenient.NodeList))?.Items
                .Count(node => node.State == "live") == 2,
            "both nodes are live");
        Assert.Contains(
            "swordfish", await local.GetStringAsync("resources/setting/default/app/password?reveal=true"),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Invitation_is_taken_once_with_its_code_and_only_where_no_key_is()
    {
        await using var one = await StartFirstAsync();
        var code = await InviteAsync(one);
        await RefusedAsync("invitation_invalid", JoinAsync("WRONG-CODE", "two"));
        Assert.False(File.Exists(directory.Combine("two", "root.key")));
        var (exit, _, error) = await JoinAsync(code, "two");
        Assert.True(exit == 0, error);
        await RefusedAsync("invitation_invalid", JoinAsync(code, "three"));
        await RefusedAsync("root_key_invalid", JoinAsync(code, "two"));
    }

    [Fact]
    public async Task Node_with_an_embedded_database_cannot_be_joined()
    {
        await using var one = await GroundworkProcess.StartAsync(
            directory.Combine("one"), ["run", .. GroundworkProcess.AnyPorts]);
        var code = await InviteAsync(one);
        var (exit, _, error) = await JoinAsync(code, "two");
        Assert.True(exit == 2 && error.Contains("PostgreSQL", StringComparison.Ordinal), error);
        Assert.False(Directory.Exists(directory.Combine("two")));
    }

    public void Dispose() => directory.Dispose();

    private async Task<GroundworkProcess> StartFirstAsync()
    {
        var file = directory.Write("database", await postgres.CreateDatabaseAsync());
        return await GroundworkProcess.StartAsync(
            directory.Combine("one"),
            ["run", "--node-name", "one", "--database-file", file, .. GroundworkProcess.AnyPorts]);
    }

    private async Task<string> InviteAsync(GroundworkProcess node)
    {
        var (exit, code, error) = await node.VerbAsync("", "node", "invite", Bundle);
        Assert.True(exit == 0, error);
        Assert.Contains(Bundle, error, StringComparison.Ordinal);
        return code.Trim();
    }

    private Task<(int ExitCode, string Output, string Error)> JoinAsync(string code, string name) =>
        GroundworkProcess.RunAsync(
            string.Create(CultureInfo.InvariantCulture, $"{code}\n"),
            "node", "join", Bundle, "--data", directory.Combine(name), "--node-name", name);

    private async Task ApplyAsync(GroundworkProcess node, string yaml)
    {
        var (exit, output, error) = await node.VerbAsync("", "apply", "-f", directory.Write("applied.yaml", yaml));
        Assert.True(exit == 0, output + error);
    }

    private static async Task RefusedAsync(string code, Task<(int ExitCode, string Output, string Error)> run)
    {
        var (exit, output, error) = await run;
        Assert.True(exit == 1 && error.Contains(code, StringComparison.Ordinal), output + error);
    }
}
