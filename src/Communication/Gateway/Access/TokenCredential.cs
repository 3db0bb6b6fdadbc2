using System.Runtime.CompilerServices;
using System.Text;
using Groundwork.Communication.Gateway.Access.Callers;
using Groundwork.Communication.Gateway.Access.Tokens;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Kernel.Hosting.Secrets;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Access;

/// <summary>A JSON Web Token of one of several issuers, with what the route asks of it besides.</summary>
internal sealed class TokenCredential : ICredential
{
    private static readonly byte[] WithheldAuthorization = "authorization"u8.ToArray();

    private readonly TokenAccess spec;
    private readonly ResourceKey[] named;
    private readonly SecretTable<TokenIssuer> table;
    private readonly TokenCache cache;
    private readonly TokenFigures figures;
    private readonly byte[]? header; // In lower case.
    private readonly byte[]? cookie;
    private Resolved? resolved; // Of the table as it was when somebody last looked.

    public TokenCredential(
        TokenAccess spec, string ns, SecretTable<TokenIssuer> table, TokenCache cache, TokenFigures figures)
    {
        this.spec = spec;
        this.table = table;
        this.cache = cache;
        this.figures = figures;
        named =
        [
            // One that cannot be read is one that is never there.
            .. spec.Issuers.Select(text =>
                FieldRules.TryReadName(text, ns, TokenIssuerKind.Name, out var key) ? key : default),
        ];
        header = spec.Header is { } field ? Encoding.ASCII.GetBytes(field.ToLowerInvariant()) : null;
        cookie = spec.Cookie is { } name ? Encoding.ASCII.GetBytes(name) : null;
    }

    public string? Challenge => "Bearer";

    public ValueTask<Finding> VerifyAsync(Exchange exchange, double now)
    {
        if (!TryFind(exchange, out var token, out var refusal)) return new(new Finding(null, refusal));
        if (Issuers() is not { } issuers) return new(Refusals.IssuerMissing);
        if (cache.Find(token, now) is { } known && Array.IndexOf(issuers, known.Issuer) >= 0)
        {
            figures.Kept();
            return new(Judge(exchange, known.Identity));
        }
        refusal = Verify(issuers, token, now, out var verified, out var unknown);
        return unknown is null
            ? new(Conclude(exchange, verified, refusal))
            : FetchAndVerifyAsync(exchange, unknown, refusal!, token.ToArray(), now); // A key that is unknown refuses.
    }

