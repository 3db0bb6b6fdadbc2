using Groundwork.Communication.Gateway.Calling;

namespace Groundwork.Communication.Gateway.Recording;

/// <summary>What is counted of the calls to one service or upstream, all its instances together.</summary>
internal sealed class UpstreamSeries(string name)
{
    private static readonly int Failures = Enum.GetValues<CallFailure>().Length;
    private static readonly int Micros = Failures + LatencyBuckets.Count;
    private readonly ShardedCells cells = new(Micros + 1);

    public string Name => name;

    /// <summary>A call has brought the head of an answer, or will bring none.</summary>
    public void Count(CallFailure failure, long micros)
    {
        var row = cells.Mine;
        ShardedCells.Add(row, (int)failure, 1);
        if (failure != CallFailure.None) return;
        ShardedCells.Add(row, Failures + LatencyBuckets.IndexOf(micros), 1);
        ShardedCells.Add(row, Micros, micros);
    }

    public UpstreamReading Read() => new(
        name, cells.Read(0, Failures), cells.Read(Failures, LatencyBuckets.Count), cells[Micros] / 1_000_000.0);
}

/// <summary>What has been counted of the calls to a service or upstream so far.</summary>
/// <param name="Calls">By how they ended: see <see cref="CallFailure"/>.</param>
internal sealed record UpstreamReading(string Name, long[] Calls, long[] Latencies, double Seconds)
{
    public long Total => Calls.Sum();

    /// <summary>Those that gave no answer and whose client was there to get one.</summary>
    public long Failed => Total - Calls[(int)CallFailure.None]
        - Calls[(int)CallFailure.ClientBody] - Calls[(int)CallFailure.ClientGone] - Calls[(int)CallFailure.Outrun];
}
