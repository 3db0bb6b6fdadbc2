using System.Text.Json;
using Groundwork.Communication.Gateway.Balancing;

namespace Groundwork.Communication.Gateway.Drafting;

/// <summary>What the ways to choose are called in specs.</summary>
internal static class PolicyNames
{
    public static string Of(ChoicePolicy policy) => JsonNamingPolicy.KebabCaseLower.ConvertName(policy.ToString());
}
