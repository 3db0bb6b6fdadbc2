using System.Buffers.Text;
using System.Security.Cryptography;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;

namespace Groundwork.Kernel.Security;

/// <summary>
/// Links that sign an operator in without a password: each opens once, soon after it was made. Only hashes are stored,
/// and the time is the database's, so that any node takes a link that another one made.
/// </summary>
public sealed class SignInLinks
{
    /// <summary>Long enough to walk over to a browser, too short for a log that is read tomorrow.</summary>
    public static readonly TimeSpan ValidFor = TimeSpan.FromMinutes(10);

    /// <summary>What the secret of a link begins with.</summary>
    public const string Prefix = "gwl_";

    private const int SecretBytes = 32;

    private readonly IStorage storage;
    private readonly Authorizer authorizer;
    private readonly AuditLog audit;
    private readonly TimeProvider time;

    internal SignInLinks(IStorage storage, Authorizer authorizer, AuditLog audit, TimeProvider time)
    {
        this.storage = storage;
        this.authorizer = authorizer;
        this.audit = audit;
        this.time = time;
    }

    /// <summary>Makes a link's secret, which is shown this once.</summary>
    /// <param name="person">The operator that it signs in.</param>
    /// <param name="by">Who makes it; in the audit trail.</param>
    public async Task<Outcome<SignInLink>> CreateAsync(
        string person, string by, string? address, CancellationToken cancellationToken)
    {
        if (authorizer.View.Operators.GetValueOrDefault(person) is not { Disabled: false })
            return new Fault(ErrorCodes.NotFound, $"There is no operator {person} who may sign in.");
        var secret = Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));
        await storage.WriteAsync(
            session =>
            {
                var now = session.ReadClock();
                SignInLinkStore.Insert(
                    session, SignInTokens.Digest(secret), person, now, now + (long)ValidFor.TotalMilliseconds);
                return true;
            },
            cancellationToken);
        audit.Append(new AuditEvent(by, "sign-in-link", $"operator {person}", AuditLog.Ok, address));
        return new SignInLink(secret, time.GetUtcNow() + ValidFor);
    }

    /// <summary>The operator that the link is for, once; null when it opens nothing (any more).</summary>
    internal async Task<string?> RedeemAsync(string secret, CancellationToken cancellationToken)
    {
        if (!secret.StartsWith(Prefix, StringComparison.Ordinal)
            || secret.Length != Prefix.Length + Base64Url.GetEncodedLength(SecretBytes)) return null;
        var hash = SignInTokens.Digest(secret);
        return await storage.WriteAsync(
            session => SignInLinkStore.Redeem(session, hash, session.ReadClock()), cancellationToken);
    }
}

/// <summary>The secret of a link, and when it opens nothing any more.</summary>
public sealed record SignInLink(string Secret, DateTimeOffset ExpiresAt)
{
    public override string ToString() => $"sign-in link until {ExpiresAt:u}";
}