    // The keys may have changed since they were fetched: better one request that waits than all that are refused.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Finding> FetchAndVerifyAsync(
        Exchange exchange, KeySetAddress address, Refusal refusal, byte[] token, double now)
    {
        if (!await address.FetchAgainAsync()) return Conclude(exchange, null, refusal);
        if (Issuers() is not { } issuers) return Refusals.IssuerMissing;
        var again = Verify(issuers, token, now, out var verified, out _);
        return Conclude(exchange, verified, again);
    }

    private Finding Conclude(Exchange exchange, VerifiedToken? verified, Refusal? refusal)
    {
        if (verified is null)
        {
            figures.Refused();
            return refusal!; // One of the two is there.
        }
        figures.Verified();
        return Judge(exchange, verified.Identity);
    }

    private Refusal? Verify(
        TokenIssuer[] issuers, ReadOnlySpan<byte> token, double now, out VerifiedToken? verified,
        out KeySetAddress? unknown)
    {
        (verified, unknown) = (null, null);
        if (!TokenText.TryRead(token, out var read)) return Refusals.Malformed;
        using (read)
        {
            var refusal = Refusals.Issuer;
            foreach (var issuer in issuers)
            {
                // Not verified yet, so it says only whom to ask.
                if (!read.Claims.RootElement.TryGetProperty("iss", out var name)
                    || name.ValueKind != System.Text.Json.JsonValueKind.String || !name.ValueEquals(issuer.Name))
                    continue;
                refusal = issuer.Verify(read, token, now, out verified);
                if (verified is not null)
                {
                    cache.Add(verified, now);
                    unknown = null;
                    return null;
                }
                if (refusal == Refusals.KeyUnknown || refusal == Refusals.KeysUnknown) unknown ??= issuer.Address;
            }
            return refusal;
        }
    }

    private Finding Judge(Exchange exchange, CallerIdentity identity)
    {
        foreach (var scope in spec.Scopes ?? [])
            if (Array.IndexOf(identity.Scopes, scope) < 0) return Refusals.Scope;
        foreach (var claim in spec.Claims ?? [])
            if (!Holds(claim, identity.Claims)) return Refusals.Claims;
        if (!spec.PassOn) exchange.WithheldFields.Add(header ?? WithheldAuthorization);
        return identity;
    }

    private static bool Holds(ClaimMatch match, ClaimSet? claims)
    {
        if (claims is null || !claims.Has(match.Name)) return false;
        if (match.Values is not { } values) return true;
        foreach (var value in claims[match.Name])
            for (var index = 0; index < values.Count; index++)
                if (values[index] == value) return true;
        return false;
    }

    private bool TryFind(Exchange exchange, out ReadOnlySpan<byte> token, out Refusal? refusal)
    {
        refusal = null;
        if (header is not null)
        {
            var from = 0;
            if (exchange.Fields.TryGetNext(header, ref from, out token))
            {
                if (exchange.Fields.TryGetNext(header, ref from, out _)) refusal = Refusals.TwoCredentials;
                if (Bearer.TryRead(token, out var behind)) token = behind;
                return refusal is null;
            }
        }
        else if (Bearer.TryFind(exchange, out token, out refusal))
        {
            // A key of ours is no token, and may be what the route takes besides.
            return !token.StartsWith("gw_"u8);
        }
        if (refusal is not null) return false;
        if (cookie is not null && CookieText.TryGet(exchange.Fields, cookie, out token)) return true;
        token = default;
        return false;
    }

    // Null when one of them is not there: its tokens could be as good as any.
    private TokenIssuer[]? Issuers()
    {
        var now = table.Current;
        var known = Volatile.Read(ref resolved);
        if (known is null || !ReferenceEquals(known.From, now))
        {
            var found = new TokenIssuer[named.Length];
            var all = true;
            for (var index = 0; index < named.Length; index++)
            {
                if (now.GetValueOrDefault(named[index]) is { } issuer) found[index] = issuer;
                else all = false;
            }
            known = new Resolved(now, all ? found : null);
            Volatile.Write(ref resolved, known);
        }
        return known.Issuers;
    }

    private sealed record Resolved(object From, TokenIssuer[]? Issuers);
}

/// <summary>Reads <c>Authorization: Bearer</c> (RFC 6750, 2.1).</summary>
internal static class Bearer
{
    /// <summary>False without one; with a refusal when there are two fields, of which somebody may read the other.
    /// </summary>
    public static bool TryFind(Exchange exchange, out ReadOnlySpan<byte> token, out Refusal? refusal)
    {
        token = default;
        refusal = null;
        var fields = exchange.Request.Fields;
        if (!fields.Has(KnownField.Authorization)) return false;
        var count = 0;
        foreach (ref readonly var field in fields.Fields)
        {
            if (field.Known != KnownField.Authorization) continue;
            if (++count > 1)
            {
                refusal = Refusals.TwoCredentials;
                return false;
            }
            if (!TryRead(fields.ValueOf(field), out token)) token = default;
        }
        return !token.IsEmpty;
    }

    /// <summary>Takes the scheme off.</summary>
    public static bool TryRead(ReadOnlySpan<byte> value, out ReadOnlySpan<byte> token)
    {
        token = default;
        if (value.Length <= 7 || !Ascii.EqualsIgnoreCase(value[..7], "Bearer "u8)) return false;
        token = value[7..].Trim((byte)' ');
        return !token.IsEmpty;
    }
}
