using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Tests.Resources;
using Groundwork.Tests.Support;
using Groundwork.Wire.Contracts;

namespace Groundwork.Kernel.Tests.Security;

/// <summary>Everything that somebody with the database, or the disk, and without the root key could try.</summary>
public sealed class AuditVerifierTests : IAsyncLifetime
{
    private readonly TemporaryDirectory directory = new();
    private OpenSecurity node = null!; // Opened before each test.

    private string CheckpointPath => directory.Combine(AuditCheckpointFileStore.Name);

    public async ValueTask InitializeAsync()
    {
        node = await OpenSecurity.OnAsync(directory);
        await node.MustCommitAsync(OpenSecurity.Admin, OpenSecurity.Raw("namespace", "default", "{}"));
        await HappenAsync("first");
        await node.Security.Checkpoints.WriteAsync(default);
        await HappenAsync("second");
        await node.Security.Checkpoints.WriteAsync(default);
        await HappenAsync("third");
    }

    public async ValueTask DisposeAsync()
    {
        await node.DisposeAsync();
        directory.Dispose();
    }

    [Fact]
    public async Task Untouched_trail_verifies_and_says_how_much_it_is()
    {
        var verification = await VerifyAsync();
        Assert.Empty(verification.Findings);
        Assert.True(verification.Intact);
        Assert.Equal(11, verification.ChangesVerified);
        Assert.Equal(11, verification.EventsVerified);
        Assert.Equal(2, verification.CheckpointsVerified);
    }

    public static TheoryData<string, string> Edits() => new()
    {
        { "UPDATE resource_changes SET author = 'operator:mallory' WHERE revision = 4", "was altered" },
        { "UPDATE resource_changes SET reason = 'harmless' WHERE revision = 4", "was altered" },
        { "UPDATE resource_changes SET at = at + 1 WHERE revision = 4", "was altered" },
        { "UPDATE resource_changes SET name = 'other' WHERE revision = 4", "was altered" },
        { "UPDATE resource_changes SET op = 1 WHERE revision = 4", "was altered" },
        { "UPDATE resource_changes SET labels = '{\"a\":\"b\"}' WHERE revision = 4", "was altered" },
        { "UPDATE resource_changes SET version = 1 WHERE revision = 4", "was altered" },
        { "UPDATE resource_changes SET spec = spec_hash WHERE revision = 4", "content of" },
        { "UPDATE resource_changes SET spec_hash = digest WHERE revision = 4", "was altered" },
        { "UPDATE resource_changes SET link = digest WHERE revision = 4", "was altered" },
        { "DELETE FROM resource_changes WHERE revision = 4", "rows are missing" },
        { "UPDATE resource_changes SET revision = 100 WHERE revision = 4", "rows are missing" },
        { "UPDATE resource_contents SET content = hash", "of a stored resource was altered" },
        { "UPDATE resource_heads SET revision = 3, seq = 0 WHERE name = 'edited'", "another change than its newest" },
        { "DELETE FROM resource_heads WHERE name = 'edited'", "another change than its newest" },
        { "INSERT INTO resource_heads(kind, namespace, name, revision, seq) VALUES('toy', 'default', 'ghost', 3, 0)",
            "another change than its newest" },
        { "UPDATE resource_log SET link = (SELECT link FROM resource_changes WHERE revision = 4)",
            "tail was cut or rewritten" },
        { "UPDATE resource_log SET store_id = 'another'", "one of the two was swapped" },
        { "UPDATE security_audit SET principal = 'key:other' WHERE seq = 2", "Event 2 was altered" },
        { "UPDATE security_audit SET action = 'nothing' WHERE seq = 2", "Event 2 was altered" },
        { "UPDATE security_audit SET target = 'nothing' WHERE seq = 2", "Event 2 was altered" },
        { "UPDATE security_audit SET outcome = 'ok!' WHERE seq = 2", "Event 2 was altered" },
        { "UPDATE security_audit SET count = 0 WHERE seq = 2", "Event 2 was altered" },
        { "UPDATE security_audit SET at = at - 1 WHERE seq = 2", "Event 2 was altered" },
        { "UPDATE security_audit SET address = '' WHERE seq = 2", "Event 2 was altered" },
        { "UPDATE security_audit SET detail = 'x' WHERE seq = 2", "Event 2 was altered" },
        { "UPDATE security_audit SET node = 'b' WHERE seq = 2", "Event 2 was altered" },
        { "DELETE FROM security_audit WHERE seq = 2", "Between event 1 and 3 rows are missing" },
        { "DELETE FROM security_audit WHERE seq = 1", "Between event 0 and 2 rows are missing" },
    };

