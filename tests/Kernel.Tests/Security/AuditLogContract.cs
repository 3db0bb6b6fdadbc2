using Groundwork.Kernel.Security;
using Groundwork.Kernel.Tests.Storage;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Kernel.Tests.Security;

/// <summary>What holds on both engines.</summary>
public abstract class AuditLogContract : SecurityContract
{
    private protected AuditLogContract(ITestDatabase database)
        : base(database)
    {
    }

    private AuditLog Audit => Node.Security.Audit;

    [Fact]
    public async Task Events_are_written_in_order_without_gaps_and_linked()
    {
        for (var number = 0; number < 2_500; number++) Audit.Append(Event($"t{number}"));
        var rows = await Node.AuditAsync();
        Assert.Equal(Enumerable.Range(0, 2_500).Select(number => $"t{number}"), rows.Select(row => row.Row.Target));
        Assert.Equal(Enumerable.Range(1, 2_500).Select(number => (long)number), rows.Select(row => row.Sequence));
        Assert.True((await Node.Security.Verifier.VerifyAsync(default)).Intact);
    }

    [Fact]
    public async Task Event_is_on_disk_within_a_second_without_anybody_asking()
    {
        Audit.Append(Event("t"));
        Node.Time.Advance(TimeSpan.FromSeconds(1));
        await Eventually.TrueAsync(
            async () => (await Node.Storage.ReadAsync(session => AuditStore.ReadEnd(session).Sequence, default)) == 1,
            "the event is on disk");
    }

    [Fact]
    public async Task Refusals_of_a_minute_are_one_row_and_one_count()
    {
        for (var times = 0; times < 100; times++) Audit.Append(Refusal("operator:bob", "10.0.0.1"));
        Audit.Append(Refusal("operator:bob", "10.0.0.2"));
        Audit.Append(Refusal("operator:ann", "10.0.0.1"));
        Audit.Append(Refusal("operator:bob", "10.0.0.1") with { Outcome = ErrorCodes.Unauthenticated.Code });
        Assert.Equal([1L, 1, 1, 1], (await Node.AuditAsync()).Select(row => row.Row.Count));
        Node.Time.Advance(AuditLog.CountingWindow);
        var rows = await Node.AuditAsync();
        var counted = Assert.Single(rows, row => row.Row.Count > 1).Row;
        Assert.Equal((99L, "operator:bob", "10.0.0.1"), (counted.Count, counted.Principal, counted.Address));
        Audit.Append(Refusal("operator:bob", "10.0.0.1"));
        Assert.Equal(rows.Count + 1, (await Node.AuditAsync()).Count);
    }

    [Fact]
    public async Task Counts_of_an_unfinished_minute_are_written_at_the_stop()
    {
        for (var times = 0; times < 3; times++) Audit.Append(Refusal("operator:bob", "10.0.0.1"));
        Assert.Equal([1L, 2], (await Node.AuditAsync(closing: true)).Select(row => row.Row.Count));
    }

    [Fact]
    public async Task Flood_from_many_addresses_is_bounded_and_still_counted()
    {
        const int Callers = AuditLog.MaxCounted + 500;
        for (var caller = 0; caller < Callers; caller++) Audit.Append(Refusal("anonymous", $"10.{caller}"));
        var rows = await Node.AuditAsync(closing: true);
        Assert.Equal(Callers, rows.Sum(row => row.Row.Count));
        Assert.Contains(rows, row => row.Row is { Principal: "others", Count: 499 });
    }

    [Fact]
    public async Task Overflow_of_the_queue_drops_the_newest_and_says_how_many()
    {
        const int Lost = 10;
        for (var number = 0; number < AuditLog.MaxQueued + Lost; number++) Audit.Append(Event($"t{number}"));
        var rows = await Node.AuditAsync();
        Assert.Contains(rows, row => row.Row is { Action: "overflow", Count: Lost });
        Assert.Equal(AuditLog.MaxQueued + Lost, rows.Sum(row => row.Row.Count));
    }

    [Fact]
    public async Task Text_that_a_caller_chose_is_bounded_and_one_line()
    {
        Audit.Append(Event("a\nb\0c" + new string('x', 5_000)) with { Detail = "\ud800 half a character" });
        var row = (await Node.AuditAsync())[0].Row;
        Assert.StartsWith("a?b?cxxx", row.Target, StringComparison.Ordinal);
        Assert.Equal(AuditLog.MaxTextLength, row.Target.Length);
        Assert.True((await Node.Security.Verifier.VerifyAsync(default)).Intact);
    }

    [Fact]
    public async Task Page_is_newest_first_and_filtered()
    {
        for (var number = 0; number < 5; number++) Audit.Append(Event($"t{number}"));
        Audit.Append(Refusal("operator:bob", "10.0.0.1"));
        await Node.AuditAsync();
        var page =
            await ListAsync(new AuditFilter(Action: "key-use"), before: 5, limit: 2);
        Assert.Equal(["t3", "t2"], page.Select(entry => entry.Target));
        var his = await ListAsync(new AuditFilter(Principal: "operator:bob", Action: "refused"));
        Assert.Equal("forbidden", Assert.Single(his).Outcome);
    }

    [Fact]
    public async Task Page_is_filtered_by_target_outcome_and_time()
    {
        Audit.Append(Event("100%_sure"));
        Audit.Append(Event("100 percent"));
        Audit.Append(Refusal("operator:bob", "10.0.0.1"));
        await Node.AuditAsync();
        Assert.Equal("100%_sure", Assert.Single(await ListAsync(new AuditFilter(Target: "0%_S"))).Target);
        Assert.Equal(2, (await ListAsync(new AuditFilter(Outcome: AuditLog.Ok))).Count);
        Assert.Equal("forbidden", Assert.Single(await ListAsync(new AuditFilter(Outcome: "forbidden"))).Outcome);
        Assert.Equal(
            "forbidden", Assert.Single(await ListAsync(new AuditFilter(Outcome: AuditFilter.Refused))).Outcome);
        var at = (await ListAsync(new AuditFilter()))[0].At;
        Assert.Equal(3, (await ListAsync(new AuditFilter(Since: at))).Count);
        Assert.Empty(await ListAsync(new AuditFilter(Until: at)));
        Assert.Empty(await ListAsync(new AuditFilter(Since: at.AddSeconds(1))));
    }

    private Task<List<AuditEntry>> ListAsync(AuditFilter filter, long before = long.MaxValue, int limit = 10) =>
        Node.Storage.ReadAsync(session => AuditStore.ReadBefore(session, before, filter, limit), default);

    [Fact]
    public async Task Two_nodes_append_to_one_chain()
    {
        await using var other = await OtherNodeAsync();
        for (var round = 0; round < 20; round++)
        {
            Audit.Append(Event($"a{round}"));
            other.Security.Audit.Append(Event($"b{round}"));
            await Task.WhenAll(Audit.FlushAsync(false, default), other.Security.Audit.FlushAsync(false, default));
        }
        var rows = await Node.AuditAsync();
        Assert.Equal(40, rows.Count);
        Assert.Equal(["a", "b"], rows.Select(row => row.Row.Node).Distinct().Order());
        Assert.True((await Node.Security.Verifier.VerifyAsync(default)).Intact);
    }

    private static AuditEvent Event(string target) => new("key:k", "key-use", target, AuditLog.Ok);

    private static AuditEvent Refusal(string principal, string address) =>
        new(principal, "refused", "toy shop/x", ErrorCodes.Forbidden.Code, address);
}
