using Groundwork.Wire.Contracts;

namespace Groundwork.Kernel.Security;

/// <summary>The trail of what is not a changeset: sign-ins, key uses, secret reads, refusals.</summary>
public sealed class AuditLog
{
    /// <summary>
    /// Appends an event; written behind within a second, in order. Refusals are counted per principal, address and code:
    /// the first in a minute is a row, the rest one row with a count. Never blocks; overflow is counted in a row of its own.
    /// </summary>
    public void Append(AuditEvent @event) => throw new NotSupportedException();
}

/// <summary>One thing that happened.</summary>
/// <param name="Action">Such as <c>sign-in</c>, <c>key-use</c>, <c>secret-read</c>, <c>refused</c>.</param>
/// <param name="Target">The resource or endpoint, never with a secret or a raw query.</param>
/// <param name="Outcome"><c>ok</c> or an error code.</param>
public sealed record AuditEvent(
    string Principal, string Action, string Target, string Outcome, string? Address = null, string? Detail = null);
