using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Registry.Policies;
using Groundwork.Wire;

namespace Groundwork.Services.Tests.Registry.Policies;

public sealed class PolicyKindTests
{
    [Theory]
    [InlineData("{}", "spec")]
    [InlineData("""{"weight":-1}""", "spec.weight")]
    [InlineData("""{"weight":10001}""", "spec.weight")]
    [InlineData("""{"status":"starting"}""", "spec.status")]
    [InlineData("""{"status":"up","disabled":true}""", "spec.disabled")]
    [InlineData("""{"weight":1,"reason":""}""", "spec.reason")]
    [InlineData("""{"weight":1,"reason":"a\u0000b"}""", "spec.reason")]
    public void Override_with_a_fault_names_its_field(string spec, string field) =>
        Assert.Equal([field], Faults(InstanceOverrideKind.Kind, spec));

    [Theory]
    [InlineData("""{"protectionThreshold":1.1}""", "spec.protectionThreshold")]
    [InlineData("""{"probe":{"type":"icmp"}}""", "spec.probe.type")]
    [InlineData("""{"probe":{"type":"tcp","path":"/x"}}""", "spec.probe.path")]
    [InlineData("""{"probe":{"type":"http","path":"x"}}""", "spec.probe.path")]
    [InlineData("""{"probe":{"type":"http","path":"/a b"}}""", "spec.probe.path")]
    [InlineData("""{"probe":{"type":"http","path":"/a\r\nX: y"}}""", "spec.probe.path")]
    [InlineData("""{"probe":{"type":"http","expectedStatus":"299-200"}}""", "spec.probe.expectedStatus")]
    [InlineData("""{"probe":{"type":"http","expectedStatus":"ok"}}""", "spec.probe.expectedStatus")]
    [InlineData("""{"probe":{"type":"http","intervalSeconds":1,"timeoutMs":1001}}""", "spec.probe.timeoutMs")]
    [InlineData("""{"probe":{"type":"http","intervalSeconds":0,"timeoutMs":50}}""",
        "spec.probe.intervalSeconds spec.probe.timeoutMs")]
    [InlineData("""{"probe":{"type":"http","unhealthyAfter":0}}""", "spec.probe.unhealthyAfter")]
    [InlineData("""{"probe":{"type":"http","port":"a/b"}}""", "spec.probe.port")]
    public void Policy_with_a_fault_names_its_field(string spec, string fields) =>
        Assert.Equal(fields.Split(' '), Faults(ServicePolicyKind.Kind, spec));

    [Theory]
    [InlineData("default/orders/10.0.0.7:8080", true)]
    [InlineData("default/orders", false)]
    [InlineData("a@@b/orders/1", false)]
    [InlineData("default/orders/1/2", false)]
    public void Override_is_named_by_group_service_and_id(string name, bool right)
    {
        var key = new ResourceKey(InstanceOverrideKind.Name, "default", name);
        Assert.Equal(right, InstanceOverrideKind.KeyOf(key) is not null);
    }

    private static string[] Faults<TSpec>(Kind<TSpec> kind, string spec)
        where TSpec : class
    {
        var faults = new List<FieldFault>();
        var read = JsonSerializer.Deserialize(spec, (JsonTypeInfo<TSpec>)kind.SpecTypeInfo);
        kind.Validate!(read!, faults); // Both kinds have rules, and no spec here is null.
        return [.. faults.Select(fault => fault.Path)];
    }
}
