using FsCheck;
using FsCheck.Fluent;
using Groundwork.Services.Registry;

namespace Groundwork.Services.Tests.Registry;

/// <summary>
/// Random sequences of what instances, callers and the machine do, against what the registry promises.
/// </summary>
public sealed class RegistryModelTests
{
    private static readonly string[] Names = ["a", "b", "c", "d", "e"];

    [Fact]
    public void No_list_shrinks_without_a_record_and_no_index_goes_back() => Check(new Rules());

    /// <summary>The rules themselves are tested: each must see the violation that is planted for it.</summary>
    [Theory]
    [InlineData(Planted.SilentRemoval)]
    [InlineData(Planted.IndexGoesBack)]
    [InlineData(Planted.ChangeWithoutIndex)]
    [InlineData(Planted.EvictsTheLiving)]
    public void Planted_violation_is_found(Planted planted) =>
        Assert.ThrowsAny<Exception>(() => Check(new Rules { Planted = planted }));

    public enum Planted { None, SilentRemoval, IndexGoesBack, ChangeWithoutIndex, EvictsTheLiving }

    private static void Check(Rules rules)
    {
        var steps = AnyStep().ListOf().Resize(60).ToArbitrary();
        Prop.ForAll(steps, list => rules.Run(list)).Check(
            Config.QuickThrowOnFailure.WithMaxTest(Groundwork.Tests.Support.LongRun.Count(150, 5000)));
    }

    private static Gen<Step> AnyStep() => Gen.OneOf(
        Name(name => new Step(Act.Register, name)),
        Name(name => new Step(Act.Register, name)),
        Name(name => new Step(Act.Renew, name)),
        Name(name => new Step(Act.Renew, name)),
        Name(name => new Step(Act.Deregister, name)),
        Name(name => new Step(Act.Drain, name)),
        Name(name => new Step(Act.Fail, name)),
        Gen.Choose(1, 20).Select(seconds => new Step(Act.Pass, Seconds: seconds)),
        Gen.Choose(3, 60).Select(seconds => new Step(Act.Stall, Seconds: seconds)));

    private static Gen<Step> Name(Func<string, Step> make) => Gen.Elements(Names).Select(make);

    public enum Act { Register, Renew, Deregister, Drain, Fail, Pass, Stall }

    public sealed record Step(Act Act, string Name = "", int Seconds = 0);

    private sealed class Rules
    {
        public Planted Planted { get; init; }

        public void Run(IEnumerable<Step> steps)
        {
            var leased = new LeasedRegistry();
            var heard = new Dictionary<string, double>(); // Seconds since the last sign of life, without stalls.
            var before = Observe(leased);
            foreach (var step in steps)
            {
                Do(leased, step, heard);
                var after = Plant(Observe(leased), before, leased, step);
                AssertKept(before, after, leased, step);
                before = after;
            }
        }

        private static void Do(LeasedRegistry leased, Step step, Dictionary<string, double> heard)
        {
            var key = LeasedRegistry.Key(step.Name);
            switch (step.Act)
            {
                case Act.Register:
                    leased.Register(step.Name);
                    heard[step.Name] = 0;
                    break;
                case Act.Renew:
                    if (leased.Registry.Renew(key, null) is null) heard[step.Name] = 0;
                    else Assert.DoesNotContain(
                        step.Name, leased.Registry.FindFresh(LeasedRegistry.Orders) is null ? [] : leased.Ids());
                    break;
                case Act.Deregister:
                    leased.Registry.Deregister(key, null, "test");
                    heard.Remove(step.Name);
                    break;
                case Act.Drain:
                    leased.Registry.Drain(key, "test");
                    break;
                case Act.Fail:
                    for (var time = 0; time < 3; time++) leased.Registry.ReportOutcome(key, CallOutcome.ConnectFailed);
                    break;
                case Act.Pass:
                    leased.PassSeconds(step.Seconds);
                    foreach (var name in heard.Keys.ToArray()) heard[name] += step.Seconds;
                    break;
                default:
                    leased.Stall(step.Seconds);
                    leased.Expiry.Tick();
                    break;
            }
            if (leased.Registry.FindFresh(LeasedRegistry.Orders) is null) return;
            var ids = leased.Ids();
            // A slot of the wheel is the only slack.
            foreach (var (name, seconds) in heard)
                Assert.True(seconds > 14.7
                    || ids.Contains(name), $"{name} was heard {seconds} s ago and is not listed");
        }

        private static void AssertKept(Observed before, Observed after, LeasedRegistry leased, Step step)
        {
            Assert.True(after.Index >= before.Index, $"the index went back after {step}");
            if (!after.Instances.SequenceEqual(before.Instances))
                Assert.True(after.Index > before.Index, $"the list changed without an index after {step}");
            var records = leased.Events();
            foreach (var gone in before.Ids.Except(after.Ids))
                Assert.True(
                    records.Contains($"deregistered {gone}") || records.Contains($"expired {gone}"),
                    $"{gone} left without a record after {step}");
            if (after.Ids.Length == 0 && before.Ids.Length > 0) Assert.NotNull(leased.View().EmptyReason);
            if (after.Up > 0) Assert.True(after.Callable > 0, $"instances are up and none is callable after {step}");
            // Whatever the machine does: only a deregistration or a drain takes the last one.
            if (step.Act is Act.Pass or Act.Stall && before.Up > 0) Assert.NotEmpty(after.Ids);
        }

        private Observed Plant(Observed after, Observed before, LeasedRegistry leased, Step step) => Planted switch
        {
            Planted.SilentRemoval when after.Ids.Length > 1 && leased.Events().All(
                happened => !happened.EndsWith(after.Ids[0], StringComparison.Ordinal)
                    || happened.StartsWith("registered", StringComparison.Ordinal)) =>
                after with { Ids = after.Ids[1..] },
            Planted.IndexGoesBack when before.Index > 2 => after with { Index = before.Index - 1 },
            Planted.ChangeWithoutIndex => after with { Index = 1 },
            Planted.EvictsTheLiving when step.Act == Act.Pass && before.Up > 0 => after with { Ids = [] },
            _ => after,
        };

        private static Observed Observe(LeasedRegistry leased)
        {
            var view = leased.Registry.FindFresh(LeasedRegistry.Orders);
            if (view is null) return new Observed(0, [], [], 0, 0);
            return new Observed(
                view.Index,
                [.. view.Instances.Select(instance => instance.Key.Id)],
                [.. view.Instances.Select(instance => $"{instance.Key.Id} {instance.Status} {instance.Health.State}")],
                view.Instances.Count(instance => instance.Status == InstanceStatus.Up),
                view.Callable.Length);
        }
    }

    private sealed record Observed(long Index, string[] Ids, string[] Instances, int Up, int Callable);
}
