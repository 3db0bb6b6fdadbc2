using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Tests.EndToEnd.Canary;

/// <summary>
/// Puts secrets into a node by every door and then uses everything, handing every answer to the hunt but the three that
/// are meant to have a secret: what is revealed, what a reader of settings with the right gets, and a new key's answer.
/// </summary>
internal sealed class CanaryRun(HttpClient local, Uri api, string dataDirectory) : IDisposable
{
    private readonly HttpClient tcp = new() { BaseAddress = api };

    public SecretHunt Hunt { get; } = new();

    /// <summary>The core of the canary: letters and digits.</summary>
    public string Core { get; } = $"Canary{Convert.ToHexString(
        System.Security.Cryptography.RandomNumberGenerator.GetBytes(12))}End";

    /// <summary>A text around the core with what escapes differ about.</summary>
    public string Secret => $"pä ß\"{Core}\"</&+%20\\";

    public async Task RunAsync()
    {
        Hunt.Add("canary", Core);
        Hunt.Add("root key", RootKeyOf(dataDirectory));
        Hunt.Add("operator's password", (await File.ReadAllTextAsync(
            Path.Combine(dataDirectory, AdminBootstrap.FileName))).Trim());
        await WriteByEveryDoorAsync();
        var (reader, programs) = await MintAsync();
        var signIn = await SignInAsync();
        await ReadEverywhereAsync(reader, signIn);
        await WatchAsync(reader);
        await AskWronglyAsync(programs);
        await ProposeAsync();
        await SealAsync(reader);
        await RevealAsync(programs);
        foreach (var path in Everything) await LookAtAsync(HttpMethod.Get, path, signIn);
        await LookAtAsync(HttpMethod.Post, "audit/verify", signIn);
        await LookAtAsync(HttpMethod.Post, "backup", signIn);
    }

    /// <summary>
    /// The files of the data directory, but the two that are there to hold a secret, and the one that is locked.
    /// </summary>
    public void LookAtFiles(string where) =>
        Hunt.LookInto(dataDirectory, where, "root.key", AdminBootstrap.FileName, "lock");

    private static string[] Everything =>
    [
        "kinds", "resources/setting", "resources/setting?asOf=2", "resources/operator", "resources/access-key",
        "resources/proposal", "changesets?limit=500", "changesets/2", "export", "snapshot", "proposals",
        "audit?limit=1000",
        "history/setting/default/g/put", "history/operator/_/admin", "resources/setting/default/g/put?asOf=3",
        "diff/setting/default/g/put?from=2", "nodes", "modules", "version", "doctor", "openapi.json", "whoami",
        "history/setting/default/g/sealed.yaml", "sealing-keys", "settings-comparison?from=default&to=guarded",
        "sign-ins", "registry/services", "registry/events", "/health/ready", "/health/live",
    ];

    private async Task WriteByEveryDoorAsync()
    {
        var spec = new JsonObject { ["format"] = "text", ["content"] = Secret, ["secret"] = true };
        await PutAsync("resources/setting/default/g/put", new JsonObject { ["spec"] = spec.DeepClone() });
        await PutAsync("resources/namespace/_/guarded", new JsonObject { ["spec"] = new JsonObject() });
        var changes = new JsonArray();
        foreach (var name in new[] { "g/changeset", "g/changeset-2" })
        {
            changes.Add(new JsonObject
            {
                ["operation"] = "put",
                ["resource"] = new JsonObject
                {
                    ["kind"] = "setting", ["name"] = name, ["spec"] = spec.DeepClone(),
                },
            });
        }
        await SendAsync(HttpMethod.Post, "changesets", Json(new JsonObject
        {
            ["changes"] = changes, ["id"] = "0197a000-0000-7000-8000-000000000002",
        }));
        // The text of one that is secret already, twice, so that there is a version before it.
        for (var version = 1; version <= 2; version++)
            await SendAsync(
                HttpMethod.Put, "settings/default/g/put?format=yaml", Text($"version: {version}\npassword: {Core}\n"));
        await PutAsync("resources/operator/_/canary", new JsonObject
        {
            ["spec"] = new JsonObject
            {
                ["passwordHash"] = PasswordHash.Create(Core), ["roles"] = new JsonArray("reader"),
            },
        });
        // What was exported comes back masked, and keeps what is in place.
        var export = await local.GetStringAsync(PathOf("export?kind=setting"));
        Hunt.Look("export", export);
        var again = new JsonArray([.. export.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line =>
        {
            var resource = JsonNode.Parse(line) as JsonObject ?? [];
            return new JsonObject
            {
                ["operation"] = "put",
                ["resource"] = new JsonObject
                {
                    ["kind"] = "setting",
                    ["name"] = (string?)resource["name"],
                    ["namespace"] = (string?)resource["namespace"],
                    ["spec"] = resource["spec"]?.DeepClone(),
                },
            };
        })]);
        await SendAsync(HttpMethod.Post, "changesets", Json(new JsonObject { ["changes"] = again }));
    }

    private async Task<(string Reader, string Programs)> MintAsync()
    {
        var keys = new List<string>();
        foreach (var role in new[] { BuiltInRoles.Reader, BuiltInRoles.Administrator })
        {
            using var answer = await local.PostAsJsonAsync(
                PathOf("access-keys"), new AccessKeyRequest($"canary-{role}", [role]),
                WireJson.Strict.AccessKeyRequest);
            var key = await answer.Content.ReadFromJsonAsync(WireJson.Strict.AccessKeyAnswer);
            keys.Add(key?.Secret ?? throw new InvalidOperationException("There is no key."));
            Hunt.Add($"access key {role}", keys[^1][(keys[^1].IndexOf('_', StringComparison.Ordinal) + 1)..]);
        }
        return (keys[0], keys[1]);
    }

    private async Task<string> SignInAsync()
    {
        var password = (await File.ReadAllTextAsync(Path.Combine(dataDirectory, AdminBootstrap.FileName))).Trim();
        var first = await SignInAsync("sign-in", new SignInRequest("admin", password), WireJson.Strict.SignInRequest);
        var second = await SignInAsync(
            "sign-in/refresh", new RefreshRequest(first.RefreshToken), WireJson.Strict.RefreshRequest);
        foreach (var token in new[] { first.AccessToken, first.RefreshToken, second.AccessToken, second.RefreshToken })
            Hunt.Add("sign-in token", token[4..]);
        // A password in the wrong field, as people do.
        using var wrong = await tcp.PostAsJsonAsync(
            PathOf("sign-in"), new SignInRequest(Core, Core), WireJson.Strict.SignInRequest);
        await LookAtAsync("a sign-in with the password as the name", wrong);
        return second.AccessToken;
    }

    private async Task<SignInAnswer> SignInAsync<T>(
        string path, T request, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> json)
    {
        using var answer = await tcp.PostAsJsonAsync(PathOf(path), request, json);
        return await answer.Content.ReadFromJsonAsync(WireJson.Strict.SignInAnswer)
            ?? throw new InvalidOperationException("The sign-in is null.");
    }

    private async Task ReadEverywhereAsync(string reader, string signIn)
    {
        foreach (var path in Everything) await LookAtAsync(HttpMethod.Get, path, reader);
        foreach (var name in new[] { "g/put", "g/changeset" })
        {
            await LookAtAsync(HttpMethod.Get, $"resources/setting/default/{name}", signIn);
            await LookAtAsync(HttpMethod.Get, $"resources/setting/default/{name}?reveal=true", reader);
            await LookAtAsync(HttpMethod.Get, $"settings/default/{name}", reader);
        }
        await LookAtAsync(HttpMethod.Get, "settings/default", reader);
        await LookAtAsync(HttpMethod.Post, "rollback/setting/default/g/put?to=2&dryRun=true", signIn);
        await LookAtAsync(HttpMethod.Post, "changesets/4/revert?dryRun=true", signIn);
    }

    private async Task WatchAsync(string reader)
    {
        foreach (var path in new[]
        {
            "watch?after=1", "watch?kind=setting&after=1", "watch?kind=operator&after=1",
            "settings/default/watch?after=1",
        })
        {
            using var request = Request(HttpMethod.Get, path, reader);
            using var answer = await tcp.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            await using var body = await answer.Content.ReadAsStreamAsync();
            Hunt.Look(path, await ReadUntilAsync(body, "\n\n"));
            // And what is published while it is open.
            if (!path.StartsWith("settings", StringComparison.Ordinal)) continue;
            await SendAsync(HttpMethod.Put, "settings/default/g/put?format=yaml", Text($"watched: {Core}\n"));
            Hunt.Look(path, await ReadUntilAsync(body, "event: settings"));
        }
    }

    /// <summary>Calls that are wrong in ways that quote what was sent.</summary>
    private async Task AskWronglyAsync(string key)
    {
        foreach (var (format, text) in new[]
        {
            ("json", $"{{\"a\": {Core}}}"), ("json", $"{{\"{Core}\":1,\"{Core}\":2}}"), ("yaml", $"a: *{Core}"),
            ("yaml", $"{Core}: 1\n{Core}: 2\n"), ("yaml", $"a: !{Core} x"), ("xml", $"<a {Core}='1' {Core}='2'/>"),
            ("xml", $"<{Core}></b>"), ("xml", $"<a>&{Core};</a>"), ("properties", $"{Core}=1\n{Core}=2\n"),
            ("properties", $"{Core}=\\u12"), (Core[..8] + "x", "text"),
        })
        {
            await LookAtAsync("a text with faults", await tcp.SendAsync(
                Request(HttpMethod.Put, $"settings/default/g/put?format={format}", key, Text(text))));
            var spec = new JsonObject { ["format"] = format, ["content"] = text, ["secret"] = true };
            await LookAtAsync("a secret with faults", await tcp.SendAsync(Request(
                HttpMethod.Put, "resources/setting/default/g/put", key, Json(new JsonObject { ["spec"] = spec }))));
        }
        foreach (var body in new[]
        {
            $"{{\"spec\":{{\"format\":\"text\",\"secret\":true,\"content\":{{\"a\":\"{Core}\"}}}}}}",
            $"{{\"spec\":{{\"format\":\"text\",\"secret\":true,\"content\":[\"{Core}\"]}}}}",
            $"{{\"spec\":{{\"format\":\"text\",\"secret\":true,\"content\":\"{Core}\",\"content\":\"{Core}\"}}}}",
            $"{{\"spec\":{{\"format\":\"text\",\"secret\":true,\"content\":\"{Core}\"}},\"labels\":{{\"a\":1}}}}",
            $"{{\"spec\":{{\"format\":\"text\",\"secret\":true,\"content\":\"{Core}",
            $"{{\"spec\":{{\"secret\":true,\"content\":\"{Core}\"}}}}",
        })
            await LookAtAsync("a body with faults", await tcp.SendAsync(
                Request(HttpMethod.Put, "resources/setting/default/g/put", key, Text(body, "application/json"))));
        // A caller may be told again what it sent; the log and the audit trail, which are looked at later, may not.
        foreach (var path in new[] { $"resources/setting?page={Core}", $"watch?token={Core}", $"kinds?key={Core}" })
            (await tcp.SendAsync(Request(HttpMethod.Get, path, key))).Dispose();
        foreach (var credential in new[] { $"Bearer {Core}", $"Bearer gwk_{Core}", $"Basic {Core}", $"Digest {Core}" })
        {
            using var request = Request(HttpMethod.Get, "kinds", null);
            request.Headers.TryAddWithoutValidation("Authorization", credential);
            await LookAtAsync("a wrong credential", await tcp.SendAsync(request));
        }
    }

    private async Task ProposeAsync()
    {
        await PutAsync("resources/approval-policy/_/guarded", new JsonObject
        {
            ["spec"] = new JsonObject
            {
                ["kinds"] = new JsonArray("setting"), ["namespaces"] = new JsonArray("guarded"),
            },
        });
        await PutAsync("resources/setting/guarded/g/proposed", new JsonObject
        {
            ["spec"] = new JsonObject { ["format"] = "text", ["content"] = Secret, ["secret"] = true },
        });
        var proposals = await local.GetStringAsync(PathOf("proposals"));
        Hunt.Look("proposals", proposals);
        var name = (string?)JsonNode.Parse(proposals)?[0]?["name"]
            ?? throw new InvalidOperationException($"There is no proposal: {proposals}");
        Hunt.Look("a proposal", await local.GetStringAsync(PathOf($"proposals/{name}")));
        var key = await MintApproverAsync();
        await LookAtAsync(HttpMethod.Post, $"proposals/{name}/approve", key);
        Assert.Equal(Secret, await RevealedAsync("resources/setting/guarded/g/proposed?reveal=true"));
    }

    /// <summary>A sealed value is shown as it is written to everybody but a reader of secrets.</summary>
    private async Task SealAsync(string reader)
    {
        var keys = await local.GetFromJsonAsync(
            PathOf("sealing-keys"), WireJson.Strict.IReadOnlyListSealingKeyDocument)
            ?? throw new InvalidOperationException("There are no sealing keys.");
        var value = SealedValue.Seal(keys[0].Id, Convert.FromBase64String(keys[0].PublicKey), "default", Secret);
        await SendAsync(HttpMethod.Put, "settings/default/g/sealed.yaml", Text($"a: 1\npassword: {value}\n"));
        await SendAsync(HttpMethod.Put, "settings/default/g/sealed.yaml", Text($"a: 2\npassword: {value}\n"));
        foreach (var path in new[]
        {
            "settings/default/g/sealed.yaml", "settings/default", "resources/setting/default/g/sealed.yaml",
            "resources/setting/default/g/sealed.yaml?reveal=true", "settings-comparison?from=default&to=guarded",
        })
            await LookAtAsync(HttpMethod.Get, path, reader);
        Hunt.Look("a sealed setting", await local.GetStringAsync(
            PathOf("resources/setting/default/g/sealed.yaml?reveal=true")));
        await LookAtAsync("a sealed value of another namespace", await tcp.SendAsync(Request(
            HttpMethod.Put, "settings/guarded/g/sealed.yaml", await MintApproverAsync("sealer"),
            Text($"password: {value}\n"))));
        Assert.Contains(
            Core, await local.GetStringAsync(PathOf("settings/default/g/sealed.yaml")), StringComparison.Ordinal);
    }

    private async Task<string> MintApproverAsync(string name = "approver")
    {
        using var answer = await local.PostAsJsonAsync(
            PathOf("access-keys"), new AccessKeyRequest(name, [BuiltInRoles.Administrator]),
            WireJson.Strict.AccessKeyRequest);
        return (await answer.Content.ReadFromJsonAsync(WireJson.Strict.AccessKeyAnswer))?.Secret ?? "";
    }

    /// <summary>The answers that are meant to have it do: the hunt has looked for something that is there.</summary>
    private async Task RevealAsync(string key)
    {
        Assert.Contains(
            Core, await RevealedAsync("resources/setting/default/g/put?reveal=true"), StringComparison.Ordinal);
        Assert.Equal(Secret, await RevealedAsync("resources/setting/default/g/changeset-2?reveal=true"));
        using var request = Request(HttpMethod.Get, "settings/default/g/changeset", key);
        using var answer = await tcp.SendAsync(request);
        Assert.Equal(Secret, await answer.Content.ReadAsStringAsync());
        var hunt = new SecretHunt();
        hunt.Add("canary", Core);
        hunt.Look("revealed", await local.GetStringAsync(PathOf("resources/setting/default/g/put?reveal=true")));
        Assert.NotEmpty(hunt.Found);
    }

    private async Task<string> RevealedAsync(string path) =>
        (string?)JsonNode.Parse(await local.GetStringAsync(PathOf(path)))?["spec"]?["content"] ?? "";

    private Task PutAsync(string path, JsonObject body) => SendAsync(HttpMethod.Put, path, Json(body));

    private async Task SendAsync(HttpMethod method, string path, HttpContent content)
    {
        using var request = new HttpRequestMessage(method, PathOf(path)) { Content = content };
        using var answer = await local.SendAsync(request);
        var body = await answer.Content.ReadAsStringAsync();
        Hunt.Look($"the answer to {method} {path}", body);
        Assert.True(answer.IsSuccessStatusCode, $"{method} {path}: {body}");
    }

    private async Task LookAtAsync(HttpMethod method, string path, string key) =>
        await LookAtAsync($"{method} {path}", await tcp.SendAsync(Request(method, path, key)));

    private async Task LookAtAsync(string where, HttpResponseMessage answer)
    {
        using (answer)
        {
            Hunt.Look(where, await answer.Content.ReadAsByteArrayAsync());
            Hunt.Look($"the head of {where}", $"{answer.Headers}{answer.Content.Headers}");
        }
    }

    private static async Task<string> ReadUntilAsync(Stream body, string end)
    {
        var text = new StringBuilder();
        var buffer = new byte[64 * 1024];
        using var enough = new CancellationTokenSource(Eventually.Patience, TimeProvider.System);
        while (!text.ToString().Contains(end, StringComparison.Ordinal))
        {
            var read = await body.ReadAsync(buffer, enough.Token);
            if (read == 0) break;
            text.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }
        return text.ToString();
    }

    private static HttpRequestMessage Request(HttpMethod method, string path, string? key, HttpContent? content = null)
    {
        var request = new HttpRequestMessage(method, PathOf(path)) { Content = content };
        if (key is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return request;
    }

    private static string PathOf(string path) => path[0] == '/' ? path : $"/groundwork/v1/{path}";

    private static StringContent Json(JsonNode body) => Text(body.ToJsonString(), "application/json");

    private static StringContent Text(string text, string mediaType = "text/plain") =>
        new(text, Encoding.UTF8, mediaType);

    private static byte[] RootKeyOf(string dataDirectory)
    {
        var line = File.ReadAllText(Path.Combine(dataDirectory, "root.key")).Trim();
        var encoded = line[^43..]; // Base64url of 32 bytes without padding.
        return Convert.FromBase64String(encoded.Replace('-', '+').Replace('_', '/') + "=");
    }

    public void Dispose() => tcp.Dispose();
}
