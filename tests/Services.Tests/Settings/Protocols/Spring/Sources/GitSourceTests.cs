using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings.Protocols.Spring.Sources;
using Groundwork.Tests.Support;

namespace Groundwork.Services.Tests.Settings.Protocols.Spring.Sources;

public sealed class GitSourceTests : IDisposable
{
    private readonly GitRepository git = new();

    public void Dispose() => git.Dispose();

    [Fact]
    public async Task A_label_is_a_branch_a_tag_or_a_commit_and_the_version_is_the_commit()
    {
        var first = git.Commit(("orders.yml", "a: first\n"), ("application.yml", "b: all\n"));
        git.Run("tag", "-a", "-m", "first", "v1");
        var second = git.Commit(("orders.yml", "a: second\n"));
        git.Run("checkout", "--quiet", "-b", "feature/x");
        var branch = git.Commit(("orders.yml", "a: branch\n"));
        await using var node = await StartAsync();
        var (_, main) = await node.GetAsync("orders/dev");
        Assert.Equal(second, $"{main["version"]}");
        Assert.Equal("main", $"{main["label"]}");
        Assert.Equal($"{git.Url}/orders.yml {git.Url}/application.yml", await node.NamesAsync("orders/dev"));
        foreach (var (label, value, commit) in new[]
        {
            ("main", "second", second), ("v1", "first", first), (first, "first", first), (first[..8], "first", first),
            ("feature(_)x", "branch", branch), ("feature%2Fx", "branch", branch),
        })
        {
            var (_, read) = await node.GetAsync($"orders/dev/{label}");
            Assert.Equal(commit, $"{read["version"]}");
            Assert.Equal(value, await node.ValueAsync($"orders/dev/{label}", "a"));
        }
        foreach (var label in new[]
        {
            "none", "0000000", new string('a', 40), first[..6], "HEAD", "refs(_)heads(_)main",
        })
            Assert.Equal(404, await node.StatusAsync($"orders/dev/{label}"));
        Assert.Equal("a: branch\n", await node.TextAsync("orders/dev/feature(_)x/orders.yml"));
        Assert.Equal("b: all\na: first\n", await node.TextAsync("v1/orders-dev.yml"));
    }

    [Fact]
    public async Task A_commit_is_there_after_the_next_look_and_no_request_waits_for_one()
    {
        git.Commit(("orders.yml", "a: 1\n"));
        await using var node = await StartAsync(refreshSeconds: 1);
        Assert.Equal("1", await node.ValueAsync("orders/dev", "a"));
        git.Commit(("orders.yml", "a: 2\n"), ("orders-dev.properties", "b=2\n"));
        await node.BecomesAsync("orders/dev", "b", "2");
        Assert.Equal("2", await node.ValueAsync("orders/dev", "a"));
    }

    [Fact]
    public async Task A_forced_push_counts_and_what_no_branch_has_any_more_is_not_found()
    {
        git.Commit(("orders.yml", "a: 1\n"));
        var gone = git.Commit(("orders.yml", "a: 2\n"));
        git.Run("branch", "old");
        git.Run("tag", "marked");
        await using var node = await StartAsync(refreshSeconds: 1);
        Assert.Equal("2", await node.ValueAsync("orders/dev", "a"));
        Assert.Equal("2", await node.ValueAsync($"orders/dev/{gone}", "a"));
        git.Run("reset", "--quiet", "--hard", "HEAD~1");
        git.Commit(("orders.yml", "a: rewritten\n"));
        await node.BecomesAsync("orders/dev", "a", "rewritten");
        Assert.Equal("2", await node.ValueAsync("orders/dev/old", "a"));
        git.Run("branch", "-D", "old");
        git.Run("tag", "-f", "marked");
        await node.BecomesAsync("orders/dev/old", "a", "404");
        Assert.Equal("rewritten", await node.ValueAsync("orders/dev/marked", "a"));
        Assert.Equal("404", await node.ValueAsync($"orders/dev/{gone}", "a"));
    }

    [Fact]
    public async Task The_last_good_commit_is_served_while_the_remote_is_gone_and_after_a_restart()
    {
        using var data = new TemporaryDirectory();
        git.Commit(("orders.yml", "a: 1\n"));
        await using (var node = await StartAsync(refreshSeconds: 1, directory: data.Path))
        {
            Assert.Equal("1", await node.ValueAsync("orders/dev", "a"));
            Directory.Move(Path.Combine(git.Folder, ".git"), Path.Combine(git.Folder, "away"));
            await node.SaysAsync("repo:");
            Assert.Equal("1", await node.ValueAsync("orders/dev", "a"));
        }
        await using (var node = await SourcesNode.StartAsync(data.Path))
        {
            Assert.Equal("1", await node.ValueAsync("orders/dev", "a"));
            Directory.Move(Path.Combine(git.Folder, "away"), Path.Combine(git.Folder, ".git"));
            git.Commit(("orders.yml", "a: 2\n"));
            await node.BecomesAsync("orders/dev", "a", "2");
            Assert.Equal("ok", node.Settings.Running.Node.Health.Read().Status);
        }
    }

