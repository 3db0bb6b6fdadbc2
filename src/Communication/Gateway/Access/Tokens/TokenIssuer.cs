using System.Collections.Immutable;
using System.Text.Json;
using Groundwork.Communication.Gateway.Access.Callers;
using Groundwork.Kernel.Resources;

namespace Groundwork.Communication.Gateway.Access.Tokens;

/// <summary>An issuer with its keys: says of a token whether it is its own and holds now.</summary>
internal sealed class TokenIssuer : IDisposable
{
    /// <summary>Keys that are tried for a token that names none.</summary>
    private const int MaxTried = 8;

    /// <summary>The last second that is a date; what is later is no time.</summary>
    private const double LastSecond = 253_402_300_799;

    private static readonly ImmutableArray<string> UsualTypes = ["JWT", "at+jwt"];

    private readonly TokenIssuerSpec spec;
    private readonly ImmutableArray<TokenAlgorithm> algorithms;
    private readonly ImmutableArray<string> types;
    private readonly double? issuedAfter;
    private readonly Lock gate = new(); // Held to swap the keys.
    private TokenKey[] keys = [];
    private bool retired; // Under the gate.

    public TokenIssuer(ResourceKey key, TokenIssuerSpec spec)
    {
        Key = key;
        this.spec = spec;
        algorithms = [.. spec.Algorithms.Select(TokenAlgorithm.Find).OfType<TokenAlgorithm>()];
        types = spec.Types is { } own ? [.. own.Select(Bare)] : UsualTypes;
        issuedAfter = spec.IssuedAfter?.ToUnixTimeSeconds();
    }

    public ResourceKey Key { get; }

    /// <summary>What the iss of its tokens is.</summary>
    public string Name => spec.Issuer;

    public IReadOnlyList<TokenAlgorithm> Algorithms => algorithms;

    /// <summary>What fetches its keys; null where they are in the resource. Set before anybody asks.</summary>
    public KeySetAddress? Address { get; set; }

    /// <summary>Takes keys in place of those there are. A key that stays keeps what it has verified.</summary>
    public void Take(IReadOnlyList<TokenKey> next)
    {
        lock (gate)
        {
            var before = keys;
            TokenKey[] after = [.. next.Select(key => before.FirstOrDefault(old => old.IsSame(key)) ?? key)];
            foreach (var old in before)
                if (retired || !after.Contains(old)) old.Retire();
            if (!retired) Volatile.Write(ref keys, after);
        }
    }

