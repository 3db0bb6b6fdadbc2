using Groundwork.Client.Receipts;
using Groundwork.Client.Tests.Support;
using Groundwork.Wire.Contracts;

namespace Groundwork.Client.Tests.Receipts;

public sealed class ReceiptBookTests
{
    private readonly ReceiptBook book = new();

    [Fact]
    public void A_setting_that_is_gone_is_told_of_until_it_is_applied()
    {
        Publish(1, ("a", 1), ("b", 1));
        Assert.Equal(["a 1 applied", "b 1 applied"], Send());

        book.Begin(Snapshot(2, ("a", 1)), out _);
        Assert.Equal(["b 2 delivered"], Send());
        book.Settle(isEqual: false);

        Assert.Equal(["b 2 applied"], Send());
        book.SendAgain();
        Assert.Equal(["a 1 applied"], Send());
    }

    [Fact]
    public void A_setting_whose_absence_is_refused_is_told_of_until_somebody_takes_it()
    {
        const string User = "options";
        book.Begin(Snapshot(1, ("a", 1)), out _);
        Say(User, error: null, 1, ("a", 1));
        book.Settle(isEqual: false);
        Send();
        var gone = book.Begin(Snapshot(2), out _);
        book.Failed(User, [], gone, "it is required");
        book.Settle(isEqual: false);
        Assert.Equal(["a 2 rejected it is required"], Send());

        book.Passed(User, [], gone);

        Assert.Equal(["a 2 applied"], Send());
        book.SendAgain();
        Assert.Empty(Send());
    }

    [Fact]
    public void Equal_values_of_another_revision_leave_the_blame_with_those_that_change()
    {
        const string User = "options";
        book.Begin(Snapshot(1, ("a", 1), ("b", 1)), out _);
        Say(User, error: null, 1, ("a", 1), ("b", 1));
        book.Settle(isEqual: false);
        book.Begin(Snapshot(2, ("a", 2), ("b", 1)), out _);
        book.Settle(isEqual: true);
        var broken = book.Begin(Snapshot(3, ("a", 2), ("b", 3)), out _);
        book.Failed(User, ["orders/a", "orders/b"], broken, "wrong");
        book.Settle(isEqual: false);

        Assert.Equal(["a 2 applied", "b 3 rejected wrong"], Send());
    }

    [Fact]
    public void Another_store_knows_nothing()
    {
        Publish(5, ("a", 5), ("b", 5));
        Send();

        book.Begin(Snapshot(3, ("a", 3)) with { StoreId = "store-2" }, out var isOther);
        book.Settle(isEqual: false);

        Assert.True(isOther);
        Assert.Equal(["a 3 applied"], Send());
    }

    private void Publish(long revision, params (string DataId, long Revision)[] settings)
    {
        book.Begin(Snapshot(revision, settings), out _);
        book.Settle(isEqual: false);
    }

    private void Say(string user, string? error, long revision, params (string DataId, long Revision)[] settings)
    {
        var versions = book.Begin(Snapshot(revision, settings), out _);
        var read = settings.Select(one => $"orders/{one.DataId}");
        if (error is null) book.Passed(user, read, versions);
        else book.Failed(user, read, versions, error);
    }

    private IEnumerable<string> Send()
    {
        var sent = book.Take(100);
        book.Confirm(sent);
        return sent.Select(receipt =>
            $"{receipt.DataId} {receipt.Revision} {receipt.State} {receipt.Error}".TrimEnd()).Order();
    }

    private static SettingSnapshot Snapshot(long revision, params (string DataId, long Revision)[] settings) => new(
        "store-1", revision, "default",
        [.. settings.Select(one => PlatformStub.Setting("orders", one.DataId, "json", "{}", one.Revision))]);
}
