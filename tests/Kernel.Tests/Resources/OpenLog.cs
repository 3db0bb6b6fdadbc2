using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Groundwork.Kernel.Cluster;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Kernel.Tests.Resources;

/// <summary>
/// A change log on a real store, composed as a node composes it, with short words for what tests do often.
/// </summary>
internal sealed class OpenLog : IAsyncDisposable
{
    public static readonly Principal Admin = new("operator:admin", [BuiltInRoles.Administrator]);

    private OpenLog(IStorage storage, ChangeLog changes, Authorizer authorizer)
    {
        Storage = storage;
        Changes = changes;
        Authorizer = authorizer;
    }

    public IStorage Storage { get; }

    public ChangeLog Changes { get; }

    public Authorizer Authorizer { get; }

    public Snapshot Now => Changes.Snapshots.Current;

    /// <param name="rootKey">Shared by the nodes of one install.</param>
    public static async Task<OpenLog> OnAsync(
        IStorage storage, RootKey rootKey, TimeProvider? time = null, params Kind[] more)
    {
        var clock = time ?? TimeProvider.System;
        var kinds = new KindCatalog(
            [.. ChangeLog.OwnKinds, .. SecurityKinds.All, ToyKinds.Toy, ToyKinds.Page, .. more]);
        await storage.MigrateAsync(
            [.. ChangeLog.Migrations, .. SecuritySchema.Migrations, .. NodeLeases.Migrations], CancellationToken.None);
        var keys = (await WorkingKeys.OpenAsync(storage, rootKey, NullLogger.Instance, CancellationToken.None)).Value;
        var authorizer = new Authorizer();
        var changes = await ChangeLog.OpenAsync(
            new ChangeLogParts(
                storage, kinds, authorizer, new SecretProtector(
                    rootKey, keys), rootKey.ChangeChain(), clock, NullLoggerFactory.Instance),
            CancellationToken.None);
        authorizer.Follow(changes.Snapshots);
        return new OpenLog(storage, changes, authorizer);
    }

    public ValueTask<Outcome<Commit>> CommitAsync(params Change[] changes) => CommitAsync(Admin, changes);

    public ValueTask<Outcome<Commit>> CommitAsync(Principal author, params Change[] changes) =>
        Changes.CommitAsync(new Changeset(author, [.. changes]) { Reason = "a test" }, CancellationToken.None);

    public async Task<long> PutAsync(string name, string text, long? expect = null) =>
        (await CommitAsync(Toy(name, new Toy(text), expect))).Value.Revision;

    public static Change Toy(string name, Toy toy, long? expect = null) =>
        Change.Put(ToyKinds.Toy, Names.DefaultNamespace, name, toy, expect);

    /// <summary>A put of whatever text, valid or not.</summary>
    public static Change Raw(string kind, string name, string spec, string @namespace = Names.DefaultNamespace) =>
        new(ChangeOperation.Put, new ResourceKey(kind, @namespace, name), Encoding.UTF8.GetBytes(spec));

    public static ResourceKey Key(string name) => new("toy", Names.DefaultNamespace, name);

    public string? TextOf(string name) => Now.Find(Key(name))?.As<Toy>().Text;

    public async ValueTask DisposeAsync()
    {
        await Changes.DisposeAsync();
        await Storage.DisposeAsync();
    }
}
