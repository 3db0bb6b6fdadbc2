using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Groundwork.Host.Api;
using Groundwork.Host.Verbs;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Host.Up;

/// <summary>
/// What <c>up</c> grants while it runs: one access key per service, in a 0600 file, to register that service and to
/// discover and read its namespace; and the role <c>anonymous-loopback</c> for programs of this machine without a key.
/// </summary>
internal sealed class ServiceAccess(ApiConnection connection, TimeProvider time, UpFile file, string keyDirectory)
{
    private const string KeyKind = "access-key";
    private const string RoleKind = "role";
    private const string Prefix = "up/";

    /// <summary>Items of one page: the most that the API gives.</summary>
    private const int PageSize = 1000;

    /// <summary>Deletions in one changeset: few enough for any limit on its size.</summary>
    private const int ChangesAtOnce = 500;

    private const UnixFileMode OwnerFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public string KeyFile(ServiceDefinition service) => Path.Combine(keyDirectory, $"{service.Name}.key");

    /// <summary>
    /// Takes back what an earlier <c>up</c> left when it was killed, whatever namespace it had: of one data directory
    /// there is one at a time. Then makes the keys and the role, all in one changeset.
    /// </summary>
    public async Task GrantAsync(CancellationToken cancellationToken)
    {
        if (Directory.Exists(keyDirectory)) Directory.Delete(keyDirectory, recursive: true);
        Directory.CreateDirectory(keyDirectory, OwnerFile | UnixFileMode.UserExecute);
        await DeleteAsync(await LeftAsync(cancellationToken), "an earlier groundwork up was killed", cancellationToken);
        var changes = new List<ChangeDocument>();
        if (file.Namespace != Names.DefaultNamespace) changes.Add(Put("namespace", file.Namespace, new JsonObject()));
        changes.Add(Put(RoleKind, BuiltInRoles.AnonymousLoopback, AnonymousRole()));
        changes.AddRange(file.Services.Select(service => Put(KeyKind, NameOf(service), Mint(service))));
        await CommitAsync(changes, "groundwork up has started", cancellationToken);
    }

    /// <summary>Takes everything back and deletes the files.</summary>
    public async Task RevokeAsync(CancellationToken cancellationToken)
    {
        await DeleteAsync(await LeftAsync(cancellationToken), "groundwork up has stopped", cancellationToken);
        Directory.Delete(keyDirectory, recursive: true);
    }

    /// <summary>Writes a new key into the service's file.</summary>
    /// <returns>The spec of its resource, which holds the key's hash and what it may do.</returns>
    private JsonObject Mint(ServiceDefinition service)
    {
        var (secret, hash) = AccessKeys.Mint();
        var options =
            new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerFile };
        using (var writer = new StreamWriter(KeyFile(service), options)) writer.WriteLine(secret);
        return new JsonObject
        {
            ["hash"] = hash,
            ["roles"] = new JsonArray(),
            ["grants"] = new JsonArray(
                Grant(["register", "renew"], ["instance"], $"default/{service.Name}/*"),
                Grant(["discover"], ["instance"]),
                // A secret setting is there for the services of its namespace; without this they would start without
                // it.
                Grant(["read", "read-secret"], ["setting"])),
            ["description"] = $"Service {service.Name}, while groundwork up runs it",
        };
    }

    /// <summary>
    /// What is there of an <c>up</c>: only that is deleted, for a changeset with one more fails whole.
    /// </summary>
    private async Task<ImmutableArray<ChangeDocument>> LeftAsync(CancellationToken cancellationToken)
    {
        var roles = await NamesAsync(RoleKind, BuiltInRoles.AnonymousLoopback, cancellationToken);
        var keys = await NamesAsync(KeyKind, Prefix, cancellationToken);
        return
        [
            .. roles.Where(name => name == BuiltInRoles.AnonymousLoopback).Select(name => Deletion(RoleKind, name)),
            .. keys.Select(name => Deletion(KeyKind, name)),
        ];
    }

    private async Task<List<string>> NamesAsync(string kind, string prefix, CancellationToken cancellationToken)
    {
        var names = new List<string>();
        string? page = null;
        do
        {
            var path = ApiPaths.With($"resources/{kind}", ("prefix", prefix), ("limit", PageSize), ("page", page));
            var answer = (await connection.GetAsync(path, cancellationToken)).Read(WireJson.Lenient.ResourceList);
            names.AddRange(answer.Items.Select(resource => resource.Name));
            page = answer.NextPage;
        }
        while (page is not null);
        return names;
    }

    private async Task DeleteAsync(
        ImmutableArray<ChangeDocument> left, string reason, CancellationToken cancellationToken)
    {
        foreach (var some in left.Chunk(ChangesAtOnce)) await CommitAsync([.. some], reason, cancellationToken);
    }

    private Task CommitAsync(List<ChangeDocument> changes, string reason, CancellationToken cancellationToken) =>
        ChangeVerbs.SendAsync(
            connection, new ChangesetRequest(
                changes, reason, Guid.CreateVersion7(time.GetUtcNow())), cancellationToken);

    private string NameOf(ServiceDefinition service) => $"{Prefix}{file.Namespace}/{service.Name}";

    private JsonObject AnonymousRole() => new()
    {
        ["description"] = "Programs of this machine without a key, while groundwork up runs",
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

    private static ChangeDocument Deletion(string kind, string name) =>
        new("delete", new ResourceDocument(kind, name, ""));
}
