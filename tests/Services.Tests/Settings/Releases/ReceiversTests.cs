using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using Groundwork.Services.Settings.Readers;
using Groundwork.Services.Settings.Releases;
using Groundwork.Tests.Support;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Settings.Releases;

public sealed class ReceiversTests
{
    private static readonly Gen<string> Word = Gen.Elements("a", "b", "c", "orders", "stock", "x-1", "x-2");

    private static readonly Gen<decimal> Percent = Gen.Choose(0, 10_000).Select(hundredths => hundredths / 100m);

    private static readonly Gen<ReaderIdentity> Reader =
        from service in Word
        from id in Gen.Choose(0, 500)
        from zone in Gen.Elements("", "a", "b")
        select new ReaderIdentity(
            service, $"i{id}",
            zone.Length == 0 ? ReaderIdentity.None.Labels : ReaderIdentity.None.Labels.Add("zone", zone), false);

    private static readonly Gen<GrayReceivers> Receivers =
        from instances in Gen.ListOf(Word.SelectMany(_ => Gen.Choose(0, 500), (word, id) => $"{word}/i{id}"))
        from zone in Gen.Elements<string?>(null, "a", "b")
        from percent in Gen.OneOf(Gen.Constant<decimal?>(null), Percent.Select(value => (decimal?)value))
        select new GrayReceivers(
            instances.Count == 0 ? null : [.. instances],
            zone is null ? null : new Dictionary<string, string> { ["zone"] = zone },
            percent);

    private static Config Config => Config.QuickThrowOnFailure
        .WithMaxTest(LongRun.Count(500, 100_000))
        .WithReplay(new Replay(new Rnd((ulong)LongRun.Random().Next(), 7), FSharpNone<int>()));

    [Fact]
    public void A_wider_percentage_keeps_everybody_it_had() => Check(
        from reader in Reader
        from receivers in Receivers
        from release in Word
        from less in Percent
        from more in Percent
        let narrow = receivers with { Percent = Math.Min(less, more) }
        let wide = receivers with { Percent = Math.Max(less, more) }
        select !Includes(release, narrow, reader) || Includes(release, wide, reader));

    [Fact]
    public void More_instances_and_fewer_labels_keep_everybody_they_had() => Check(
        from reader in Reader
        from receivers in Receivers
        from release in Word
        from another in Reader
        let wider = receivers with { Instances = [.. receivers.Instances ?? [], another.Name] }
        let open = receivers with { Labels = null, Percent = receivers.Percent ?? 100 }
        select !Includes(release, receivers, reader)
            || (Includes(release, wider, reader) && Includes(release, open, reader)));

    [Fact]
    public void Everybody_is_in_a_hundred_percent_and_nobody_in_none() => Check(
        from reader in Reader
        from release in Word
        select Includes(release, new GrayReceivers(Percent: 100), reader)
            && !Includes(release, new GrayReceivers(Percent: 0), reader));

    [Fact]
    public void The_answer_is_that_of_the_documented_hash() => Check(
        from reader in Reader
        from release in Word
        from percent in Percent
        let text = $"{release}\0{reader.Service}/{reader.Instance}"
        let hash = System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text))
        let number = hash.Take(8).Aggregate(System.Numerics.BigInteger.Zero, (sum, part) => (sum * 256) + part)
        let expected = (int)(number % 10_000) < percent * 100
        select Includes(release, new GrayReceivers(Percent: percent), reader) == expected);

    [Fact]
    public void A_percentage_is_about_that_share_of_many_instances()
    {
        var receivers = new GrayReceivers(Percent: 12.5m);
        var count = Enumerable.Range(0, 20_000).Count(id => Includes("r", receivers, Named($"i{id}")));
        Assert.InRange(count, 2_300, 2_700);
    }

    // Published: whoever computes the membership elsewhere, or upgrades, gets the same.
    [Theory]
    [InlineData("prices", "orders/i1", 4440)]
    [InlineData("prices", "orders/i2", 8961)]
    [InlineData("eu-prices", "orders/i1", 5924)]
    public void The_bucket_of_an_instance_never_changes(string release, string reader, int bucket) =>
        Assert.Equal(bucket, ReleaseReceivers.BucketOf(release, reader));

    [Fact]
    public void A_hundredth_of_a_percent_is_one_bucket_of_ten_thousand()
    {
        foreach (var hundredths in new[] { 1, 7, 29, 57, 5_000, 9_999 })
        {
            var receivers = new GrayReceivers(Percent: hundredths / 100m);
            for (var id = 0; id < 2_000; id++)
                Assert.Equal(
                    ReleaseReceivers.BucketOf("r", $"s/i{id}") < hundredths,
                    Includes("r", receivers, Named($"i{id}")));
        }
    }

    [Fact]
    public void A_listed_service_and_labels_reach_who_has_them()
    {
        Assert.True(Includes("r", new GrayReceivers(["s/*"]), Named("any")));
        Assert.False(Includes("r", new GrayReceivers(["t/*"]), Named("any")));
        var zoned = new GrayReceivers(Labels: new Dictionary<string, string> { ["zone"] = "a", ["ring"] = "1" });
        var labels = ReaderIdentity.None.Labels.Add("zone", "a").Add("ring", "1");
        Assert.True(Includes("r", zoned, ReaderIdentity.None with { Labels = labels }));
        Assert.False(Includes("r", zoned, ReaderIdentity.None with { Labels = labels.Remove("ring") }));
        Assert.False(Includes("r", zoned, ReaderIdentity.None with { Labels = labels.SetItem("zone", "A") }));
    }

    private static ReaderIdentity Named(string id) =>
        new("s", id, ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal), false);

    private static bool Includes(string release, GrayReceivers receivers, ReaderIdentity reader) =>
        ReleaseReceivers.Of(release, receivers).Include(reader);

    private static void Check(Gen<bool> property) => Prop.ForAll(property.ToArbitrary(), holds => holds).Check(Config);

    private static Microsoft.FSharp.Core.FSharpOption<T> FSharpNone<T>() =>
        Microsoft.FSharp.Core.FSharpOption<T>.None;
}
