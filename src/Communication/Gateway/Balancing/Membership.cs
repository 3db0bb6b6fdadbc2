using System.Collections.Immutable;
using Groundwork.Services.Registry;

namespace Groundwork.Communication.Gateway.Balancing;

/// <summary>The instances that requests may go to now: immutable.</summary>
/// <param name="Identity">What it was made of; the same object says the same.</param>
/// <param name="Index">Never lower than that of an older one.</param>
/// <param name="Tiers">Of each instance by its id; those that are not in it are of tier 0.</param>
/// <param name="Authority">What all of them are told under <c>Host</c>; null: each its own address.</param>
/// <param name="IsRegistered">True when the registry knows them and hears how calls went.</param>
internal sealed record Membership(
    object Identity, long Index, ImmutableArray<Instance> Instances, ImmutableDictionary<string, int> Tiers,
    bool IsRegistered, string? Authority = null)
{
    public static Membership Of(ServiceView view) =>
        new(view, view.Index, view.Callable, ImmutableDictionary<string, int>.Empty, IsRegistered: true);
}
