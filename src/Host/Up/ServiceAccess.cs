using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Groundwork.Host.Api;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Verbs;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Host.Up;

/// <summary>
/// What <c>up</c> grants while it runs: one access key per service, in a 0600 file, to register that service and to discover
/// and read its namespace; and the role <c>anonymous-loopback</c> for programs of this machine without a key.
/// </summary>
internal sealed class ServiceAccess(ApiConnection connection, TimeProvider time, UpFile file, string keyDirectory)
{
    private const string KeyKind = "access-key";
    private const string RoleKind = "role";
    private const string Prefix = "up/";

    private readonly List<string> minted = [];

    public string KeyFile(ServiceDefinition service) => Path.Combine(keyDirectory, $"{service.Name}.key");

    /// <summary>Makes roles and keys. What an earlier <c>up</c> left behind when it was killed is revoked first.</summary>
    public async Task GrantAsync(CancellationToken cancellationToken)
    {
        if (Directory.Exists(keyDirectory)) Directory.Delete(keyDirectory, recursive: true);
        Directory.CreateDirectory(
            keyDirectory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var changes = new List<ChangeDocument>();
        foreach (var left in await LeftKeysAsync(cancellationToken)) changes.Add(Deletion(KeyKind, left));
        if (file.Namespace != Names.DefaultNamespace)
            changes.Add(Put("namespace", file.Namespace, new JsonObject()));
        changes.Add(Put(RoleKind, BuiltInRoles.AnonymousLoopback, AnonymousRole()));
        changes.AddRange(file.Services.Select(service => Put(RoleKind, NameOf(service), RoleOf(service))));
        await CommitAsync(changes, "groundwork up has started", cancellationToken);
        foreach (var service in file.Services) await MintAsync(service, cancellationToken);
    }

    /// <summary>Takes everything back and deletes the files.</summary>
    public async Task RevokeAsync(CancellationToken cancellationToken)
    {
        List<ChangeDocument> changes =
        [
            .. minted.Select(name => Deletion(KeyKind, name)),
            .. minted.Select(name => Deletion(RoleKind, name)),
            Deletion(RoleKind, BuiltInRoles.AnonymousLoopback),
        ];
        await CommitAsync(changes, "groundwork up has stopped", cancellationToken);
        Directory.Delete(keyDirectory, recursive: true);
    }

    private async Task MintAsync(ServiceDefinition service, CancellationToken cancellationToken)
    {
        var name = NameOf(service);
        var request = new AccessKeyRequest(name, [name], $"Service {service.Name}, started by groundwork up");
        var answer = await connection.SendAsync(
            ApiRequest.Post("access-keys", request, WireJson.Strict.AccessKeyRequest), cancellationToken);
        minted.Add(name);
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        await using var writer = new StreamWriter(KeyFile(service), options);
        await writer.WriteLineAsync(answer.Read(WireJson.Lenient.AccessKeyAnswer).Secret.AsMemory(), cancellationToken);
    }

    private async Task<ImmutableArray<string>> LeftKeysAsync(CancellationToken cancellationToken)
    {
        var path = ApiPaths.With($"resources/{KeyKind}", ("prefix", $"{Prefix}{file.Namespace}/"), ("limit", 1000));
        var answer = await connection.GetAsync(path, cancellationToken);
        return [.. answer.Read(WireJson.Lenient.ResourceList).Items.Select(key => key.Name)];
    }

    private Task CommitAsync(List<ChangeDocument> changes, string reason, CancellationToken cancellationToken) =>
        ChangeVerbs.SendAsync(
            connection, new ChangesetRequest(changes, reason, Guid.CreateVersion7(time.GetUtcNow())), cancellationToken);

    private string NameOf(ServiceDefinition service) => $"{Prefix}{file.Namespace}/{service.Name}";

    private JsonObject RoleOf(ServiceDefinition service) => new()
    {
        ["description"] = $"What service {service.Name} needs, while groundwork up runs it.",
        ["grants"] = new JsonArray(
            Grant(["register", "renew"], ["instance"], $"default/{service.Name}/*"),
            Grant(["discover"], ["instance"]),
            // A secret setting is there for the services of its namespace; without this they would start without it.
            Grant(["read", "read-secret"], ["setting"])),
    };

    private JsonObject AnonymousRole() => new()
    {
        ["description"] = "Programs of this machine without a key, while groundwork up runs.",
        ["grants"] = new JsonArray(
            Grant(["register", "renew", "discover"], ["instance"]),
            Grant(["read"], ["setting"])),
    };

    private JsonObject Grant(string[] verbs, string[] kinds, string? names = null)
    {
        var grant = new JsonObject
        {
            ["verbs"] = ToArray(verbs), ["kinds"] = ToArray(kinds), ["namespaces"] = ToArray([file.Namespace]),
        };
        if (names is not null) grant["names"] = ToArray([names]);
        return grant;
    }

    private static JsonArray ToArray(string[] texts) => new([.. texts.Select(text => (JsonNode?)text)]);

    private static ChangeDocument Put(string kind, string name, JsonObject spec) =>
        new("put", new ResourceDocument(kind, name, "", Spec: JsonSerializer.SerializeToElement(spec)));

    private static ChangeDocument Deletion(string kind, string name) => new("delete", new ResourceDocument(kind, name, ""));
}
