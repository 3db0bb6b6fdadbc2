using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Limits;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Wire;

namespace Groundwork.Communication.Tests.Gateway.Limits;

public sealed class LimitRulesTests
{
    private static readonly BucketSpec One = new(1);

    public static TheoryData<LimitSpec, string> Wrong { get; } = new()
    {
        { new LimitSpec("a b", null, One), "name" },
        { new LimitSpec("a"), "" },
        { new LimitSpec("a", null, One, Concurrent: 1), "" },
        { new LimitSpec("a", ["body"], One), "by[0]" },
        { new LimitSpec("a", ["path:no"], One), "by[0]" },
        { new LimitSpec("a", ["client", "user", "key", "tenant", "header:x"], One), "by" },
        { new LimitSpec("a", null, new BucketSpec(0)), "bucket.requests" },
        { new LimitSpec("a", null, new BucketSpec(1, 0)), "bucket.seconds" },
        { new LimitSpec("a", null, new BucketSpec(1, 1, 0)), "bucket.burst" },
        { new LimitSpec("a", Window: new WindowSpec(1, 86_401)), "window.seconds" },
        { new LimitSpec("a", Pace: new PaceSpec(1, 1, 60_001)), "pace.maxWaitMs" },
        { new LimitSpec("a", Concurrent: 0), "concurrent" },
        { new LimitSpec("a", Window: new WindowSpec(1), WarmUpSeconds: 1), "warmUpSeconds" },
        { new LimitSpec("a", null, One, MaxKeys: 100_001), "maxKeys" },
        { new LimitSpec("a", null, One, Exceptions: [new("x", 1)]), "exceptions" },
        { new LimitSpec("a", ["client"], One, Exceptions: [new("x", 1)]), "exceptions[0].value" },
        { new LimitSpec("a", ["user"], One, Exceptions: [new("x", 1), new("x", 2)]), "exceptions[1].value" },
        { new LimitSpec("a", ["user"], One, Exceptions: [new("x", -1)]), "exceptions[0].requests" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void A_wrong_limit_is_told_by_its_field(LimitSpec limit, string field)
    {
        var faults = new List<FieldFault>();
        LimitRules.Check([limit], PathPattern.Parse("/items/{item}"), faults);
        Assert.Equal(("spec.limits[0]." + field).TrimEnd('.'), Assert.Single(faults).Path);
    }

    [Fact]
    public void Every_way_to_count_and_every_key_is_right()
    {
        var faults = new List<FieldFault>();
        LimitRules.Check(
            [
                new LimitSpec("a", ["client", "user", "key", "tenant"], One, WarmUpSeconds: 5),
                new LimitSpec("b", ["header:x", "cookie:x", "query:x", "path:item"], Window: new WindowSpec(1)),
                new LimitSpec("c", ["client"], Pace: new PaceSpec(1), Exceptions: [new("10.0.0.1", 0)]),
                new LimitSpec("d", Concurrent: 5),
            ],
            PathPattern.Parse("/items/{item}"), faults);
        Assert.Empty(faults);
        LimitRules.Check([new LimitSpec("a", null, One), new LimitSpec("a", null, One)], null, faults);
        Assert.Equal("spec.limits[1].name", Assert.Single(faults).Path);
    }
}
