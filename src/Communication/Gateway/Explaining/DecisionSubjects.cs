using Groundwork.Communication.Gateway.Access;
using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Communication.Gateway.Delivery;
using Groundwork.Communication.Gateway.Limits;
using Groundwork.Communication.Gateway.Resilience;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Explaining;

/// <summary>
/// What is told of whom or what a decision was about. Only of what is known here: a record's own text would tell all
/// that it holds, and some hold what nobody should read.
/// </summary>
internal static class DecisionSubjects
{
    public static string? TextOf(object? about) => about switch
    {
        string text => text,
        Route route => route.Name,
        UpstreamCall call => call.ToString(),
        Upstream upstream => upstream.Key.Id,
        Target target => target.Name,
        LimitPolicy policy => policy.Name,
        Caller caller => TextOf(caller),
        Fallback { Target: { } target } => target.Name,
        Inspection.InspectionFinding finding => finding.ToString(),
        OpenApi.Requests.OpenApiFinding finding => finding.ToString(),
        Fault fault => fault.Error.Code,
        ErrorCode code => code.Code,
        _ => null,
    };

    private static string TextOf(Caller caller) => string.Join(", ", new[]
    {
        caller.User is { } user ? $"user {user}" : null,
        caller.Key is { } key ? $"key {key}" : null,
        caller.Tenant is { } tenant ? $"tenant {tenant}" : null,
    }.OfType<string>());
}
