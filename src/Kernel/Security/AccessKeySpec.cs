namespace Groundwork.Kernel.Security;

/// <summary>
/// A key that a program calls with. The key itself is shown once, when it is made, and is not stored.
/// </summary>
/// <param name="Hash">SHA-256 of the key's text, 64 lower-case hex digits.</param>
/// <param name="Roles">Names of roles, at most 32.</param>
/// <param name="Grants">Permissions of this key alone, at most 64.</param>
/// <param name="Description">Who uses it and for what, at most 512 characters.</param>
/// <param name="ExpiresAt">From then on it is refused; null: never.</param>
public sealed record AccessKeySpec(
    string Hash,
    IReadOnlyList<string> Roles,
    IReadOnlyList<Grant>? Grants = null,
    string? Description = null,
    DateTimeOffset? ExpiresAt = null);
