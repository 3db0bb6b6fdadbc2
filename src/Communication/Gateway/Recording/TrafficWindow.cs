using Groundwork.Wire.Contracts;

namespace Groundwork.Communication.Gateway.Recording;

/// <summary>What has gone through lately: looks at the counters now and then, and tells what has been added.</summary>
internal sealed class TrafficWindow : IDisposable
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);

    /// <summary>Looks that are remembered: the oldest, 10 s ago, is what the figures are told against.</summary>
    private const int Looks = 5;

    private readonly TrafficCounters traffic;
    private readonly TimeProvider time;
    private readonly ITimer timer;
    private readonly Lock gate = new();
    private readonly Queue<Sample> samples = new(); // Under the gate; the oldest first.

    public TrafficWindow(TrafficCounters traffic, TimeProvider time)
    {
        this.traffic = traffic;
        this.time = time;
        timer = time.CreateTimer(static self => ((TrafficWindow)self!).Look(), this, TimeSpan.Zero, LookEvery);
    }

    public (double Seconds, IReadOnlyList<GatewayTrafficRow> Routes, IReadOnlyList<GatewayTrafficRow> Upstreams,
        GatewayTrafficRow Total) Read()
    {
        Sample? before;
        lock (gate) samples.TryPeek(out before);
        var now = Take();
        var seconds = before is null ? 0 : time.GetElapsedTime(before.At, now.At).TotalSeconds;
        var routes = now.Routes.Values
            .Select(one => Row(one, before?.Routes.GetValueOrDefault(one.Name), seconds)).ToList();
        var upstreams = now.Upstreams.Values
            .Select(one => Row(one, before?.Upstreams.GetValueOrDefault(one.Name), seconds)).ToList();
        return (seconds, Busy(routes), Busy(upstreams), Total(now, before, seconds));
    }

    public void Dispose() => timer.Dispose();

    private static IReadOnlyList<GatewayTrafficRow> Busy(List<GatewayTrafficRow> rows) =>
        [.. rows.Where(row => row.PerSecond > 0).OrderByDescending(row => row.PerSecond)];

    private void Look()
    {
        var sample = Take();
        lock (gate)
        {
            samples.Enqueue(sample);
            while (samples.Count > Looks) samples.Dequeue();
        }
    }

    private Sample Take() => new(
        time.GetTimestamp(),
        traffic.Routes().ToDictionary(one => one.Name, StringComparer.Ordinal),
        traffic.Upstreams().ToDictionary(one => one.Name, StringComparer.Ordinal));

    private static GatewayTrafficRow Total(Sample now, Sample? before, double seconds)
    {
        var sum = new Sums();
        foreach (var one in now.Routes.Values) sum.Add(one, before?.Routes.GetValueOrDefault(one.Name));
        return sum.ToRow("", seconds);
    }

    private static GatewayTrafficRow Row(RouteReading now, RouteReading? before, double seconds)
    {
        var sum = new Sums();
        sum.Add(now, before);
        return sum.ToRow(now.Name, seconds);
    }

    private static GatewayTrafficRow Row(UpstreamReading now, UpstreamReading? before, double seconds)
    {
        var sum = new Sums { Count = now.Total - (before?.Total ?? 0), Errors = now.Failed - (before?.Failed ?? 0) };
        sum.Add(now.Latencies, before?.Latencies);
        return sum.ToRow(now.Name, seconds);
    }

    private sealed record Sample(
        long At, IReadOnlyDictionary<string, RouteReading> Routes, IReadOnlyDictionary<string, UpstreamReading> Upstreams);

    private sealed class Sums
    {
        private readonly long[] times = new long[LatencyBuckets.Count];
        private long bytes;

        public long Count { get; set; }

        public long Errors { get; set; }

        public void Add(RouteReading now, RouteReading? before)
        {
            Count += All(now) - All(before);
            Errors += Failed(now) - Failed(before);
            bytes += now.BytesOut - (before?.BytesOut ?? 0);
            Add(now.Durations, before?.Durations);
        }

        public void Add(long[] now, long[]? before)
        {
            for (var index = 0; index < times.Length; index++) times[index] += now[index] - (before?[index] ?? 0);
        }

        // A route that was deleted and made again has begun anew.
        public GatewayTrafficRow ToRow(string name, double seconds)
        {
            if (seconds <= 0 || Count <= 0) return new GatewayTrafficRow(name, 0, 0, 0);
            return new GatewayTrafficRow(
                name, Count / seconds, Math.Max(0, Errors) / seconds, Math.Max(0, bytes) / seconds,
                LatencyBuckets.Quantile(times, 0.5), LatencyBuckets.Quantile(times, 0.99));
        }

        private static long All(RouteReading? reading) => reading?.Answers.Sum(answer => answer.Count) ?? 0;

        private static long Failed(RouteReading? reading) =>
            reading?.Answers.Where(answer => answer.Class == 5).Sum(answer => answer.Count) ?? 0;
    }
}
