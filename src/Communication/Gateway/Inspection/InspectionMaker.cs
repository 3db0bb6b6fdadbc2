using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Kernel.Hosting.Metering;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway.Inspection;

/// <summary>Makes the step of routes that have their requests looked through.</summary>
internal sealed class InspectionMaker(InspectionFigures figures) : IStepMaker
{
    public IEnumerable<IRequestStep> Make(StepContext context)
    {
        if (context.Policies is RouteSpec { Inspect: { } spec })
            yield return new InspectionStep(
                new InspectionPlan(spec), $"{context.Key.Namespace}/{context.Key.Name}", figures);
    }
}

/// <summary>What became of a request in which something was found.</summary>
internal enum InspectionVerdict
{
    /// <summary>Its score is no attack's.</summary>
    Below,
    Detected,
    Blocked,
}

/// <summary>Counts what was found by its rules, and writes it into the log, though never faster than it is read.
/// </summary>
internal sealed partial class InspectionFigures(TimeProvider time, ILogger logger) : IMetricsSource
{
    /// <summary>Lines a second: who attacks must not write our log. The figures count all.</summary>
    private const int MaxLines = 10;

    private static readonly string[] Verdicts = ["below", "detected", "blocked"];

    private readonly long[] counts = new long[InspectionRules.All.Length * Verdicts.Length]; // Interlocked.
    private long second; // Interlocked, as the lines of it.
    private int lines;

    /// <summary>How often a rule was met with a verdict.</summary>
    public long Of(Rule rule, InspectionVerdict verdict) =>
        Interlocked.Read(ref counts[((int)rule * Verdicts.Length) + (int)verdict]);

    public void Count(InspectionFinding finding, InspectionVerdict verdict, string route, TraceIdentity trace)
    {
        foreach (var rule in InspectionRules.All)
            if (finding.Rules.Has(rule.Rule))
                Interlocked.Increment(ref counts[((int)rule.Rule * Verdicts.Length) + (int)verdict]);
        if (verdict != InspectionVerdict.Below && MayWrite())
            LogFinding(route, Verdicts[(int)verdict], finding, trace.TraceId);
    }

    public void Write(MetricsText text)
    {
        text.Family(
            "groundwork_gateway_inspection_findings_total", "counter",
            "Rules of the inspection that requests met, by what became of these.");
        foreach (var rule in InspectionRules.All)
            for (var verdict = 0; verdict < Verdicts.Length; verdict++)
                if (Of(rule.Rule, (InspectionVerdict)verdict) is > 0 and var count)
                    text.Sample(count, ("rule", rule.Id), ("verdict", Verdicts[verdict]));
    }

    private bool MayWrite()
    {
        var now = time.GetTimestamp() / time.TimestampFrequency;
        if (Interlocked.Exchange(ref second, now) != now) Volatile.Write(ref lines, 0);
        return Interlocked.Increment(ref lines) <= MaxLines;
    }

    [LoggerMessage(1, LogLevel.Warning, "{Route}: {Verdict} {Finding}, trace {Trace}")]
    private partial void LogFinding(string route, string verdict, InspectionFinding finding, string trace);
}
