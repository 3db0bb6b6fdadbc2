namespace Groundwork.Kernel.Security;

/// <summary>A person who operates the platform: signs in with a name, the resource's, and a password.</summary>
/// <param name="PasswordHash">
/// ASP.NET Core Identity's format, version 3: base64 of a marker, the function, the iterations, salt and PBKDF2 key.
/// The CLI makes it from a password; a password in clear is refused. Secret.
/// </param>
/// <param name="Roles">Names of roles, at most 32.</param>
/// <param name="DisplayName">For people, at most 128 characters.</param>
/// <param name="Disabled">True: cannot sign in, and sign-ins that exist end.</param>
public sealed record OperatorSpec(
    SecretText PasswordHash, IReadOnlyList<string> Roles, string? DisplayName = null, bool Disabled = false);
