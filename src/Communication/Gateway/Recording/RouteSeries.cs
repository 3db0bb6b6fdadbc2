using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace Groundwork.Communication.Gateway.Recording;

/// <summary>What is counted of the requests of one route.</summary>
internal sealed class RouteSeries(string name)
{
    /// <summary>Codes beside statuses: those of the catalogue, and ours. A bound, so that it has one.</summary>
    private const int MaxCodes = 256;

    private const int Classes = 6; // 1xx to 5xx; 0 for what is none.
    private const int Duration = Classes;
    private static readonly int Micros = Duration + LatencyBuckets.Count;
    private readonly ShardedCells cells = new(Micros + 5);
    private readonly ConcurrentDictionary<(int Class, string Code), StrongBox<long>> codes = new();

    /// <summary>As <c>/metrics</c> has it: the route's name; empty for requests that no route takes.</summary>
    public string Name => name;

    public void Count(int status, string? code, long micros, long bytesIn, long bytesOut, int attempts)
    {
        var row = cells.Mine;
        var kind = status is >= 100 and < 600 ? status / 100 : 0;
        if (code is null) ShardedCells.Add(row, kind, 1);
        else Interlocked.Increment(ref CellOf(kind, code).Value);
        ShardedCells.Add(row, Duration + LatencyBuckets.IndexOf(micros), 1);
        ShardedCells.Add(row, Micros, micros);
        if (bytesIn > 0) ShardedCells.Add(row, Micros + 1, bytesIn);
        ShardedCells.Add(row, Micros + 2, bytesOut);
        if (attempts == 0) return;
        ShardedCells.Add(row, Micros + 3, attempts);
        if (attempts > 1) ShardedCells.Add(row, Micros + 4, attempts - 1);
    }

    public RouteReading Read()
    {
        var answers = new List<(int, string?, long)>();
        for (var kind = 0; kind < Classes; kind++)
            if (cells[kind] is > 0 and var count) answers.Add((kind, null, count));
        foreach (var ((kind, code), count) in codes) answers.Add((kind, code, Interlocked.Read(ref count.Value)));
        return new RouteReading(
            name, [.. answers.Order()], cells.Read(Duration, LatencyBuckets.Count), cells[Micros] / 1_000_000.0,
            cells[Micros + 1], cells[Micros + 2], cells[Micros + 3], cells[Micros + 4]);
    }

    private StrongBox<long> CellOf(int kind, string code)
    {
        if (codes.TryGetValue((kind, code), out var cell)) return cell;
        return codes.GetOrAdd((kind, codes.Count < MaxCodes ? code : "other"), static _ => new StrongBox<long>());
    }
}

/// <summary>What has been counted of a route's requests so far.</summary>
/// <param name="Answers">By the first digit of the status and the code of the fault; null where there was none.</param>
internal sealed record RouteReading(
    string Name,
    IReadOnlyList<(int Class, string? Code, long Count)> Answers,
    long[] Durations,
    double Seconds,
    long BytesIn,
    long BytesOut,
    long Attempts,
    long Retries);
