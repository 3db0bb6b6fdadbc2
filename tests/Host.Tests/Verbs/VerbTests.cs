using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Groundwork.Host.CommandLine;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Host.Tests.Verbs;

/// <summary>What verbs send and print, against answers as the contracts write them.</summary>
public sealed class VerbTests : IDisposable
{
    private const string Kinds =
        """
        [{"name":"route","module":"gateway","version":1,"residency":"resident","namespaced":true,"maxSpecBytes":1,"summary":"A route."},
         {"name":"role","module":"kernel","version":1,"residency":"resident","namespaced":false,"maxSpecBytes":1,"summary":"A role."}]
        """;

    private readonly CommandRun run = new();
    private readonly List<string> requests = [];
    private readonly Dictionary<string, (int Status, string Body)> answers = new(StringComparer.Ordinal);

    public VerbTests() => Answer("GET /groundwork/v1/kinds", Kinds);

    public void Dispose() => run.Dispose();

    [Fact]
    public async Task Get_shows_the_resource_and_asks_in_the_default_namespace()
    {
        Answer("GET /groundwork/v1/resources/route/default/shop", """{"kind":"route","name":"shop","namespace":"default","spec":{"path":"/x"},"revision":7,"changedBy":"local:0","changedAt":"2030-01-02T03:04:05Z"}""");
        await ExpectAsync(ExitCodes.Ok, "get", "route", "shop");
        Assert.Equal(
            """
            KIND   NAMESPACE  NAME  REVISION  CHANGED               BY
            route  default    shop  7         2030-01-02 03:04:05Z  local:0

            path: /x

            """, run.Output);
        await ExpectAsync(ExitCodes.Ok, "get", "route", "shop", "-o", "yaml");
        Assert.StartsWith("kind: route\nname: shop\nnamespace: default\nspec:\n  path: /x\nrevision: 7\n", run.Output,
            StringComparison.Ordinal);
        await ExpectAsync(ExitCodes.Ok, "get", "route", "shop", "-o", "json");
        Assert.Equal(7, (int?)JsonNode.Parse(run.Output)?["revision"]);
    }

