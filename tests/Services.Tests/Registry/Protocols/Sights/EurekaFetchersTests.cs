using System.Globalization;
using System.Net;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Protocols.Eureka;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.Tests.Registry.Protocols.Sights;

/// <summary>Who fetches applications of Eureka is known for a while, and within a bound.</summary>
public sealed class EurekaFetchersTests
{
    private static readonly ServiceKey Orders = new("default", "default", "orders");
    private static readonly ServiceKey Carts = new("default", "default", "carts");

    private readonly ManualTimeProvider time = new();
    private readonly EurekaFetchers fetchers;

    public EurekaFetchersTests() => fetchers = new EurekaFetchers(time);

    [Fact]
    public void Who_fetches_is_known_by_what_it_may_see_until_it_has_not_fetched_for_two_minutes()
    {
        fetchers.Note(Call("one"), application: null);
        fetchers.Note(Call("two"), Orders);
        Assert.Equal(["fetch one", "fetch-application two"], Of(Orders));
        Assert.Equal(["fetch one"], Of(Carts));
        Assert.Empty(fetchers.Of(Orders, (_, _) => false));
        time.Advance(TimeSpan.FromMinutes(1));
        fetchers.Note(Call("two"), Orders);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(["fetch-application two"], Of(Orders));
    }

    [Fact]
    public void No_more_are_remembered_than_the_bound_and_those_that_have_gone_make_room()
    {
        for (var at = 0; at < EurekaFetchers.MaxFetchers + 5; at++)
            fetchers.Note(Call(at.ToString(CultureInfo.InvariantCulture)), application: null);
        Assert.Equal(EurekaFetchers.MaxFetchers, fetchers.Count);
        time.Advance(EurekaFetchers.Life);
        fetchers.Note(Call("late"), application: null);
        Assert.Equal(["fetch late"], Of(Orders));
        Assert.Equal(1, fetchers.Count);
    }

    [Fact]
    public void What_a_client_says_of_itself_is_cut_and_cleaned()
    {
        fetchers.Note(Call("é\u0007" + new string('x', 100_000)), application: null);
        var one = Assert.Single(fetchers.Of(Orders, (_, _) => true));
        Assert.Equal(new string('x', RegistryLimits.MaxClientLength - 2), one.Client);
        Assert.Equal("10.0.0.7", one.Address);
    }

    private IEnumerable<string> Of(ServiceKey service) =>
        fetchers.Of(service, (_, _) => true).Select(one => $"{one.How} {one.Client}").Order(StringComparer.Ordinal);

    private static DefaultHttpContext Call(string agent)
    {
        var context = new DefaultHttpContext();
        context.Request.Headers.UserAgent = agent;
        context.Connection.RemoteIpAddress = IPAddress.Parse("10.0.0.7").MapToIPv6();
        context.Features.Set(new Principal("key:test", []));
        return context;
    }
}
