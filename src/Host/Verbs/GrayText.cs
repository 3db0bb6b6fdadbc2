using System.Globalization;
using System.Text.Json;
using Groundwork.Host.CommandLine;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Host.Verbs;

/// <summary>Gray releases in words.</summary>
internal static class GrayText
{
    public static GrayReleaseSpec Read(ResourceDocument resource)
    {
        // A masked text is an object, and no text; what it says is of no use here.
        var spec = resource.Spec ?? throw new VerbFailure(ExitCodes.Fault, $"{resource.Name} came without its spec");
        return new GrayReleaseSpec(
            spec.GetProperty("setting").GetString() ?? "",
            "",
            spec.GetProperty("to").Deserialize(WireJson.Lenient.GrayReceivers) ?? new GrayReceivers(),
            Priority: spec.TryGetProperty("priority", out var priority) ? priority.GetInt32() : 0);
    }

    public static string Receivers(GrayReceivers to)
    {
        const int Shown = 3; // More do not fit a line; 'get' has them all.
        var parts = new List<string>();
        if (to.Instances is { Count: > 0 } instances)
        {
            var more = instances.Count - Shown;
            parts.Add(string.Join(' ', instances.Take(Shown)) + (more > 0 ? $" and {more} more" : ""));
        }
        var rest = new List<string>();
        if (to.Labels is { } labels) rest.AddRange(labels.Select(label => $"{label.Key}={label.Value}"));
        if (to.Percent is { } percent) rest.Add(percent.ToString(CultureInfo.InvariantCulture) + "%");
        if (rest.Count > 0) parts.Add(string.Join(' ', rest));
        return string.Join(", or ", parts);
    }
}
