using Groundwork.Client.Tests.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Groundwork.Client.Tests;

public sealed class GroundworkOptionsTests
{
    [Fact]
    public void Everything_wrong_is_reported_at_once()
    {
        var fault = Assert.Throws<OptionsValidationException>(() =>
            Host.CreateEmptyApplicationBuilder(null).AddGroundwork(options =>
        {
            options.Addresses = ["127.0.0.1:7400", "http://here/path"];
            options.ServiceName = "Orders!";
            options.Namespace = "Default";
            options.Group = "a@@b";
            options.InstanceId = "a/b";
            options.Weight = -1;
            options.LeaseSeconds = 1;
            options.AdvertisedPort = 70_000;
            options.SettingGroups = ["a/b"];
            options.Services = ["-/-"];
            options.StartupTimeout = TimeSpan.FromMinutes(5);
            options.DrainTimeout = TimeSpan.FromSeconds(-1);
            options.ResponseHeadTimeout = TimeSpan.Zero;
            options.AccessKey = "two words";
        }));

        Assert.Equal(15, fault.Failures.Count());
    }

    [Fact]
    public void Variables_win_over_the_section_and_the_callback_over_both()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
        [
            new("Groundwork:Namespace", "of-section"), new("Groundwork:Zone", "of-section"),
            new("Groundwork:Metadata:team", "shop"),
            new("GROUNDWORK_NAMESPACE", "of-variable"),
            new("GROUNDWORK_ADDRESS", "http://a:1, https://b:2"),
            new("GROUNDWORK_INSTANCE_ID", "orders-1"),
        ]).Build();
        var options = new GroundworkOptions();

        options.ReadFrom(configuration);
        options.Settle("Orders");

        Assert.Equal("of-variable", options.Namespace);
        Assert.Equal("of-section", options.Zone);
        Assert.Equal("shop", options.Metadata["team"]);
        Assert.Equal(["http://a:1", "https://b:2"], options.Addresses);
        Assert.Equal("orders-1", options.InstanceId);
        Assert.Equal("orders", options.ServiceName);
        Assert.Equal(["shared", "orders"], options.SettingGroups);
    }

    [Fact]
    public void Without_an_address_the_platform_is_looked_for_on_this_machine()
    {
        var options = new GroundworkOptions();

        options.Settle("orders");

        Assert.Equal(["http://127.0.0.1:7400"], options.Addresses);
    }

    [Fact]
    public async Task Adding_it_twice_is_refused()
    {
        await using var platform = await PlatformStub.StartAsync();

        Assert.Throws<InvalidOperationException>(() =>
        {
            ClientHost.Build(platform.Address, null, before: builder => builder.AddGroundwork(options =>
            {
                options.DiskSnapshot = false;
                options.StartupTimeout = TimeSpan.Zero;
            }));
        });
    }
}
