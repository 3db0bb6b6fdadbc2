using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Kernel.Tests.Security;

public sealed class AuthorizerTests : IAsyncLifetime
{
    private static readonly Principal Bob = new("operator:bob", ["shop-editor"]);

    private readonly TemporaryDirectory directory = new();
    private OpenSecurity node = null!; // Opened before each test.

    public async ValueTask InitializeAsync()
    {
        node = await OpenSecurity.OnAsync(directory);
        await node.MustCommitAsync(
            OpenSecurity.Admin,
            OpenSecurity.Role(
                "shop-editor",
                new Grant(["read", "write"], ["toy", "setting"], ["shop"], ["orders/*", "whole"]),
                new Grant(["read", "write", "delete"], ["role", "operator", "access-key"])),
            node.Operator("bob", ["shop-editor"]));
    }

    public async ValueTask DisposeAsync()
    {
        await node.DisposeAsync();
        directory.Dispose();
    }

    [Theory]
    [InlineData(Verb.Read, "toy", "shop", "orders/a", true)]
    [InlineData(Verb.Write, "setting", "shop", "orders/a/b", true)]
    [InlineData(Verb.Read, "toy", "shop", "whole", true)]
    [InlineData(Verb.Read, "toy", "shop", "orders", false)]
    [InlineData(Verb.Read, "toy", "shop", "orders-2/a", false)]
    [InlineData(Verb.Read, "toy", "shop", "whole/a", false)]
    [InlineData(Verb.Read, "toy", "shop", "Whole", false)]
    [InlineData(Verb.Read, "toy", "shop2", "whole", false)]
    [InlineData(Verb.Read, "toy", "", "whole", false)]
    [InlineData(Verb.Read, "route", "shop", "whole", false)]
    [InlineData(Verb.Delete, "toy", "shop", "whole", false)]
    [InlineData(Verb.ReadSecret, "toy", "shop", "whole", false)]
    [InlineData(Verb.Administer, "toy", "shop", "whole", false)]
    [InlineData(Verb.Read, "role", "", "anything", true)]
    public void Grant_allows_exactly_what_it_says(Verb verb, string kind, string @namespace, string name, bool allowed)
    {
        var key = new ResourceKey(kind, @namespace, name);
        Assert.Equal(allowed, node.Authorizer.Allows(Bob, verb, key));
        Assert.Equal(allowed ? null : ErrorCodes.Forbidden, node.Authorizer.Authorize(Bob, verb, key)?.Error);
    }

    [Fact]
    public void Administrator_may_everything_reader_reads_all_but_secrets_and_nobody_nothing()
    {
        var key = new ResourceKey("toy", "shop", "x");
        var reader = new Principal("operator:r", [BuiltInRoles.Reader]);
        foreach (var verb in Enum.GetValues<Verb>())
        {
            Assert.True(node.Authorizer.Allows(OpenSecurity.Admin, verb, key));
            Assert.Equal(verb is Verb.Read or Verb.Discover, node.Authorizer.Allows(reader, verb, key));
            Assert.False(node.Authorizer.Allows(new Principal("operator:x", ["no-such-role"]), verb, key));
            Assert.Equal(ErrorCodes.Unauthenticated, node.Authorizer.Authorize(Principal.Anonymous, verb, key)?.Error);
        }
    }

