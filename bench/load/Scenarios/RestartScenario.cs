using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Groundwork.Load.Peers;
using Groundwork.Load.Wire;

namespace Groundwork.Load.Scenarios;

/// <summary>
/// Five thousand clients of one service restart within a second, every second one with a goodbye: each reads its
/// settings, registers, and watches the service that it calls and its settings. Somebody watches the service meanwhile:
/// its list is never empty, and nobody leaves it who has not said goodbye.
/// </summary>
internal sealed class RestartScenario : Scenario
{
    private const int Clients = 5_000;
    private const string Service = "clients";
    private static readonly TimeSpan Spread = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan BetweenStorms = TimeSpan.FromSeconds(5);

    public override string Name => "restart";

    public override string Question =>
        $"{Clients} clients of one service restart within a second: how long until all are back, and at what cost?";

    public override int? Workers => 1;

    public override IReadOnlyList<Contender> Contenders => [new("Groundwork, SQLite", StartAsync)];

    private static async Task<Running> StartAsync(LoadOptions options)
    {
        var node = await GroundworkNode.StartAsync();
        using (var writer = await node.ConnectAsync())
        {
            await writer.SendAsync(node.Request(
                "PUT", "registry/instances", """{"service":"called","id":"i","host":"10.0.0.1","port":8080}"""));
            await writer.SendAsync(node.Request(
                "PUT", $"resources/setting/default/{Service}/storefront.yaml",
                """{"spec":{"format":"yaml","content":"Storefront:\n  Banner: Everything\n"}}"""));
        }
        var clients = Enumerable.Range(0, Clients).Select(number => new Client(node, number)).ToArray();
        foreach (var client in clients) await client.StartAsync();
        var observer = new ListObserver(node);
        await observer.StartAsync();
        var storms = 0;
        return new Running(
            async (_, _) =>
            {
                storms++;
                await Task.WhenAll(clients.Select(client => Task.Run(() => client.RestartAsync(
                    Spread * client.Number / Clients, client.Number % 2 == 0 ? observer : null))));
                await observer.CheckAsync();
            },
            node.Process,
            async () =>
            {
                foreach (var client in clients) client.Dispose();
                await observer.DisposeAsync();
                await node.DisposeAsync();
                Console.Error.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{storms} restarts of {Clients}: {clients.Sum(client => client.Errors)} failed calls; "
                    + $"{observer.Lists} lists seen, the shortest of {observer.Shortest}"));
            })
        {
            Pace = BetweenStorms,
        };
    }

    /// <summary>A client: one connection for its calls, which then watches, and one that watches settings.</summary>
    private sealed class Client(GroundworkNode node, int number) : IDisposable
    {
        private const int BufferBytes = 4 * 1024;
        private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(100);

        private Http1Connection? calls;
        private Http1Connection? settings;
        private int incarnation;

        public int Number => number;

        /// <summary>Calls that failed and were made again.</summary>
        public int Errors { get; private set; }

        public async Task RestartAsync(TimeSpan after, ListObserver? toldTo)
        {
            await Task.Delay(after, TimeProvider.System);
            Dispose();
            if (toldTo is not null)
            {
                toldTo.ExpectLeave($"c{number}");
                await RetryAsync(async () =>
                {
                    using var goodbye = await Http1Connection.OpenAsync(node.Port, BufferBytes);
                    await goodbye.SendAsync(node.Request(
                        "DELETE", $"registry/instances/default/{Service}/c{number}?incarnation={incarnation}"));
                });
            }
            await StartAsync();
        }

        public Task StartAsync()
        {
            incarnation++;
            return RetryAsync(async () =>
            {
                Dispose();
                calls = await Http1Connection.OpenAsync(node.Port, BufferBytes);
                await calls.SendAsync(node.Request("GET", $"settings/default?group=shared&group={Service}"));
                await calls.SendAsync(node.Request(
                    "PUT", "registry/instances",
                    $$"""
                    {"service":"{{Service}}","id":"c{{number}}","host":"10.0.0.1","port":8080,"leaseSeconds":3600,
                    "incarnation":{{incarnation}}}
                    """));
                await calls.WriteAsync(node.Request("GET", "registry/watch?namespace=default&service=called"));
                await FirstAsync(calls, "event: service");
                settings = await Http1Connection.OpenAsync(node.Port, BufferBytes);
                await settings.WriteAsync(node.Request(
                    "GET", $"settings/default/watch?group=shared&group={Service}"));
                await FirstAsync(settings, "event: progress");
            });
        }

        public void Dispose()
        {
            calls?.Dispose();
            settings?.Dispose();
        }

        private async Task RetryAsync(Func<Task> call)
        {
            while (true)
            {
                try
                {
                    await call();
                    return;
                }
                catch (Exception fault) when (fault is SocketException or IOException or InvalidDataException)
                {
                    Errors++;
                    await Task.Delay(RetryAfter, TimeProvider.System);
                }
            }
        }

        private static async Task FirstAsync(Http1Connection stream, string firstLine)
        {
            var events = new EventCounter(Encoding.UTF8.GetBytes(firstLine));
            while (await stream.ReadAsync() is { Length: > 0 } bytes)
                if (events.Add(bytes.Span) > 0) return;
            throw new EndOfStreamException("The stream ended before its first event.");
        }
    }

    /// <summary>Reads every list of the service and holds it against who has said goodbye.</summary>
    private sealed class ListObserver(GroundworkNode node) : IAsyncDisposable
    {
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

        private readonly ConcurrentDictionary<string, bool> leaving = new(StringComparer.Ordinal);
        private readonly CancellationTokenSource ending = new();
        private readonly TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly OrdinaryClient client = new();
        private volatile HashSet<string> present = [];
        private Task reading = Task.CompletedTask;

        public int Lists { get; private set; }

        public int Shortest { get; private set; } = Clients;

        public async Task StartAsync()
        {
            reading = Task.Run(ReadAsync);
            await await Task.WhenAny(begun.Task, reading).WaitAsync(Patience, TimeProvider.System);
        }

        public void ExpectLeave(string id) => leaving[id] = true;

        /// <summary>Waits until the list is whole again.</summary>
        public async Task CheckAsync()
        {
            using var late = new CancellationTokenSource(Patience, TimeProvider.System);
            while (present.Count < Clients)
            {
                if (reading.IsCompleted) await reading;
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, late.Token);
            }
            leaving.Clear();
        }

        public async ValueTask DisposeAsync()
        {
            await ending.CancelAsync();
            try
            {
                await reading;
            }
            catch (OperationCanceledException)
            {
                // As asked.
            }
            client.Dispose();
            ending.Dispose();
        }

        private async Task ReadAsync()
        {
            var path = $"http://127.0.0.1:{node.Port}/groundwork/v1/registry/watch?namespace=default&service={Service}";
            await foreach (var list in client.WatchAsync(new Uri(path), node.AccessKey, ending.Token))
            {
                var ids = new HashSet<string>(StringComparer.Ordinal);
                foreach (var instance in list.Instances) ids.Add(instance.Id ?? "");
                Lists++;
                Shortest = Math.Min(Shortest, ids.Count);
                if (ids.Count == 0) throw new InvalidDataException($"The list is empty: {list.EmptyReason}");
                if (present.FirstOrDefault(id => !ids.Contains(id) && !leaving.ContainsKey(id)) is { } lost)
                    throw new InvalidDataException($"{lost} has left the list and has not said goodbye.");
                present = ids;
                if (ids.Count >= Clients) begun.TrySetResult();
            }
        }
    }
}