    /// <summary>It is no longer, or no longer so: nothing that it verified counts.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            retired = true;
            foreach (var key in keys) key.Retire();
            Volatile.Write(ref keys, []);
        }
        Address?.Dispose();
    }

    /// <summary>Null with the verified token, or why it is refused.</summary>
    /// <param name="now">Seconds since 1970.</param>
    public Refusal? Verify(ReadToken read, ReadOnlySpan<byte> token, double now, out VerifiedToken? verified)
    {
        verified = null;
        if (Find(read.Algorithm) is not { } algorithm) return Refusals.Algorithm;
        if (!IsTaken(read.Type)) return Refusals.Type;
        if (FindKey(read, token[..read.SignedBytes], algorithm, out var key) is { } unsigned) return unsigned;
        var claims = read.Claims.RootElement;
        if (!IsText(claims, "iss", spec.Issuer)) return Refusals.Issuer;
        if (!IsForUs(claims)) return Refusals.Audience;
        if (CheckTimes(claims, now, out var expires) is { } untimely) return untimely;
        try
        {
            // There is a key: it has just verified the token.
            verified = new VerifiedToken(token.ToArray(), this, key!, expires, IdentityOf(claims, expires));
            return null;
        }
        catch (InvalidOperationException)
        {
            return Refusals.Malformed; // Half of a surrogate pair is no text.
        }
    }

    private TokenAlgorithm? Find(string name)
    {
        foreach (var one in algorithms)
            if (one.Name == name) return one;
        return null;
    }

    private bool IsTaken(string? type)
    {
        if (type is null) return spec.Types is null;
        var bare = Bare(type);
        foreach (var one in types)
            if (one.Equals(bare, StringComparison.OrdinalIgnoreCase)) return true;
        return false;
    }

    // RFC 7515, 4.1.9: "application/" is as a rule left out.
    private static string Bare(string type) =>
        type.StartsWith("application/", StringComparison.OrdinalIgnoreCase) ? type["application/".Length..] : type;

    private Refusal? FindKey(
        ReadToken read, ReadOnlySpan<byte> signed, TokenAlgorithm algorithm, out TokenKey? by)
    {
        by = null;
        var all = Volatile.Read(ref keys);
        if (all.Length == 0) return Refusals.KeysUnknown;
        var (isNamed, tried) = (false, 0);
        foreach (var key in all)
        {
            if (read.KeyId is null || key.Id != read.KeyId) continue;
            isNamed = true;
            if (!key.Takes(algorithm) || !key.Verifies(algorithm, signed, read.Signature)) continue;
            by = key;
            return null;
        }
        if (isNamed) return Refusals.Signature;
        foreach (var key in all)
        {
            if ((read.KeyId is not null && key.Id is not null) || !key.Takes(algorithm)) continue;
            if (++tried > MaxTried) break;
            if (!key.Verifies(algorithm, signed, read.Signature)) continue;
            by = key;
            return null;
        }
        return tried == 0 || (read.KeyId is not null && Address is not null)
            ? Refusals.KeyUnknown
            : Refusals.Signature;
    }

    private bool IsForUs(JsonElement claims)
    {
        if (!claims.TryGetProperty("aud", out var audience)) return false;
        if (audience.ValueKind == JsonValueKind.String) return IsOurs(audience);
        if (audience.ValueKind != JsonValueKind.Array) return false;
        var found = false;
        foreach (var one in audience.EnumerateArray())
        {
            if (one.ValueKind != JsonValueKind.String) return false;
            found |= IsOurs(one);
        }
        return found;
    }

    private bool IsOurs(JsonElement audience)
    {
        foreach (var own in spec.Audiences)
            if (audience.ValueEquals(own)) return true;
        return false;
    }

    private static bool IsText(JsonElement claims, string name, string text) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
        && value.ValueEquals(text);

    private Refusal? CheckTimes(JsonElement claims, double now, out double expires)
    {
        if (!TryReadTime(claims, "exp", double.NaN, out expires)) return Refusals.Malformed;
        if (double.IsNaN(expires)) return Refusals.Endless;
        expires += spec.ClockSkewSeconds;
        if (now >= expires) return Refusals.Expired;
        if (!TryReadTime(claims, "nbf", 0, out var begins)) return Refusals.Malformed;
        if (now < begins - spec.ClockSkewSeconds) return Refusals.Early;
        if (!TryReadTime(claims, "iat", double.NaN, out var issued)) return Refusals.Malformed;
        return issuedAfter is { } since && !(issued >= since) ? Refusals.Revoked : null;
    }

    // A number of seconds, whole or not (RFC 7519, 2). Text, infinity and dates of no calendar are none.
    private static bool TryReadTime(JsonElement claims, string name, double missing, out double time)
    {
        time = missing;
        return !claims.TryGetProperty(name, out var value)
            || (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out time)
                && time is >= 0 and <= LastSecond);
    }

    private CallerIdentity IdentityOf(JsonElement element, double expires)
    {
        var claims = new ClaimSet(element);
        var scopes = claims.One("scope") is { } scope
            ? scope.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            : claims.One("scp") is { } text
                ? text.Split(' ', StringSplitOptions.RemoveEmptyEntries)
                : claims["scp"].ToArray();
        return new CallerIdentity(new Caller(claims.One(spec.UserClaim), null, claims.One(spec.TenantClaim)))
        {
            Claims = claims,
            Scopes = scopes,
            TokenId = claims.One("jti"),
            ExpiresAt = expires,
        };
    }
}
