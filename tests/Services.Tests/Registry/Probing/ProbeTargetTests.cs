using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Policies;
using Groundwork.Services.Registry.Probing;

namespace Groundwork.Services.Tests.Registry.Probing;

public sealed class ProbeTargetTests
{
    private static readonly Instance Instance = new(LeasedRegistry.Key("x"), "10.0.0.1", 80);

    /// <summary>A letter is a probe, w well or f failing, and a verdict: C critical, P passing, - as before.</summary>
    [Theory]
    [InlineData("w", "P")]
    [InlineData("wwff", "P---")]
    [InlineData("wfffff", "P--C--")]
    [InlineData("fffwfww", "--C---P")] // Two in a row, or it is still ill.
    [InlineData("ffwffw", "--P---")]
    public void Verdict_changes_after_so_many_in_a_row(string probes, string verdicts)
    {
        var target = new ProbeTarget(Instance.Key, known: null) { Spec = new ProbeSpec("tcp"), Instance = Instance };
        var found = probes.Select(probe => target.Judge(probe == 'w' ? null : "refused", DateTimeOffset.UnixEpoch)?
            .Check.State switch
            {
                CheckState.Critical => 'C',
                CheckState.Passing => 'P',
                _ => '-',
            });
        Assert.Equal(verdicts, string.Concat(found));
    }

    [Fact]
    public void Words_of_a_strange_server_are_made_fit_for_the_store()
    {
        var target = new ProbeTarget(Instance.Key, known: null)
        {
            Spec = new ProbeSpec("http", UnhealthyAfter: 1), Instance = Instance,
        };
        var found = target.Judge($"it said '\0\ud800\n'{new string('x', 2000)}", DateTimeOffset.UnixEpoch);
        Assert.StartsWith("it said '???'x", found?.Check.Reason, StringComparison.Ordinal);
        Assert.Equal(RegistryLimits.MaxReasonLength, found?.Check.Reason?.Length);
    }

    [Fact]
    public void Who_was_ill_before_a_hand_over_is_ill_until_seen_well_often_enough()
    {
        var known = new Check("probe", CheckState.Critical, "refused", DateTimeOffset.UnixEpoch, ProbeResult.Source);
        var target = new ProbeTarget(Instance.Key, known) { Spec = new ProbeSpec("tcp"), Instance = Instance };
        Assert.Null(target.Judge(wrong: null, DateTimeOffset.UnixEpoch));
        Assert.Equal(CheckState.Passing, target.Judge(wrong: null, DateTimeOffset.UnixEpoch)?.Check.State);
    }
}
