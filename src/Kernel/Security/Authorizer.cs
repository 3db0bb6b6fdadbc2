using Groundwork.Kernel.Resources;
using Groundwork.Wire;

namespace Groundwork.Kernel.Security;

/// <summary>Decides every call: default deny, built-in roles first, other roles from the current snapshot.</summary>
public sealed class Authorizer
{
    /// <summary>Null when some role of the principal grants the verb on the resource; else the fault to answer with.</summary>
    public Fault? Authorize(Principal principal, Verb verb, ResourceKey target) => throw new NotSupportedException();

    /// <summary>The same without a fault, for filtering lists and watches. Allocates nothing.</summary>
    public bool Allows(Principal principal, Verb verb, ResourceKey target) => throw new NotSupportedException();

    /// <summary>Grows whenever roles or grants change, so that long-lived filters know to ask again.</summary>
    public long Generation => throw new NotSupportedException();
}
