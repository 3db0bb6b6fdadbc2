using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Protocols;

namespace Groundwork.Services.Tests.Registry.Protocols.Sights;

/// <summary>Who registered an instance, and from where.</summary>
public sealed class RegistrarTests
{
    private static readonly Instance One = new(LeasedRegistry.Key("a"), "10.0.0.1", 80);

    [Theory]
    [InlineData("nacos", "Nacos-Java-Client:v1.0.0", "key:orders")]
    [InlineData("eureka", "", "anonymous")]
    [InlineData("consul", "a, b, operator:root", "key:orders")] // A client may say anything.
    [InlineData("groundwork", "x", "operator:admin")]
    public void What_is_described_is_read_back(string protocol, string client, string principal)
    {
        var described = ProtocolCalls.Describe(protocol, client, principal);
        var instance = One with { RegisteredBy = described };
        Assert.Equal(new Registrar(protocol, client, principal), Registrar.Of(instance));
    }

    [Fact]
    public void What_an_older_node_or_nobody_has_said_is_no_fault()
    {
        Assert.Equal(
            new Registrar("", "", ""), Registrar.Of(One with { RegisteredBy = "" }));
        Assert.Equal(
            new Registrar("test", "", ""), Registrar.Of(One with { RegisteredBy = "test" }));
    }

    [Fact]
    public void Another_address_alone_is_no_change_and_it_is_kept_with_the_instance()
    {
        var one = One with { RegisteredFrom = "10.0.0.7" };
        Assert.True(Sameness.Of(one, one with { RegisteredFrom = "10.0.0.8" }));
        Assert.Equal(
            "10.0.0.7", InstanceDocuments.Read(InstanceDocuments.Write(one), HealthCause.Instance).RegisteredFrom);
    }
}
