using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;

namespace Groundwork.Kernel.Hosting.Metering;

/// <summary>
/// Shows what the meters of this process count (<c>System.Diagnostics.Metrics</c>, those named <c>Groundwork.*</c>):
/// a module that has such a meter needs nothing else to be at <c>/metrics</c>. Instruments that their owner shows itself
/// by an <see cref="IMetricsSource"/> are left out, so that nothing is counted twice and nothing is paid for unasked.
/// </summary>
internal sealed class MeterReadings : IMetricsSource, IDisposable
{
    /// <summary>Sets of tags of one instrument: more would be something that clients choose.</summary>
    internal const int MaxSeries = 1_000;

    private const string Prefix = "Groundwork.";

    private static readonly double[] DefaultBounds =
        [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

    private readonly ConcurrentDictionary<Instrument, Family> families = new();
    private readonly MeterListener listener = new();
    private readonly Lock scraping = new();
    private long refused; // Interlocked.

    public MeterReadings()
    {
        listener.InstrumentPublished = Publish;
        listener.MeasurementsCompleted = (instrument, _) => families.TryRemove(instrument, out var _);
        listener.SetMeasurementEventCallback<long>((one, value, tags, _) => Take(one, value, tags));
        listener.SetMeasurementEventCallback<int>((one, value, tags, _) => Take(one, value, tags));
        listener.SetMeasurementEventCallback<short>((one, value, tags, _) => Take(one, value, tags));
        listener.SetMeasurementEventCallback<byte>((one, value, tags, _) => Take(one, value, tags));
        listener.SetMeasurementEventCallback<double>((one, value, tags, _) => Take(one, value, tags));
        listener.SetMeasurementEventCallback<float>((one, value, tags, _) => Take(one, value, tags));
        listener.SetMeasurementEventCallback<decimal>((one, value, tags, _) => Take(one, (double)value, tags));
        listener.Start();
    }

    public void Write(MetricsText text)
    {
        lock (scraping)
        {
            foreach (var (instrument, family) in families)
                if (instrument.IsObservable) family.Series.Clear(); // What is not observed any more is gone.
            listener.RecordObservableInstruments();
            var written = new HashSet<string>(StringComparer.Ordinal);
            foreach (var family in families.Values.OrderBy(one => one.Name, StringComparer.Ordinal))
                if (!family.Series.IsEmpty && written.Add(family.Name)) family.Write(text);
        }
        text.Family(
            "groundwork_metrics_refused_total", "counter",
            "Measurements that were left out because their instrument has as many series as it may.");
        text.Sample(Interlocked.Read(ref refused));
    }

    public void Dispose() => listener.Dispose();

    private void Publish(Instrument instrument, MeterListener source)
    {
        if (!instrument.Meter.Name.StartsWith(Prefix, StringComparison.Ordinal)
            || instrument.Tags?.Contains(IMetricsSource.ShownByItself) == true) return;
        families.TryAdd(instrument, new Family(instrument));
        source.EnableMeasurementEvents(instrument);
    }

    private void Take(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (families.TryGetValue(instrument, out var family) && !family.Take(value, tags))
            Interlocked.Increment(ref refused);
    }

    /// <summary>One instrument and what it has counted.</summary>
    private sealed class Family
    {
        private readonly string type;
        private readonly string help;
        private readonly bool isObservable;
        private readonly double[] bounds;

        public Family(Instrument instrument)
        {
            var kind = instrument.GetType().Name;
            isObservable = instrument.IsObservable;
            type = kind.StartsWith("Histogram", StringComparison.Ordinal) ? "histogram"
                : kind.Contains("UpDown", StringComparison.Ordinal) || kind.Contains("Gauge", StringComparison.Ordinal)
                    ? "gauge" : "counter";
            help = string.IsNullOrWhiteSpace(instrument.Description) ? instrument.Name : instrument.Description;
            Name = NameOf(instrument, type);
            bounds = (instrument as Histogram<double>)?.Advice?.HistogramBucketBoundaries is { } advised
                ? [.. advised]
                : DefaultBounds;
        }

        public string Name { get; }

        public ConcurrentDictionary<string, Series> Series { get; } = new(StringComparer.Ordinal);

        /// <summary>False when it has as many series as it may.</summary>
        public bool Take(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var labels = new (string, string?)[tags.Length];
            for (var index = 0; index < tags.Length; index++)
                labels[index] = (Plain(tags[index].Key),
                    Convert.ToString(tags[index].Value, CultureInfo.InvariantCulture));
            var key = string.Join('\n', labels);
            if (!Series.TryGetValue(key, out var series))
            {
                if (Series.Count >= MaxSeries) return false;
                series = Series.GetOrAdd(
                    key, static (_, made) => new Series(made.labels, made.buckets),
                    (labels, buckets: type == "histogram" ? bounds.Length + 1 : 0));
            }
            lock (series)
            {
                if (series.Buckets.Length > 0)
                {
                    var at = Array.FindIndex(bounds, bound => value <= bound);
                    series.Buckets[at < 0 ? bounds.Length : at]++;
                }
                // What is observed is the whole; the others tell what has been added, but for gauges that are set.
                if (isObservable) series.Value = value;
                else series.Value += value;
            }
            return true;
        }

        public void Write(MetricsText text)
        {
            text.Family(Name, type, help);
            foreach (var (_, series) in Series.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                lock (series)
                {
                    if (type == "histogram") text.Histogram(bounds, series.Buckets, series.Value, series.Labels);
                    else text.Sample(series.Value, series.Labels);
                }
            }
        }

        // As Prometheus wants names: words by underscores, the unit behind them, and counters with their suffix.
        private static string NameOf(Instrument instrument, string type)
        {
            var name = "groundwork_" + Plain(instrument.Name);
            var unit = instrument.Unit switch
            {
                "s" => "_seconds",
                "ms" => "_milliseconds",
                "By" => "_bytes",
                _ => "",
            };
            if (!name.EndsWith(unit, StringComparison.Ordinal)) name += unit;
            if (type == "counter")
                return name.EndsWith("_total", StringComparison.Ordinal) ? name : name + "_total";
            // Suffixes that other types own.
            foreach (var owned in (string[])["_total", "_count", "_sum", "_bucket"])
                if (name.EndsWith(owned, StringComparison.Ordinal)) return name[..^owned.Length];
            return name;
        }

        private static string Plain(string name) => string.Create(name.Length, name, static (output, text) =>
        {
            for (var at = 0; at < text.Length; at++)
                output[at] = char.IsAsciiLetterOrDigit(text[at]) ? char.ToLowerInvariant(text[at]) : '_';
        });
    }

    /// <summary>One set of tags. Locked by whoever writes or reads it.</summary>
    private sealed class Series((string Name, string? Value)[] labels, int buckets)
    {
        public (string Name, string? Value)[] Labels => labels;

        public long[] Buckets { get; } = new long[buckets];

        public double Value { get; set; }
    }
}
