using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Groundwork.Tests.Support;
using Groundwork.Wire.Contracts;

namespace Groundwork.Tests.EndToEnd.BadInput;

/// <summary>A node with a little of everything in it, and the ways to call it wrongly.</summary>
public sealed partial class BadInputNode : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    // The writing for repeated text stays as it is, see WrongCallTable.Expand.
    private static readonly JsonSerializerOptions AsWritten = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly TemporaryDirectory directory = new();
    private readonly Dictionary<string, string> keys = new(StringComparer.Ordinal);
    private readonly HttpClient http = new() { Timeout = Patience };
    private GroundworkProcess? process;
    private int files;

    private GroundworkProcess Process => process ?? throw new InvalidOperationException("The node has not started.");

    public async ValueTask InitializeAsync()
    {
        process = await GroundworkProcess.StartAsync(
            directory.Combine("data"), ["run", "--node-name", "node-a", .. GroundworkProcess.AnyPorts]);
        using var local = process.Local();
        await SendAsync(local, HttpMethod.Post, "changesets", Seed);
        foreach (var (name, roles) in Callers)
        {
            using var answer = await local.PostAsJsonAsync(
                "access-keys", new AccessKeyRequest(name, roles), TestContext.Current.CancellationToken);
            var key = await answer.Content.ReadFromJsonAsync<AccessKeyAnswer>(TestContext.Current.CancellationToken);
            keys[name] = key?.Secret ?? throw new InvalidOperationException($"There is no key for {name}.");
        }
        // Somebody's proposal that waits, so that approvals can be wrong about something.
        await SendAsync(
            local, HttpMethod.Put, "resources/setting/guarded/g/waiting",
            """{"spec":{"format":"text","content":"x"}}""");
    }

    /// <summary>Everything that a wrong call could have changed: the revision, all resources, all services.</summary>
    internal async Task<string> StateAsync()
    {
        var state = new StringBuilder();
        foreach (var path in new[] { "export", "proposals", "registry/services?namespace=default" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, UriOf(path));
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", keys["administrator"]);
            using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.True(answer.IsSuccessStatusCode, $"{path}: {answer.StatusCode}");
            state.Append("revision ").AppendJoin(',', answer.Headers.GetValues(Wire.HeaderNames.Revision)).Append('\n')
                .Append(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Append('\n');
        }
        return state.ToString();
    }

    private string Address => Process.Node.ApiAddress?.TrimEnd('/') ?? throw new InvalidOperationException("No API.");

    internal Task<WrongAnswer> MakeAsync(WrongCall call) =>
        call.Run is null ? CallAsync(call) : RunAsync(call);

    private async Task<WrongAnswer> CallAsync(WrongCall call)
    {
        var (method, path) = (call.Http ?? throw new InvalidDataException($"'{call.Name}' calls nothing.")).Split(
            ' ', 2) is [var verb, var rest] ? (verb, rest) : throw new InvalidDataException($"'{call.Http}'?");
        using var request = new HttpRequestMessage(new HttpMethod(method), UriOf(WrongCallTable.Expand(path)));
        if (BodyOf(call) is { } body)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }
        var caller = call.As ?? "administrator";
        if (caller != "nobody") request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", keys[caller]);
        foreach (var (name, value) in call.Headers ?? new Dictionary<string, string>())
        {
            HttpHeaders headers = request.Headers;
            if (name.StartsWith("Content-", StringComparison.OrdinalIgnoreCase))
                headers = (request.Content ??= new ByteArrayContent([])).Headers;
            headers.Remove(name);
            if (value.Length > 0) Assert.True(headers.TryAddWithoutValidation(name, WrongCallTable.Expand(value)));
        }
        // Head only: a call that is wrongly let in may be answered with a stream that has no end.
        using var answer = await http.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        var status = (int)answer.StatusCode;
        if (answer.Content.Headers.ContentType?.MediaType != "application/problem+json")
            return new WrongAnswer(status, null, $"no problem but {answer.Content.Headers.ContentType}");
        var problem = await answer.Content.ReadFromJsonAsync<ProblemDocument>(TestContext.Current.CancellationToken)
            ?? throw new InvalidDataException($"'{call.Name}' is answered with null.");
        Assert.Equal(status, problem.Status);
        var fields = (problem.Fields ?? [])
            .Select(field => $"{field.Path}{(field.Line is { } line ? $", line {line}, column {field.Column}" : "")}: "
                + field.Message)
            .Concat((problem.Extensions ?? new Dictionary<string, string>()).Select(pair =>
                $"{pair.Key} = {pair.Value}"))
            .Select(text => Settle(text, ""))
            .ToList();
        return new WrongAnswer(
            status, problem.Code, Settle(problem.Detail ?? "", ""), fields.Count > 0 ? fields : null);
    }

    private async Task<WrongAnswer> RunAsync(WrongCall call)
    {
        var work = Directory.CreateDirectory(directory.Combine($"work-{files++}")).FullName;
        foreach (var (name, content) in call.Files ?? new Dictionary<string, string>())
        {
            var path = Path.Combine(work, name);
            if (name.EndsWith('/'))
            {
                Directory.CreateDirectory(path);
                continue;
            }
            await File.WriteAllTextAsync(path, Place(WrongCallTable.Expand(content), work));
            var others = name.StartsWith("public", StringComparison.Ordinal)
                ? UnixFileMode.GroupRead | UnixFileMode.OtherRead
                : UnixFileMode.None;
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | others);
        }
        var start = new ProcessStartInfo(
            GroundworkProcess.Executable, call.Run!.Select(one => Place(WrongCallTable.Expand(one), work)))
        {
            WorkingDirectory = work,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(
            name => name.StartsWith("GROUNDWORK_", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        start.Environment["HOME"] = work;
        start.Environment["NO_COLOR"] = "1";
        start.Environment["GROUNDWORK_DATA"] = Process.DataDirectory;
        foreach (var (name, value) in call.Environment ?? new Dictionary<string, string>())
        {
            if (value.Length == 0) start.Environment.Remove(name);
            else start.Environment[name] = Place(value, work);
        }
        using var run = System.Diagnostics.Process.Start(start)!; // Null only for shell execution.
        var output = run.StandardOutput.ReadToEndAsync();
        var error = run.StandardError.ReadToEndAsync();
        await run.StandardInput.WriteAsync(WrongCallTable.Expand(call.Input ?? ""));
        run.StandardInput.Close();
        try
        {
            await run.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Patience, TimeProvider.System);
        }
        catch (TimeoutException)
        {
            run.Kill();
            return new WrongAnswer(-1, null, $"it does not end; it printed {await output}{await error}");
        }
        var lines = Settle((await error).TrimEnd('\n'), work).Split('\n');
        // A node's own log lines are not what the verb says.
        var said = string.Join('\n', (await output).Split('\n')
            .Where(line => line.Length > 0 && !line.StartsWith("ts=", StringComparison.Ordinal)));
        var below = lines[1..].Select(line => line.TrimStart())
            .Concat(said.Length == 0 ? [] : [$"stdout: {Settle(said, work)}"])
            .ToList();
        return new WrongAnswer(run.ExitCode, null, lines[0], below.Count > 0 ? below : null);
    }

    private static byte[]? BodyOf(WrongCall call)
    {
        if (call.Bytes is { } bytes) return Convert.FromHexString(bytes);
        if (call.Body is not { } body) return null;
        var text = body.GetValueKind() == JsonValueKind.String ? body.GetValue<string>() : body.ToJsonString(AsWritten);
        return Encoding.UTF8.GetBytes(WrongCallTable.Expand(text));
    }

    // Without canonicalization: a wrong path arrives as it is written.
    private Uri UriOf(string path) => new(
        $"{Address}{(path[0] == '/' ? "" : "/groundwork/v1/")}{path}",
        new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });

    private string Place(string text, string work) => text
        .Replace("{data}", Process.DataDirectory, StringComparison.Ordinal)
        .Replace("{work}", work, StringComparison.Ordinal)
        .Replace("{api}", Address, StringComparison.Ordinal)
        .Replace("{api-port}", new Uri(Address).Authority, StringComparison.Ordinal);

    /// <summary>Takes out what differs from run to run.</summary>
    private string Settle(string text, string work)
    {
        if (work.Length > 0) text = text.Replace(work, "{work}", StringComparison.Ordinal);
        text = LocalUser().Replace(text, "local:{uid}");
        text = text.Replace($"process {Process.Id}", "process {pid}", StringComparison.Ordinal);
        return text
            .Replace(Process.DataDirectory, "{data}", StringComparison.Ordinal)
            .Replace(Address, "{api}", StringComparison.Ordinal)
            .Replace(new Uri(Address).Authority, "{api-port}", StringComparison.Ordinal)
            .Replace(Process.Node.StoreId, "{store}", StringComparison.Ordinal)
            .Replace($":{new Uri(Address).Port}", ":{port}", StringComparison.Ordinal)
            .Replace($"port {new Uri(Address).Port}", "port {port}", StringComparison.Ordinal);
    }

    private static async Task SendAsync(HttpClient client, HttpMethod method, string path, string json)
    {
        using var request = new HttpRequestMessage(method, path)
        {
            Content = new StringContent(json, Encoding.UTF8, "application/json"),
        };
        using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.True(
            answer.IsSuccessStatusCode,
            await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        if (process is not null) await process.DisposeAsync();
        directory.Dispose();
    }

    private static readonly (string Name, string[] Roles)[] Callers =
        [("administrator", ["administrator"]), ("reader", ["reader"]), ("shop", ["shop"])];

    [GeneratedRegex(@"\blocal:\d+", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex LocalUser();

    private const string Seed = """
        {"changes":[
          {"operation":"put","resource":{"kind":"namespace","name":"guarded","spec":{}}},
          {"operation":"put","resource":{"kind":"namespace","name":"shop","spec":{}}},
          {"operation":"put","resource":{"kind":"setting","namespace":"shop","name":"g/seed",
            "spec":{"format":"text","content":"x"}}},
          {"operation":"put","resource":{"kind":"setting","namespace":"shop","name":"g/hidden",
            "spec":{"format":"text","content":"hidden","secret":true}}},
          {"operation":"put","resource":{"kind":"role","name":"shop",
            "spec":{"grants":[{"verbs":["read","write"],"kinds":["setting","access-key"],"namespaces":["shop","_"]}]}}},
          {"operation":"put","resource":{"kind":"approval-policy","name":"guarded",
            "spec":{"kinds":["setting"],"namespaces":["guarded"]}}}
        ]}
        """;
}
