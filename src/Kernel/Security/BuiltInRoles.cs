namespace Groundwork.Kernel.Security;

/// <summary>Roles that exist without a resource and cannot be changed.</summary>
public static class BuiltInRoles
{
    /// <summary>Every verb on everything.</summary>
    public const string Administrator = "administrator";

    /// <summary>Reads and watches everything but secrets.</summary>
    public const string Reader = "reader";

    /// <summary>
    /// What <c>up</c> grants to callers without a credential on loopback: register, renew, discover, read settings
    /// without secrets. A resource that only <c>up</c> creates; without it nobody holds it.
    /// </summary>
    public const string AnonymousLoopback = "anonymous-loopback";

    /// <summary>
    /// What whoever asks over DNS may discover, from wherever its listeners are reached: DNS has no credentials. A
    /// resource that an operator creates; without it nobody holds it.
    /// </summary>
    public const string AnonymousDns = "anonymous-dns";

    /// <summary>True for the roles that are no resources.</summary>
    public static bool IsBuiltIn(string role) => role is Administrator or Reader;
}
