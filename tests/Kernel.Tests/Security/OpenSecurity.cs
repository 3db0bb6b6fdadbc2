using System.Text;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Storage.Sqlite;
using Groundwork.Kernel.Tests.Resources;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Kernel.Tests.Security;

/// <summary>The security of a node on a real store, composed as a node composes it.</summary>
internal sealed class OpenSecurity : IAsyncDisposable
{
    public const string AdminPassword = "correct horse battery staple";

    public static readonly Principal Admin = new("operator:admin", [BuiltInRoles.Administrator]);

    // One for all tests: making it costs a tenth of a second.
    public static readonly string AdminHash = PasswordHash.Create(AdminPassword);

    private OpenSecurity(
        IStorage storage, NodeSecurity security, ChangeLog changes, ManualTimeProvider time, RootKey root)
    {
        Storage = storage;
        Security = security;
        Changes = changes;
        Time = time;
        Root = root;
    }

    public IStorage Storage { get; }

    public NodeSecurity Security { get; }

    public ChangeLog Changes { get; }

    public ManualTimeProvider Time { get; }

    public RootKey Root { get; }

    public Authorizer Authorizer => Security.Authorizer;

    public static Task<IStorage> SqliteAsync(TemporaryDirectory directory, TimeProvider time) =>
        SqliteAsync(directory.Combine("store.db"), time);

    public static async Task<IStorage> SqliteAsync(string path, TimeProvider time) => await SqliteStorage.OpenAsync(
        new SqliteOptions { Path = path }, time, NullLoggerFactory.Instance, CancellationToken.None);

    /// <summary>Opens a node; with an operator <c>admin</c> unless told otherwise.</summary>
    public static async Task<OpenSecurity> OnAsync(
        TemporaryDirectory directory, RootKey? root = null, ManualTimeProvider? time = null, bool withAdmin = true)
    {
        time ??= new ManualTimeProvider();
        return await OnAsync(
            await SqliteAsync(directory, time), directory, root ?? RootKey.Generate(), time, withAdmin);
    }

    public static async Task<OpenSecurity> OnAsync(
        IStorage storage, TemporaryDirectory directory, RootKey root, ManualTimeProvider time, bool withAdmin,
        string node = "a")
    {
        await storage.MigrateAsync([.. ChangeLog.Migrations, .. SecuritySchema.Migrations], CancellationToken.None);
        var security = (await NodeSecurity.OpenAsync(
            new NodeSecurityParts(storage, root, node, directory.Path, time, NullLoggerFactory.Instance),
            CancellationToken.None)).Value;
        var kinds = new KindCatalog(
            [.. ChangeLog.OwnKinds, .. SecurityKinds.All, ToyKinds.Toy, ToyKinds.Page, VaultKinds.Vault]);
        var changes = await ChangeLog.OpenAsync(
            new ChangeLogParts(
                storage, kinds, security.Authorizer, security.Secrets, security.ChangeChain, time,
                NullLoggerFactory.Instance),
            CancellationToken.None);
        security.Start(changes.Snapshots);
        var opened = new OpenSecurity(storage, security, changes, time, root);
        if (withAdmin && changes.Snapshots.Current.Find("operator", "", "admin") is null)
        {
            await opened.MustCommitAsync(
                Principal.System("test"), opened.Operator("admin", [BuiltInRoles.Administrator]));
        }
        return opened;
    }

    public Change Operator(string name, IReadOnlyList<string> roles, string? hash = null, bool disabled = false) =>
        Change.Put(
            SecurityKinds.Operator, "", name,
            new OperatorSpec(SecretText.Of(hash ?? AdminHash), roles, Disabled: disabled));

    public static Change Role(string name, params Grant[] grants) =>
        Change.Put(SecurityKinds.Role, "", name, new RoleSpec(grants));

    public static Change Key(string name, string hash, IReadOnlyList<string> roles, DateTimeOffset? expiresAt = null) =>
        Change.Put(SecurityKinds.AccessKey, "", name, new AccessKeySpec(hash, roles, ExpiresAt: expiresAt));

    public static Change Delete(string kind, string name) => Change.Delete(new ResourceKey(kind, "", name));

    public static Change Raw(string kind, string name, string spec) =>
        new(ChangeOperation.Put, new ResourceKey(kind, "", name), Encoding.UTF8.GetBytes(spec));

    public async Task<Commit> MustCommitAsync(Principal author, params Change[] changes) =>
        (await CommitAsync(author, changes)).Value;

    public async Task<Outcome<Commit>> CommitAsync(Principal author, params Change[] changes) =>
        await Changes.CommitAsync(new Changeset(author, [.. changes]), CancellationToken.None);

    /// <summary>Writes what the audit trail has waiting, and reads all of it.</summary>
    public async Task<List<LinkedAuditRow>> AuditAsync(bool closing = false)
    {
        await Security.Audit.FlushAsync(closing, CancellationToken.None);
        return await Storage.ReadAsync(session => AuditStore.ReadAfter(session, 0, 10_000), CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await Changes.DisposeAsync();
        await Security.DisposeAsync();
        await Storage.DisposeAsync();
    }
}
