using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Groundwork.Kernel.Hosting;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Kernel.Security;

/// <summary>
/// Finds out who makes a request. A credential that is there must be right; without one a caller is the local user of
/// the Unix socket, or anonymous.
/// </summary>
public sealed class Authenticator
{
    /// <summary>Characters of an Authorization header; the longest credential of ours is far below.</summary>
    public const int MaxHeaderLength = 4_096;

    /// <summary>
    /// Pairs of credential and address that have been seen; beyond, they are forgotten and audited anew.
    /// </summary>
    public const int MaxSeen = 10_000;

    private const string BearerScheme = "Bearer ";
    private const string BasicScheme = "Basic ";

    private readonly Authorizer authorizer;
    private readonly SignIns? signIns;
    private readonly PasswordVerifier? passwords;
    private readonly AuditLog? audit;
    private readonly TimeProvider time;
    private readonly int directoryOwner;
    private readonly ConcurrentDictionary<(string Principal, string Address), bool> seen = new();

    /// <param name="signIns">Null in a follower: operators sign in on the node it follows.</param>
    /// <param name="directoryOwner">User id that owns the data directory.</param>
    internal Authenticator(
        Authorizer authorizer,
        SignIns? signIns,
        PasswordVerifier? passwords,
        AuditLog? audit,
        TimeProvider time,
        int directoryOwner)
    {
        this.authorizer = authorizer;
        this.signIns = signIns;
        this.passwords = passwords;
        this.audit = audit;
        this.time = time;
        this.directoryOwner = directoryOwner;
    }

    public ValueTask<Outcome<Principal>> AuthenticateAsync(HttpContext context)
    {
        var headers = context.Request.Headers.Authorization;
        if (headers.Count > 1)
            return ValueTask.FromResult<Outcome<Principal>>(Refused("There is more than one Authorization header."));
        if (headers is [{ Length: > 0 } header]) return AuthenticateAsync(context, header);
        return ValueTask.FromResult(
            context.Listener() is { IsUnixSocket: true } ? OfLocalUser(context.LocalPeer()) : Anonymous(context));
    }

    /// <summary>Who holds an access key, for protocols that carry it in a field of their own.</summary>
    public Outcome<Principal> AuthenticateKey(string secret, string? address)
    {
        if (!AccessKeys.IsWellFormed(secret)) return Refused("The access key is not well formed.");
        var hash = Convert.ToHexStringLower(AccessKeys.Digest(secret));
        if (authorizer.View.KeysByHash.GetValueOrDefault(hash) is not { } key
            || !CryptographicOperations.FixedTimeEquals(
                Encoding.ASCII.GetBytes(hash), Encoding.ASCII.GetBytes(key.Hash)))
            return Refused("The access key is not known here.");
        if (key.ExpiresAt <= time.GetUtcNow())
            return new Fault(ErrorCodes.AccessKeyExpired, $"The access key {key.Name} expired at {key.ExpiresAt:u}.");
        AuditFirstUse("key-use", key.Principal, $"access-key {key.Name}", address);
        return key.Principal;
    }

    /// <summary>
    /// Who has a name and a password, for protocols that carry them; an access key may stand as the password.
    /// </summary>
    public async ValueTask<Outcome<Principal>> AuthenticatePasswordAsync(string name, string password, string? address)
    {
        if (AccessKeys.IsWellFormed(password)) return AuthenticateKey(password, address);
        if (passwords is null) return Refused("This node takes no passwords; it follows another one.");
        var verified = await passwords.VerifyAsync(name, password);
        if (!verified.TryGet(out var known, out var fault)) return fault;
        AuditFirstUse("password-use", known.Principal, $"operator {name}", address);
        return known.Principal;
    }

    /// <summary>
    /// Who makes a request of a protocol that may carry the credential in parameters. The header counts first, then a
    /// token, which is an access key or that of a sign-in, then a name with its password.
    /// </summary>
    public ValueTask<Outcome<Principal>> AuthenticateAsync(
        HttpContext context, string? token, string? name, string? password)
    {
        if (context.Request.Headers.Authorization.Count > 0) return AuthenticateAsync(context);
        if (!string.IsNullOrEmpty(token)) return AuthenticateAsync(context, BearerScheme + token);
        return string.IsNullOrEmpty(name) || string.IsNullOrEmpty(password)
            ? AuthenticateAsync(context)
            : AuthenticatePasswordAsync(name, password, AddressOf(context));
    }

