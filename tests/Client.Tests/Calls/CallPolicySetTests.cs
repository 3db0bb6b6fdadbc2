using Groundwork.Client.Calls;
using Groundwork.Client.Discovery;
using Microsoft.Extensions.Configuration;

namespace Groundwork.Client.Tests.Calls;

public sealed class CallPolicySetTests
{
    [Fact]
    public void Without_keys_a_call_is_tried_once_more_elsewhere_within_a_budget()
    {
        var policy = Read().Find("catalog").All;

        Assert.Equal((1, TimeSpan.Zero, false), (policy.Retry.Max, policy.Retry.Delay, policy.Retry.Unsafe));
        Assert.Equal(new BudgetPolicy(0.2, 10), policy.Budget);
        Assert.Equal(ChoicePolicy.Usual, policy.Choice);
        Assert.Equal(
            (null, null, null, null, null, null),
            (policy.TotalTimeout, policy.TryTimeout, policy.Breaker, policy.Bulkhead, policy.Hedge, policy.Fallback));
    }

    [Fact]
    public void A_method_overrides_its_service_and_that_overrides_every_service_key_by_key()
    {
        var set = Read(
            ("*:TryTimeout", "1s"), ("*:TotalTimeout", "5s"), ("*:Retry:Max", "3"),
            ("catalog:TryTimeout", "500ms"),
            ("catalog:Methods:GET /products/*:TryTimeout", "00:00:00.1"),
            ("catalog:Methods:ICatalog.GetProduct:Retry", "off"));

        Assert.Equal(TimeSpan.FromSeconds(1), set.Find("payments").All.TryTimeout);
        var catalog = set.Find("Catalog");
        Assert.Equal((TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(5), 3),
            (catalog.All.TryTimeout, catalog.All.TotalTimeout, catalog.All.Retry.Max));
        var (pattern, products) = Assert.Single(catalog.Patterns);
        Assert.Equal("GET /products/*", pattern.Text);
        Assert.Equal((TimeSpan.FromMilliseconds(100), 3), (products.TryTimeout, products.Retry.Max));
        Assert.Equal(0, catalog.Typed["ICatalog.GetProduct"].Retry.Max);
    }

    [Fact]
    public void A_breaker_belongs_to_whoever_wrote_it()
    {
        var set = Read(
            ("catalog:Breaker:FailureRatio", "0.5"),
            ("catalog:Methods:GET /slow:Breaker:FailureRatio", "0.9"),
            ("catalog:Methods:GET /fast:TryTimeout", "1s"),
            ("catalog:Methods:GET /none:Breaker", "off")).Find("catalog");

        CallPolicy Of(string method) => set.Patterns.Single(one => one.Pattern.Text == method).Policy;
        Assert.Null(set.All.Breaker?.Method);
        Assert.Equal(("GET /slow", 0.9), (Of("GET /slow").Breaker?.Method, Of("GET /slow").Breaker!.FailureRatio));
        Assert.Equal(set.All.Breaker, Of("GET /fast").Breaker);
        Assert.Null(Of("GET /none").Breaker);
    }

    [Fact]
    public void A_section_can_be_turned_off_and_on_again_below()
    {
        var set = Read(
            ("*:Hedge:After", "p95"), ("*:Retry:Statuses", "502, 503"), ("catalog:Hedge", "off"),
            ("catalog:Methods:GET /a:Hedge:After", "50ms"), ("catalog:Retry:Statuses:0", "500"));

        Assert.Equal(new HedgePolicy(null, 1), set.Find("other").All.Hedge);
        Assert.Null(set.Find("catalog").All.Hedge);
        Assert.Equal(TimeSpan.FromMilliseconds(50), set.Find("catalog").Patterns.Single().Policy.Hedge?.After);
        Assert.Equal([500], set.Find("catalog").All.Retry.Statuses);
    }

    [Fact]
    public void Failfast_is_one_try_whatever_else_is_written()
    {
        var policy = Read(("catalog:Strategy", "failfast"), ("catalog:Retry:Max", "5"), ("catalog:Hedge:After", "1ms"))
            .Find("catalog").All;

        Assert.Equal((0, null), (policy.Retry.Max, policy.Hedge));
    }

    [Theory]
    [InlineData("catalog", "on", "Groundwork:Calls:catalog is a value")]
    [InlineData("catalog:Retrys:Max", "1", "Groundwork:Calls:catalog:Retrys:Max is not a key of a call policy")]
    [InlineData("catalog:Retry:Max", "10", "Groundwork:Calls:catalog:Retry:Max '10' is not a whole number from 0 to 9")]
    [InlineData("*:TryTimeout", "2", "Groundwork:Calls:*:TryTimeout '2' is not a time from 1ms to 3600s")]
    [InlineData("*:TryTimeout", "1e400s", "is not a time")]
    [InlineData("*:TotalTimeout", "0ms", "is not a time")]
    [InlineData("*:Choice", "best", "is not one of power-of-two, round-robin, random, weighted, consistent-hash")]
    [InlineData("*:Breaker", "on", "is not 'off'")]
    [InlineData("*:Breaker:FailureRatio", "NaN", "is not a number from 0 to 1")]
    [InlineData("*:Breaker:BreakFor", "1ms", "is not a time from 500ms")]
    [InlineData("*:Retry:Statuses:0", "200", "is not a list of whole numbers from 400 to 599")]
    [InlineData("*:Fallback:ContentType", "no type", "is not a media type")]
    [InlineData("*:HashHeader", "X User", "is not the name of a header")]
    [InlineData("catalog:Methods:GET products:TryTimeout", "1s", "is neither a typed client's method nor one such as")]
    [InlineData("catalog:Methods:GET /x*:TryTimeout", "1s", "is neither a typed client's method nor one such as")]
    [InlineData("catalog:Methods:GET /x", "1s", "a method's keys stand below it")]
    public void A_fault_is_named_with_its_key(string key, string value, string expected)
    {
        CallPolicySet.Read(CallPolicySet.Keys(Configuration((key, value))), out var faults);

        Assert.Contains(expected, Assert.Single(faults), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET /products/*", "GET", "/products/7", true)]
    [InlineData("GET /products/*", "GET", "/products/7/reviews", true)]
    [InlineData("GET /products/*", "GET", "/products", false)]
    [InlineData("GET /products/*", "POST", "/products/7", false)]
    [InlineData("* /products/*/reviews", "POST", "/products/7/reviews", true)]
    [InlineData("* /products/*/reviews", "POST", "/products/7/reviews/1", false)]
    [InlineData("* /products/*/reviews", "POST", "/products/7", false)]
    [InlineData("GET /", "GET", "/", true)]
    [InlineData("GET /", "GET", "/x", false)]
    [InlineData("GET /*", "GET", "/x/y", true)]
    public void A_pattern_matches_segment_by_segment(string pattern, string method, string path, bool expected) =>
        Assert.Equal(expected, MethodPattern.Parse(pattern)!.Matches(method, path));

    private static CallPolicySet Read(params (string Key, string Value)[] keys)
    {
        var set = CallPolicySet.Read(CallPolicySet.Keys(Configuration(keys)), out var faults);
        Assert.Empty(faults);
        return set;
    }

    private static IConfiguration Configuration(params (string Key, string Value)[] keys) => new ConfigurationBuilder()
        .AddInMemoryCollection(keys.ToDictionary(key => $"Groundwork:Calls:{key.Key}", key => (string?)key.Value))
        .Build();
}
