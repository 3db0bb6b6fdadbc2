using System.Collections.Immutable;
using System.Net;
using Groundwork.Kernel.Hosting;

namespace Groundwork.Kernel.Tests.Hosting;

public sealed class AddressGuardTests
{
    private static readonly ImmutableArray<IPEndPoint> Listeners =
        [new(IPAddress.Loopback, 7400), new(IPAddress.IPv6Loopback, 7401), new(IPAddress.Any, 8080)];

    [Theory]
    [InlineData("169.254.169.254", "link-local")]
    [InlineData("fe80::1", "link-local")]
    [InlineData("fe80::1%1", "link-local")]
    [InlineData("::ffff:169.254.169.254", "link-local")]
    [InlineData("64:ff9b::a9fe:a9fe", "link-local")]
    [InlineData("64:ff9b:1::a9fe:a9fe", "link-local")]
    [InlineData("2002:a9fe:a9fe::1", "link-local")]
    [InlineData("::a9fe:a9fe", "link-local")]
    [InlineData("fd00:ec2::254", "credentials")]
    [InlineData("fd20:ce::254", "credentials")]
    [InlineData("100.100.100.200", "credentials")]
    [InlineData("64:ff9b::6464:64c8", "credentials")]
    [InlineData("0.0.0.0", "one machine")]
    [InlineData("::", "one machine")]
    [InlineData("::ffff:0.0.0.0", "one machine")]
    [InlineData("255.255.255.255", "one machine")]
    [InlineData("224.0.0.1", "one machine")]
    [InlineData("ff02::1", "one machine")]
    public void What_no_service_is_at_is_never_called(string address, string reason) =>
        Assert.Contains(reason, Guard().Explain(IPAddress.Parse(address), 9000), StringComparison.Ordinal);

    [Theory]
    [InlineData("127.0.0.1", 7400)]
    [InlineData("::ffff:127.0.0.1", 7400)]
    [InlineData("64:ff9b::7f00:1", 7400)]
    [InlineData("::1", 7401)]
    [InlineData("127.0.0.9", 8080)]
    public void Own_listeners_are_never_called(string address, int port) =>
        Assert.Equal("a listener of this process", Guard().Explain(IPAddress.Parse(address), port));

    [Theory]
    [InlineData("127.0.0.1", 9000)]
    [InlineData("127.0.0.9", 7400)]
    [InlineData("::1", 9000)]
    [InlineData("10.0.0.7", 7400)]
    [InlineData("192.168.169.254", 80)]
    [InlineData("64:ff9b::a00:7", 80)]
    [InlineData("fd00::7", 80)]
    [InlineData("2001:db8::7", 80)]
    public void Services_are_called(string address, int port) =>
        Assert.Null(Guard().Explain(IPAddress.Parse(address), port));

    [Fact]
    public void Listed_link_local_networks_are_called_and_no_others()
    {
        var guard = Guard(IPNetwork.Parse("169.254.7.0/24"), IPNetwork.Parse("fe80::/64"));
        Assert.Null(guard.Explain(IPAddress.Parse("169.254.7.9"), 80));
        Assert.Null(guard.Explain(IPAddress.Parse("::ffff:169.254.7.9"), 80));
        Assert.Null(guard.Explain(IPAddress.Parse("fe80::5%2"), 80));
        Assert.NotNull(guard.Explain(IPAddress.Parse("169.254.169.254"), 80));
        Assert.NotNull(guard.Explain(IPAddress.Parse("fe80:0:0:1::5"), 80));
        // A network that is listed frees nothing else.
        Assert.NotNull(Guard(IPNetwork.Parse("0.0.0.0/0")).Explain(IPAddress.Loopback, 7400));
        Assert.NotNull(Guard(IPNetwork.Parse("0.0.0.0/0")).Explain(IPAddress.Any, 80));
    }

    private static AddressGuard Guard(params ImmutableArray<IPNetwork> linkLocal) => new(() => Listeners, linkLocal);
}
