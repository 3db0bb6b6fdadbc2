using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.Registry;

/// <summary>Reads what paths and queries name.</summary>
internal static class RegistryPaths
{
    public static IComparer<ServiceKey> Order { get; } = Comparer<ServiceKey>.Create(Compare);

    /// <summary>
    /// The instance of <c>{namespace}/{service}/{id}?group=</c>. What is not well formed is simply not registered.
    /// </summary>
    public static InstanceKey Instance(HttpContext context) => new(Service(context), Value(context, "id"));

    /// <summary>The service of <c>{namespace}/{service}?group=</c>.</summary>
    public static ServiceKey Service(HttpContext context) => Service(
        Value(context, "namespace"), (string?)context.Request.Query["group"], Value(context, "service"));

    /// <summary>A service as documents name it: <c>group@@service</c> counts where no group is given.</summary>
    public static ServiceKey Service(string? @namespace, string? group, string service)
    {
        var (named, plain) = ServiceKey.Split(service);
        return new ServiceKey(@namespace ?? Names.DefaultNamespace, named ?? group ?? ServiceKey.DefaultGroup, plain);
    }

    /// <summary>
    /// The fault of a name that no service can have, so that a misspelt one is told and not waited on for ever.
    /// </summary>
    public static Fault? FindMisnamed(string? @namespace, params IEnumerable<ServiceKey> services)
    {
        if (@namespace is not null && !Names.IsNamespace(@namespace)) return Namespaces.Misnamed(@namespace);
        foreach (var key in services)
        {
            if (ServiceKey.IsPart(key.Service) && ServiceKey.IsPart(key.Group)) continue;
            return new Fault(
                ErrorCodes.NameInvalid,
                $"'{key.Group}@@{key.Service}' is no service: group and name are 1 to {Names.MaxSegmentLength} of "
                + "A-Z a-z 0-9 . _ : @ - without @@.");
        }
        return null;
    }

    /// <summary>The fault of a list with nothing where an entry should be.</summary>
    public static Fault? FindNull<T>(string list, IReadOnlyList<T?> items)
        where T : class
    {
        for (var at = 0; at < items.Count; at++)
        {
            if (items[at] is not null) continue;
            return new Fault(ErrorCodes.BadRequest, $"The body must not be null, at {list}[{at}].")
            {
                Fields = [new FieldFault($"{list}[{at}]", "must not be null")],
            };
        }
        return null;
    }

    public static int Compare(ServiceKey a, ServiceKey b)
    {
        var byNamespace = string.CompareOrdinal(a.Namespace, b.Namespace);
        if (byNamespace != 0) return byNamespace;
        var byGroup = string.CompareOrdinal(a.Group, b.Group);
        return byGroup != 0 ? byGroup : string.CompareOrdinal(a.Service, b.Service);
    }

    /// <summary>The token of the page after this service.</summary>
    public static string WritePage(ServiceKey last) =>
        Convert.ToHexStringLower(Encoding.UTF8.GetBytes($"{last.Namespace}/{last.Group}/{last.Service}"));

    /// <summary>False for what is not such a token; null after none was given.</summary>
    public static bool TryReadPage(string? token, out ServiceKey? after)
    {
        after = null;
        if (token is null) return true;
        if (token.Length % 2 != 0 || token.Length > 2 * Names.MaxNameLength || !token.All(char.IsAsciiHexDigitLower))
            return false;
        var parts = Encoding.UTF8.GetString(Convert.FromHexString(token)).Split('/');
        if (parts.Length != 3) return false;
        after = new ServiceKey(parts[0], parts[1], parts[2]);
        return true;
    }

    /// <summary>The token of the page after this instance.</summary>
    public static string WritePage(InstanceKey last) => Convert.ToHexStringLower(
        Encoding.UTF8.GetBytes($"{last.Service.Namespace}/{last.Service.Group}/{last.Service.Service}/{last.Id}"));

    /// <summary>False for what is not such a token; null after none was given.</summary>
    public static bool TryReadPage(string? token, out ServiceKey? after, out string afterId)
    {
        (after, afterId) = (null, "");
        if (token is null) return true;
        if (token.Length % 2 != 0 || token.Length > 2 * Names.MaxNameLength || !token.All(char.IsAsciiHexDigitLower))
            return false;
        var parts = Encoding.UTF8.GetString(Convert.FromHexString(token)).Split('/');
        if (parts.Length != 4) return false;
        after = new ServiceKey(parts[0], parts[1], parts[2]);
        afterId = parts[3];
        return true;
    }

    /// <summary>Reads the author's reason of a change; null when none is given.</summary>
    public static bool TryReadReason(HttpContext context, out string? reason, [NotNullWhen(false)] out Fault? fault)
    {
        fault = null;
        reason = ApiRequests.Reason(context.Request);
        if (reason.Length == 0) reason = null;
        if (reason is null || (reason.Length <= RegistryLimits.MaxReasonLength && InstanceRules.IsText(reason)))
            return true;
        fault = new Fault(
            ErrorCodes.BadRequest, $"A reason is text of at most {RegistryLimits.MaxReasonLength} characters.");
        return false;
    }

    /// <summary>Reads <c>30s</c>, <c>500ms</c>, <c>1m</c> or a number of seconds, cut to the longest wait.</summary>
    public static bool TryReadWait(string? text, TimeSpan whenAbsent, [NotNullWhen(true)] out TimeSpan? wait)
    {
        wait = whenAbsent;
        if (text is null) return true;
        var digits = text.TrimEnd('m', 's');
        TimeSpan? unit = text[digits.Length..] switch
        {
            "" or "s" => TimeSpan.FromSeconds(1),
            "ms" => TimeSpan.FromMilliseconds(1),
            "m" => TimeSpan.FromMinutes(1),
            _ => null,
        };
        wait = null;
        if (unit is null || !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var count))
            return false;
        var asked = unit.Value * count;
        wait = asked > RegistryLimits.MaxWait ? RegistryLimits.MaxWait : asked;
        return true;
    }

    public static Fault BadWait(string? wait) =>
        new(ErrorCodes.BadRequest, $"The wait '{wait}' is not a time such as 30s, 500ms or 1m.");

    // Present in every route that this is used with.
    private static string Value(HttpContext context, string name) => (string)context.Request.RouteValues[name]!;
}
