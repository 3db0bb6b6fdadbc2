using System.Collections.Concurrent;
using System.Net.Http.Json;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Tests.EndToEnd.Cluster;

/// <summary>What a registration was acknowledged with, and when.</summary>
internal sealed record Registered(string Service, string Id, long Index, long At);

/// <summary>
/// Registers ephemeral instances at a node, at a steady pace, until told to stop or the node is gone, and remembers all
/// that was acknowledged.
/// </summary>
internal sealed class RegistrationLoad
{
    /// <summary>Spread over so many services, so that their indexes can be followed one by one.</summary>
    public const int Services = 10;

    /// <summary>So that none expires while a test looks on.</summary>
    private const int LeaseSeconds = 300;

    private const int Workers = 4;

    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(20);

    private readonly ConcurrentQueue<Registered> acknowledged = new();
    private readonly string prefix;
    private int failed;

    private RegistrationLoad(HttpClient client, string prefix, int perSecond, CancellationToken ending)
    {
        this.prefix = prefix;
        var perBeat = perSecond * Beat.TotalSeconds / Workers;
        Completion = Task.WhenAll(
            Enumerable.Range(0, Workers).Select(worker => RunAsync(client, worker, perBeat, ending)));
    }

    public IReadOnlyCollection<Registered> Acknowledged => acknowledged;

    /// <summary>Calls that got no answer, or not a good one.</summary>
    public int Failed => failed;

    public Task Completion { get; }

    public static RegistrationLoad Start(HttpClient client, string prefix, int perSecond, CancellationToken ending) =>
        new(client, prefix, perSecond, ending);

    private async Task RunAsync(HttpClient client, int worker, double perBeat, CancellationToken ending)
    {
        using var timer = new PeriodicTimer(Beat, TimeProvider.System);
        var (number, due) = (0, 0.0);
        try
        {
            while (await timer.WaitForNextTickAsync(ending))
                for (due += perBeat; number < due; number++)
                    await RegisterAsync(client, $"{prefix}-{worker}-{number}", number);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // Told to stop.
        }
        catch (HttpRequestException)
        {
            Interlocked.Increment(ref failed); // The node is gone.
        }
    }

    private async Task RegisterAsync(HttpClient client, string id, int number)
    {
        var service = $"load-{number % Services}";
        var document = new InstanceDocument(service, "10.0.0.1", 8080, Id: id, LeaseSeconds: LeaseSeconds);
        using var response = await client.PutAsJsonAsync(
            "registry/instances", document, WireJson.Strict.InstanceDocument);
        if (!response.IsSuccessStatusCode)
        {
            Interlocked.Increment(ref failed);
            return;
        }
        var answer = await response.Content.ReadFromJsonAsync(WireJson.Lenient.RegistrationAnswer);
        acknowledged.Enqueue(new Registered(service, id, answer!.Index, TimeProvider.System.GetTimestamp()));
    }
}
