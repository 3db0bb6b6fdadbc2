using Groundwork.Kernel.Cluster;
using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Tests.Storage;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Kernel.Tests.Cluster;

public abstract class LeasesContract : ClusterContract
{
    private protected LeasesContract(ITestDatabase database)
        : base(database)
    {
    }

    private const string Name = "sample";

    private static readonly TimeSpan Length = TimeSpan.FromSeconds(10);

    private readonly ManualTimeProvider time = new();

    [Fact]
    public async Task One_holds_a_lease_at_a_time_and_the_next_has_a_greater_token()
    {
        var (a, b) = (LeasesOf("a"), LeasesOf("b"));
        long first;
        await using (var held = (await a.TryAcquireAsync(Name, Length, Cancel)).Value)
        {
            first = held.Token.Token;
            Assert.False((await b.TryAcquireAsync(Name, Length, Cancel)).TryGet(out _, out var fault));
            Assert.Equal(ErrorCodes.LeaseHeld, fault.Error);
        }
        await using var next = (await b.TryAcquireAsync(Name, Length, Cancel)).Value; // Given back: nobody waits.
        Assert.True(next.Token.Token > first);
    }

    [Fact]
    public async Task Late_write_of_a_holder_that_was_silent_too_long_is_refused_in_its_own_transaction()
    {
        await using var old = (await LeasesOf("a").TryAcquireAsync(Name, Length, Cancel)).Value;
        await WriteAsync(1, "a", old.Token);
        await AgeAsync(Length);
        await using var next = (await LeasesOf("b").TryAcquireAsync(Name, Length, Cancel)).Value;
        await WriteAsync(2, "b", next.Token);
        var lost = await Assert.ThrowsAsync<LeaseLostException>(() => WriteAsync(3, "a", old.Token));
        Assert.Equal(old.Token, lost.Token);
        Assert.Equal(2, await CountAsync("sample_work"));
        time.Advance(Length / 4);
        await Eventually.TrueAsync(() => old.Lost.IsCancellationRequested, "the old holder is told");
    }

    [Fact]
    public async Task Holder_that_is_late_goes_on_while_nobody_has_taken_the_lease()
    {
        await using var held = (await LeasesOf("a").TryAcquireAsync(Name, Length, Cancel)).Value;
        await AgeAsync(2 * Length);
        await WriteAsync(1, "a", held.Token);
        time.Advance(Length / 4);
        await Eventually.TrueAsync(
            async () => !(await LeasesOf("b").TryAcquireAsync(Name, Length, Cancel)).Succeeded, "it is renewed");
        Assert.False(held.Lost.IsCancellationRequested);
    }

    [Fact]
    public async Task Restarted_process_takes_the_lease_of_its_name_at_once_and_outranks_the_one_before()
    {
        await using var before = (await LeasesOf("a").TryAcquireAsync(Name, Length, Cancel)).Value;
        await using var after = (await LeasesOf("a").TryAcquireAsync(Name, Length, Cancel)).Value;
        Assert.True(after.Token.Token > before.Token.Token);
        await Assert.ThrowsAsync<LeaseLostException>(() => WriteAsync(1, "a", before.Token));
        await WriteAsync(2, "a", after.Token);
    }

    [Fact]
    public async Task Holder_is_told_when_the_lease_has_surely_ended_while_the_database_is_away()
    {
        await using var held = (await LeasesOf("a").TryAcquireAsync(Name, Length, Cancel)).Value;
        await Storage.DisposeAsync();
        for (var quarter = 1; quarter <= 3; quarter++)
        {
            time.Advance(Length / 4);
            Assert.False(held.Lost.IsCancellationRequested);
        }
        time.Advance(Length / 4);
        await Eventually.TrueAsync(() => held.Lost.IsCancellationRequested, "the holder is told");
    }

    private Leases LeasesOf(string holder) => new(Storage, holder, time, NullLoggerFactory.Instance);

    // The check comes last, so that a refusal has something to take back.
    private Task WriteAsync(int position, string worker, FencingToken token) => Storage.WriteAsync(
        session =>
        {
            session.Execute("INSERT INTO sample_work(position, worker) VALUES($1, $2)", position, worker);
            Leases.Check(session, token);
            return true;
        },
        Cancel);
}

public sealed class SqliteLeasesTests() : LeasesContract(new SqliteTestDatabase());

public sealed class PostgresLeasesTests(PostgresServer server) : LeasesContract(new PostgresTestDatabase(server));
