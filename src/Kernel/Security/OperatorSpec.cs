using System.ComponentModel;

namespace Groundwork.Kernel.Security;

/// <summary>A person who operates the platform: signs in with a name, the resource's, and a password.</summary>
public sealed record OperatorSpec(
    [Description(
        "ASP.NET Core Identity's format, version 3: base64 of a marker, the function, the iterations, salt and "
        + "PBKDF2 key. The CLI makes it from a password; a password in clear is refused. Secret.")]
    SecretText PasswordHash,
    [Description("Names of roles, at most 32.")]
    IReadOnlyList<string> Roles,
    [Description("For people, at most 128 characters.")]
    string? DisplayName = null,
    [Description("True: cannot sign in, and sign-ins that exist end.")]
    bool Disabled = false);
