namespace Groundwork.Kernel.Security;

/// <summary>A named set of permissions that operators and access keys hold.</summary>
/// <param name="Grants">At most 64. What no grant allows is refused.</param>
/// <param name="Description">For people, at most 512 characters.</param>
public sealed record RoleSpec(IReadOnlyList<Grant> Grants, string? Description = null);
