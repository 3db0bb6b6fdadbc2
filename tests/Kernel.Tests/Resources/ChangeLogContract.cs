using System.Text;
using System.Text.Json;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Tests.Support;
using Groundwork.Wire;

namespace Groundwork.Kernel.Tests.Resources;

/// <summary>What the change log promises on every engine.</summary>
public abstract class ChangeLogContract
{
    private protected RootKey RootKey { get; } = RootKey.Generate();

    /// <summary>Another connection to the same database; the first call makes it.</summary>
    protected abstract Task<IStorage> OpenStorageAsync();

    private protected async Task<OpenLog> OpenAsync(params Kind[] more) =>
        await OpenLog.OnAsync(await OpenStorageAsync(), RootKey, null, more);

    [Fact]
    public async Task A_commit_is_one_revision_and_the_snapshot_shows_it_when_the_answer_comes()
    {
        await using var log = await OpenAsync();
        var first = await log.CommitAsync(OpenLog.Toy("a", new Toy("one")), OpenLog.Toy("b", new Toy("two")));
        Assert.Equal(1, first.Value.Revision);
        Assert.Equal("two", log.TextOf("b"));
        Assert.Equal(2, await log.PutAsync("a", "three"));
        Assert.Equal(2, log.Now.Revision);
        Assert.Equal("operator:admin", log.Now.Find(OpenLog.Key("a"))?.ChangedBy);
    }

    [Fact]
    public async Task A_restart_finds_everything_as_it_was()
    {
        await using (var log = await OpenAsync())
        {
            await log.PutAsync("a", "one");
            await log.PutAsync("a", "two");
            await log.PutAsync("gone", "x");
            await log.CommitAsync(Change.Delete(OpenLog.Key("gone")));
            await log.CommitAsync(Change.Put(ToyKinds.Page, "default", "p", new Page("text")));
        }
        await using var again = await OpenAsync();
        Assert.Equal(5, again.Now.Revision);
        Assert.Equal("two", again.TextOf("a"));
        Assert.Null(again.TextOf("gone"));
        var page = again.Now.Find("page", "default", "p")!;
        Assert.True(page.Spec.IsEmpty);
        Assert.Equal("text", (await again.Changes.ReadStoredAsync(page, CancellationToken.None)).Value.As<Page>().Body);
    }

    [Fact]
    public async Task A_refused_change_refuses_its_whole_changeset_and_no_other()
    {
        await using var log = await OpenAsync();
        var refused = await log.CommitAsync(
            OpenLog.Toy("a", new Toy("one")), OpenLog.Toy("b", new Toy("two", Size: -1)));
        Assert.Equal(ErrorCodes.ResourceInvalid, refused.Fault?.Error);
        Assert.Equal(0, log.Now.Revision);
        Assert.Empty(log.Now.Of("toy"));
        var both = await Task.WhenAll(
            log.CommitAsync(OpenLog.Toy("c", new Toy("x", Friend: "nobody"))).AsTask(),
            log.CommitAsync(OpenLog.Toy("d", new Toy("y"))).AsTask());
        Assert.Equal(ErrorCodes.ResourceInvalid, both[0].Fault?.Error);
        Assert.Equal(1, both[1].Value.Revision);
    }

    [Fact]
    public async Task Rules_between_resources_see_the_changeset_as_a_whole()
    {
        await using var log = await OpenAsync();
        var commit = await log.CommitAsync(
            OpenLog.Toy("a", new Toy("one", Friend: "b")), OpenLog.Toy("b", new Toy("two", Friend: "a")));
        Assert.True(commit.Succeeded, commit.Fault?.ToString());
    }

    [Fact]
    public async Task An_expected_revision_that_is_not_there_is_a_conflict()
    {
        await using var log = await OpenAsync();
        await log.PutAsync("a", "one", expect: 0);
        var stale = await log.CommitAsync(OpenLog.Toy("a", new Toy("two"), expect: 0));
        Assert.Equal(ErrorCodes.RevisionConflict, stale.Fault?.Error);
        Assert.Equal("1", stale.Fault?.Extensions["actual"]);
        Assert.Equal(2, await log.PutAsync("a", "two", expect: 1));
        Assert.Equal(
            ErrorCodes.RevisionConflict,
            (await log.CommitAsync(Change.Delete(OpenLog.Key("a"), expect: 1))).Fault?.Error);
    }

