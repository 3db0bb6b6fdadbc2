using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;
using Groundwork.Wire;

namespace Groundwork.Tests.EndToEnd;

/// <summary>A backup of the real node, restored by the real verb into another directory.</summary>
public sealed class RestoreTests(PostgresServer postgres) : IClassFixture<PostgresServer>, IDisposable
{
    private const long Epoch = 1L << 32;

    private readonly TemporaryDirectory directory = new();

    [Fact]
    public async Task Backup_under_write_load_restores_what_was_there_and_nothing_goes_back()
    {
        await using var source = await StartAsync("source");
        using var local = source.Local();
        await PutAsync(local, "quiet", 0);
        using var stop = new CancellationTokenSource();
        var load = Enumerable.Range(0, 4).Select(writer => WriteAsync(local, $"busy-{writer}", stop.Token)).ToList();
        await PutAsync(local, "marker", 1); // The load is on, and more is written after the backup than before it.
        var file = directory.Combine("under-load.backup");
        await ExpectAsync(0, source.VerbAsync("", "backup", file));
        var later = await PutAsync(local, "marker", 2);
        await stop.CancelAsync();
        await Task.WhenAll(load);
        var token = await WatchTokenAsync(local);
        var head = (await local.GetFromJsonAsync("version", WireJson.Lenient.VersionDocument))!.Revision;

        var restored = await RestoreAsync(file, "copy");
        var backup = restored["backup"]!["revision"]!.GetValue<long>();
        Assert.InRange(backup, 1, later - 1);
        Assert.Equal(Epoch, restored["revision"]!.GetValue<long>());
        await using var copy = await StartAsync("copy");
        using var other = copy.Local();
        Assert.Equal(await ListAsync(local, $"&asOf={backup}"), await ListAsync(other, ""));

        // Whoever watched the store before is told, and whoever read a later version cannot write over this one.
        using (var watch = await other.GetAsync($"watch?token={token}"))
            Assert.Contains("watch_store_changed", await watch.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var stale = new HttpRequestMessage(HttpMethod.Put, Path("marker")) { Content = Content(3) };
        stale.Headers.IfMatch.Add(new EntityTagHeaderValue($"\"{later}\""));
        using var refused = await other.SendAsync(stale);
        Assert.Equal(HttpStatusCode.PreconditionFailed, refused.StatusCode);
        var next = await PutAsync(other, "marker", 4);
        Assert.Equal(Epoch + 1, next);
        Assert.True(next > head);
        await ExpectAsync(0, copy.VerbAsync("", "audit", "verify"));
    }

    [Fact]
    public async Task Export_of_a_restored_store_is_the_same_to_the_byte()
    {
        string file = directory.Combine("whole.backup"), before;
        await using (var source = await StartAsync("source"))
        {
            using var local = source.Local();
            for (var number = 0; number < 50; number++) await PutAsync(local, $"setting-{number % 20}", number);
            await ExpectAsync(0, source.VerbAsync("", "key", "create", "someone", "--role", "reader"));
            before = await local.GetStringAsync("export");
            await ExpectAsync(0, source.VerbAsync("", "backup", file));
        }
        await RestoreAsync(file, "copy");
        await using (var copy = await StartAsync("copy"))
        {
            using var other = copy.Local();
            Assert.Equal(before, await other.GetStringAsync("export"));
            // Nobody may have the store while a node runs on it.
            var (exit, _, error) = await RunRestoreAsync(file, "copy", "--force");
            Assert.True(exit == 1 && error.Contains("directory_locked", StringComparison.Ordinal), error);
            copy.Signal(Signals.Terminate);
            await copy.ExitAsync();
        }
        var (again, _, why) = await RunRestoreAsync(file, "copy");
        Assert.True(again == 1 && why.Contains("restore_not_empty", StringComparison.Ordinal), why);
        var forced = await RestoreAsync(file, "copy", "--force");
        Assert.Equal(2 * Epoch, forced["revision"]!.GetValue<long>());
        Assert.Single(Directory.GetFiles(directory.Combine("copy"), "audit-checkpoints.log.before-*"));
        await using var last = await StartAsync("copy");
        await ExpectAsync(0, last.VerbAsync("", "audit", "verify"));
        using var end = last.Local();
        Assert.Equal(before, await end.GetStringAsync("export"));
        Assert.Equal((2 * Epoch) + 1, await PutAsync(end, "setting-1", 1));
    }

    [Fact]
    public async Task Embedded_store_moves_to_postgres_and_nobody_restores_under_a_running_node()
    {
        string file = directory.Combine("a.backup"), before;
        await using (var source = await StartAsync("source"))
        {
            using var local = source.Local();
            for (var number = 0; number < 20; number++) await PutAsync(local, $"setting-{number}", number);
            before = await local.GetStringAsync("export");
            await ExpectAsync(0, source.VerbAsync("", "backup", file));
        }
        string[] shared = ["--database-file", directory.Write("database", await postgres.CreateDatabaseAsync())];
        var restored = await RestoreAsync(file, "one", [.. shared, "--node-name", "one"]);
        Assert.Equal(Epoch, restored["revision"]!.GetValue<long>());
        await using var one = await GroundworkProcess.StartAsync(
            directory.Combine("one"), ["run", "--node-name", "one", .. shared, .. GroundworkProcess.AnyPorts]);
        using var other = one.Local();
        Assert.Equal(before, await other.GetStringAsync("export"));
        await ExpectAsync(0, one.VerbAsync("", "audit", "verify"));

        // Another machine with the root key and the database, while the first one runs.
        var (exit, _, error) = await RunRestoreAsync(file, "two", [.. shared, "--force"]);
        Assert.True(exit == 1 && error.Contains("in use by one", StringComparison.Ordinal), error);
        Assert.Equal(Epoch + 1, await PutAsync(other, "setting-0", 1));
    }

    [Fact]
    public async Task Restore_needs_the_root_key_of_the_backup_and_changes_nothing_without_it()
    {
        var file = directory.Combine("a.backup");
        await using (var source = await StartAsync("source"))
            await ExpectAsync(0, source.VerbAsync("", "backup", file));
        var (exit, _, error) = await GroundworkProcess.RunAsync(
            "", "restore", file, "--data", directory.Combine("empty"));
        Assert.True(exit == 1 && error.Contains("root_key_invalid", StringComparison.Ordinal), error);

        Assert.True(RootKeyFile.TryWrite(directory.Combine("empty", "root.key"), RootKey.Generate()));
        (exit, _, error) = await GroundworkProcess.RunAsync(
            "", "restore", file, "--data", directory.Combine("empty"));
        Assert.True(exit == 1 && error.Contains("root_key_mismatch", StringComparison.Ordinal), error);
        File.Delete(directory.Combine("empty", "root.key"));
        Assert.Equal(1, (await RestoreAsync(file, "empty"))["revision"]!.GetValue<long>() / Epoch);

        (exit, _, error) = await RunRestoreAsync(
            directory.Write("cut.backup", (await File.ReadAllTextAsync(file))[..1000]), "another");
        Assert.True(exit == 1 && error.Contains("backup_invalid", StringComparison.Ordinal), error);
    }

    public void Dispose() => directory.Dispose();

    private Task<GroundworkProcess> StartAsync(string name) =>
        GroundworkProcess.StartAsync(directory.Combine(name), ["run", .. GroundworkProcess.AnyPorts]);

    private async Task<JsonNode> RestoreAsync(string file, string name, params string[] flags)
    {
        var (exit, output, error) = await RunRestoreAsync(file, name, [.. flags, "-o", "json"]);
        Assert.True(exit == 0, error);
        return JsonNode.Parse(output)!;
    }

    /// <summary>As an operator does it: the root key is brought along, then the backup.</summary>
    private async Task<(int ExitCode, string Output, string Error)> RunRestoreAsync(
        string file, string name, params string[] flags)
    {
        var target = directory.Combine(name);
        Directory.CreateDirectory(
            target, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var key = System.IO.Path.Combine(target, "root.key");
        if (!File.Exists(key)) File.Copy(directory.Combine("source", "root.key"), key);
        return await GroundworkProcess.RunAsync("", ["restore", file, "--data", target, .. flags]);
    }

    private static async Task ExpectAsync(int exit, Task<(int ExitCode, string Output, string Error)> run)
    {
        var (code, output, error) = await run;
        Assert.True(code == exit, output + error);
    }

    private static string Path(string name) => $"resources/setting/default/app/{name}";

    private static JsonContent Content(int number) =>
        JsonContent.Create(new { spec = new { format = "text", content = $"{number}" } });

    private static async Task<long> PutAsync(HttpClient client, string name, int number)
    {
        using var answer = await client.PutAsync(Path(name), Content(number));
        if (!answer.IsSuccessStatusCode) Assert.Fail(await answer.Content.ReadAsStringAsync());
        return (await answer.Content.ReadFromJsonAsync(WireJson.Lenient.ChangesetAnswer))!.Revision;
    }

    private static async Task WriteAsync(HttpClient client, string name, CancellationToken stop)
    {
        for (var number = 0; !stop.IsCancellationRequested; number++) await PutAsync(client, name, number);
    }

    private static async Task<string> ListAsync(HttpClient client, string query)
    {
        var list = await client.GetFromJsonAsync<JsonObject>($"resources/setting?limit=1000{query}");
        return list!["items"]!.ToJsonString();
    }

    /// <summary>The place that a watch of now begins at.</summary>
    private static async Task<string> WatchTokenAsync(HttpClient client)
    {
        using var answer = await client.GetAsync("watch", HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());
        while (await reader.ReadLineAsync() is { } line)
            if (line.StartsWith("id: ", StringComparison.Ordinal)) return line[4..];
        throw new InvalidOperationException("The watch ended without a place.");
    }
}
