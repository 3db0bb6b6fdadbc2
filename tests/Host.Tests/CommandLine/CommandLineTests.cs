using System.CommandLine;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Verbs;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Host.Tests.CommandLine;

public sealed class CommandLineTests : IDisposable
{
    private readonly CommandRun run = new();

    public void Dispose() => run.Dispose();

    public static TheoryData<string> Verbs()
    {
        var data = new TheoryData<string>();
        foreach (var verb in VerbTable.All()) AddTo(data, verb, "");
        return data;

        static void AddTo(TheoryData<string> data, Command command, string above)
        {
            if (command.Hidden) return;
            var name = $"{above}{command.Name}";
            data.Add(name);
            foreach (var below in command.Subcommands) AddTo(data, below, $"{name} ");
        }
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task Help_fits_a_screen_and_ends_with_an_example(string verb)
    {
        Assert.Equal(ExitCodes.Ok, await run.RunAsync([.. verb.Split(' '), "--help"]));
        AssertFits(run.Output);
        Assert.Contains($"Example: groundwork {verb}", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_first_page_fits_a_screen_and_names_every_verb()
    {
        Assert.Equal(ExitCodes.Ok, await run.RunAsync());
        AssertFits(run.Output);
        var words = run.Output.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        Assert.All(VerbTable.All().Where(verb => !verb.Hidden), verb => Assert.Contains(verb.Name, words));
    }

    [Fact]
    public void The_manual_has_a_line_for_every_verb_and_for_no_other()
    {
        var lines = File.ReadLines(Manual())
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .Select(line => line.Split('`')[1]);
        Assert.Equal(VerbTable.All().Where(verb => !verb.Hidden).Select(verb => verb.Name)
            .Order(StringComparer.Ordinal), lines.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("fetch", "there is no verb 'fetch'")]
    [InlineData("get route", "Required argument 'name' missing for command: 'get'.")]
    [InlineData("get route shop more", "Unrecognized command or argument 'more'.")]
    [InlineData("get route shop --colour", "Unrecognized command or argument '--colour'.")]
    [InlineData("list -o xml", "--output must be table, json or yaml.")]
    [InlineData("list route --limit many",
        "--limit takes a whole number, not 'many'")]
    [InlineData("list route --limit 0", "--limit must be 1 or more")]
    [InlineData("list route -n Shop", "'Shop' is not a namespace")]
    [InlineData("get route a//b", "'a//b' is not a name")]
    [InlineData("apply", "Option '--file' is required.")]
    [InlineData("apply -f no.yaml", "no.yaml: there is no such file or directory")]
    [InlineData("drain catalog", "'catalog' is not an instance: [NAMESPACE/][GROUP@@]SERVICE/ID")]
    [InlineData("drain catalog/1 --wait -1", "--wait must be 0 or more")]
    [InlineData("service versions Shop/x", "'Shop/x' is not a service: [NAMESPACE/][GROUP@@]SERVICE")]
    [InlineData("delete", "delete takes KIND NAME, or -f FILE")]
    [InlineData("delete route", "delete takes KIND NAME, or -f FILE")]
    [InlineData("delete route shop -f a.yaml", "delete takes KIND NAME, or -f FILE")]
    [InlineData("diff", "diff takes KIND NAME, or -f FILE")]
    [InlineData("diff -f a.yaml --from 3", "--from and --to go with KIND NAME, not with -f")]
    [InlineData("rollback route shop", "Option '--to' is required.")]
    [InlineData("revert soon", "revert takes a whole number, not 'soon'")]
    [InlineData("key", "Required command was not provided.")]
    [InlineData("key create a", "Option '--role' is required.")]
    [InlineData("key create a --role r --expires-in soon", "'soon' is not a time such as 90d, 12h or 30m")]
    [InlineData("login --sign-out", "--sign-out needs --server: on the node itself nobody signs in")]
    [InlineData("login --server http://127.0.0.1:9", "login needs the operator's name")]
    [InlineData("list --server http://core.example:7400", "would send the credential in clear; use https")]
    [InlineData("list --server ftp://core.example", "is not an address such as https://core.example:7400")]
    [InlineData("list --server https://core.example/path", "--server takes scheme, host and port only")]
    [InlineData("list --server https://key@core.example", "--server takes scheme, host and port only")]
    [InlineData("list --server https://core.example --data x", "--server and --data name different nodes; give one")]
    [InlineData("doctor --server https://core.example", "doctor examines the machine that it runs on")]
    [InlineData("doctor --set drainSeconds", "--set takes KEY=VALUE, not 'drainSeconds'")]
    [InlineData("doctor --config no.yaml", "there is no configuration file")]
    public async Task Wrong_usage_is_told_on_stderr_with_exit_code_2(string line, string message)
    {
        await using var node = await run.StubAsync(_ => Task.CompletedTask);
        Assert.Equal(ExitCodes.Usage, await run.RunAsync(line.Split(' ')));
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.StartsWith("groundwork: ", run.Error, StringComparison.Ordinal);
        Assert.Equal("", run.Output);
    }

    [Fact]
    public async Task Without_a_node_the_exit_code_is_3()
    {
        Assert.Equal(ExitCodes.Unreachable, await run.RunAsync("list"));
        Assert.Contains("no node runs in", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_socket_that_nobody_listens_on_is_exit_code_3()
    {
        await (await run.StubAsync(_ => Task.CompletedTask)).DisposeAsync();
        Assert.Equal(ExitCodes.Unreachable, await run.RunAsync("list"));
        Assert.Contains("cannot reach", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_without_a_credential_is_exit_code_4()
    {
        Assert.Equal(ExitCodes.Refused, await run.RunAsync("list", "--server", "http://127.0.0.1:9"));
        Assert.Contains("set GROUNDWORK_ACCESS_KEY, or run 'groundwork login --server http://127.0.0.1:9'", run.Error,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_that_is_no_JSON_is_told()
    {
        await using var node = await run.StubAsync(context => context.Response.WriteAsync("[1"));
        Assert.Equal(ExitCodes.Fault, await run.RunAsync("version"));
        Assert.Contains("the node's answer is not what this version understands", run.Error, StringComparison.Ordinal);
    }

    private static string Manual()
    {
        // Found before the root.
        for (var directory = AppContext.BaseDirectory; ; directory = Path.GetDirectoryName(directory)!)
            if (File.Exists(Path.Combine(directory, "Groundwork.slnx")))
                return Path.Combine(directory, "docs", "cli.md");
    }

    private static void AssertFits(string page)
    {
        var lines = page.TrimEnd('\n').Split('\n');
        Assert.True(lines.Length <= HelpPage.Rows, $"{lines.Length} lines:\n{page}");
        Assert.All(lines, line => Assert.True(line.Length <= HelpPage.Columns, $"{line.Length} columns: {line}"));
    }
}
