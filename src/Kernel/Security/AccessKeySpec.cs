using System.ComponentModel;

namespace Groundwork.Kernel.Security;

/// <summary>
/// A key that a program calls with. The key itself is shown once, when it is made, and is not stored.
/// </summary>
public sealed record AccessKeySpec(
    [Description("SHA-256 of the key's text, 64 lower-case hex digits.")]
    string Hash,
    [Description("Names of roles, at most 32.")]
    IReadOnlyList<string> Roles,
    [Description("Permissions of this key alone, at most 64.")]
    IReadOnlyList<Grant>? Grants = null,
    [Description("Who uses it and for what, at most 512 characters.")]
    string? Description = null,
    [Description("From then on it is refused; null: never.")]
    DateTimeOffset? ExpiresAt = null);
