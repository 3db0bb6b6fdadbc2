using System.Net.Http.Json;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Tests.EndToEnd.Cluster;

/// <summary>
/// kill -9 of either node while a thousand instances a second register at both. What is promised: a registration is
/// acknowledged from memory and written within a second, so what was acknowledged longer before the kill is known to
/// the other node; that one takes over the renewals, and no service's index goes back.
/// </summary>
[Collection(LoadedMachine.Name)]
public sealed class NodeKillTests(PostgresServer server)
{
    private const int PerNodeAndSecond = 500;

    /// <summary>A second is promised; another for a machine that is busy with two nodes, a database and this.</summary>
    private static readonly TimeSpan Written = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Load = TimeSpan.FromSeconds(3);

    private readonly Dictionary<string, long> highest = new(StringComparer.Ordinal);

    [Fact]
    public async Task Kill_9_of_a_node_under_registrations_loses_none_older_than_a_second_and_the_other_goes_on()
    {
        await using var pair = await NodePair.StartAsync(server);
        for (var round = 0; round < LongRun.Count(usual: 1, whole: 10); round++)
        {
            var (victim, survivor) = round % 2 == 0 ? ("b", "a") : ("a", "b");
            await KillAsync(pair, victim, survivor, round);
            await pair.StartAsync(victim);
            await CheckIndexesAsync(pair, victim);
        }
    }

    private async Task KillAsync(NodePair pair, string victim, string survivor, int round)
    {
        using var ofVictim = pair[victim].Local();
        using var ofSurvivor = pair[survivor].Local();
        using var ending = new CancellationTokenSource();
        var lost = RegistrationLoad.Start(ofVictim, $"{round}{victim}", PerNodeAndSecond, ending.Token);
        var kept = RegistrationLoad.Start(ofSurvivor, $"{round}{survivor}", PerNodeAndSecond, ending.Token);
        await Task.Delay(Load, TimeProvider.System);
        var killed = TimeProvider.System.GetTimestamp();
        pair[victim].Signal(Signals.Kill);
        await pair[victim].ExitAsync();
        await lost.Completion;
        var promised = lost.Acknowledged
            .Where(one => TimeProvider.System.GetElapsedTime(one.At, killed) > Written).ToList();
        Assert.NotEmpty(promised);
        var count = await RenewAsync(ofSurvivor, promised);
        Assert.Equal(promised.Count, count); // At once, before the survivor knows that the other is dead.
        await ending.CancelAsync();
        await kept.Completion;
        Assert.Equal(0, kept.Failed);
        Note(kept.Acknowledged);
        await CheckIndexesAsync(pair, survivor);
        await HasAllAsync(ofSurvivor, [.. promised, .. kept.Acknowledged]);

        await pair[survivor].PrintsAsync($"Node {victim} is gone");
        Assert.Equal(promised.Count, await RenewAsync(ofSurvivor, promised));
        await HasAllAsync(ofSurvivor, [.. promised, .. kept.Acknowledged]);
        // What the victim has shown and not written is topped for whoever says that he has seen it.
        Note(lost.Acknowledged);
        await CheckIndexesAsync(pair, survivor, sayWhatWasSeen: true);
        var all = await ListAsync(ofSurvivor);
        var known = lost.Acknowledged.Count(one => all.Contains(one.Id));
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{victim} killed: of {lost.Acknowledged.Count} acknowledged there in {Load.TotalSeconds:0} s the other "
            + $"has {known}; {promised.Count} were older than {Written.TotalSeconds:0} s; "
            + $"{kept.Acknowledged.Count} acknowledged by the other");
    }

    private void Note(IEnumerable<Registered> acknowledged)
    {
        foreach (var one in acknowledged)
            highest[one.Service] = Math.Max(highest.GetValueOrDefault(one.Service), one.Index);
    }

    /// <summary>No service's index is lower than the highest that anybody was shown.</summary>
    private async Task CheckIndexesAsync(NodePair pair, string node, bool sayWhatWasSeen = false)
    {
        using var client = pair[node].Local();
        foreach (var (service, seen) in highest)
        {
            var path = $"registry/services/default/{service}" + (sayWhatWasSeen ? $"?index={seen}&wait=1s" : "");
            await Eventually.PassesAsync(async () =>
            {
                var document = await client.GetFromJsonAsync(path, WireJson.Lenient.ServiceDocument);
                Assert.True(
                    document!.Index >= seen, $"{service} is at {document.Index} on {node}, and {seen} was shown");
            });
        }
    }

    private static async Task<int> RenewAsync(HttpClient client, IEnumerable<Registered> instances)
    {
        var renewed = 0;
        foreach (var batch in instances.Chunk(1000))
        {
            var request = new RenewalBatch([.. batch.Select(one => new RenewalDocument(one.Service, one.Id))]);
            using var response = await client.PutAsJsonAsync(
                "registry/renewals", request, WireJson.Strict.RenewalBatch);
            var answer = await response.Content.ReadFromJsonAsync(WireJson.Lenient.RenewalAnswer);
            renewed += answer!.Renewed;
        }
        return renewed;
    }

    private static async Task HasAllAsync(HttpClient client, IReadOnlyCollection<Registered> wanted) =>
        await Eventually.PassesAsync(async () =>
        {
            var all = await ListAsync(client);
            Assert.Empty(wanted.Where(one => !all.Contains(one.Id)).Take(5));
        });

    private static async Task<HashSet<string>> ListAsync(HttpClient client)
    {
        var all = new HashSet<string>(StringComparer.Ordinal);
        for (var number = 0; number < RegistrationLoad.Services; number++)
        {
            var service = await client.GetFromJsonAsync(
                $"registry/services/default/load-{number}", WireJson.Lenient.ServiceDocument);
            all.UnionWith(service!.Instances.Select(instance => instance.Id ?? ""));
        }
        return all;
    }
}