    [Theory]
    [MemberData(nameof(Edits))]
    public async Task Edit_in_the_database_is_found(string sql, string finding)
    {
        await SqlAsync(sql);
        await FindsAsync(finding);
    }

    [Fact]
    public async Task Cut_tail_of_the_changes_is_found_by_the_checkpoint_even_with_the_head_mended()
    {
        await SqlAsync(
            "DELETE FROM resource_changes WHERE revision >= 4",
            "DELETE FROM resource_heads WHERE revision >= 4",
            "UPDATE resource_heads SET revision = 3, seq = 0 WHERE name = 'edited'",
            "UPDATE resource_log SET revision = 3, link = (SELECT link FROM resource_changes WHERE revision = 3)");
        await FindsAsync("its tail was cut");
    }

    [Fact]
    public async Task Cut_tail_of_the_events_is_found_by_the_checkpoint()
    {
        await SqlAsync("DELETE FROM security_audit WHERE seq > 2");
        await FindsAsync("its tail was cut");
    }

    [Fact]
    public async Task Tail_cut_and_written_anew_by_the_platform_itself_is_found()
    {
        await SqlAsync("DELETE FROM security_audit WHERE seq > 2");
        for (var number = 0; number < 12; number++)
            node.Security.Audit.Append(new("key:k", "key-use", "t", AuditLog.Ok));
        await node.AuditAsync();
        await FindsAsync("is not the one that the checkpoint");
    }

