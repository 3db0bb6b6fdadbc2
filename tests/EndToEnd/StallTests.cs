using System.Net.Http.Json;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Tests.EndToEnd;

/// <summary>
/// A process that stands still, as a paused machine does, must not take its own silence for that of its clients.
/// </summary>
public sealed class StallTests
{
    private const string Service = "stalled";

    /// <summary>Who tries to renew all the time, also while nobody answers: its tries lie in the sockets.</summary>
    private const string Steady = "steady";

    /// <summary>Who has heard no answer, and tries again only a while after the process goes on.</summary>
    private const string Patient = "patient";

    private const int OfEach = 20;

    private static readonly TimeSpan patience = TimeSpan.FromSeconds(1);

    /// <summary>In a long run the lease that instances have by default; else the shortest.</summary>
    private static readonly int leaseSeconds = LongRun.Asked ? 15 : 5;

    /// <summary>Longer than a lease, and than any renewal that was under way vouches for.</summary>
    private static readonly TimeSpan stall = TimeSpan.FromSeconds(LongRun.Asked ? 20 : 6);

    [Fact]
    public async Task Stopped_process_expires_nobody_who_kept_trying_and_the_really_dead_still_go()
    {
        using var directory = new TemporaryDirectory();
        await using var node = await GroundworkProcess.StartAsync(
            directory.Combine("data"), ["run", .. GroundworkProcess.AnyPorts]);
        using var client = node.Local();
        for (var number = 0; number < OfEach; number++)
            foreach (var who in new[] { Steady, Patient }) await RegisterAsync(client, $"{who}-{number:00}");
        using var ending = new CancellationTokenSource();
        var renewing = RenewAsync(node, Steady, ending.Token);
        node.Signal(Signals.Stop);
        await Task.Delay(stall, TimeProvider.System);
        node.Signal(Signals.Continue);
        await Task.Delay(patience, TimeProvider.System);
        var renewingAgain = RenewAsync(node, Patient, ending.Token);
        // It registers after the stall and never renews: when it goes, everybody else has been judged as well.
        await RegisterAsync(client, "dead");
        await Eventually.TrueAsync(
            async () => (await EventsAsync(client)).Any(happened => happened is { Event: "expired", Id: "dead" }),
            "the dead instance goes", TimeSpan.FromSeconds(4 * leaseSeconds + 30));
        await ending.CancelAsync();
        Assert.True(await renewing > 0 && await renewingAgain > 0, "no renewal came through at all");
        Assert.DoesNotContain(
            await EventsAsync(client), happened => happened is { Event: "expired" or "held", Id: not "dead" });
        Assert.Contains(await EventsAsync(client), happened => happened.Event == "stalled");
        var list = await client.GetFromJsonAsync(
            $"registry/services/default/{Service}", WireJson.Lenient.ServiceDocument);
        Assert.Equal(2 * OfEach, list!.Instances.Count);
        Assert.All(list.Instances, instance => Assert.Equal("healthy", instance.Health?.State));
    }

    private static async Task RegisterAsync(HttpClient client, string id)
    {
        using var answer = await client.PutAsJsonAsync(
            "registry/instances", new InstanceDocument(Service, "10.0.0.1", 8080, Id: id, LeaseSeconds: leaseSeconds),
            WireJson.Strict.InstanceDocument);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static async Task<IReadOnlyList<RegistryEventDocument>> EventsAsync(HttpClient client) =>
        (await client.GetFromJsonAsync("registry/events?limit=1000", WireJson.Lenient.RegistryEventList))!.Items;

    /// <summary>Tries three times a lease, as the SDK does, whether or not it is answered. Returns what was.</summary>
    private static async Task<int> RenewAsync(GroundworkProcess node, string who, CancellationToken ending)
    {
        using var client = node.Local();
        client.Timeout = TimeSpan.FromSeconds(leaseSeconds / 3.0);
        var batch = new RenewalBatch(
            [.. Enumerable.Range(0, OfEach).Select(number => new RenewalDocument(Service, $"{who}-{number:00}"))]);
        var answered = 0;
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(leaseSeconds / 3.0), TimeProvider.System);
        try
        {
            do
            {
                try
                {
                    using var answer = await client.PutAsJsonAsync(
                        "registry/renewals", batch, WireJson.Strict.RenewalBatch, ending);
                    if (answer.IsSuccessStatusCode) answered++;
                }
                catch (OperationCanceledException) when (!ending.IsCancellationRequested)
                {
                    // The process stands still; the next tick tries again.
                }
            }
            while (await timer.WaitForNextTickAsync(ending));
        }
        catch (OperationCanceledException)
        {
            // The test has seen enough.
        }
        return answered;
    }
}
