using System.Buffers;
using System.Globalization;
using System.Text;

namespace Groundwork.Kernel.Hosting.Metering;

/// <summary>
/// Figures in the text format of Prometheus (exposition format 0.0.4): families one after the other, each with its help
/// and type. Not thread-safe: one serves one scrape.
/// </summary>
public sealed class MetricsText
{
    public const string MediaType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly ArrayBufferWriter<byte> bytes = new(64 * 1024);
    private string family = "";

    public ReadOnlyMemory<byte> Bytes => bytes.WrittenMemory;

    /// <summary>Begins a family; the samples that follow are of it.</summary>
    /// <param name="type"><c>counter</c>, <c>gauge</c> or <c>histogram</c>.</param>
    public void Family(string name, string type, string help)
    {
        family = name;
        Add("# HELP ");
        Add(name);
        Add(" ");
        Add(help.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal));
        Add("\n# TYPE ");
        Add(name);
        Add(" ");
        Add(type);
        Add("\n");
    }

    /// <summary>One sample of the family. A label without a value is left out, which means the same.</summary>
    public void Sample(double value, params ReadOnlySpan<(string Name, string? Value)> labels) =>
        Line("", value, null, labels);

    /// <summary>One histogram of the family: its buckets, sum and count.</summary>
    /// <param name="bounds">Upper bounds, rising; a bucket without bound follows.</param>
    /// <param name="counts">Observations of each bucket alone, one more than there are bounds.</param>
    public void Histogram(
        ReadOnlySpan<double> bounds, ReadOnlySpan<long> counts, double sum,
        params ReadOnlySpan<(string Name, string? Value)> labels)
    {
        var total = 0L;
        for (var index = 0; index < counts.Length; index++)
        {
            total += counts[index];
            Line("_bucket", total, index < bounds.Length ? Number(bounds[index]) : "+Inf", labels);
        }
        Line("_sum", sum, null, labels);
        Line("_count", total, null, labels);
    }

    private void Line(string suffix, double value, string? bound, ReadOnlySpan<(string Name, string? Value)> labels)
    {
        Add(family);
        Add(suffix);
        var any = false;
        foreach (var (name, text) in labels)
        {
            if (string.IsNullOrEmpty(text)) continue;
            Label(name, text, ref any);
        }
        if (bound is not null) Label("le", bound, ref any);
        Add(any ? "} " : " ");
        Add(Number(value));
        Add("\n");
    }

    private void Label(string name, string value, ref bool any)
    {
        Add(any ? "," : "{");
        any = true;
        Add(name);
        Add("=\"");
        if (value.AsSpan().IndexOfAny('\\', '"', '\n') >= 0)
            value = value.Replace("\\", "\\\\", StringComparison.Ordinal)
                .Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        Add(value);
        Add("\"");
    }

    private void Add(string text) => Encoding.UTF8.GetBytes(text, bytes);

    private static string Number(double value) => double.IsPositiveInfinity(value) ? "+Inf"
        : double.IsNegativeInfinity(value) ? "-Inf"
        : double.IsNaN(value) ? "NaN" : value.ToString("R", CultureInfo.InvariantCulture);
}
