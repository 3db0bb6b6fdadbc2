using System.Text;
using Groundwork.Host.CommandLine;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Host.Tests.Verbs;

/// <summary>What the verbs about readers of settings send and print.</summary>
public sealed class SettingVerbTests : IDisposable
{
    private const string Old = """{"service":"s","instance":"i1","node":"a","state":"old","revision":7,"hasRevision":5}""";
    private const string Applied =
        """{"service":"s","instance":"i2","node":"b","state":"applied","revision":7,"hasRevision":7,"confirmedAt":"2030-01-02T03:04:05Z"}""";
    private const string Rejected =
        """{"service":"t","instance":"i","node":"b","state":"rejected","revision":7,"release":"r","error":"no such colour"}""";

    private readonly CommandRun run = new();
    private readonly List<string> requests = [];
    private readonly Queue<string> answers = new();

    public void Dispose() => run.Dispose();

    [Fact]
    public async Task Receipts_show_a_line_for_each_reader_and_count_them()
    {
        Answer(Receipts(1, 0, 1, Old, Applied));
        await ExpectAsync(ExitCodes.Ok, "receipts", "g/a", "--revision", "7", "-n", "shop");
        Assert.Equal(["GET /groundwork/v1/receipts/shop/g/a?revision=7 "], requests);
        Assert.Equal(
            """
            SERVICE  INSTANCE  STATE    REVISION  RELEASE  HAS  SENT  CONFIRMED             NODE  ERROR
            s        i1        old      7                  5                                a
            s        i2        applied  7                  7          2030-01-02 03:04:05Z  b

            """,
            run.Output);
        Assert.Equal("1 applied, 0 rejected, 0 delivered, 1 old\n", run.Error);
    }

    [Fact]
    public async Task Receipts_that_reject_are_a_fault_of_the_exit_code()
    {
        Answer(Receipts(1, 1, 0, Applied, Rejected));
        await ExpectAsync(ExitCodes.Fault, "receipts", "g/a");
        Assert.Contains("no such colour", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Waiting_looks_again_until_nobody_is_old()
    {
        Answer(Receipts(0, 0, 1, Old));
        Answer(Receipts(0, 0, 1, Old));
        Answer(Receipts(1, 0, 0, Applied));
        await ExpectAsync(ExitCodes.Ok, "receipts", "g/a", "--wait", "30s");
        Assert.Equal(3, requests.Count);
    }

    [Fact]
    public async Task Waiting_in_vain_is_a_fault_of_the_exit_code()
    {
        for (var look = 0; look < 100; look++) Answer(Receipts(0, 0, 1, Old));
        await ExpectAsync(ExitCodes.Fault, "receipts", "g/a", "--wait", "1s");
        await ExpectAsync(ExitCodes.Ok, "receipts", "g/a");
    }

    [Fact]
    public async Task Releases_are_listed_with_whom_they_are_for_and_promoted()
    {
        Answer("""{"revision":9,"items":[{"kind":"gray-release","name":"r","namespace":"default","revision":8,"changedBy":"x"}]}""");
        Answer("""{"kind":"gray-release","name":"r","namespace":"default","revision":8,"changedBy":"x","spec":{"setting":"g/a","content":{"secret":"1"},"secret":true,"priority":2,"to":{"instances":["s/1","s/2","s/3","s/4"],"labels":{"zone":"b"},"percent":12.5}}}""");
        await ExpectAsync(ExitCodes.Ok, "release", "list");
        Assert.Equal(
            """
            RELEASE  SETTING  TO                                       PRIORITY  REVISION  BY
            r        g/a      s/1 s/2 s/3 and 1 more, or zone=b 12.5%  2         8         x

            """,
            run.Output);
        Answer("""{"revision":9,"id":"019f0000-0000-7000-8000-000000000000","changes":[{"kind":"setting","namespace":"default","name":"g/a","result":"updated"},{"kind":"gray-release","namespace":"default","name":"r","result":"deleted"}]}""");
        await ExpectAsync(ExitCodes.Ok, "release", "promote", "r", "--dry-run");
        Assert.Equal("POST /groundwork/v1/gray-releases/default/r/promote?dryRun=true ", requests[^1]);
        Assert.Equal("setting default/g/a would be updated\ngray-release default/r would be deleted\n", run.Output);
    }

    [Fact]
    public async Task A_blast_radius_asks_for_what_is_planned()
    {
        Answer("""{"setting":"g/a","receivers":1,"services":[{"service":"s","instances":1,"receivers":1,"keys":["Price"]}],"readers":[{"service":"s","instance":"i","receives":true,"live":true,"lastSeen":"2030-01-02T03:04:05Z","keys":["Price"]}]}""");
        await ExpectAsync(
            ExitCodes.Ok, "blast-radius", "g/a", "--key", "Price", "--percent", "12.5", "--label", "zone=b", "--instance",
            "s/*", "--release", "r");
        Assert.Equal(
            """POST /groundwork/v1/settings/default/blast-radius {"setting":"g/a","keys":["Price"],"to":{"instances":["s/*"],"labels":{"zone":"b"},"percent":12.5},"release":"r"}""",
            Assert.Single(requests));
        Assert.Equal("1 of 1 readers in 1 services get it\n", run.Error);
    }

    [Fact]
    public async Task Readers_are_listed_with_what_they_ask_for()
    {
        Answer("""{"items":[{"service":"s","instance":"i","groups":["shared","s"],"labels":{},"sendsReceipts":true,"live":false,"lastSeen":"2030-01-02T03:04:05Z","node":"a","keys":{"g/a":["k","l"]}}]}""");
        await ExpectAsync(ExitCodes.Ok, "readers", "g/a");
        Assert.Equal("GET /groundwork/v1/readers/default?setting=g%2Fa ", Assert.Single(requests));
        Assert.Equal(
            """
            SERVICE  INSTANCE  LIVE  RECEIPTS  LAST SEEN             NODE  GROUPS    KEYS READ
            s        i         no    yes       2030-01-02 03:04:05Z  a     shared s  2

            """,
            run.Output);
    }

    [Theory]
    [InlineData("receipts", "nogroup")]
    [InlineData("receipts", "g/a", "--wait", "soon")]
    [InlineData("blast-radius", "g/a", "--label", "zone")]
    [InlineData("blast-radius", "g/a", "--label", "a=1", "--label", "a=2")]
    [InlineData("blast-radius", "g/a", "--percent", "many")]
    public async Task What_is_typed_wrongly_is_told_and_not_sent(params string[] arguments)
    {
        await ExpectAsync(ExitCodes.Usage, arguments);
        Assert.Empty(requests);
    }

    private static string Receipts(int applied, int rejected, int old, params string[] lines) =>
        $$"""{"namespace":"default","group":"g","dataId":"a","applied":{{applied}},"rejected":{{rejected}},"delivered":0,"old":{{old}},"readers":[{{string.Join(',', lines)}}]}""";

    private void Answer(string body) => answers.Enqueue(body);

    private async Task ExpectAsync(int exitCode, params string[] arguments)
    {
        await using var node = await run.StubAsync(AnswerAsync);
        var actual = await run.RunAsync(arguments);
        Assert.True(exitCode == actual, $"exit code {actual}: {run.Error}");
        File.Delete(run.Directory.Combine(".groundwork", "api.sock"));
    }

    private async Task AnswerAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        var body = await reader.ReadToEndAsync();
        requests.Add($"{context.Request.Method} {context.Request.Path}{context.Request.QueryString} {body}");
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(answers.Dequeue());
    }
}
