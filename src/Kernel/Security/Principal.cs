using System.Collections.Immutable;

namespace Groundwork.Kernel.Security;

/// <summary>Who acts: the name that stands in history and audit, and the roles it holds.</summary>
/// <param name="Name">
/// <c>operator:alice</c>, <c>key:shop/orders</c>, <c>local:1000</c>, <c>node:a</c>, <c>system:bootstrap</c> or
/// <c>anonymous</c>.
/// </param>
/// <param name="Roles">Names of <c>role</c> resources.</param>
public sealed record Principal(string Name, ImmutableArray<string> Roles)
{
    /// <summary>The process itself: may do everything; its doings are in the history like anyone's.</summary>
    public static Principal System(string part) => new($"system:{part}", [BuiltInRoles.Administrator]);

    /// <summary>True for the process itself.</summary>
    public bool IsSystem => Name.StartsWith("system:", StringComparison.Ordinal);

    /// <summary>What it may do besides its roles: the grants of its access key.</summary>
    public GrantSet Own { get; init; } = GrantSet.None;

    public static Principal Anonymous { get; } = new("anonymous", []);

    /// <summary>A caller without a credential whom the loopback rules trust with the role that exists for it.</summary>
    internal static Principal AnonymousOnLoopback { get; } = new("anonymous", [BuiltInRoles.AnonymousLoopback]);
}
