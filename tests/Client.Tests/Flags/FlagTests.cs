using System.Collections.Immutable;
using System.Text.Json;
using Groundwork.Client.Flags;
using Groundwork.Client.Tests.Support;
using Groundwork.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Groundwork.Client.Tests.Flags;

public sealed class FlagTests
{
    private static readonly JsonElement Vectors = JsonDocument.Parse(
        File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Vectors", "flags.json"))).RootElement;

    [Fact]
    public void Every_vector_has_its_answer()
    {
        var checks = 0;
        foreach (var document in Vectors.GetProperty("documents").EnumerateArray())
        {
            var flags = Flags(document.GetProperty("text").GetString()!); // Every document has a text.
            foreach (var vector in document.GetProperty("cases").EnumerateArray())
            {
                var answer = flags.Evaluate(
                    vector.GetProperty("flag").GetString()!, Context(vector),
                    JsonSerializer.SerializeToElement("mine"));
                Assert.True(
                    Said(answer) == Expected(vector),
                    $"{document.GetProperty("name")}: {vector}: {Said(answer)} instead of {Expected(vector)}");
                checks++;
            }
        }
        Assert.True(checks > 50, $"only {checks} vectors");
    }

    [Fact]
    public void Shares_decide_at_their_hundredth()
    {
        foreach (var vector in Vectors.GetProperty("shares").EnumerateArray())
        {
            var name = vector.GetProperty("flag").GetString()!;
            var user = vector.GetProperty("user").GetString()!;
            var share = vector.GetProperty("share").GetInt32();
            bool IsOn(decimal percent) => Flags(JsonSerializer.Serialize(new
            {
                flags = new Dictionary<string, object>
                {
                    [name] = new
                    {
                        salt = vector.GetProperty("salt").GetString(),
                        rules = new[] { new { name = "r", percent, serve = "on" } },
                    },
                },
            })).IsOn(name, user);

            Assert.False(IsOn(share / 100m));
            Assert.True(IsOn((share + 1) / 100m));
        }
    }

    [Fact]
    public void A_missing_flag_or_one_of_another_type_gives_the_callers_value()
    {
        var flags = Flags("""{"flags":{"size":{"variants":{"s":1,"l":2.5},"default":"l"},"dark":{"default":"on"}}}""");

        Assert.True(flags.IsOn("dark"));
        Assert.True(flags.IsOn("absent", otherwise: true));
        Assert.False(flags.IsOn("absent", "u-1"));
        Assert.True(flags.IsOn("size", otherwise: true));
        Assert.Equal(2.5, flags.Variant("size", default, 7.0));
        Assert.Equal(7, flags.Variant("size", default, 7)); // 2.5 is no whole number.
        Assert.Equal(FlagReason.OtherType, flags.Evaluate("size", default, "m").Reason);
        Assert.Equal("m", flags.Variant("absent", default, "m"));
    }

    [Fact]
    public void A_variants_object_is_read_once_into_the_type_asked_for()
    {
        var flags = Flags(
            "flags:\n  banner:\n    variants: {red: {colour: red, sizes: [1, 0x10]}}\n    default: red\n");

        var banner = flags.Variant("banner", default, new Banner("none", []));

        Assert.Equal("red", banner.Colour);
        Assert.Equal([1, 16], banner.Sizes);
        Assert.Same(banner, flags.Variant("banner", default, new Banner("none", [])));
    }

    [Fact]
    public void Labels_of_the_caller_win_over_the_processs_own()
    {
        const string Text = """
            {"flags":{"a":{"rules":[{"name":"r","labels":{"zone":"eu","plan":["gold","silver"]},"serve":"on"}]}}}
            """;
        var flags = Flags(Text, ("zone", "eu"), ("plan", "free"));
        FlagContext With(params (string Key, string Value)[] labels) =>
            new(null, labels.ToDictionary(one => one.Key, one => one.Value));

        Assert.False(flags.IsOn("a"));
        Assert.True(flags.IsOn("a", With(("plan", "silver"))));
        Assert.False(flags.IsOn("a", With(("plan", "gold"), ("zone", "us"))));
    }

    [Theory]
    [InlineData("""{"flags":{"a":{"rules":[{"name":"r","serve":"on","user":["u"]}]}}}""", "'user'")]
    [InlineData("""{"flags":{"a":{"enable":false}}}""", "'enable'")]
    [InlineData("""{"flags":{},"more":1}""", "'more'")]
    [InlineData("""{"flags":{"a":{"rules":[{"name":"r","serve":"maybe"}]}}}""", "'maybe' is none of its variants")]
    [InlineData("""{"flags":{"a":{"rules":[{"name":"r","serve":{"on":30,"off":60}}]}}}""", "sum to 100")]
    [InlineData("""{"flags":{"a":{"rules":[{"name":"r","serve":"on","percent":0.125}]}}}""", "two decimals")]
    [InlineData("""{"flags":{"a":{"rules":[{"name":"r","serve":"on","percent":"10"}]}}}""", "two decimals")]
    [InlineData("""{"flags":{"a":{"variants":{"x":1}}}}""", "no 'default'")]
    [InlineData("""{"flags":{"a":{},"a":{}}}""", "")]
    [InlineData("flags:\n  a: {}\n  a: {}", "")]
    [InlineData("", "")]
    [InlineData("- 1", "not a mapping")]
    public void A_document_that_is_not_understood_in_full_is_refused(string text, string says)
    {
        var setting = PlatformStub.Setting("orders", "features", "flags", text, 1);

        var outcome = Groundwork.Client.Settings.SettingText.ReadFlags(setting, new FlagExposures());

        Assert.NotNull(outcome.Fault);
        Assert.Contains(says, outcome.Fault.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Asking_for_a_boolean_allocates_nothing()
    {
        const string Text = """
            {"flags":{"a":{"rules":[
              {"name":"users","users":["u-0"],"serve":"on"},{"name":"label","labels":{"zone":"us"},"serve":"on"},
              {"name":"half","percent":50,"serve":{"on":50,"off":50}}]}}}
            """;
        var flags = Flags(Text, ("zone", "eu"));
        var users = Enumerable.Range(0, 100).Select(number => $"u-{number}").ToArray();
        var on = 0;
        void Ask()
        {
            foreach (var user in users)
                if (flags.IsOn("a", user)) on++;
        }

        for (var round = 0; round < 50; round++) Ask(); // Until it is compiled.
        var before = GC.GetAllocatedBytesForCurrentThread();
        Ask();
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(0, allocated);
        Assert.InRange(on, 51 * 10, 51 * 50);
    }

    [Fact]
    public async Task Flags_follow_the_platform_and_what_they_answered_is_reported()
    {
        await using var platform = await PlatformStub.StartAsync();
        platform.Publish(
            ("shared", "features", "flags", """{"flags":{"a":{"default":"on"},"b":{"default":"on"}}}"""),
            ("orders", "features", "flags", """{"flags":{"a":{}}}"""));
        await using var host = await ClientHost.StartAsync(
            platform.Address, configure: options => options.InstanceId = "o-1");
        var flags = host.App.Services.GetRequiredService<GroundworkFlags>();
        Assert.Equal((false, true), (flags.IsOn("a"), flags.IsOn("b")));
        Assert.Null(host.Configuration["features"]);
        await Eventually.TrueAsync(() => platform.OpenStreams == 1, "the watch is open");

        platform.Publish(("orders", "features", "flags", """{"flags":{"a":{"rules":[{"name":"r","wrong":1}]}}}"""));
        await Eventually.TrueAsync(
            () => platform.Receipts.SelectMany(batch => batch.Receipts).Any(receipt => receipt is
                { Group: "orders", DataId: "features", State: "rejected", Revision: 12 }),
            "the document is rejected");
        Assert.False(flags.IsOn("a"));
        platform.Publish(("orders", "features", "flags", null));
        await Eventually.TrueAsync(() => flags.IsOn("a"), "the shared one is in force");

        await host.App.StopAsync();
        var reported = platform.Receipts.SelectMany(batch => batch.Flags ?? [])
            .GroupBy(exposure => (exposure.Flag, exposure.Variant))
            .ToDictionary(group => group.Key, group => group.Sum(exposure => exposure.Count));
        Assert.Equal(1, reported[("b", "on")]);
        Assert.Equal(1, reported[("a", "on")]);
        Assert.True(reported[("a", "off")] >= 2);
    }

    private static GroundworkFlags Flags(string text, params (string Key, string Value)[] labels)
    {
        var table = new FlagTable();
        table.Publish(FlagDocument.Read(text, new FlagExposures()).ToDictionary(flag => flag.Name));
        return new GroundworkFlags(
            table, labels.ToImmutableSortedDictionary(one => one.Key, one => one.Value, StringComparer.Ordinal));
    }

    private static FlagContext Context(JsonElement vector) => new(
        vector.TryGetProperty("user", out var user) ? user.GetString() : null,
        vector.TryGetProperty("labels", out var labels)
            ? labels.EnumerateObject().ToDictionary(label => label.Name, label => label.Value.GetString()!) : null);

    private static string Said(FlagAnswer<JsonElement> answer) => answer.Reason == FlagReason.Unknown
        ? "unknown"
        : $"{answer.Variant} {Text(answer.Value)} {answer.Reason.ToString().ToLowerInvariant()} {answer.Rule}";

    private static string Expected(JsonElement vector) =>
        vector.GetProperty("reason").GetString() is "unknown"
            ? "unknown"
            : $"{vector.GetProperty("variant")} {Text(vector.GetProperty("value"))} {vector.GetProperty("reason")} "
                + (vector.TryGetProperty("rule", out var rule) ? rule.GetString() : "");

    private static string Text(JsonElement value) => JsonSerializer.Serialize(value);

    private sealed record Banner(string Colour, int[] Sizes);
}
