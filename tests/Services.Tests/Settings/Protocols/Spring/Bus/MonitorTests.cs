using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings.Protocols.Spring.Bus;
using Groundwork.Services.Settings.Protocols.Spring.Sources;
using Groundwork.Services.Tests.Settings.Protocols.Spring.Sources;
using Groundwork.Tests.Support;

namespace Groundwork.Services.Tests.Settings.Protocols.Spring.Bus;

public sealed class MonitorTests
{
    private const string Secret = "hook-secret";

    private const string Commits = """
        {"ref":"refs/heads/main","commits":[{"added":["apps/orders.yml"],"modified":["application-eu.yml"],
         "removed":["pay-ments-dev.properties"]},{"added":["application.yml"],"modified":[],"removed":[]}]}
        """;

    private const string OfCommits =
        """["orders","*:eu","pay:ments-dev","pay-ments:dev","pay-ments-dev","*"]""";

    [Theory]
    [InlineData("X-GitHub-Event", "push", Commits, OfCommits)]
    [InlineData("X-Gitea-Event", "push", Commits, OfCommits)]
    [InlineData("X-Gitlab-Event", "Push Hook", Commits, OfCommits)]
    [InlineData("X-Event-Key", "repo:push", """{"push":{"changes":[{"new":{"name":"main"}}]}}""", """["*"]""")]
    [InlineData("X-GitHub-Event", "ping", """{"zen":"x"}""", "[]")]
    [InlineData("X-Event-Key", "repo:fork", "{}", "[]")]
    [InlineData("X-None", "x", """{"path":["orders.yml","payments.json"]}""", """["orders","payments"]""")]
    [InlineData("X-None", "x", """{"path":"orders"}""", """["orders"]""")]
    [InlineData("X-GitHub-Event", "push", """{"commits":[1,{"added":"x.yml"},{"added":[null,2]}]}""", """["x"]""")]
    public async Task A_push_is_about_the_applications_of_its_files(
        string header, string value, string body, string destinations)
    {
        await using var node = await SourcesNode.StartAsync();
        using var answer = await PostAsync(node.Local, body, "application/json", (header, value));
        Assert.Equal(destinations, await answer.Content.ReadAsStringAsync());
        Assert.Equal(200, (int)answer.StatusCode);
    }

    [Fact]
    public async Task Paths_may_come_as_a_form_and_what_is_no_notice_is_told()
    {
        await using var node = await SourcesNode.StartAsync();
        using var form = await PostAsync(
            node.Local, "path=orders&path=payments.yml,application-dev.yml", "application/x-www-form-urlencoded");
        Assert.Equal("""["orders","payments","*:dev"]""", await form.Content.ReadAsStringAsync());
        foreach (var body in new[] { "", "{", "[]", "null" })
        {
            using var refused = await PostAsync(node.Local, body, "application/json");
            Assert.Equal(400, (int)refused.StatusCode);
        }
        using var large = await PostAsync(node.Local, new string(' ', PushNotice.MaxBytes + 1), "application/json");
        Assert.Equal(413, (int)large.StatusCode);
    }

    [Fact]
    public async Task A_push_is_looked_at_when_it_is_signed_and_refused_when_not()
    {
        using var git = new GitRepository();
        git.Commit(("orders.yml", "a: 0\n"));
        await using var node = await SourcesNode.StartAsync();
        await node.SourceAsync("repo", new ConfigSourceSpec(
            Git: git.Url, RefreshSeconds: 3600, WebhookSecret: SecretText.Of(Secret)));
        using var anyone = node.Settings.Running.Client();
        Assert.Equal("0", await node.ValueAsync("orders/dev", "a"));
        const string Body = """{"commits":[]}""";
        var signature = Convert.ToHexStringLower(
            HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.UTF8.GetBytes(Body)));
        var round = 0;
        foreach (var (header, value) in new[]
        {
            ("X-Hub-Signature-256", $"sha256={signature}"), ("X-Gitea-Signature", signature),
            ("X-Hub-Signature", $"sha256={signature}"), ("X-Gitlab-Token", Secret),
        })
        {
            git.Commit(("orders.yml", $"a: {++round}\n"));
            using var taken = await PostAsync(anyone, Body, "application/json", (header, value));
            Assert.Equal(200, (int)taken.StatusCode);
            await node.BecomesAsync("orders/dev", "a", $"{round}");
        }
        git.Commit(("orders.yml", "a: unsigned\n"));
        foreach (var (header, value) in new[]
        {
            ("X-None", ""), ("X-Hub-Signature-256", $"sha256={new string('0', 64)}"),
            ("X-Hub-Signature-256", signature),
            ("X-Hub-Signature-256", "sha256="), ("X-Gitea-Signature", signature[..62]), ("X-Gitlab-Token", "wrong"),
            ("X-Gitlab-Token", Secret[..^1]), ("X-Hub-Signature", "sha1=" + signature[..40]),
        })
        {
            using var refused = await PostAsync(anyone, Body, "application/json", (header, value));
            Assert.Equal(401, (int)refused.StatusCode);
        }
        // A signature of another body.
        using var other = await PostAsync(
            anyone, Body + " ", "application/json", ("X-Hub-Signature-256", $"sha256={signature}"));
        Assert.Equal(401, (int)other.StatusCode);
        using var reader = node.Settings.Running.Client(await node.Settings.Running.MintAsync(
            "reader", [], [new Grant(["read", "write"], ["*"], ["*", "_"])]));
        using var forbidden = await PostAsync(reader, Body, "application/json");
        Assert.Equal(403, (int)forbidden.StatusCode);
        Assert.Equal($"{round}", await node.ValueAsync("orders/dev", "a"));
        using var operating = node.Settings.Running.Client(await node.Settings.Running.MintAsync(
            "operating", [], [new Grant(["operate"], [ConfigSourceKind.Name], ["_"])]));
        using var allowed = await PostAsync(operating, Body, "application/json");
        Assert.Equal(200, (int)allowed.StatusCode);
        await node.BecomesAsync("orders/dev", "a", "unsigned");
    }

    /// <summary>Pushes as GitHub does.</summary>
    public static Task<HttpResponseMessage> PushAsync(HttpClient client, string secret, string body) => PostAsync(
        client, body, "application/json", ("X-GitHub-Event", "push"),
        ("X-Hub-Signature-256", "sha256=" + Convert.ToHexStringLower(
            HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(body)))));

    private static async Task<HttpResponseMessage> PostAsync(
        HttpClient client, string body, string type, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/config/monitor")
        {
            Content = new StringContent(body, Encoding.UTF8),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return await client.SendAsync(request);
    }
}
