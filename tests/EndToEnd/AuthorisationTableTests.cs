using System.Net;
using System.Net.Http.Json;
using System.Text;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings;
using Groundwork.Tests.Support;
using Groundwork.Wire.Contracts;

namespace Groundwork.Tests.EndToEnd;

/// <summary>
/// Holds what each operation asks for to the committed table, since the matrix can only hold an operation to what it
/// says of itself; and holds the operations that filter by themselves to showing a stranger nothing. After a change of
/// permissions that is meant, run with TESTS_UPDATE_SNAPSHOTS=1 and read the difference.
/// </summary>
public sealed class AuthorisationTableTests
{
    private const string UpdateVariable = "TESTS_UPDATE_SNAPSHOTS";

    /// <summary>In the name and the content of everything there is to see.</summary>
    private const string Marker = "seedling";

    [Fact]
    public async Task Operations_ask_for_what_the_committed_table_says()
    {
        await using var product = await Product.StartAsync();
        var table = new StringBuilder(
            """
            # What each operation asks for

            Made by the tests from what the product serves. A verb is checked on the resource that the call names,
            before anything else is done; where any principal may call, the operation shows and does only what the
            principal may, in the way that is said. [Security](../security.md) has the verbs and roles.

            | operation | asks for |
            |---|---|

            """);
        foreach (var endpoint in product.Node.Listeners.Endpoints
            .Where(endpoint => endpoint.Listener == ListenerDefinition.Api)
            .OrderBy(endpoint => endpoint.Pattern, StringComparer.Ordinal)
            .ThenBy(endpoint => endpoint.Method, StringComparer.Ordinal))
        {
            var asks = endpoint.Permission switch
            {
                EndpointPermission.Grant grant => $"`{VerbNames.Of(grant.Verb)}`",
                EndpointPermission.AnyPrincipal any => $"any principal: {any.How}",
                EndpointPermission.Anyone anyone => $"nothing: {anyone.Why}",
                _ => throw new InvalidOperationException($"{endpoint.Permission}?"),
            };
            table.Append($"| `{endpoint.Method} {endpoint.Pattern}` | {asks} |\n");
        }
        var path = Path.Combine(GroundworkProcess.Repository, "docs", "api", "permissions.md");
        if (Environment.GetEnvironmentVariable(UpdateVariable) == "1")
            await File.WriteAllTextAsync(path, table.ToString());
        Assert.Equal(await File.ReadAllTextAsync(path), table.ToString());
    }

    [Fact]
    public async Task Whoever_has_no_rights_is_shown_nothing_of_what_is_there()
    {
        await using var product = await Product.StartAsync();
        var start = await SeedAsync(product);
        using var stranger = product.Client(await product.MintAsync("stranger", [], [new Grant(["backup"], ["none"])]));
        using var friend = product.Client(await product.MintAsync("friend", [BuiltInRoles.Administrator]));
        var paths = product.Node.Listeners.Endpoints
            .Where(endpoint => endpoint.Listener == ListenerDefinition.Api && endpoint.Method == "GET"
                && endpoint.Permission is EndpointPermission.AnyPrincipal)
            .Select(endpoint => Fill(endpoint.Pattern, start))
            .ToList();
        Assert.True(paths.Count >= 10, $"only {paths.Count} operations filter by themselves");
        var (leaks, shown) = (new List<string>(), 0);
        foreach (var path in paths)
        {
            // Asked first as somebody who may: what is looked for is there to be seen.
            if ((await ReadAsync(friend, path)).Contains(Marker, StringComparison.Ordinal)) shown++;
            if ((await ReadAsync(stranger, path)).Contains(Marker, StringComparison.Ordinal)) leaks.Add(path);
        }
        Assert.Empty(leaks);
        Assert.True(shown >= 8, $"only {shown} of these operations show anything: {string.Join(' ', paths)}");
    }

    private static async Task<long> SeedAsync(RunningNode product)
    {
        var log = product.Node.Changes ?? throw new InvalidOperationException("There is no store.");
        var start = log.Snapshots.Current.Revision;
        var setting = Change.Put(
            SettingKind.Kind, "default", $"{Marker}/{Marker}", new SettingSpec("text", Marker, Description: Marker));
        var commit = await log.CommitAsync(new Changeset(Principal.System("test"), [setting]), CancellationToken.None);
        Assert.True(commit.Succeeded);
        using var registered = await product.Local.PutAsJsonAsync(
            "/groundwork/v1/registry/instances", new InstanceDocument(Marker, "127.0.0.1", 9));
        Assert.True(registered.IsSuccessStatusCode, await registered.Content.ReadAsStringAsync());
        return start;
    }

    private static string Fill(string pattern, long start)
    {
        var path = string.Join('/', pattern.Split('/').Select(segment => segment.Trim('{', '}').TrimStart('*') switch
        {
            _ when !segment.StartsWith('{') => segment,
            "kind" => SettingKind.Name,
            "namespace" => "default",
            var name when name.StartsWith("revision", StringComparison.Ordinal) => $"{start + 1}",
            _ => Marker,
        }));
        // A watch that begins before everything there is.
        return path.EndsWith("/watch", StringComparison.Ordinal) ? $"{path}?after={start}" : path;
    }

    /// <summary>An answer, or the first event of a stream that says more than that it has begun.</summary>
    private static async Task<string> ReadAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(path, HttpCompletionOption.ResponseHeadersRead);
        if (answer.StatusCode == HttpStatusCode.Unauthorized) Assert.Fail($"{path}: the key is not taken");
        if (answer.Content.Headers.ContentType?.MediaType != "text/event-stream")
            return await answer.Content.ReadAsStringAsync();
        await using var body = await answer.Content.ReadAsStreamAsync();
        var buffer = new byte[64 * 1024];
        var text = new StringBuilder();
        using var silence = new CancellationTokenSource(TimeSpan.FromSeconds(1), TimeProvider.System);
        try
        {
            while (!text.ToString().Contains(Marker, StringComparison.Ordinal)
                && await body.ReadAsync(buffer, silence.Token) is var read and > 0)
                text.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }
        catch (OperationCanceledException)
        {
            // The stream goes on without anything to say to this caller.
        }
        return text.ToString();
    }
}
