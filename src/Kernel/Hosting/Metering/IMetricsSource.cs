namespace Groundwork.Kernel.Hosting.Metering;

/// <summary>A part of the node that has figures to show at <c>/metrics</c>.</summary>
public interface IMetricsSource
{
    /// <summary>
    /// Writes its families, each whole before the next begins. Called for each scrape, on any thread; must not wait.
    /// </summary>
    void Write(MetricsText text);

    /// <summary>
    /// A tag of an instrument (<c>System.Diagnostics.Metrics</c>) whose figures such a source shows already: it is left
    /// out, and costs nothing while nobody else listens.
    /// </summary>
    static KeyValuePair<string, object?> ShownByItself { get; } = new("groundwork.shown", "by itself");
}