    [Theory]
    [InlineData("get role r", "GET /groundwork/v1/resources/role/_/r")]
    [InlineData("get role r -n _", "GET /groundwork/v1/resources/role/_/r")]
    [InlineData("get route a/b:c@d -n shop", "GET /groundwork/v1/resources/route/shop/a/b:c@d")]
    [InlineData("get route a --as-of 5 --reveal", "GET /groundwork/v1/resources/route/default/a?asOf=5&reveal=true")]
    [InlineData("list route", "GET /groundwork/v1/resources/route?limit=100")]
    [InlineData("list route -n shop --prefix a/ --label x=y --label z=1 --limit 5000",
        "GET /groundwork/v1/resources/route?namespace=shop&prefix=a%2F&limit=1000&label=x%3Dy&label=z%3D1")]
    [InlineData("list role -n _", "GET /groundwork/v1/resources/role?namespace=_&limit=100")]
    [InlineData("history route a --limit 3", "GET /groundwork/v1/history/route/default/a?limit=3")]
    [InlineData("history", "GET /groundwork/v1/changesets?limit=100")]
    [InlineData("history --author operator:a", "GET /groundwork/v1/changesets?author=operator%3Aa&limit=100")]
    [InlineData("diff route a --from 3 --to 5", "GET /groundwork/v1/diff/route/default/a?from=3&to=5")]
    [InlineData("rollback route a --to 3 --dry-run", "POST /groundwork/v1/rollback/route/default/a?to=3&dryRun=true")]
    [InlineData("revert 9", "POST /groundwork/v1/changesets/9/revert")]
    [InlineData("approve", "GET /groundwork/v1/proposals?state=proposed")]
    [InlineData("approve p-1", "POST /groundwork/v1/proposals/p-1/approve")]
    [InlineData("refuse p-1", "POST /groundwork/v1/proposals/p-1/refuse")]
    [InlineData("export route", "GET /groundwork/v1/export?kind=route")]
    [InlineData("key list", "GET /groundwork/v1/resources/access-key?limit=1000")]
    [InlineData("key revoke a/b", "DELETE /groundwork/v1/resources/access-key/_/a/b")]
    [InlineData("audit list --action refused --principal anonymous",
        "GET /groundwork/v1/audit?principal=anonymous&action=refused&limit=100")]
    [InlineData("audit list --target route --outcome refused --since 2026-01-01 --until 2026-02-01",
        "GET /groundwork/v1/audit?target=route&outcome=refused&since=2026-01-01&until=2026-02-01&limit=100")]
    [InlineData("audit verify", "POST /groundwork/v1/audit/verify")]
    [InlineData("service list -n shop", "GET /groundwork/v1/registry/services?namespace=shop&limit=100")]
    [InlineData("service instances shop/blue@@catalog --zone east --version 2 --health unhealthy --status up",
        "GET /groundwork/v1/registry/instances?namespace=shop&service=blue%40%40catalog&group=blue&zone=east&version=2"
        + "&status=up&health=unhealthy&limit=100")]
    [InlineData("service instances -n shop", "GET /groundwork/v1/registry/instances?namespace=shop&limit=100")]
    [InlineData("service versions catalog", "GET /groundwork/v1/registry/services/default/catalog/versions")]
    [InlineData("service events shop/catalog --id 1",
        "GET /groundwork/v1/registry/events?namespace=shop&service=catalog&id=1&limit=100")]
    [InlineData("service consumers catalog", "GET /groundwork/v1/registry/services/default/catalog/consumers")]
    [InlineData("service dependencies shop/blue@@orders",
        "GET /groundwork/v1/registry/services/shop/orders/dependencies?group=blue")]
    [InlineData("service graph -n shop", "GET /groundwork/v1/registry/graph?namespace=shop&limit=2000")]
    [InlineData("service graph shop/blue@@orders --steps 2",
        "GET /groundwork/v1/registry/graph?namespace=shop&service=blue%40%40orders&steps=2&limit=2000")]
    [InlineData("explain instance shop/catalog/1",
        "GET /groundwork/v1/registry/instances/shop/catalog/1/explanation")]
    [InlineData("explain kind route", "GET /groundwork/v1/kinds/route")]
    [InlineData("drain catalog/1", "POST /groundwork/v1/registry/instances/default/catalog/1/drain")]
    [InlineData("undrain shop/blue@@catalog/1",
        "POST /groundwork/v1/registry/instances/shop/catalog/1/undrain?group=blue")]
    [InlineData("modules", "GET /groundwork/v1/modules")]
    [InlineData("node list", "GET /groundwork/v1/nodes")]
    [InlineData("backup file", "POST /groundwork/v1/backup")]
    public async Task A_verb_asks_for_what_it_says(string line, string request)
    {
        await using var node = await run.StubAsync(AnswerAsync);
        // The answer is a refusal, so that only the request matters.
        Assert.Equal(ExitCodes.Refused, await run.RunAsync(line.Split(' ')));
        Assert.Equal(request, requests[^1]);
        Assert.Equal("groundwork: forbidden: Not for you.\n", run.Error);
    }

    [Theory]
    [InlineData(401, "unauthenticated", ExitCodes.Refused)]
    [InlineData(403, "forbidden", ExitCodes.Refused)]
    [InlineData(429, "too_many_sign_ins", ExitCodes.Refused)]
    [InlineData(404, "resource_not_found", ExitCodes.Fault)]
    [InlineData(409, "revision_conflict", ExitCodes.Conflict)]
    [InlineData(412, "precondition_failed", ExitCodes.Conflict)]
    [InlineData(422, "resource_invalid", ExitCodes.Fault)]
    [InlineData(503, "storage_unavailable", ExitCodes.Fault)]
    [InlineData(507, "storage_full", ExitCodes.Fault)]
    public async Task A_problem_is_printed_with_its_fields_and_has_its_exit_code(int status, string code, int exitCode)
    {
        Answer("GET /groundwork/v1/modules", Problem(status, code), status);
        await ExpectAsync(exitCode, "modules");
        Assert.Equal($"groundwork: {code}: Particulars.\n  spec.a is wrong\n  floor: "
            + $"12\n{(status >= 500 ? "  trace id: t1\n" : "")}", run.Error);
    }

