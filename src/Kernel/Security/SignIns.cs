using System.Collections.Concurrent;
using System.Security.Cryptography;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Kernel.Security;

/// <summary>
/// Sign-ins of operators. One is a row with a short access token and a refresh token that each renewal replaces; a
/// refresh token that comes a second time was copied, and ends the sign-in for both who hold it.
/// </summary>
public sealed class SignIns
{
    /// <summary>Life of an access token.</summary>
    public static readonly TimeSpan AccessFor = TimeSpan.FromMinutes(15);

    /// <summary>Life of a sign-in that is not renewed.</summary>
    public static readonly TimeSpan RefreshFor = TimeSpan.FromDays(30);

    /// <summary>
    /// How old the memory of a sign-in may be: a revocation on another node counts here after at most this.
    /// </summary>
    public static readonly TimeSpan TrustMemoryFor = TimeSpan.FromSeconds(60);

    /// <summary>Sign-ins of one operator; more end the oldest.</summary>
    public const int MaxPerOperator = 100;

    /// <summary>Sign-ins in memory, about 300 bytes each.</summary>
    public const int MaxRemembered = 10_000;

    /// <summary>Sign-ins in one list.</summary>
    public const int MaxListed = 1_000;

    private readonly IStorage storage;
    private readonly Authorizer authorizer;
    private readonly PasswordVerifier passwords;
    private readonly SignInLinks links;
    private readonly AuditLog audit;
    private readonly TimeProvider time;
    private readonly SignInTokens tokens;
    // By the access token's hash.
    private readonly ConcurrentDictionary<string, Remembered> memory = new(StringComparer.Ordinal);

    internal SignIns(
        IStorage storage, Authorizer authorizer, PasswordVerifier passwords, SignInLinks links, AuditLog audit,
        RootKey root, TimeProvider time)
    {
        this.storage = storage;
        this.authorizer = authorizer;
        this.passwords = passwords;
        this.links = links;
        this.audit = audit;
        this.time = time;
        tokens = new SignInTokens(root.TokenKey());
    }

    public async Task<Outcome<SignInAnswer>> SignInAsync(
        string name, string password, string? address, CancellationToken cancellationToken)
    {
        var verified = await passwords.VerifyAsync(name, password);
        // The name of an operator who does not exist is not written down: it is often a password in the wrong field.
        var author = authorizer.View.Operators.ContainsKey(name)
            ? PrincipalNames.OfOperator(name) : Principal.Anonymous.Name;
        if (!verified.TryGet(out var known, out var fault))
        {
            audit.Append(new AuditEvent(author, "sign-in", "sign-in", fault.Error.Code, address));
            return fault;
        }
        return await BeginAsync(name, known.PasswordDigest, address, detail: null, cancellationToken);
    }

    /// <summary>Signs in with the secret of a link, which is good for nothing afterwards.</summary>
    public async Task<Outcome<SignInAnswer>> SignInByLinkAsync(
        string secret, string? address, CancellationToken cancellationToken)
    {
        var name = await links.RedeemAsync(secret, cancellationToken);
        if (name is not null && authorizer.View.Operators.GetValueOrDefault(name) is { Disabled: false } known)
            return await BeginAsync(name, known.PasswordDigest, address, "by link", cancellationToken);
        audit.Append(new AuditEvent(
            Principal.Anonymous.Name, "sign-in", "sign-in", ErrorCodes.SignInLinkInvalid.Code, address, "by link"));
        return new Fault(ErrorCodes.SignInLinkInvalid, "The link was used, has expired, or is not one of this store.");
    }