    [Fact]
    public void Asking_allocates_nothing()
    {
        var key = new ResourceKey("toy", "shop", "orders/a");
        var denied = new ResourceKey("toy", "other", "orders/a");
        node.Authorizer.Allows(Bob, Verb.Read, key);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < 1_000; round++)
        {
            node.Authorizer.Allows(Bob, Verb.Read, key);
            node.Authorizer.Allows(Bob, Verb.Read, denied);
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public async Task Changed_role_counts_at_once_and_the_generation_grows()
    {
        var key = new ResourceKey("toy", "shop", "whole");
        var generation = node.Authorizer.Generation;
        await node.MustCommitAsync(
            OpenSecurity.Admin, OpenSecurity.Role("shop-editor", new Grant(["discover"], ["toy"])));
        Assert.False(node.Authorizer.Allows(Bob, Verb.Read, key));
        Assert.True(node.Authorizer.Generation > generation);
        generation = node.Authorizer.Generation;
        await node.MustCommitAsync(
            OpenSecurity.Admin, OpenSecurity.Raw("vault", "v", """{"note":"no concern of roles"}"""));
        Assert.Equal(generation, node.Authorizer.Generation);
    }

    [Fact]
    public async Task Refreshed_principal_has_todays_roles_and_is_gone_with_its_operator()
    {
        var bob = node.Authorizer.Refresh(Bob, node.Time.GetUtcNow())!;
        Assert.Same(bob, node.Authorizer.Refresh(bob, node.Time.GetUtcNow()));
        await node.MustCommitAsync(OpenSecurity.Admin, node.Operator("bob", [BuiltInRoles.Reader]));
        Assert.Equal([BuiltInRoles.Reader], node.Authorizer.Refresh(bob, node.Time.GetUtcNow())!.Roles);
        await node.MustCommitAsync(OpenSecurity.Admin, node.Operator("bob", [], disabled: true));
        Assert.Null(node.Authorizer.Refresh(bob, node.Time.GetUtcNow()));
        await node.MustCommitAsync(OpenSecurity.Admin, OpenSecurity.Delete("operator", "bob"));
        Assert.Null(node.Authorizer.Refresh(bob, node.Time.GetUtcNow()));
    }

    [Fact]
    public async Task Nobody_grants_more_than_they_hold()
    {
        await Refused(OpenSecurity.Role("wide", new Grant(["*"], ["*"])));
        await Refused(OpenSecurity.Role("wide", new Grant(["read"], ["toy"], ["shop"])));
        await Refused(OpenSecurity.Role("wide", new Grant(["read"], ["toy"], ["shop", "other"], ["whole"])));
        await Refused(OpenSecurity.Role("wide", new Grant(["delete"], ["toy"], ["shop"], ["whole"])));
        await Refused(OpenSecurity.Role("wide", new Grant(["read"], ["toy"], ["shop"], ["orders"])));
        await Refused(node.Operator("eve", [BuiltInRoles.Administrator]));
        await Refused(node.Operator("eve", [BuiltInRoles.Reader]));
        await Refused(OpenSecurity.Key("k", new string('a', 64), [BuiltInRoles.Administrator]));
        await Refused(Change.Put(
            SecurityKinds.AccessKey, "", "k", new AccessKeySpec(new string('a', 64), [], [new Grant(["*"], ["toy"])])));
        // Itself included: the widened role is judged by what it was.
        await Refused(OpenSecurity.Role("shop-editor", new Grant(["*"], ["*"])));
    }

    [Fact]
    public async Task What_one_holds_one_may_grant_in_any_cut()
    {
        await node.MustCommitAsync(Bob, OpenSecurity.Role(
            "narrow",
            new Grant(["read"], ["toy"], ["shop"], ["orders/eu/*", "orders/us"]),
            new Grant(["write", "read"], ["setting", "toy"], ["shop"], ["whole", "orders/*"])));
        // No single grant of Bob's covers this one; two together do.
        await node.MustCommitAsync(
            Bob, OpenSecurity.Role("both", new Grant(["read"], ["toy", "role"], ["shop"], ["whole"])));
        await node.MustCommitAsync(Bob, node.Operator("ben", ["narrow", "shop-editor"]));
        await node.MustCommitAsync(Bob, OpenSecurity.Key("k", new string('a', 64), ["narrow"]));
    }

    [Fact]
    public async Task Taking_over_or_deleting_what_carries_more_is_refused()
    {
        // A new password for an administrator would make Bob one.
        await Refused(node.Operator("admin", [BuiltInRoles.Administrator], PasswordHash.Create("Bob knows this one")));
        await Refused(node.Operator("admin", []));
        await Refused(OpenSecurity.Delete("operator", "admin"));
        await node.MustCommitAsync(
            OpenSecurity.Admin, OpenSecurity.Key("root-key", new string('b', 64), [BuiltInRoles.Administrator]));
        await Refused(OpenSecurity.Key("root-key", new string('c', 64), []));
        await Refused(OpenSecurity.Delete("access-key", "root-key"));
    }

    [Fact]
    public async Task Hash_of_another_access_key_cannot_be_written_again()
    {
        await node.MustCommitAsync(OpenSecurity.Admin, OpenSecurity.Key("one", new string('b', 64), ["shop-editor"]));
        var fault = (await node.CommitAsync(Bob, OpenSecurity.Key("two", new string('b', 64), []))).Fault;
        Assert.Equal(ErrorCodes.ResourceInvalid, fault?.Error);
        Assert.Equal("spec.hash", fault!.Fields[0].Path);
    }

    [Fact]
    public void Grants_too_intricate_to_compare_are_refused_in_bounded_time()
    {
        string[] Many(string prefix) =>
            [.. Enumerable.Range(0, Grant.MaxEntries).Select(number => $"{prefix}{number}")];
        var wanted = GrantSet.Of([new Grant([.. VerbNames.All], Many("k"), Many("n"), Many("x"))]);
        var held = GrantSet.Of([.. Enumerable.Range(0, Grant.MaxGrants).Select(number =>
            new Grant([.. VerbNames.All], Many("k"), Many("n"), [$"x{number}"]))]);
        Assert.NotNull(wanted.FindUncovered([GrantSet.Of([new Grant(["read"], ["k0"], ["n0"], ["x0"])])]));
        Assert.Null(GrantSet.Of([new Grant(["read"], ["k0"], ["n0"], Many("x"))]).FindUncovered([held]));
    }

    private async Task Refused(params Change[] changes) =>
        Assert.Equal(ErrorCodes.PrivilegeNotHeld, (await node.CommitAsync(Bob, changes)).Fault?.Error);

    [Fact]
    public void A_group_that_cannot_be_understood_closes_the_door_until_the_next_one()
    {
        var authorizer = new Authorizer();
        var publisher = new SnapshotPublisher(
            node.Changes.Snapshots.Current, node.Time, NullLogger<SnapshotPublisher>.Instance);
        using var following = authorizer.Follow(publisher);
        var key = new ResourceKey("toy", "shop", "orders/a");
        Assert.True(authorizer.Allows(Bob, Verb.Read, key));
        Assert.NotNull(authorizer.Refresh(Bob, node.Time.GetUtcNow()));

        var good = publisher.Current.Find("role", "", "shop-editor")!; // Made before each test.
        var generation = authorizer.Generation;
        Publish(publisher, good.WithSpec("{\"grants\":7}"u8.ToArray()));
        Assert.False(authorizer.Allows(Bob, Verb.Read, key));
        Assert.Null(authorizer.Refresh(Bob, node.Time.GetUtcNow()));
        Assert.True(authorizer.Generation > generation);

        Publish(publisher, good);
        Assert.True(authorizer.Allows(Bob, Verb.Read, key));
        Assert.NotNull(authorizer.Refresh(Bob, node.Time.GetUtcNow()));
    }

    private static void Publish(SnapshotPublisher publisher, Resource role)
    {
        var current = publisher.Current;
        var change = new AppliedChange(
            current.Revision + 1, 0, role.Key, current.Find(role.Key), role, EndsChangeset: true);
        publisher.Publish(current.With(change.Revision, [change]), [change]);
    }
}