    [Fact]
    public async Task Another_server_at_the_address_is_told()
    {
        Answer("GET /groundwork/v1/modules", "<html>nginx</html>", 502);
        await ExpectAsync(ExitCodes.Fault, "modules");
        Assert.Contains("answered 502, and not in the words of a Groundwork node", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_follows_the_pages_up_to_its_limit()
    {
        Answer("GET /groundwork/v1/resources/route?limit=3",
            """{"revision":9,"items":[{"kind":"route","name":"a"},{"kind":"route","name":"b"}],"nextPage":"p2"}""");
        Answer("GET /groundwork/v1/resources/route?limit=1&page=p2",
            """{"revision":9,"items":[{"kind":"route","name":"c"}],"nextPage":"p3"}""");
        await ExpectAsync(ExitCodes.Ok, "list", "route", "--limit", "3", "-o", "json");
        Assert.Equal(["a", "b", "c"], JsonNode.Parse(run.Output)?["items"]?.AsArray()
            .Select(item => (string?)item?["name"]) ?? []);
    }

    [Fact]
    public async Task Apply_sends_one_changeset_and_says_what_became_of_each()
    {
        run.Directory.Write("a.yaml",
            "kind: route\nname: a\nspec: {path: /a}\n---\nkind: role\nnamespace: ''\nname: r\nspec: {}\nrevision: 4\n");
        run.Directory.Write(
            "b.json", """[{"kind":"route","namespace":"shop","name":"b","labels":{"k":"v"},"spec":null}]""");
        Answer("POST /groundwork/v1/changesets", """
            {"revision":12,"id":"019f0000-0000-7000-8000-000000000000","changes":[
              {"kind":"route","namespace":"default","name":"a","result":"created"},
              {"kind":"role","namespace":"","name":"r","result":"unchanged"},
              {"kind":"route","namespace":"shop","name":"b","result":"updated"}]}
            """);
        await ExpectAsync(ExitCodes.Ok, "apply", "-f", "a.yaml", "-f", "b.json", "--reason", "because é");
        Assert.Equal("route default/a created\nrole r unchanged\nroute shop/b updated\nrevision 12\n", run.Output);
        // Not "null".
        var sent = JsonSerializer.Deserialize(requests[^1].Split('\n', 2)[1], WireJson.Strict.ChangesetRequest)!;
        Assert.Equal("because é", sent.Reason);
        Assert.Equal(["put a ", "put r ", "put b shop"], sent.Changes.Select(
            change => $"{change.Operation} {change.Resource.Name} {change.Resource.Namespace}"));
        Assert.Null(sent.Changes[1].Resource.Revision);
        Assert.NotNull(sent.Id);
    }

    [Fact]
    public async Task Apply_reads_a_directory_and_standard_input()
    {
        run.Directory.Write("d/2.yaml", "kind: route\nname: two\n");
        run.Directory.Write("d/1.yml", "kind: route\nname: one\n");
        run.Directory.Write("d/notes.txt", "not: [a resource");
        run.Input = "{\"kind\":\"route\",\"name\":\"three\"}";
        Answer("POST /groundwork/v1/changesets",
            """{"revision":1,"id":"019f0000-0000-7000-8000-000000000000","changes":[],"proposal":"p-9"}""");
        await ExpectAsync(ExitCodes.Ok, "apply", "-f", "d", "-f", "-", "--dry-run");
        Assert.Equal("waits for a second person: groundwork approve p-9\n", run.Output);
        // Not "null".
        var sent = JsonSerializer.Deserialize(requests[^1].Split('\n', 2)[1], WireJson.Strict.ChangesetRequest)!;
        Assert.True(sent.DryRun);
        Assert.Equal(["one", "two", "three"], sent.Changes.Select(change => change.Resource.Name));
    }

    [Fact]
    public async Task A_fault_of_the_platform_is_told_by_file_line_and_column()
    {
        run.Directory.Write(
            "a.yaml", "kind: route\nname: a\n---\nkind: route\nname: b\nspec:\n  hosts:\n    - x\n    - '?'\n");
        run.Directory.Write("b.json",
            "[{\"kind\":\"route\",\"name\":\"c\"},\n {\"kind\":\"route\",\"name\":\"d\",\"spec\":{\"path\":1}}]");
        Answer("POST /groundwork/v1/changesets", """
            {"type":"t","title":"t","status":422,"detail":"The resource has faults.","code":"resource_invalid","fields":[
              {"path":"changes[1].spec.hosts[1]","message":"is not a host"},
              {"path":"changes[3].resource.spec.path","message":"must be text"},
              {"path":"route default/b: name","message":"is taken"},
              {"path":"route default/nobody: name","message":"is elsewhere"},
              {"path":"reason","message":"is too long"}]}
            """, 422);
        await ExpectAsync(ExitCodes.Fault, "apply", "-f", "a.yaml", "-f", "b.json");
        Assert.Equal(
            """
            groundwork: resource_invalid: The resource has faults.
              a.yaml:9:7: spec.hosts[1] is not a host
              b.json:2:37: spec.path must be text
              a.yaml:5:1: name is taken
              route default/nobody: name is elsewhere
              reason is too long

            """, run.Error);
    }

    [Theory]
    [InlineData("kind: route\nname: a\nnmae: b\n",
        "f.yaml:3:1: nmae 'nmae' is not known here; known are kind, namespace, name, version, labels and spec")]
    [InlineData("kind: route\n", "f.yaml:1:1: lacks 'name'")]
    [InlineData("kind: route\nname: a\nname: b\n",
        "f.yaml:3:1: key 'name' stands here a second time; the first is on line 2")]
    [InlineData("kind: [a]\nname: a\n", "f.yaml:1:1: kind has the wrong type")]
    [InlineData("just text", "f.yaml:1:1: must be a resource: a mapping with kind, name and spec")]
    [InlineData("a: [\n", "f.yaml:2:1: while parsing a node, did not find expected node content")]
    [InlineData("# nothing\n", "the files hold no resource")]
    public async Task A_fault_of_a_file_is_told_by_line_and_nothing_is_sent(string text, string fault)
    {
        run.Directory.Write("f.yaml", text);
        await ExpectAsync(ExitCodes.Usage, "apply", "-f", "f.yaml");
        Assert.True(run.Error.Contains(fault, StringComparison.Ordinal), run.Error);
        Assert.Empty(requests);
    }

    [Fact]
    public async Task Export_writes_what_apply_takes_back()
    {
        Answer("GET /groundwork/v1/export", """
            {"kind":"route","name":"a","namespace":"default","version":1,"spec":{"path":"on"},"revision":3,"changedBy":"x","changedAt":"2030-01-01T00:00:00Z"}
            {"kind":"role","name":"r","namespace":"","version":1,"spec":{},"revision":4,"changedBy":"x","changedAt":"2030-01-01T00:00:00Z"}
            """);
        await ExpectAsync(ExitCodes.Ok, "export");
        Assert.Equal(
            "kind: route\nname: a\nnamespace: default\nversion: 1\nspec:\n  path: \"on\"\n---\nkind: role\nname: "
            + "r\nnamespace: \"\"\nversion: 1\nspec: {}\n",
            run.Output);
        run.Directory.Write("all.yaml", run.Output);
        Answer("POST /groundwork/v1/changesets",
            """{"revision":4,"id":"019f0000-0000-7000-8000-000000000000","changes":[]}""");
        await ExpectAsync(ExitCodes.Ok, "apply", "-f", "all.yaml");
        await ExpectAsync(ExitCodes.Ok, "export", "-o", "json");
        Assert.Equal(2, JsonNode.Parse(run.Output)?.AsArray().Count);
    }

    [Fact]
    public async Task Diff_of_files_shows_what_apply_would_change_and_no_secret()
    {
        run.Directory.Write("f.yaml", "kind: route\nnamespace: default\nname: a\nspec: {path: /new, token: cleartext, "
            + "same: 1}\n---\nkind: route\nnamespace: default\nname: b\nspec: {}\n");
        Answer("GET /groundwork/v1/resources/route/default/a", """{"kind":"route","name":"a","namespace":"default","spec":{"path":"/old","token":{"secret":"sha256:ab"},"same":1,"gone":true},"revision":7}""");
        Answer("GET /groundwork/v1/resources/route/default/b", Problem(404, "resource_not_found"), 404);
        await ExpectAsync(ExitCodes.Different, "diff", "-f", "f.yaml", "--exit-code");
        Assert.Equal(
            """
            route default/a
              - spec.path: "/old"
              + spec.path: "/new"
              - spec.token: {"secret":"sha256:ab"}
              + spec.token: "(a secret of the file)"
              - spec.gone: true
            route default/b
              + : {"spec":{}}

            """, run.Output);
    }

    [Fact]
    public async Task Watch_resumes_after_a_lost_connection_where_it_was()
    {
        var connections = 0;
        var resumed = "";
        await using var node = await run.StubAsync(async context =>
        {
            context.Response.ContentType = "text/event-stream";
            if (Interlocked.Increment(ref connections) == 1)
            {
                await context.Response.WriteAsync(
                    $"id: s.1.0\nevent: change\ndata: {Change(1)}\n\nid: s.5.0\nevent: progress\ndata: {{}}\n\n");
                return;
            }
            resumed = context.Request.Headers["Last-Event-ID"].ToString();
            await context.Response.WriteAsync($"id: s.6.0\nevent: change\ndata: {Change(6)}\n\n");
        });
        var exitCode = await run.RunAsync("watch", "route", "--count", "2");
        Assert.True(exitCode == ExitCodes.Ok, run.Error);
        Assert.Equal("1  put     route default/a  x\n6  put     route default/a  x\n", run.Output);
        Assert.Equal("s.5.0", resumed);
        Assert.Contains("connection lost; trying again", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watch_that_has_seen_nothing_resumes_where_it_began()
    {
        var queries = new List<string>();
        await using var node = await run.StubAsync(async context =>
        {
            queries.Add(context.Request.QueryString.ToString());
            context.Response.ContentType = "text/event-stream";
            context.Response.Headers[HeaderNames.Revision] = $"{40 + queries.Count}";
            await context.Response.Body.FlushAsync();
            if (queries.Count == 3)
                await context.Response.WriteAsync($"id: s.42.0\nevent: change\ndata: {Change(42)}\n\n");
        });
        Assert.Equal(ExitCodes.Ok, await run.RunAsync("watch", "route", "--count", "1"));
        Assert.Equal(["?kind=route", "?kind=route&after=41", "?kind=route&after=41"], queries);
    }

    [Fact]
    public async Task Watch_ends_on_a_problem_and_on_Ctrl_C()
    {
        await using (await run.StubAsync(context =>
        {
            context.Response.ContentType = "text/event-stream";
            return context.Response.WriteAsync($"event: problem\ndata: {Problem(410, "revision_compacted")}\n\n");
        }))
        {
            Assert.Equal(ExitCodes.Fault, await run.RunAsync("watch"));
            Assert.Contains("revision_compacted", run.Error, StringComparison.Ordinal);
        }
        File.Delete(run.Directory.Combine(".groundwork", "api.sock"));
        await using var silent = await run.StubAsync(async context =>
        {
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        });
        var watching = run.RunAsync("watch");
        run.Interruption.Ask(System.Runtime.InteropServices.PosixSignal.SIGINT);
        Assert.Equal(ExitCodes.Interrupted, await watching.WaitAsync(Eventually.Patience));
    }

    [Fact]
    public async Task A_key_is_printed_alone_on_stdout()
    {
        Answer("POST /groundwork/v1/access-keys", """{"name":"shop/orders","secret":"gw_abc","revision":3}""");
        await ExpectAsync(
            ExitCodes.Ok, "key", "create", "shop/orders", "--role", "a", "--role", "b", "--expires-in", "90d");
        Assert.Equal("gw_abc\n", run.Output);
        Assert.Contains("""{"name":"shop/orders","roles":["a","b"],"expiresInSeconds":7776000}""", requests[^1],
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_backup_is_written_whole_or_not_at_all()
    {
        await using (await run.StubAsync(context => context.Response.WriteAsync("archive")))
        {
            Assert.Equal(ExitCodes.Ok, await run.RunAsync("backup", "b.bin"));
            Assert.Equal("archive", File.ReadAllText(run.Directory.Combine("b.bin")));
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(run.Directory.Combine("b.bin")));
            Assert.Equal(ExitCodes.Usage, await run.RunAsync("backup", "b.bin"));
        }
        File.Delete(run.Directory.Combine(".groundwork", "api.sock"));
        await using var broken = await run.StubAsync(async context =>
        {
            context.Response.ContentLength = 100;
            await context.Response.WriteAsync("half");
            await context.Response.Body.FlushAsync();
            context.Abort();
        });
        Assert.NotEqual(ExitCodes.Ok, await run.RunAsync("backup", "c.bin"));
        Assert.Empty(Directory.GetFiles(run.Directory.Path, "c.bin*"));
    }

    [Fact]
    public async Task An_audit_trail_that_is_not_intact_is_a_fault()
    {
        Answer("POST /groundwork/v1/audit/verify", """{"intact":false,"changesVerified":3,"eventsVerified":2,"checkpointsVerified":1,"findings":["change 4: link"]}""");
        await ExpectAsync(ExitCodes.Fault, "audit", "verify");
        Assert.Equal("NOT intact: 3 changes, 2 events, 1 checkpoints\n  change 4: link\n", run.Output);
    }

    [Fact]
    public async Task Version_answers_without_a_node()
    {
        Assert.Equal(ExitCodes.Ok, await run.RunAsync("version"));
        Assert.StartsWith("groundwork ", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Text_of_others_cannot_forge_rows_or_drive_the_terminal()
    {
        Answer("GET /groundwork/v1/changesets?limit=100", """{"revision":1,"floor":0,"items":[{"revision":1,"id":"019f0000-0000-7000-8000-000000000000","author":"x","reason":"a\nroute forged \u001b[2J","at":"2030-01-01T00:00:00Z","changes":[]}]}""");
        await ExpectAsync(ExitCodes.Ok, "history");
        Assert.Equal(2, run.Output.TrimEnd('\n').Split('\n').Length);
        Assert.DoesNotContain('\e', run.Output);
    }

    private static string Change(int revision) =>
        $$"""{"token":"s.{{revision}}.0","revision":{{revision}},"operation":"put","endsChangeset":true,"resource":{"kind":"route","name":"a","namespace":"default","changedBy":"x"} }""";

    private static string Problem(int status, string code) =>
        $$"""{"type":"t","title":"t","status":{{status}},"detail":"Particulars.","code":"{{code}}","traceId":"t1","fields":[{"path":"spec.a","message":"is wrong"}],"extensions":{"floor":"12"} }""";

    private async Task ExpectAsync(int exitCode, params string[] arguments)
    {
        await using var node = await run.StubAsync(AnswerAsync);
        var actual = await run.RunAsync(arguments);
        Assert.True(exitCode == actual, $"exit code {actual}: {run.Error}");
        File.Delete(run.Directory.Combine(".groundwork", "api.sock"));
    }

    private void Answer(string request, string body, int status = 200) => answers[request] = (status, body);

    private async Task AnswerAsync(HttpContext context)
    {
        var line = $"{context.Request.Method} {context.Request.Path}{context.Request.QueryString}";
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        var body = await reader.ReadToEndAsync();
        requests.Add(body.Length == 0 ? line : $"{line}\n{body}");
        var (status, answer) = answers.GetValueOrDefault(
            line, (403, """{"type":"t","title":"t","status":403,"detail":"Not for you.","code":"forbidden"}"""));
        context.Response.StatusCode = status;
        context.Response.ContentType = status >= 400 ? "application/problem+json" : "application/json";
        await context.Response.WriteAsync(answer);
    }
}
