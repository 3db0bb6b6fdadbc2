using System.Text;
using Groundwork.Kernel.Cluster;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage.Sqlite;
using Groundwork.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Load.Scenarios;

/// <summary>
/// The start of a node with as many resources as a kind may have: from the closed file to a snapshot that holds them
/// all.
/// </summary>
internal sealed class OpenScenario : Scenario
{
    private const int SpecBytes = 500;
    private const int PerChangeset = 500;

    public override string Name => "open";

    public override string Question => $"How long does it take to load {Kind.MaxResources} resources of {SpecBytes} B?";

    public override int? Workers => 1;

    public override IReadOnlyList<Contender> Contenders => [new("change log, SQLite", StartAsync)];

    private static async Task<Running> StartAsync(LoadOptions options)
    {
        var directory = Directory.CreateTempSubdirectory("groundwork-load-");
        var root = RootKey.Generate();
        await FillAsync(directory, root);
        return new Running(
            async (_, _) =>
            {
                var (storage, log) = await OpenAsync(directory, root);
                var count = log.Snapshots.Current.Count("bench");
                await log.DisposeAsync();
                await storage.DisposeAsync();
                if (count != Kind.MaxResources) throw new InvalidDataException($"{count} resources");
            },
            Server: null,
            () =>
            {
                directory.Delete(recursive: true);
                return Task.CompletedTask;
            });
    }

    private static async Task FillAsync(DirectoryInfo directory, RootKey root)
    {
        var (storage, log) = await OpenAsync(directory, root);
        var author = new Principal("operator:load", [BuiltInRoles.Administrator]);
        var text = Encoding.UTF8.GetBytes($$"""{"text":"{{new string('x', SpecBytes - 11)}}"}""");
        for (var first = 0; first < Kind.MaxResources; first += PerChangeset)
        {
            var changes = Enumerable.Range(first, PerChangeset).Select(number => new Change(
                ChangeOperation.Put, new ResourceKey("bench", Names.DefaultNamespace, $"r{number}"), text));
            var outcome = await log.CommitAsync(new Changeset(author, [.. changes]), CancellationToken.None);
            if (!outcome.Succeeded) throw new InvalidDataException(outcome.Fault.ToString());
        }
        await log.DisposeAsync();
        await storage.DisposeAsync();
    }

    private static async Task<(SqliteStorage Storage, ChangeLog Log)> OpenAsync(DirectoryInfo directory, RootKey root)
    {
        var storage = await SqliteStorage.OpenAsync(
            new SqliteOptions { Path = Path.Combine(directory.FullName, "store.db") },
            TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None);
        return (storage, await BenchLog.OpenAsync(storage, root));
    }
}
