namespace Groundwork.Communication.Gateway.Steps;

/// <summary>
/// What routes and listeners can both ask for. A concern adds its record here, to <see cref="RouteSpec"/>, and its
/// maker to <see cref="GatewayModule"/>.
/// </summary>
internal interface IPolicies
{
    /// <summary>Who may pass.</summary>
    AccessSpec? Access => null;

    /// <summary>How many may.</summary>
    IReadOnlyList<LimitSpec>? Limits => null;
}