    /// <summary>
    /// A token for a name and a password, for protocols that ask for one first: that of a sign-in, or the access key
    /// that stands as the password.
    /// </summary>
    public async Task<Outcome<(string Principal, string Token, TimeSpan Life)>> SignInAsync(
        HttpContext context, string name, string password)
    {
        if (AccessKeys.IsWellFormed(password))
        {
            return AuthenticateKey(password, AddressOf(context)).TryGet(out var holder, out var refused)
                ? (holder.Name, password, SignIns.RefreshFor)
                : refused;
        }
        if (signIns is null) return Refused("This node takes no sign-ins; it follows another one.");
        var signedIn = await signIns.SignInAsync(name, password, AddressOf(context), context.RequestAborted);
        return signedIn.TryGet(out var answer, out var fault)
            ? (answer.Principal, answer.AccessToken, TimeSpan.FromSeconds(answer.ExpiresInSeconds))
            : fault;
    }

    internal static string? AddressOf(HttpContext context) => context.LocalPeer() is { } peer
        ? $"uid {peer.UserId}"
        : Plain(context.Connection.RemoteIpAddress)?.ToString();

    private ValueTask<Outcome<Principal>> AuthenticateAsync(HttpContext context, string header)
    {
        if (header.Length > MaxHeaderLength)
            return ValueTask.FromResult<Outcome<Principal>>(
                Refused($"The Authorization header is over {MaxHeaderLength} characters."));
        if (header.StartsWith(BearerScheme, StringComparison.OrdinalIgnoreCase))
        {
            var token = header[BearerScheme.Length..].Trim();
            if (!token.StartsWith(SignInTokens.AccessPrefix, StringComparison.Ordinal))
                return ValueTask.FromResult(AuthenticateKey(token, AddressOf(context)));
            return signIns is null
                ? ValueTask.FromResult<Outcome<Principal>>(
                    Refused("This node takes no sign-ins; it follows another one."))
                : signIns.AuthenticateAsync(token, context.RequestAborted);
        }
        if (header.StartsWith(BasicScheme, StringComparison.OrdinalIgnoreCase))
        {
            return ReadBasic(header[BasicScheme.Length..].Trim()) is var (name, password)
                ? AuthenticatePasswordAsync(name, password, AddressOf(context))
                : ValueTask.FromResult<Outcome<Principal>>(
                    Refused("The Basic credential is not base64 of name:password."));
        }
        return ValueTask.FromResult<Outcome<Principal>>(Refused("The Authorization header must be Bearer or Basic."));
    }

    private static (string Name, string Password)? ReadBasic(string text)
    {
        Span<byte> bytes = stackalloc byte[MaxHeaderLength];
        if (!Convert.TryFromBase64String(text, bytes, out var written)) return null;
        try
        {
            var decoded = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes[..written]);
            var colon = decoded.IndexOf(':', StringComparison.Ordinal);
            return colon < 0 ? null : (decoded[..colon], decoded[(colon + 1)..]);
        }
        catch (DecoderFallbackException)
        {
            return null; // Not text; the caller is told so.
        }
    }

    private Outcome<Principal> OfLocalUser(LocalPeer? peer)
    {
        if (peer is null) return new Fault(ErrorCodes.Unauthenticated, "The operating system does not say who calls.");
        return peer.UserId == 0 || peer.UserId == directoryOwner
            ? new Principal(PrincipalNames.OfLocalUser(peer.UserId), [BuiltInRoles.Administrator])
            : new Fault(
                ErrorCodes.Forbidden,
                $"User {peer.UserId} neither is root nor owns the data directory; send an access key, or sign in.");
    }

    private Principal Anonymous(HttpContext context) =>
        authorizer.View.Roles.ContainsKey(BuiltInRoles.AnonymousLoopback)
            && LoopbackTrust.FindObjection(context) is null
            ? Principal.AnonymousOnLoopback
            : Principal.Anonymous;

    private void AuditFirstUse(string action, Principal principal, string target, string? address)
    {
        if (audit is null || !seen.TryAdd((principal.Name, address ?? ""), true)) return;
        if (seen.Count > MaxSeen) seen.Clear();
        audit.Append(
            new AuditEvent(principal.Name, action, target, AuditLog.Ok, address, "first use from this address"));
    }

    private static IPAddress? Plain(IPAddress? address) =>
        address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;

    private static Fault Refused(string detail) => new(ErrorCodes.Unauthenticated, detail);
}
