using System.Globalization;
using Groundwork.Kernel.Cluster;
using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Storage.Postgres;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Kernel.Tests.Cluster;

/// <summary>
/// A process of its own that does the work of one named lease. It never asks whether it still holds the lease, as work
/// under way cannot: only the fencing token stands between it and a late write.
/// </summary>
public sealed class LeaseWorker
{
    public const string DatabaseVariable = "LEASE_DATABASE";
    public const string NameVariable = "LEASE_WORKER";
    public const string Lease = "sample-work";

    /// <summary>Long enough for a loaded machine to renew in time, short enough to wait for its end.</summary>
    public static readonly TimeSpan Length = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromMilliseconds(20);

    public static Migration Tables { get; } = new(
        "sample",
        1,
        "CREATE TABLE sample_work ("
        + "position {id} PRIMARY KEY, worker TEXT NOT NULL, token BIGINT NOT NULL, shift BIGINT NOT NULL)",
        "CREATE TABLE sample_refused (worker TEXT NOT NULL, token BIGINT NOT NULL)");

    /// <summary>What the process runs, until it is killed.</summary>
    [Fact(Explicit = true)]
    public async Task Run()
    {
        var name = Environment.GetEnvironmentVariable(NameVariable) ?? throw new InvalidOperationException(
            $"{NameVariable} is not set.");
        var options = new PostgresOptions
        {
            ConnectionString = Environment.GetEnvironmentVariable(DatabaseVariable) ?? "",
        };
        await using var storage = await PostgresStorage.OpenAsync(
            options, TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None);
        var leases = new Leases(storage, name, TimeProvider.System, NullLoggerFactory.Instance);
        while (true)
        {
            var taken = await leases.TryAcquireAsync(Lease, Length, CancellationToken.None);
            if (taken.TryGet(out var held, out _)) await using (held) await WorkAsync(storage, name, held.Token);
            await Task.Delay(BetweenAttempts, TimeProvider.System);
        }
    }

    private static async Task WorkAsync(IStorage storage, string name, FencingToken token)
    {
        while (true)
        {
            try
            {
                await storage.WriteAsync(session => Write(session, name, token), CancellationToken.None);
            }
            catch (LeaseLostException)
            {
                await storage.WriteAsync(
                    session => session.Execute(
                        "INSERT INTO sample_refused(worker, token) VALUES($1, $2)", name, token.Token),
                    CancellationToken.None);
                return;
            }
            catch (StorageException)
            {
                // The server has ended a transaction that stood still with the process. The work goes on with the next.
            }
            await Task.Delay(BetweenAttempts, TimeProvider.System);
        }
    }

    // The check comes after the work: the refusal takes the row back with it.
    private static bool Write(ISqlSession session, string name, FencingToken token)
    {
        var shift = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() - session.ReadClock();
        session.Execute(
            "INSERT INTO sample_work(position, worker, token, shift) "
            + "SELECT coalesce(max(position), 0) + 1, $1, $2, $3 FROM sample_work",
            name,
            token.Token,
            shift);
        Leases.Check(session, token);
        return true;
    }

    /// <summary>The environment of a worker's process.</summary>
    public static Dictionary<string, string> EnvironmentOf(string name, string database) =>
        new(StringComparer.Ordinal)
        {
            [NameVariable] = string.Create(CultureInfo.InvariantCulture, $"{name}"),
            [DatabaseVariable] = database,
        };
}