    [Fact]
    public async Task Of_many_writers_that_expect_one_revision_exactly_one_wins()
    {
        await using var log = await OpenAsync();
        await log.PutAsync("a", "start");
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 32).Select(number =>
            log.CommitAsync(OpenLog.Toy("a", new Toy($"{number}"), expect: 1)).AsTask()));
        Assert.Single(outcomes, outcome => outcome.Succeeded);
        Assert.Equal(2, log.Now.Revision);
    }

    [Fact]
    public async Task A_write_that_changes_nothing_makes_no_revision()
    {
        await using var log = await OpenAsync();
        await log.PutAsync("a", "one");
        var again = await log.CommitAsync(OpenLog.Raw("toy", "a", """{ "size":0,   "text":"one" }"""));
        // Another order of fields is another document.
        Assert.Equal(ChangeEffect.Updated, again.Value.Effects[0].Effect);
        var same = await log.CommitAsync(OpenLog.Raw("toy", "a", """{"size":0,"text":"one"}"""));
        Assert.Equal(ChangeEffect.Unchanged, same.Value.Effects[0].Effect);
        Assert.Equal(2, log.Now.Revision);
    }

    [Fact]
    public async Task A_repeated_changeset_id_gets_the_first_answer_even_after_a_restart()
    {
        var id = Guid.Parse("0197f0aa-0000-7000-8000-000000000001");
        Changeset Named(string text) =>
            new(OpenLog.Admin, [OpenLog.Toy("a", new Toy(text))]) { Id = id, Reason = "once" };
        await using (var log = await OpenAsync())
        {
            var repeats = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ =>
                log.Changes.CommitAsync(Named("one"), CancellationToken.None).AsTask()));
            Assert.All(repeats, repeat => Assert.Equal(1, repeat.Value.Revision));
            Assert.All(repeats, repeat => Assert.Equal(ChangeEffect.Created, repeat.Value.Effects[0].Effect));
        }
        await using var again = await OpenAsync();
        await again.PutAsync("b", "other");
        var repeat = await again.Changes.CommitAsync(Named("one"), CancellationToken.None);
        Assert.Equal(1, repeat.Value.Revision);
        Assert.Equal(
            ErrorCodes.ChangesetIdReused,
            (await again.Changes.CommitAsync(Named("two"), CancellationToken.None)).Fault?.Error);
        Assert.Equal(2, again.Now.Revision);
    }

    [Fact]
    public async Task A_dry_run_says_what_would_change_and_changes_nothing()
    {
        await using var log = await OpenAsync();
        var trial = await log.Changes.CommitAsync(
            new Changeset(OpenLog.Admin, [OpenLog.Toy("a", new Toy("one"))]) { DryRun = true }, CancellationToken.None);
        Assert.Equal(ChangeEffect.Created, trial.Value.Effects[0].Effect);
        Assert.Equal(0, trial.Value.Revision);
        Assert.Empty(log.Now.Of("toy"));
    }

    [Fact]
    public async Task An_older_version_of_a_spec_is_converted()
    {
        await using var log = await OpenAsync();
        // A file that says no version is known by what it has.
        await log.CommitAsync(OpenLog.Raw("toy", "b", """{"title":"from before"}"""));
        Assert.Equal("from before", log.TextOf("b"));
        var old = OpenLog.Raw("toy", "a", """{"title":"from version 1"}""") with { Version = 1 };
        Assert.True((await log.CommitAsync(old)).Succeeded);
        Assert.Equal("from version 1", log.TextOf("a"));
        Assert.Equal(2, log.Now.Find(OpenLog.Key("a"))?.Version);
    }

    [Fact]
    public async Task Secrets_are_encrypted_on_disk_and_masked_on_the_way_out()
    {
        const string canary = "canary-5c1f";
        await using var log = await OpenAsync();
        await log.CommitAsync(OpenLog.Toy("a", new Toy("x", Token: SecretText.Of(canary))));
        var resource = log.Now.Find(OpenLog.Key("a"))!;
        Assert.DoesNotContain(canary, Encoding.UTF8.GetString(resource.Spec.Span), StringComparison.Ordinal);
        var masked = Encoding.UTF8.GetString(log.Changes.Secrets.Mask(resource.Kind, resource.Spec).Span);
        Assert.DoesNotContain(canary, masked, StringComparison.Ordinal);
        Assert.Contains(
            canary,
            Encoding.UTF8.GetString(log.Changes.Secrets.Open(ToyKinds.Toy, resource.Key, resource.Spec).Span),
            StringComparison.Ordinal);

        var kept = await log.CommitAsync(
            OpenLog.Raw("toy", "a", masked.Replace("\"x\"", "\"y\"", StringComparison.Ordinal)));
        Assert.Equal(ChangeEffect.Updated, kept.Value.Effects[0].Effect);
        Assert.Equal("y", log.TextOf("a"));
        var unchanged = await log.CommitAsync(OpenLog.Toy("a", new Toy("y", Token: SecretText.Of(canary))));
        Assert.Equal(ChangeEffect.Unchanged, unchanged.Value.Effects[0].Effect);
        Assert.Equal(
            ErrorCodes.SecretMismatch,
            (await log.CommitAsync(OpenLog.Raw("toy", "b", masked))).Fault?.Error);
    }

    [Fact]
    public async Task Revisions_have_no_gap_under_concurrent_writers_and_watchers_see_each_once_in_order()
    {
        await using var log = await OpenAsync();
        const int writers = 16;
        const int each = 25;
        using var enough = new CancellationTokenSource(TimeSpan.FromSeconds(60), TimeProvider.System);
        var watched = WatchAsync(log, writers * each, enough.Token);
        await Task.WhenAll(Enumerable.Range(0, writers).Select(async writer =>
        {
            for (var number = 0; number < each; number++) await log.PutAsync($"w{writer}", $"{number}");
        }));
        var seen = await watched;
        Assert.Equal(Enumerable.Range(1, writers * each).Select(number => (long)number), seen);
    }

    [Fact]
    public async Task A_watch_that_starts_late_reads_the_past_from_the_database_and_goes_on_live()
    {
        await using (var log = await OpenAsync())
            for (var number = 0; number < 20; number++) await log.PutAsync("a", $"{number}");
        await using var again = await OpenAsync();
        using var enough = new CancellationTokenSource(TimeSpan.FromSeconds(60), TimeProvider.System);
        var watched = WatchAsync(again, 30, enough.Token);
        for (var number = 20; number < 30; number++) await again.PutAsync("a", $"{number}");
        Assert.Equal(Enumerable.Range(1, 30).Select(number => (long)number), await watched);
    }

    [Fact]
    public async Task A_watch_refuses_a_token_of_another_store_and_a_place_below_the_floor()
    {
        await using var log = await OpenAsync();
        for (var number = 0; number < 5; number++) await log.PutAsync("a", $"{number}");
        Assert.Equal(ErrorCodes.WatchStoreChanged, await FirstFaultAsync(log, new WatchToken("other", 1, 0)));
        Assert.Equal(
            ErrorCodes.RevisionUnknown, await FirstFaultAsync(log, new WatchToken(log.Changes.StoreId, 99, 0)));
        Assert.True((await log.Changes.Compaction.RunAsync(4, CancellationToken.None)).Succeeded);
        Assert.Equal(
            ErrorCodes.RevisionCompacted, await FirstFaultAsync(log, new WatchToken(log.Changes.StoreId, 3, 0)));
    }

    [Fact]
    public async Task History_diff_as_of_rollback_and_revert_agree()
    {
        await using var log = await OpenAsync();
        await log.PutAsync("a", "one");
        await log.PutAsync("a", "two");
        await log.CommitAsync(Change.Delete(OpenLog.Key("a")));
        await log.PutAsync("a", "four");
        var history = (await log.Changes.History.OfAsync(OpenLog.Key("a"), null, 10, CancellationToken.None)).Value;
        Assert.Equal([4L, 3L, 2L, 1L], history.Select(version => version.Revision));
        Assert.Null(history[1].Resource);
        Assert.Equal("one", (await log.Changes.History.AsOfAsync(OpenLog.Key("a"), 1, CancellationToken.None))
            .Value?.As<Toy>().Text);
        Assert.Null((await log.Changes.History.AsOfAsync(OpenLog.Key("a"), 3, CancellationToken.None)).Value);

        var back = await log.Changes.Undo.RollbackAsync(
            OpenLog.Admin, OpenLog.Key("a"), 2, new UndoOptions(), CancellationToken.None);
        Assert.Equal(5, back.Value.Revision);
        Assert.Equal("two", log.TextOf("a"));
        var conflict = await log.Changes.Undo.RevertAsync(OpenLog.Admin, 4, new UndoOptions(), CancellationToken.None);
        Assert.Equal(ErrorCodes.RevertConflict, conflict.Fault?.Error);
        var reverted = await log.Changes.Undo.RevertAsync(OpenLog.Admin, 5, new UndoOptions(), CancellationToken.None);
        Assert.True(reverted.Succeeded, reverted.Fault?.ToString());
        Assert.Equal("four", log.TextOf("a"));
    }

    [Fact]
    public async Task Reverting_a_changeset_restores_all_it_touched()
    {
        await using var log = await OpenAsync();
        await log.PutAsync("kept", "before");
        await log.PutAsync("deleted", "there");
        await log.CommitAsync(
            OpenLog.Toy(
                "kept", new Toy("after")), Change.Delete(OpenLog.Key("deleted")), OpenLog.Toy("new", new Toy("x")));
        var reverted = await log.Changes.Undo.RevertAsync(OpenLog.Admin, 3, new UndoOptions(), CancellationToken.None);
        Assert.True(reverted.Succeeded, reverted.Fault?.ToString());
        Assert.Equal<string?[]>(
            ["before", "there", null], [log.TextOf("kept"), log.TextOf("deleted"), log.TextOf("new")]);
    }

    [Fact]
    public async Task The_state_as_of_every_revision_equals_a_model_that_was_written_along()
    {
        await using var log = await OpenAsync();
        var random = LongRun.Random();
        var model = new List<SortedDictionary<string, string>> { new(StringComparer.Ordinal) };
        var steps = LongRun.Count(usual: 60, whole: 500);
        for (var step = 1; step <= steps; step++)
        {
            var state = new SortedDictionary<string, string>(model[^1], StringComparer.Ordinal);
            var name = $"t{random.Next(8)}";
            if (random.Next(4) == 0 && state.Remove(name)) await log.CommitAsync(Change.Delete(OpenLog.Key(name)));
            else
            {
                state[name] = $"{step}";
                await log.PutAsync(name, $"{step}");
            }
            model.Add(state);
        }
        await log.Changes.Compaction.RunAsync(steps / 3, CancellationToken.None);
        for (var revision = 0; revision <= steps; revision++)
        {
            var then = await log.Changes.History.ListAsOfAsync(
                "toy", revision, "", "", _ => true, 1000, CancellationToken.None);
            if (revision < steps / 3) Assert.Equal(ErrorCodes.RevisionCompacted, then.Fault?.Error);
            else Assert.Equal(model[revision], then.Value.ToDictionary(one => one.Key.Name, one => one.As<Toy>().Text));
        }
    }

    [Fact]
    public async Task Compaction_keeps_the_newest_version_of_what_lives()
    {
        await using (var log = await OpenAsync())
        {
            await log.PutAsync("still", "old");
            for (var number = 0; number < 10; number++) await log.PutAsync("busy", $"{number}");
            await log.PutAsync("gone", "x");
            await log.CommitAsync(Change.Delete(OpenLog.Key("gone")));
            var done = await log.Changes.Compaction.RunAsync(log.Now.Revision, CancellationToken.None);
            Assert.Equal(11, done.Value.Dropped); // Nine of busy, one of gone, and the head of gone.
        }
        await using var again = await OpenAsync();
        Assert.Equal<string?[]>(
            ["old", "9", null], [again.TextOf("still"), again.TextOf("busy"), again.TextOf("gone")]);
        Assert.Equal(13, again.Changes.Floor);
    }

    [Fact]
    public async Task A_policy_makes_a_change_wait_for_a_second_person()
    {
        await using var log = await OpenAsync();
        var author = new Principal("operator:ann", [BuiltInRoles.Administrator]);
        await log.CommitAsync(Change.Put(
            Approvals.PolicyKind, "", "toys", new ApprovalPolicySpec(["toy"], ["default"])));
        var proposed = await log.CommitAsync(
            author, OpenLog.Toy("a", new Toy("wanted", Token: SecretText.Of("s3cret"))));
        var name = proposed.Value.Proposal;
        Assert.NotNull(name);
        Assert.Null(log.TextOf("a"));

        Assert.Equal(
            ErrorCodes.ApprovalByAuthor,
            (await log.Changes.Approvals.ApproveAsync(author, name, "", CancellationToken.None)).Fault?.Error);
        Assert.Equal(
            ErrorCodes.Forbidden,
            (await log.Changes.Approvals.ApproveAsync(
                new Principal("operator:eve", [BuiltInRoles.Reader]), name, "", CancellationToken.None)).Fault?.Error);
        var released = await log.Changes.Approvals.ApproveAsync(
            OpenLog.Admin, name, "looks right", CancellationToken.None);
        Assert.True(released.Succeeded, released.Fault?.ToString());
        Assert.Equal("wanted", log.TextOf("a"));
        var resource = log.Now.Find(OpenLog.Key("a"))!;
        Assert.Contains("s3cret", Encoding.UTF8.GetString(
            log.Changes.Secrets.Open(ToyKinds.Toy, resource.Key, resource.Spec).Span), StringComparison.Ordinal);
        Assert.Equal(
            ErrorCodes.ApprovalClosed,
            (await log.Changes.Approvals.RefuseAsync(OpenLog.Admin, name, "", CancellationToken.None)).Fault?.Error);
        var history = await log.Changes.History.OfAsync(
            new ResourceKey(Approvals.ProposalKindName, "", name), null, 10, CancellationToken.None);
        Assert.Equal(
            ["released", "proposed"], history.Value.Select(version => version.Resource!.As<ProposalSpec>().State));
    }

    [Fact]
    public async Task A_proposal_whose_ground_has_shifted_cannot_be_released()
    {
        await using var log = await OpenAsync();
        await log.PutAsync("a", "one");
        await log.CommitAsync(Change.Put(Approvals.PolicyKind, "", "toys", new ApprovalPolicySpec(["toy"], ["*"])));
        var proposed = await log.CommitAsync(
            new Principal("operator:ann", [BuiltInRoles.Administrator]), OpenLog.Toy("a", new Toy("ann's")));
        await log.CommitAsync(Principal.System("test"), OpenLog.Toy("a", new Toy("meanwhile")));
        var late = await log.Changes.Approvals.ApproveAsync(
            OpenLog.Admin, proposed.Value.Proposal!, "", CancellationToken.None);
        Assert.Equal(ErrorCodes.RevisionConflict, late.Fault?.Error);
        Assert.Equal("meanwhile", log.TextOf("a"));
    }

    [Fact]
    public async Task A_namespace_must_exist_to_be_written_to_and_be_empty_to_be_deleted()
    {
        await using var log = await OpenAsync();
        Change InShop() => OpenLog.Raw("toy", "a", """{"text":"x"}""", "shop");
        var shop = new ResourceKey(Namespaces.KindName, "", "shop");
        Assert.Equal(ErrorCodes.NamespaceUnknown, (await log.CommitAsync(InShop())).Fault?.Error);
        Assert.True((await log.CommitAsync(Change.Put(Namespaces.Kind, "", "shop", new NamespaceSpec()), InShop()))
            .Succeeded);
        Assert.Equal(ErrorCodes.NamespaceNotEmpty, (await log.CommitAsync(Change.Delete(shop))).Fault?.Error);
        var both = await log.CommitAsync(Change.Delete(shop), Change.Delete(new ResourceKey("toy", "shop", "a")));
        Assert.True(both.Succeeded, both.Fault?.ToString());
    }

    [Fact]
    public async Task A_kind_whose_module_is_not_loaded_is_listed_and_not_written()
    {
        var extra = new Kind<Page>("extra", ToyJson.Default.Page) { Module = "other", Summary = "Of another module." };
        await using (var log = await OpenAsync(extra))
            await log.CommitAsync(Change.Put(extra, "default", "e", new Page("kept")));
        await using var without = await OpenAsync();
        var resource = without.Now.Find("extra", "default", "e");
        Assert.Equal("""{"body":"kept"}""", Encoding.UTF8.GetString(resource!.Spec.Span));
        Assert.Equal(
            ErrorCodes.KindUnknown, (await without.CommitAsync(OpenLog.Raw("extra", "e", """{"body":"x"}""")))
                .Fault?.Error);
    }

    [Fact]
    public async Task A_modules_own_statements_commit_with_the_changeset_or_not_at_all()
    {
        await using var log = await OpenAsync();
        await log.Storage.MigrateAsync(
            [new Migration("side", 1, "CREATE TABLE side_rows(revision BIGINT NOT NULL)")], CancellationToken.None);
        Changeset With(string name, Action<ISqlSession, long> also) =>
            new(OpenLog.Admin, [OpenLog.Toy(name, new Toy("x"))]) { Also = also };
        Task<long> RowsAsync() => log.Storage.ReadAsync(
            session => session.One("SELECT COUNT(*) FROM side_rows", row => row.Int64(0)), CancellationToken.None);

        var good = await log.Changes.CommitAsync(
            With("a", (session, revision) => session.Execute(
                "INSERT INTO side_rows VALUES($1)", revision)), CancellationToken.None);
        Assert.Equal(1, good.Value.Revision);
        var refusal = new Fault(ErrorCodes.LeaseHeld, "planted");
        var refused = await log.Changes.CommitAsync(
            With("b", (session, revision) =>
            {
                session.Execute("INSERT INTO side_rows VALUES($1)", revision);
                throw new CommitRefusedException(refusal);
            }),
            CancellationToken.None);
        Assert.Equal(refusal, refused.Fault);
        Assert.Null(log.TextOf("b"));
        Assert.Equal(1, await RowsAsync());
        Assert.Equal(2, await log.PutAsync("c", "after"));
    }

    [Fact]
    public async Task A_reader_may_wait_for_a_revision_and_is_told_when_it_does_not_come()
    {
        await using var log = await OpenAsync();
        var waiting = log.Changes.Snapshots.ReachAsync(1, TimeSpan.FromSeconds(30), CancellationToken.None);
        await log.PutAsync("a", "one");
        Assert.Equal(1, (await waiting).Value.Revision);
        var never = await log.Changes.Snapshots.ReachAsync(9, TimeSpan.FromMilliseconds(50), CancellationToken.None);
        Assert.Equal(ErrorCodes.RevisionNotReached, never.Fault?.Error);
    }

    private protected static async Task<List<long>> WatchAsync(
        OpenLog log, int count, CancellationToken cancellationToken)
    {
        var seen = new List<long>();
        var watch = new Watch(log.Changes, TimeProvider.System);
        var start = new WatchToken(log.Changes.StoreId, 0, int.MaxValue);
        await foreach (var step in watch.FollowAsync(
            Principal.System("test"), new WatchFilter("toy"), start, cancellationToken))
        {
            seen.AddRange(step.Value.Changes.Select(change => change.Revision));
            if (seen.Count >= count) break;
        }
        return seen;
    }

    private static async Task<ErrorCode?> FirstFaultAsync(OpenLog log, WatchToken token)
    {
        var watch = new Watch(log.Changes, TimeProvider.System);
        await foreach (var step in watch.FollowAsync(
            Principal.System("test"), new WatchFilter(), token, CancellationToken.None))
            return step.Fault?.Error;
        return null;
    }
}