    private async Task<SignInAnswer> BeginAsync(
        string name, string passwordDigest, string? address, string? detail, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var id = Guid.CreateVersion7(now);
        var (access, refresh) = (tokens.MintAccess(), tokens.MintRefresh(id));
        var row = new SignInRow(
            id, name, passwordDigest, address ?? "", now, now, 1, SignInTokens.Digest(access), now + AccessFor,
            SignInTokens.Digest(refresh), now + RefreshFor);
        await storage.WriteAsync(
            session =>
            {
                SignInStore.DeleteEnded(session, now);
                SignInStore.Insert(session, row);
                SignInStore.RevokeOldest(session, name, MaxPerOperator, now, "too-many");
                return true;
            },
            cancellationToken);
        Remember(row);
        audit.Append(new AuditEvent(
            PrincipalNames.OfOperator(name), "sign-in", $"sign-in {id}", AuditLog.Ok, address, detail));
        return Answer(row, access, refresh);
    }

    public async Task<Outcome<SignInAnswer>> RefreshAsync(
        string refreshToken, string? address, CancellationToken cancellationToken)
    {
        var refused = new Fault(ErrorCodes.Unauthenticated, "The refresh token is not valid; sign in again.");
        if (tokens.SignInOf(refreshToken) is not { } id) return refused;
        var now = time.GetUtcNow();
        var presented = SignInTokens.Digest(refreshToken);
        var (access, refresh) = (tokens.MintAccess(), tokens.MintRefresh(id));
        var (outcome, row) = await storage.WriteAsync(
            session => Renew(session, id, presented, access, refresh, now), cancellationToken);
        if (row is not null) Forget(row.Id);
        if (outcome is Renewal.Refused || row is null) return refused;
        var author = PrincipalNames.OfOperator(row.Operator);
        if (outcome is not Renewal.Done)
        {
            audit.Append(new AuditEvent(
                author, "sign-in-revoked", $"sign-in {id}", AuditLog.Ok, address,
                outcome is Renewal.Reused
                    ? "a refresh token came a second time" : "the password or the operator changed"));
            return refused;
        }
        Remember(row);
        return Answer(row, access, refresh);
    }

    /// <summary>Ends the sign-in that an access token belongs to. True when there was one.</summary>
    public async Task<bool> SignOutAsync(string accessToken, string? address, CancellationToken cancellationToken)
    {
        if (!tokens.IsOurs(accessToken)) return false;
        var row = await storage.ReadAsync(
            session => SignInStore.FindByAccess(session, SignInTokens.Digest(accessToken)), cancellationToken);
        return row is not null
            && await RevokeAsync(
                PrincipalNames.OfOperator(row.Operator), row.Id, "signed-out", address, cancellationToken);
    }

    /// <summary>Ends the sign-in that a refresh token belongs to, if there is one.</summary>
    public async Task EndAsync(string refreshToken, string? address, CancellationToken cancellationToken)
    {
        if (tokens.SignInOf(refreshToken) is not { } id) return;
        var row = await storage.ReadAsync(session => SignInStore.Find(session, id), cancellationToken);
        if (row is null
            || !CryptographicOperations.FixedTimeEquals(row.RefreshHash, SignInTokens.Digest(refreshToken))) return;
        await RevokeAsync(PrincipalNames.OfOperator(row.Operator), id, "signed-out", address, cancellationToken);
    }

    /// <summary>Ends a sign-in: at once on this node, within <see cref="TrustMemoryFor"/> on others.</summary>
    public async Task<bool> RevokeAsync(
        string by, Guid id, string why, string? address, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var revoked = await storage.WriteAsync(session => SignInStore.Revoke(session, id, now, why), cancellationToken);
        Forget(id);
        if (revoked) audit.Append(new AuditEvent(by, "sign-in-revoked", $"sign-in {id}", AuditLog.Ok, address, why));
        return revoked;
    }

    /// <summary>Sign-ins in force of one operator, or of all when null.</summary>
    public async Task<SignInList> ListAsync(string? person, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var rows = await storage.ReadAsync(
            session => SignInStore.ReadInForce(session, person, now, MaxListed), cancellationToken);
        return new SignInList([.. rows.Select(row =>
            new SignInDocument(row.Id, row.Operator, row.Address, row.Created, row.Used, row.RefreshUntil))]);
    }

