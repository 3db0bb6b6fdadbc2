using System.ComponentModel;

namespace Groundwork.Kernel.Security;

/// <summary>A named set of permissions that operators and access keys hold.</summary>
public sealed record RoleSpec(
    [Description("At most 64. What no grant allows is refused.")]
    IReadOnlyList<Grant> Grants,
    [Description("For people, at most 512 characters.")]
    string? Description = null);
