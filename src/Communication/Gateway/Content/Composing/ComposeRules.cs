using System.Text.Json;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.Transforms;
using Groundwork.Services.Registry;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Content.Composing;

/// <summary>What the compose part of a route must be.</summary>
internal static class ComposeRules
{
    /// <summary>Parts of one answer: each is a request.</summary>
    public const int MaxParts = 16;

    public const int MaxTimeoutMs = 60_000;

    /// <summary>All parts are in memory together.</summary>
    public const int MaxPartKilobytes = 4 * 1024;

    private const int MaxPath = 1024;
    private const int MaxName = 64;
    private const int MaxDefault = 16 * 1024;

    public static void Check(RouteSpec route, PathPattern? path, ICollection<FieldFault> faults)
    {
        if (route.Compose is not { } spec) return;
        if (spec.Parts.Count is 0 or > MaxParts)
            faults.Add(new FieldFault("spec.compose.parts", $"must have 1 to {MaxParts} parts"));
        if (spec.Parts.DistinctBy(static part => part.Name).Count() < spec.Parts.Count)
            faults.Add(new FieldFault("spec.compose.parts", "must have names of their own"));
        if (route.Request is not null)
            faults.Add(new FieldFault("spec.request", "has no use beside compose, whose parts say what is asked for"));
        if (spec.TimeoutMs is < 10 or > MaxTimeoutMs)
            faults.Add(new FieldFault("spec.compose.timeoutMs", $"must be 10 to {MaxTimeoutMs}"));
        if (spec.MaxPartKilobytes is < 1 or > MaxPartKilobytes)
            faults.Add(new FieldFault("spec.compose.maxPartKilobytes", $"must be 1 to {MaxPartKilobytes}"));
        for (var index = 0; index < spec.Parts.Count; index++)
            CheckPart($"spec.compose.parts[{index}]", spec.Parts[index], path, faults);
    }

    private static void CheckPart(string at, PartSpec part, PathPattern? path, ICollection<FieldFault> faults)
    {
        if (part.Name.Length is 0 or > MaxName || part.Name.Any(static one => one is < ' ' or > '~' or '"' or '\\'))
            faults.Add(new FieldFault($"{at}.name", $"must be 1 to {MaxName} visible ASCII characters"));
        if ((part.Service is null) == (part.Upstream is null))
            faults.Add(new FieldFault(at, "must have exactly one of service and upstream"));
        if (part.Service is not null && !ServiceKey.TryParse(part.Service, Names.DefaultNamespace, out _))
            faults.Add(new FieldFault($"{at}.service", "must be a service, such as catalog or shop/catalog"));
        if (part.Upstream is not null
            && !DeliveryRules.TryReadUpstream(part.Upstream, Names.DefaultNamespace, out _))
            faults.Add(new FieldFault($"{at}.upstream", "must be an upstream, such as legacy or shop/legacy"));
        if (!part.Path.StartsWith('/') || part.Path.Length > MaxPath
            || part.Path.Any(static one => one is <= ' ' or > '~' or '#'))
            faults.Add(new FieldFault(
                $"{at}.path", $"must begin with / and have up to {MaxPath} characters of a path and a query"));
        else if (path is not null && TextTemplate.Explain(part.Path, path) is { } wrong)
            faults.Add(new FieldFault($"{at}.path", wrong));
        if (part.Default is not { } value) return;
        if (part.Required) faults.Add(new FieldFault($"{at}.default", "has no use for a part that is required"));
        if (value.Length > MaxDefault || !IsJson(value))
            faults.Add(new FieldFault($"{at}.default", $"must be JSON of up to {MaxDefault} characters"));
    }

    private static bool IsJson(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