    [Fact]
    public async Task A_remote_that_never_answers_holds_up_no_request_and_is_ended_in_time()
    {
        await using var silent = new SilentServer();
        var url = $"https://127.0.0.1:{silent.Port.ToString(CultureInfo.InvariantCulture)}/shop.git";
        await using var node = await SourcesNode.StartAsync();
        await node.Settings.MustPublishAsync("orders/orders.yml", "a: ours");
        await node.SourceAsync("repo", new ConfigSourceSpec(Git: url, TimeoutSeconds: 1, RefreshSeconds: 1));
        await Eventually.TrueAsync(() => silent.Taken > 1, "it is asked again after its time is over");
        var (status, body) = await node.GetAsync("orders/dev");
        Assert.Equal(503, status);
        Assert.Contains("took longer than 1 s", $"{body["message"]}", StringComparison.Ordinal);
        await node.SourceAsync("repo", new ConfigSourceSpec(Git: url, TimeoutSeconds: 60, Applications: ["payments"]));
        var taken = silent.Taken;
        await Eventually.TrueAsync(() => silent.Taken > taken, "it is asked");
        Assert.Equal("ours", await node.ValueAsync("orders/dev", "a"));
        var started = TimeProvider.System.GetTimestamp();
        await node.Settings.Running.StopAsync();
        Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(20), "A stop waits for git.");
        Assert.DoesNotContain(url, await RunningAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Links_submodules_and_hooks_of_a_repository_mean_nothing()
    {
        using var other = new GitRepository();
        other.Commit(("orders.yml", "a: submodule\n"));
        using var outside = new TemporaryDirectory();
        var touched = outside.Combine("touched");
        outside.Write("orders.yml", "a: outside\n");
        git.Write("application.yml", "a: inside\n");
        File.CreateSymbolicLink(Path.Combine(git.Folder, "orders.yml"), outside.Combine("orders.yml"));
        Directory.CreateSymbolicLink(Path.Combine(git.Folder, "linked"), outside.Path);
        git.Run("-c", "protocol.file.allow=always", "submodule", "add", "--quiet", other.Url, "module");
        git.Commit((".gitattributes", "* filter=evil\n"));
        foreach (var hook in new[] { "post-checkout", "post-merge", "reference-transaction", "pre-auto-gc" })
        {
            var path = Path.Combine(git.Folder, ".git", "hooks", hook);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!); // It is below a directory.
            await File.WriteAllTextAsync(path, $"#!/bin/sh\ntouch {touched}\n");
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        await using var node = await StartAsync(paths: ["linked", "module", "/"]);
        Assert.Equal("inside", await node.ValueAsync("orders/dev", "a"));
        foreach (var path in new[] { "orders.yml", "linked%2Forders.yml", "module%2Forders.yml", ".gitmodules" })
            Assert.NotEqual(200, await node.StatusAsync($"orders/dev/{path}?useDefaultLabel"));
        // A hook would be run in our copy, too, if one were there.
        var copy = Directory.GetDirectories(
            Path.Combine(node.Settings.Running.Node.DataDirectory.Path, "config-sources")).Single();
        Directory.CreateDirectory(Path.Combine(copy, "repository.git", "hooks"));
        File.Copy(
            Path.Combine(git.Folder, ".git", "hooks", "reference-transaction"),
            Path.Combine(copy, "repository.git", "hooks", "reference-transaction"));
        git.Commit(("application.yml", "a: again\n"));
        File.Delete(touched);
        await node.SourceAsync("repo", new ConfigSourceSpec(Git: git.Url, RefreshSeconds: 1));
        await node.BecomesAsync("orders/dev", "a", "again");
        Assert.False(File.Exists(touched), "A hook was run.");
    }

    [Fact]
    public async Task A_repository_beyond_its_bound_is_refused_and_the_last_good_commit_stays()
    {
        var good = git.Commit(("orders.yml", "a: 1\n"));
        await using var node = await StartAsync(refreshSeconds: 1, maxMegabytes: 1);
        Assert.Equal("1", await node.ValueAsync("orders/dev", "a"));
        var noise = new byte[2 * 1024 * 1024];
        new Random(1).NextBytes(noise);
        await File.WriteAllBytesAsync(Path.Combine(git.Folder, "noise.bin"), noise);
        git.Commit(("orders.yml", "a: 2\n"));
        await node.SaysAsync("larger than 1 MiB");
        Assert.Equal("1", await node.ValueAsync("orders/dev", "a"));
        Assert.Equal("1", await node.ValueAsync($"orders/dev/{good}", "a"));
        Assert.True(SizeOfCopies(node) < 1024 * 1024, "What was too large is still on the disk.");
        git.Run("reset", "--quiet", "--hard", "HEAD~1");
        git.Commit(("orders.yml", "a: 3\n"));
        await node.BecomesAsync("orders/dev", "a", "3");
    }

    [Fact]
    public async Task A_commit_beyond_the_bounds_is_refused_and_the_last_good_one_stays_also_after_a_restart()
    {
        using var data = new TemporaryDirectory();
        git.Commit(("orders.yml", "a: 1\n"));
        await using (var node = await StartAsync(refreshSeconds: 1, directory: data.Path))
        {
            Assert.Equal("1", await node.ValueAsync("orders/dev", "a"));
            for (var at = 0; at <= SourceTree.MaxFiles; at++) git.Write($"many/{at}.txt", "x");
            git.Commit(("orders.yml", "a: 2\n"));
            await node.SaysAsync("more than 10000 files");
            Assert.Equal("1", await node.ValueAsync("orders/dev", "a"));
        }
        await using (var node = await SourcesNode.StartAsync(data.Path))
            Assert.Equal("1", await node.ValueAsync("orders/dev", "a"));
    }

    [Fact]
    public async Task Many_fetches_leave_one_pack_and_a_source_that_is_gone_leaves_nothing()
    {
        git.Commit(("orders.yml", "a: 0\n"));
        await using var node = await StartAsync(refreshSeconds: 3600);
        Assert.Equal("0", await node.ValueAsync("orders/dev", "a"));
        for (var at = 1; at <= 25; at++)
        {
            git.Commit(("orders.yml", $"a: {at}\n"));
            using var told = await node.Local.PostAsync(
                "/config/monitor", new FormUrlEncodedContent([KeyValuePair.Create("path", "orders")]));
            Assert.Equal(200, (int)told.StatusCode);
            await node.BecomesAsync("orders/dev", "a", $"{at}");
        }
        Assert.Equal("0", await node.ValueAsync($"orders/dev/{git.Run("rev-parse", "HEAD~25")}", "a"));
        var copies = Path.Combine(node.Settings.Running.Node.DataDirectory.Path, "config-sources");
        var packs = Directory.EnumerateFiles(copies, "*.pack", SearchOption.AllDirectories).Count();
        Assert.True(packs <= 20, $"{packs} packs");
        await node.SourceAsync("repo", new ConfigSourceSpec(Git: git.Url, RefreshSeconds: 3600));
        Assert.Equal("25", await node.ValueAsync("orders/dev", "a"));
        await node.Settings.DeleteAsync(ConfigSourceKind.Name, "", "repo");
        await Eventually.TrueAsync(() => !Directory.EnumerateDirectories(copies).Any(), "the copy is gone");
    }

    [Theory]
    [InlineData("--upload-pack=touch%20x")]
    [InlineData("-c")]
    [InlineData("..%2F..")]
    [InlineData("main%5E")]
    [InlineData("main:orders.yml")]
    [InlineData("main@%7B1%7D")]
    [InlineData("main..old")]
    public async Task A_label_that_is_no_name_is_refused_before_git_sees_it(string label)
    {
        git.Commit(("orders.yml", "a: 1\n"));
        await using var node = await StartAsync();
        Assert.Equal(200, await node.StatusAsync("orders/dev/main"));
        Assert.Equal(400, await node.StatusAsync($"orders/dev/{label}"));
    }

    [Theory]
    [InlineData("--upload-pack=touch x")]
    [InlineData("ext::sh -c touch% x")]
    [InlineData("ext::sh")]
    [InlineData("git@example.com:shop.git")]
    [InlineData("/srv/shop.git")]
    [InlineData("file://host/srv/shop.git")]
    [InlineData("file:///srv/../etc")]
    [InlineData("http://example.com/shop.git")]
    [InlineData("git://example.com/shop.git")]
    [InlineData("https://user:password@example.com/shop.git")]
    [InlineData("ssh://-oProxyCommand=touch/x")]
    [InlineData("ssh://-x@example.com/x")]
    [InlineData("https://example.com/x?y=z")]
    public async Task An_address_that_is_none_is_a_fault_of_its_field(string address)
    {
        await using var node = await SourcesNode.StartAsync();
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(
            () => node.SourceAsync("repo", new ConfigSourceSpec(Git: address)));
        Assert.Contains("resource_invalid", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_repository_of_this_machine_takes_a_root_and_an_address_that_is_guarded_is_not_called()
    {
        git.Commit(("orders.yml", "a: 1\n"));
        await using var node = await SourcesNode.StartAsync(configure: one => one with { FileRoots = [] });
        await node.SourceAsync("repo", new ConfigSourceSpec(Git: git.Url));
        var (status, body) = await node.GetAsync("orders/dev");
        Assert.Equal(503, status);
        Assert.Contains("fileRoots", $"{body["message"]}", StringComparison.Ordinal);
        var own = node.Settings.Running.Node.Listeners.UrlOf("api").Port.ToString(CultureInfo.InvariantCulture);
        foreach (var host in new[] { "169.254.169.254", $"127.0.0.1:{own}", "100.100.100.200" })
        {
            await node.SourceAsync("repo", new ConfigSourceSpec(Git: $"http://{host}/x.git", AllowHttp: true));
            (status, body) = await node.GetAsync("orders/dev");
            Assert.Equal(503, status);
            Assert.Contains("is not called", $"{body["message"]}", StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_password_goes_to_the_remote_alone()
    {
        const string Secret = "canary-5fd1c0ffee";
        await using var remote = new AskingServer();
        await using var node = await SourcesNode.StartAsync();
        await node.SourceAsync("repo", new ConfigSourceSpec(
            Git: $"http://127.0.0.1:{remote.Port.ToString(CultureInfo.InvariantCulture)}/shop.git", AllowHttp: true,
            Username: "bot", Password: SecretText.Of(Secret), RefreshSeconds: 1));
        var expected = $"Authorization: Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"bot:{Secret}"))}";
        await Eventually.TrueAsync(() => remote.Seen.Contains(expected, StringComparison.Ordinal), "it is sent");
        var (_, body) = await node.GetAsync("orders/dev");
        Assert.DoesNotContain(Secret, body.ToJsonString(), StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, await RunningAsync(), StringComparison.Ordinal);
        using var resource = await node.Local.GetAsync("/groundwork/v1/resources/config-source/_/repo");
        Assert.DoesNotContain(Secret, await resource.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        var data = node.Settings.Running.Node.DataDirectory.Path;
        var copies = Path.Combine(data, "config-sources");
        foreach (var file in Directory.EnumerateFiles(copies, "*", SearchOption.AllDirectories))
            Assert.DoesNotContain(Secret, await File.ReadAllTextAsync(file), StringComparison.Ordinal);
        await node.Settings.Running.StopAsync();
        Assert.DoesNotContain(Secret, node.Settings.Running.Log.ToString(), StringComparison.Ordinal);
    }

    private async Task<SourcesNode> StartAsync(
        int refreshSeconds = 3600, int maxMegabytes = 256, string? directory = null, string[]? paths = null)
    {
        var node = await SourcesNode.StartAsync(directory);
        await node.SourceAsync("repo", new ConfigSourceSpec(
            Git: git.Url, RefreshSeconds: refreshSeconds, MaxMegabytes: maxMegabytes, Paths: paths));
        return node;
    }

    private static long SizeOfCopies(SourcesNode node) => new DirectoryInfo(
        Path.Combine(node.Settings.Running.Node.DataDirectory.Path, "config-sources"))
        .EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);

    /// <summary>The arguments of all that runs on this machine.</summary>
    private static async Task<string> RunningAsync()
    {
        using var process = Process.Start(new ProcessStartInfo("ps", ["-eo", "args"])
        {
            UseShellExecute = false, RedirectStandardOutput = true,
        })!; // Not null: it does not go through a shell.
        return await process.StandardOutput.ReadToEndAsync();
    }

    /// <summary>A server that wants to know who asks, and lets nobody in.</summary>
    private sealed class AskingServer : IAsyncDisposable
    {
        private readonly TcpListener listener = new(IPAddress.Loopback, 0);
        private readonly StringBuilder seen = new(); // Guards itself.
        private readonly Task loop;

        public AskingServer()
        {
            listener.Start();
            loop = Task.Run(AnswerAsync);
        }

        public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

        public string Seen
        {
            get
            {
                lock (seen) return seen.ToString();
            }
        }

        public async ValueTask DisposeAsync()
        {
            listener.Dispose();
            await loop;
        }

        private async Task AnswerAsync()
        {
            try
            {
                while (true)
                {
                    using var client = await listener.AcceptTcpClientAsync();
                    using var reader = new StreamReader(client.GetStream(), Encoding.ASCII, leaveOpen: true);
                    while (await reader.ReadLineAsync() is { Length: > 0 } line)
                        lock (seen) seen.AppendLine(line);
                    await client.GetStream().WriteAsync(
                        Encoding.ASCII.GetBytes(
                            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\n"
                            + "Content-Length: 0\r\nConnection: close\r\n\r\n"));
                }
            }
            catch (Exception ended) when (ended is ObjectDisposedException or SocketException or IOException)
            {
                // The test is over.
            }
        }
    }
}
