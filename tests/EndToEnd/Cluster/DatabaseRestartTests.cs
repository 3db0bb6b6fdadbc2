using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Tests.EndToEnd.Cluster;

/// <summary>
/// The database crashes and is restarted under changes and registrations on both nodes: nothing that was acknowledged
/// is lost or doubled, what is in memory goes on, and nobody has to do anything.
/// </summary>
[Collection(LoadedMachine.Name)]
public sealed class DatabaseRestartTests : IAsyncLifetime
{
    private const int WritersPerNode = 3;
    private const int RegistrationsPerNodeAndSecond = 50;
    private const int PageSize = 500;

    private readonly PostgresServer server = new();
    private readonly CancellationTokenSource ending = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        ending.Dispose();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task Database_that_crashes_and_restarts_under_load_loses_nothing_doubles_nothing_and_needs_nobody()
    {
        await using var pair = await NodePair.StartAsync(server);
        using var a = pair.A.Local();
        using var b = pair.B.Local();
        var writers = new[] { (a, "a"), (b, "b") }.SelectMany(node => Enumerable.Range(0, WritersPerNode)
            .Select(number => new RepeatingWriter(node.Item1, $"restart/{node.Item2}{number}"))).ToList();
        // Contents of settings come from the database once; those that change are not read here.
        await new RepeatingWriter(a, "steady/one").WriteAsync(0);
        var writing = writers.Select(writer => writer.RunAsync(ending.Token)).ToList();
        var readers = new[] { new SteadyReader(a), new SteadyReader(b) };
        var reading = readers.Select(reader => reader.RunAsync(ending.Token)).ToList();
        var loads = new[] { (a, "a"), (b, "b") }.Select(node => RegistrationLoad.Start(
            node.Item1, node.Item2, RegistrationsPerNodeAndSecond, ending.Token)).ToList();
        await ProgressAsync(writers, writing, "before");

        for (var round = 0; round < LongRun.Count(usual: 1, whole: 5); round++)
        {
            await server.CrashAsync();
            await AwayAsync(a, b, readers, loads);
            await server.StartAsync();
            await ProgressAsync(writers, writing, "after the crash");
            await server.RestartAsync();
            await ProgressAsync(writers, writing, "after the restart");
        }

        await ending.CancelAsync();
        await Task.WhenAll([.. writing, .. reading, .. loads.Select(load => load.Completion)]);
        Assert.All(readers, reader => Assert.Empty(reader.Failures));
        Assert.All(loads, load => Assert.Equal(0, load.Failed));
        Assert.All(
            writers.SelectMany(writer => writer.Refusals),
            code => Assert.Equal(ErrorCodes.StorageUnavailable.Code, code));
        foreach (var client in new[] { a, b })
        {
            foreach (var writer in writers) Assert.Equal(writer.Revisions, await HistoryAsync(client, writer.Name));
            await HasAllAsync(client, loads);
        }
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{writers.Sum(writer => writer.Revisions.Count)} changes, {loads.Sum(load => load.Acknowledged.Count)} "
            + $"registrations, {readers.Sum(reader => reader.Answered)} reads; "
            + $"{writers.Sum(writer => writer.Refusals.Count)} writes refused and repeated");
    }

    /// <summary>While the database is away: writes are refused and all else goes on, and the node says so.</summary>
    private static async Task AwayAsync(
        HttpClient a, HttpClient b, SteadyReader[] readers, List<RegistrationLoad> loads)
    {
        await Task.WhenAll(RefusesAsync(a), RefusesAsync(b));
        var reads = readers.Select(reader => reader.Answered).ToList();
        var registered = loads.Select(load => load.Acknowledged.Count).ToList();
        await Eventually.TrueAsync(
            () => readers.Zip(reads).All(pair => pair.First.Answered >= pair.Second + 10)
                && loads.Zip(registered).All(pair => pair.First.Acknowledged.Count >= pair.Second + 10),
            "reads and registrations go on");
    }

    private static async Task RefusesAsync(HttpClient client)
    {
        // A writer under way may have been committing as the server went: it waits to hear what became of that.
        await Eventually.TrueAsync(
            () => new RepeatingWriter(client, "restart/refused").IsRefusedAsync(), "a write is refused");
        await Eventually.PassesAsync(
            async () =>
            {
                var health = await client.GetFromJsonAsync("/health/ready", WireJson.Lenient.HealthDocument);
                Assert.Equal("degraded", health!.Status);
                Assert.Contains(health.Reasons, reason => reason.StartsWith("store:", StringComparison.Ordinal));
            },
            TimeSpan.FromMinutes(1));
    }

    private static async Task ProgressAsync(List<RepeatingWriter> writers, List<Task> writing, string when)
    {
        var before = writers.Select(writer => writer.Acknowledged).ToList();
        await Eventually.TrueAsync(
            async () =>
            {
                foreach (var failed in writing.Where(task => task.IsFaulted)) await failed;
                return writers.Zip(before).All(pair => pair.First.Acknowledged >= pair.Second + 5);
            },
            $"every writer goes on {when}", TimeSpan.FromMinutes(1));
    }

    /// <summary>Revisions of a resource, oldest first.</summary>
    private static async Task<List<long>> HistoryAsync(HttpClient client, string name)
    {
        var revisions = new List<long>();
        string? page = null;
        do
        {
            var path = $"history/setting/default/{name}?limit={PageSize}"
                + (page is null ? "" : $"&page={Uri.EscapeDataString(page)}");
            var list = await client.GetFromJsonAsync(path, WireJson.Lenient.HistoryList);
            revisions.AddRange(list!.Items.Select(entry => entry.Revision));
            page = list.NextPage;
        }
        while (page is not null);
        revisions.Reverse();
        return revisions;
    }

    private static Task HasAllAsync(HttpClient client, List<RegistrationLoad> loads) =>
        Eventually.PassesAsync(async () =>
        {
            foreach (var service in loads.SelectMany(load => load.Acknowledged).GroupBy(one => one.Service))
            {
                var document = await client.GetFromJsonAsync(
                    $"registry/services/default/{service.Key}", WireJson.Lenient.ServiceDocument);
                Assert.Equal(
                    service.Select(one => one.Id).Order(StringComparer.Ordinal),
                    document!.Instances.Select(instance => instance.Id).Order(StringComparer.Ordinal));
            }
        });

    /// <summary>Writes one resource again and again, each change until it is acknowledged, under one key.</summary>
    private sealed class RepeatingWriter(HttpClient client, string name)
    {
        private int acknowledged;

        public string Name => name;

        /// <summary>Of every acknowledged change, in order. The writer's own until it has ended.</summary>
        public List<long> Revisions { get; } = [];

        public int Acknowledged => Volatile.Read(ref acknowledged);

        /// <summary>Codes of the writes that were refused.</summary>
        public ConcurrentQueue<string> Refusals { get; } = [];

        public async Task RunAsync(CancellationToken ending)
        {
            // The change under way is brought to its end: what became of it must be known.
            for (var number = 0; !ending.IsCancellationRequested; number++) await WriteAsync(number);
        }

        public async Task WriteAsync(int number)
        {
            var key = Guid.CreateVersion7(TimeProvider.System.GetUtcNow());
            ChangesetAnswer? answer;
            while ((answer = await TryAsync(number, key)) is null)
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            Revisions.Add(answer.Revision);
            Interlocked.Increment(ref acknowledged);
            // Whoever did not hear the answer asks again, and hears the first one.
            if (number % 10 == 0 && await TryAsync(number, key) is { } again)
                Assert.Equal(answer.Revision, again.Revision);
        }

        public async Task<bool> IsRefusedAsync()
        {
            var key = Guid.CreateVersion7(TimeProvider.System.GetUtcNow());
            return await TryAsync(0, key) is null
                && Refusals.Contains(ErrorCodes.StorageUnavailable.Code);
        }

        private async Task<ChangesetAnswer?> TryAsync(int number, Guid key)
        {
            using var request = new HttpRequestMessage(HttpMethod.Put, $"resources/setting/default/{name}")
            {
                Content = JsonContent.Create(new { spec = new { format = "text", content = $"{number}" } }),
            };
            request.Headers.Add(HeaderNames.IdempotencyKey, key.ToString());
            using var response = await client.SendAsync(request);
            if (response.IsSuccessStatusCode)
                return await response.Content.ReadFromJsonAsync(WireJson.Lenient.ChangesetAnswer);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
            var problem = await response.Content.ReadFromJsonAsync(WireJson.Lenient.ProblemDocument);
            Refusals.Enqueue(problem!.Code);
            return null;
        }
    }

    /// <summary>Reads what is in memory, all the time.</summary>
    private sealed class SteadyReader(HttpClient client)
    {
        private static readonly string[] paths =
            ["resources/setting?prefix=restart/", "settings/default?group=steady", "registry/services"];

        private int answered;

        public int Answered => Volatile.Read(ref answered);

        public ConcurrentQueue<string> Failures { get; } = [];

        public async Task RunAsync(CancellationToken ending)
        {
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            try
            {
                while (await timer.WaitForNextTickAsync(ending))
                {
                    foreach (var path in paths)
                    {
                        using var answer = await client.GetAsync(path, ending);
                        if (answer.IsSuccessStatusCode) Interlocked.Increment(ref answered);
                        else Failures.Enqueue($"{path}: {await answer.Content.ReadAsStringAsync(ending)}");
                    }
                }
            }
            catch (OperationCanceledException)
            {
                // The test has seen enough.
            }
        }
    }
}