    [Fact]
    public async Task Database_swapped_for_an_older_copy_of_itself_is_found()
    {
        var copy = directory.Combine("old.db");
        await using var old = await OldCopyAsync(copy);
        var verification = await AuditVerifier.Offline(old, node.Root, directory.Path, "a").VerifyAsync(default);
        Assert.Contains(
            verification.Findings, finding => finding.Contains("its tail was cut", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Database_of_another_install_is_found()
    {
        using var elsewhere = new TemporaryDirectory();
        await using var other = await OpenSecurity.OnAsync(elsewhere);
        await other.MustCommitAsync(OpenSecurity.Admin, OpenSecurity.Raw("vault", "v", """{"note":"x"}"""));
        await other.Security.Checkpoints.WriteAsync(default);
        File.Copy(elsewhere.Combine(AuditCheckpointFileStore.Name), CheckpointPath, overwrite: true);
        await FindsAsync("is of another install");
        // Under our key the foreign rows do not verify either.
        var verification =
            await AuditVerifier.Offline(other.Storage, node.Root, directory.Path, "a").VerifyAsync(default);
        Assert.Equal(0, verification.ChangesVerified);
        Assert.False(verification.Intact);
    }

    [Fact]
    public async Task Missing_checkpoint_file_is_found()
    {
        File.Delete(CheckpointPath);
        await FindsAsync("missing or empty");
    }

    [Theory]
    [InlineData(0, "lines of the file are missing", true)]
    [InlineData(1, "was cut: it ends at checkpoint 1", false)]
    public async Task Line_taken_out_of_the_checkpoint_file_is_found(int place, string finding, bool another)
    {
        if (another)
        {
            await HappenAsync("fourth");
            await node.Security.Checkpoints.WriteAsync(default);
            place = 1;
        }
        await node.AuditAsync();
        var lines = File.ReadAllLines(CheckpointPath).ToList();
        lines.RemoveAt(place);
        File.WriteAllLines(CheckpointPath, lines);
        await FindsAsync(finding);
    }

    [Fact]
    public async Task First_line_taken_out_of_the_checkpoint_file_is_found()
    {
        File.WriteAllLines(CheckpointPath, File.ReadAllLines(CheckpointPath)[1..]);
        await FindsAsync("begins at checkpoint 2");
    }

    [Fact]
    public async Task Altered_line_of_the_checkpoint_file_is_found()
    {
        File.WriteAllText(CheckpointPath,
            File.ReadAllText(CheckpointPath).Replace("\"number\":2", "\"number\":3", StringComparison.Ordinal));
        await FindsAsync("was altered");
    }

    [Fact]
    public async Task Junk_in_the_checkpoint_file_is_found()
    {
        File.AppendAllText(CheckpointPath, "{}\n");
        await FindsAsync("Line 3 of the checkpoint file is no checkpoint");
    }

    [Fact]
    public async Task Line_that_a_crash_cut_is_no_finding_and_the_next_one_replaces_it()
    {
        File.AppendAllText(CheckpointPath, """{"number":3,"node":"a","at":""");
        Assert.True((await VerifyAsync()).Intact);
        await node.Security.Checkpoints.WriteAsync(default);
        await node.AuditAsync();
        var verification = await VerifyAsync();
        Assert.Empty(verification.Findings);
        Assert.Equal(3, verification.CheckpointsVerified);
    }

    [Fact]
    public async Task Restarted_node_goes_on_with_the_numbers_and_the_file_verifies()
    {
        var (root, time) = (node.Root, node.Time);
        await node.DisposeAsync();
        node = await OpenSecurity.OnAsync(directory, root, time);
        await HappenAsync("after the restart");
        await node.Security.Checkpoints.WriteAsync(default);
        await node.AuditAsync();
        var verification = await VerifyAsync();
        Assert.Empty(verification.Findings);
        Assert.True(verification.CheckpointsVerified >= 4);
    }

    [Fact]
    public async Task Clean_stop_writes_what_waits_and_a_last_checkpoint()
    {
        node.Security.Audit.Append(new("key:k", "key-use", "at the end", AuditLog.Ok));
        await node.Security.StopAsync(default);
        Assert.Equal(3, File.ReadAllLines(CheckpointPath).Length);
        Assert.Contains(await node.AuditAsync(), row => row.Row.Target == "at the end");
        Assert.True((await VerifyAsync()).Intact);
    }

    [Fact]
    public async Task Thousand_links_or_an_hour_make_a_checkpoint()
    {
        for (var number = 0; number < AuditCheckpoints.EveryLinks; number++)
            node.Security.Audit.Append(new("key:k", "key-use", $"t{number}", AuditLog.Ok));
        await node.AuditAsync();
        node.Time.Advance(TimeSpan.FromSeconds(2));
        await Eventually.TrueAsync(
            () => File.ReadAllLines(CheckpointPath).Length == 3, "a checkpoint after 1,000 links");
        await HappenAsync("an hour passes");
        node.Time.Advance(AuditCheckpoints.Every);
        await Eventually.TrueAsync(() => File.ReadAllLines(CheckpointPath).Length == 4, "a checkpoint after an hour");
    }

    [Fact]
    public async Task Nothing_new_makes_no_checkpoint()
    {
        await node.Security.Checkpoints.WriteAsync(default);
        await node.AuditAsync();
        var lines = File.ReadAllLines(CheckpointPath).Length;
        await node.Security.Checkpoints.WriteAsync(default);
        Assert.Equal(lines, File.ReadAllLines(CheckpointPath).Length);
    }

    [Fact]
    public void Link_allocates_nothing()
    {
        var chain = node.Root.ChangeChain();
        Span<byte> link = stackalloc byte[AuditChain.LinkBytes];
        Span<byte> message = stackalloc byte[48];
        chain.Link([], message, link);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < 1_000; round++) chain.Link(link, message, link);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private async Task HappenAsync(string what)
    {
        await node.MustCommitAsync(
            OpenSecurity.Admin,
            OpenLog.Toy("edited", new Toy(what)),
            Change.Put(ToyKinds.Page, "default", $"page-of-{what.Replace(' ', '-')}", new Page(what)),
            OpenLog.Toy($"toy-of-{what.Replace(' ', '-')}", new Toy("t")));
        for (var number = 0; number < 3; number++)
            node.Security.Audit.Append(new AuditEvent("key:k", "key-use", $"{what} {number}", AuditLog.Ok, "10.0.0.1"));
        await node.AuditAsync();
    }

    private Task<AuditVerification> VerifyAsync() => node.Security.Verifier.VerifyAsync(default);

    private async Task FindsAsync(string text)
    {
        var verification = await VerifyAsync();
        Assert.False(verification.Intact);
        Assert.Contains(verification.Findings, finding => finding.Contains(text, StringComparison.Ordinal));
    }

    private Task SqlAsync(params string[] statements) => node.Storage.WriteAsync(
        session =>
        {
            foreach (var statement in statements) session.Execute(statement);
            return true;
        },
        default);

    /// <summary>The store as it was before the last changes: cut back by hand, head and all.</summary>
    private async Task<IStorage> OldCopyAsync(string path)
    {
        var (root, time) = (node.Root, node.Time);
        await node.DisposeAsync();
        File.Copy(directory.Combine("store.db"), path);
        node = await OpenSecurity.OnAsync(directory, root, time);
        await HappenAsync("later");
        await node.Security.Checkpoints.WriteAsync(default);
        await node.AuditAsync();
        return await OpenSecurity.SqliteAsync(path, time);
    }
}
