using Groundwork.Communication.Gateway.Access.Callers;
using Groundwork.Communication.Gateway.Exchanges;

namespace Groundwork.Communication.Gateway.Access;

/// <summary>One sort of credential that a route takes.</summary>
internal interface ICredential
{
    /// <summary>What a client without any is asked for (RFC 9110, 11.6.1); null: there are no words for it.</summary>
    string? Challenge { get; }

    /// <summary>
    /// Whom the request's credential of this sort proves, or why it is refused; neither when it carries none. Completes
    /// at once as a rule.
    /// </summary>
    ValueTask<Finding> VerifyAsync(Exchange exchange, double now);
}

/// <summary>What became of a credential.</summary>
internal readonly record struct Finding(CallerIdentity? Identity, Refusal? Refusal)
{
    /// <summary>The request carries none of this sort.</summary>
    public static Finding Nothing => default;

    public static implicit operator Finding(CallerIdentity identity) => new(identity, null);

    public static implicit operator Finding(Refusal refusal) => new(null, refusal);
}
