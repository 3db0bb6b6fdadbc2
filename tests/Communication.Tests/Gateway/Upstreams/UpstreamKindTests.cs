using System.Net;
using System.Net.Sockets;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Upstreams;
using Groundwork.Kernel.Resources;
using Groundwork.Tests.Support;
using Groundwork.Wire;

namespace Groundwork.Communication.Tests.Gateway.Upstreams;

public sealed class UpstreamKindTests
{
    private static readonly UpstreamSpec Good = new(Addresses: [new("10.0.0.7:80")]);

    public static TheoryData<UpstreamSpec, string> BadSpecs => new()
    {
        { new UpstreamSpec(), "spec must have exactly one of service, addresses and dns" },
        { Good with { Service = "a" }, "spec must have exactly one of service, addresses and dns" },
        { Good with { Addresses = [] }, "spec.addresses must have 1 to 256 addresses" },
        { Good with { Addresses = [new("10.0.0.7")] },
            "spec.addresses[0].address must be host:port, such as 10.0.0.7:8080" },
        { Good with { Addresses = [new("http://a:80")] },
            "spec.addresses[0].address must be host:port, such as 10.0.0.7:8080" },
        { Good with { Addresses = [new("a:80"), new("a:80")] }, "spec.addresses[1].address a:80 stands here twice" },
        { Good with { Addresses = [new("127.0.0.1:80")] },
            "spec.addresses[0].address is of this machine's loopback; see allowLoopback" },
        { Good with { Addresses = [new("[::1]:80")] },
            "spec.addresses[0].address is of this machine's loopback; see allowLoopback" },
        { Good with { Addresses = [new("localhost:80")] },
            "spec.addresses[0].address is of this machine's loopback; see allowLoopback" },
        { Good with { Addresses = [new("a:80", 0)] }, "spec.addresses[0].weight must be 1 to 10000" },
        { Good with { Addresses = [new("a:80", Tier: 16)] }, "spec.addresses[0].tier must be 0 to 15" },
        { new UpstreamSpec(Dns: new UpstreamName("10.0.0.7", 80)),
            "spec.dns.name must be a name of the DNS in lower case" },
        { new UpstreamSpec("a/b/c"),
            "spec.service must be a service, such as catalog, shop/catalog or shop/blue@@catalog" },
        { new UpstreamSpec("a", AllowLoopback: true),
            "spec.allowLoopback has no use for a service, whose instances say it" },
        { Good with { Choose = new("best") },
            "spec.choose.policy must be one of two-choices, fastest, round-robin, least-requests, random and hash" },
        { Good with { Choose = new(By: "client") }, "spec.choose.by is the key of hash, and of no other policy" },
        { Good with { Choose = new("hash", "user") },
            "spec.choose.by must be client, header:NAME, cookie:NAME, query:NAME or path:NAME" },
        { Good with { Sticky = new("a b") }, "spec.sticky.cookie must be a token" },
        { Good with { Sticky = new("a", SameSite: "none") }, "spec.sticky.secure must be true where sameSite is none" },
        { Good with { Sticky = new("a", Path: "/a;b") }, "spec.sticky.path must be a path" },
        { Good with { Ejection = new(MaxPercent: 101) }, "spec.ejection.maxPercent must be 0 to 100" },
        { Good with { Ejection = new(FirstSeconds: 90) },
            "spec.ejection.longestSeconds must not be less than firstSeconds" },
    };

    [Theory]
    [MemberData(nameof(BadSpecs))]
    public void A_bad_upstream_is_refused_with_its_reason(UpstreamSpec spec, string fault)
    {
        var faults = new List<FieldFault>();
        UpstreamKind.Kind.Validate!(spec, faults);
        Assert.Equal([fault], faults.Select(found => $"{found.Path} {found.Message}"));
    }

    [Fact]
    public void A_good_upstream_is_taken()
    {
        var faults = new List<FieldFault>();
        UpstreamKind.Kind.Validate!(
            new UpstreamSpec(
                Addresses: [new("[2001:db8::7]:443", 50, "east", 3), new("127.0.0.1:80")], Scheme: "https",
                AllowLoopback: true, Choose: new("hash", "cookie:user", ZoneFirst: true, SlowStartSeconds: 30),
                Sticky: new("gw", 3_600, "example.com"), Ejection: new(5, 1, 60, 50, 50)),
            faults);
        Assert.Empty(faults);
    }

    [Fact]
    public async Task A_name_is_looked_up_again_and_keeps_its_addresses_when_that_fails()
    {
        var time = new ManualTimeProvider();
        var asked = 0;
        var answer = new Func<IPAddress[]>(() => [IPAddress.Parse("10.0.0.2"), IPAddress.Parse("10.0.0.1")]);
        var parts = TestUpstreams.Parts(time, (name, _) =>
        {
            Interlocked.Increment(ref asked);
            Assert.Equal("legacy.example.com", name);
            return Task.FromResult(answer());
        });
        using var table = Table(
            new UpstreamSpec(Dns: new UpstreamName("legacy.example.com", 8080, RefreshSeconds: 10)), parts,
            out var find);

        await Eventually.TrueAsync(() => Addresses(find()) == "10.0.0.1:8080 10.0.0.2:8080", "looked up");
        answer = () => [IPAddress.Parse("10.0.0.3")];
        await AgainAsync();
        await Eventually.TrueAsync(() => Addresses(find()) == "10.0.0.3:8080", "looked up again");
        answer = () => throw new SocketException((int)SocketError.TryAgain);
        await AgainAsync();
        Assert.Equal("10.0.0.3:8080", Addresses(find()));
        // Rebinding: what leads to this machine or to credentials is never taken.
        answer = () => [IPAddress.Loopback, IPAddress.Parse("169.254.169.254"), IPAddress.Parse("::ffff:127.0.0.1")];
        await AgainAsync();
        await Eventually.TrueAsync(() => find().Current().Forbidden, "all of it is forbidden");

        async Task AgainAsync()
        {
            var before = Volatile.Read(ref asked);
            await Eventually.TrueAsync(
                () =>
                {
                    time.Advance(TimeSpan.FromSeconds(10));
                    return Volatile.Read(ref asked) > before;
                },
                "it is looked up again");
        }
    }

    [Fact]
    public void Addresses_that_are_never_called_make_an_upstream_forbidden()
    {
        using var table = Table(
            new UpstreamSpec(Addresses: [new("169.254.169.254:80")]), TestUpstreams.Parts(TimeProvider.System),
            out var find);
        Assert.True(find().Current().Forbidden);
    }

    private static UpstreamTable Table(UpstreamSpec spec, UpstreamParts parts, out Func<UpstreamPlan> find)
    {
        var snapshots = new HeldSnapshots();
        var table = new UpstreamTable(snapshots, parts);
        snapshots.Put(TestUpstreams.Resource("up", spec));
        find = () => table.Find(new ResourceKey(UpstreamKind.Name, "default", "up"))!; // Just put.
        return table;
    }

    private static string Addresses(UpstreamPlan plan) =>
        string.Join(' ', plan.Current().Membership?.Instances.Select(one => one.Key.Id) ?? []);
}
