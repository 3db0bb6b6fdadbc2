using System.Net;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Injection;
using Groundwork.Tests.Support;
using Groundwork.Wire;

namespace Groundwork.Communication.Tests.Gateway.Injection;

/// <summary>Faults that are put in on purpose.</summary>
public sealed class InjectionTests
{
    [Fact]
    public async Task Requests_with_the_header_are_answered_with_the_fault_and_others_pass()
    {
        await using var instance = await WebInstance.NamedAsync("ok");
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll(spec => spec with
        {
            Inject = new InjectSpec(Abort: new AbortSpec(418), Headers: [new FieldMatch("X-Chaos", ["1"])]),
        }).Instances(instance.Address);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Add("X-Chaos", "1");
        using var faulty = await edge.Client.SendAsync(request);
        Assert.Equal((HttpStatusCode)418, faulty.StatusCode);
        Assert.Equal("abort", Assert.Single(faulty.Headers.GetValues("Groundwork-Injected")));
        Assert.Equal(0, instance.Requests);
        using var other = await edge.Client.GetAsync("/");
        Assert.Equal("ok", await other.Content.ReadAsStringAsync());
        Assert.False(other.Headers.Contains("Groundwork-Injected"));
    }

    [Fact]
    public async Task A_percentage_of_them_is_hit()
    {
        await using var instance = await WebInstance.NamedAsync("ok");
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll(spec => spec with { Inject = new InjectSpec(Abort: new AbortSpec(500, 25)) })
            .Instances(instance.Address);
        var hit = 0;
        for (var request = 0; request < 400; request++)
            using (var answer = await edge.Client.GetAsync("/"))
                if (answer.StatusCode == HttpStatusCode.InternalServerError) hit++;
        Assert.InRange(hit, 55, 150); // 100, give or take five deviations.
        Assert.Equal(400 - hit, instance.Requests);
    }

    [Fact]
    public async Task A_delay_lasts_as_long_as_it_says_and_the_request_goes_on()
    {
        var time = new ManualTimeProvider();
        await using var instance = await WebInstance.NamedAsync("ok");
        await using var edge = await TestEdge.StartAsync(time: time);
        edge.RouteAll(spec => spec with { Inject = new InjectSpec(new DelaySpec(5_000)) })
            .Instances(instance.Address);
        var timers = time.ActiveTimers;
        var asked = edge.Client.GetAsync("/");
        await time.TimersAsync(timers + 1);
        time.Advance(TimeSpan.FromMilliseconds(4_999));
        Assert.Equal(0, instance.Requests);
        Assert.False(asked.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        using var answer = await asked;
        Assert.Equal("ok", await answer.Content.ReadAsStringAsync());
        Assert.Equal("delay", Assert.Single(answer.Headers.GetValues("Groundwork-Injected")));
    }

    [Fact]
    public void Wrong_faults_are_told_by_their_fields()
    {
        Assert.Equal(["spec.inject"], Faults(new InjectSpec()));
        Assert.Equal(
            [
                "spec.inject.delay.ms", "spec.inject.delay.percent", "spec.inject.abort.status",
                "spec.inject.abort.percent",
            ],
            Faults(new InjectSpec(new DelaySpec(0, 101), new AbortSpec(200, -1))));
        Assert.Empty(Faults(new InjectSpec(new DelaySpec(1), new AbortSpec())));
    }

    private static IEnumerable<string> Faults(InjectSpec spec)
    {
        var faults = new List<FieldFault>();
        InjectRules.Check(spec, faults);
        return faults.Select(fault => fault.Path);
    }
}
