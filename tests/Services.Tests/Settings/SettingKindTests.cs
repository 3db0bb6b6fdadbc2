using System.Text.Json;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Settings;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Settings;

public sealed class SettingKindTests
{
    [Theory]
    [InlineData("shop/catalog.yaml", true)]
    [InlineData("shop/eu/catalog.yaml", true)]
    [InlineData("catalog.yaml", false)]
    public void A_name_has_a_group_and_a_data_id(string name, bool right)
    {
        var faults = new List<FieldFault>();
        var key = new ResourceKey(SettingKind.Name, "default", name);

        SettingKind.Kind.ValidateAgainst!(Snapshot.Empty("store", 1), key, new SettingSpec("text", ""), faults);

        Assert.Equal(right, faults.Count == 0);
        if (!right) Assert.Equal("name", faults[0].Path);
    }

    [Fact]
    public void The_group_is_the_first_segment() =>
        Assert.Equal(("shop", "eu/catalog.yaml"), SettingKind.Split("shop/eu/catalog.yaml"));

    [Fact]
    public void A_description_has_a_bound()
    {
        var faults = new List<FieldFault>();
        SettingKind.Kind.Validate!(new SettingSpec("text", "", Description: new string('x', 513)), faults);
        Assert.Equal("spec.description", Assert.Single(faults).Path);
    }

    [Theory]
    [InlineData("""{"format":"text","content":"x","secret":true}""", true)]
    [InlineData("""{"format":"text","content":{"secret":"sha256:00"},"secret":true}""", true)]
    [InlineData("""{"format":"text","content":"x","secret":false}""", false)]
    [InlineData("""{"format":"text","content":"x"}""", false)]
    public void A_setting_says_itself_whether_its_content_is_secret(string spec, bool secret) =>
        Assert.Equal(secret, SettingKind.Kind.HoldsSecrets(JsonDocument.Parse(spec).RootElement));

    [Fact]
    public void Faults_of_one_content_have_a_bound()
    {
        var faults = new List<FieldFault>();
        var content = string.Concat(Enumerable.Repeat("a=1\n", 1000));
        SettingKind.Kind.Validate!(new SettingSpec("properties", content), faults);
        Assert.Equal(50, faults.Count);
    }
}