    /// <summary>Who holds an access token.</summary>
    internal async ValueTask<Outcome<Principal>> AuthenticateAsync(
        string accessToken, CancellationToken cancellationToken)
    {
        var refused = new Fault(ErrorCodes.Unauthenticated, "The sign-in has ended; refresh it, or sign in again.");
        if (!tokens.IsOurs(accessToken)) return refused;
        var hash = SignInTokens.Digest(accessToken);
        var key = Convert.ToHexString(hash);
        if (!memory.TryGetValue(key, out var known) || time.GetElapsedTime(known.ReadAt) >= TrustMemoryFor)
            known = await ReadAsync(hash, key, known, cancellationToken);
        if (known is null || known.AccessUntil <= time.GetUtcNow()) return refused;
        return authorizer.View.Operators.GetValueOrDefault(known.Operator) is { Disabled: false } person
            && person.PasswordDigest == known.PasswordDigest
            ? person.Principal
            : refused;
    }

    private async Task<Remembered?> ReadAsync(
        byte[] hash, string key, Remembered? known, CancellationToken cancellationToken)
    {
        SignInRow? row;
        try
        {
            row = await storage.ReadAsync(session => SignInStore.FindByAccess(session, hash), cancellationToken);
        }
        catch (StorageException) when (known is not null)
        {
            return known; // Cut off from the database a node answers from memory, to the end of the token's short life.
        }
        if (row is not { IsRevoked: false })
        {
            memory.TryRemove(key, out _);
            return null;
        }
        return Remember(row);
    }

    private (Renewal Outcome, SignInRow? Row) Renew(
        ISqlSession session, Guid id, byte[] presented, string access, string refresh, DateTimeOffset now)
    {
        if (SignInStore.Find(session, id) is not { IsRevoked: false } row) return (Renewal.Refused, null);
        if (!CryptographicOperations.FixedTimeEquals(row.RefreshHash, presented))
        {
            SignInStore.Revoke(session, id, now, "refresh-token-reused");
            return (Renewal.Reused, row);
        }
        if (row.RefreshUntil <= now) return (Renewal.Refused, row);
        if (authorizer.View.Operators.GetValueOrDefault(row.Operator) is not { Disabled: false } person
            || person.PasswordDigest != row.PasswordDigest)
        {
            SignInStore.Revoke(session, id, now, "operator-changed");
            return (Renewal.OperatorChanged, row);
        }
        var next = row with
        {
            Used = now,
            Generation = row.Generation + 1,
            AccessHash = SignInTokens.Digest(access),
            AccessUntil = now + AccessFor,
            RefreshHash = SignInTokens.Digest(refresh),
            RefreshUntil = now + RefreshFor,
        };
        SignInStore.Renew(session, next);
        return (Renewal.Done, next);
    }

    private Remembered Remember(SignInRow row)
    {
        if (memory.Count >= MaxRemembered)
        {
            foreach (var (old, entry) in memory)
                if (time.GetElapsedTime(entry.ReadAt) >= TrustMemoryFor) memory.TryRemove(old, out _);
            if (memory.Count >= MaxRemembered) memory.Clear();
        }
        var remembered = new Remembered(row.Id, row.Operator, row.PasswordDigest, row.AccessUntil, time.GetTimestamp());
        memory[Convert.ToHexString(row.AccessHash)] = remembered;
        return remembered;
    }

    private void Forget(Guid id)
    {
        foreach (var (key, entry) in memory)
            if (entry.Id == id) memory.TryRemove(key, out _);
        authorizer.NoteRevocation();
    }

    private static SignInAnswer Answer(SignInRow row, string access, string refresh) =>
        new(PrincipalNames.OfOperator(row.Operator), access, (int)AccessFor.TotalSeconds, refresh);

    private enum Renewal { Done, Refused, Reused, OperatorChanged }

    private sealed record Remembered(
        Guid Id, string Operator, string PasswordDigest, DateTimeOffset AccessUntil, long ReadAt);
}
