using Groundwork.Client.Registration;

namespace Groundwork.Client.Tests.Registration;

public sealed class AdvertisedAddressTests
{
    private static readonly Uri Loopback = new("http://127.0.0.1:7400");

    [Theory]
    [InlineData("http://127.0.0.1:5001", "http", "127.0.0.1", 5001)]
    [InlineData("http://10.1.2.3:80", "http", "10.1.2.3", 80)]
    [InlineData("http://localhost:5001", "http", "127.0.0.1", 5001)]
    [InlineData("http://0.0.0.0:5001", "http", "127.0.0.1", 5001)]
    [InlineData("http://[::]:5001", "http", "127.0.0.1", 5001)]
    [InlineData("http://+:5001", "http", "127.0.0.1", 5001)]
    [InlineData("http://*:5001", "http", "127.0.0.1", 5001)]
    [InlineData("https://shop.local:5443", "https", "shop.local", 5443)]
    public void The_address_that_others_can_reach_is_advertised(string listening, string scheme, string host, int port)
    {
        var address = AdvertisedAddress.From([listening], new GroundworkOptions(), Loopback);

        Assert.Equal(new AdvertisedAddress(scheme, host, port, null), address);
    }

    [Fact]
    public void Of_two_schemes_http_is_primary_and_the_other_a_named_port()
    {
        var address = AdvertisedAddress.From(
            ["http://unix:/tmp/x.sock", "https://127.0.0.1:2", "http://127.0.0.1:1"], new GroundworkOptions(),
                Loopback);

        Assert.Equal(("http", 1, 2), (address?.Scheme, address?.Port, address?.Ports?["https"]));
    }

    [Fact]
    public void What_is_configured_wins()
    {
        var options = new GroundworkOptions { AdvertisedHost = "shop.internal", AdvertisedPort = 443 };

        var address = AdvertisedAddress.From(["http://[::]:80"], options, Loopback);

        Assert.Equal(("shop.internal", 443), (address?.Host, address?.Port));
    }

    [Fact]
    public void A_host_that_listens_nowhere_has_no_address() =>
        Assert.Null(AdvertisedAddress.From([], new GroundworkOptions(), Loopback));
}
