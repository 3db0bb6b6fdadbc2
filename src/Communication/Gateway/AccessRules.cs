using Groundwork.Communication.Gateway.Access;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway;

/// <summary>What the access of a route or a listener must be.</summary>
internal static class AccessRules
{
    /// <summary>Entries of one sort in one list: more are several lists.</summary>
    public const int MaxEntries = 1_000;

    /// <summary>Shared lists of one rule: each is asked for each request.</summary>
    public const int MaxLists = 16;

    /// <summary>Issuers whose tokens one route takes.</summary>
    public const int MaxIssuers = 8;

    /// <summary>Scopes that one route asks for.</summary>
    public const int MaxScopes = 32;

    /// <summary>Claims that one route asks for, or passes on.</summary>
    public const int MaxClaims = 16;

    /// <summary>Values of one claim.</summary>
    public const int MaxValues = 32;

    /// <summary>Characters of a user, a scope, a claim's name or value.</summary>
    public const int MaxTextLength = 256;

    public static void Check(AccessSpec? spec, ICollection<FieldFault> faults)
    {
        const string at = "spec.access";
        if (spec is null) return;
        if (spec is { Deny: null, Allow: null, Token: null })
            faults.Add(new FieldFault(at, "must have one of deny, allow and token"));
        CheckLists($"{at}.deny", spec.Deny, faults);
        CheckLists($"{at}.allow", spec.Allow, faults);
        CheckToken($"{at}.token", spec.Token, faults);
        if (spec.Identity is not { } identity) return;
        CheckText($"{at}.identity.audience", identity.Audience, faults);
        CheckTexts($"{at}.identity.claims", identity.Claims, 1, MaxClaims, faults);
    }

    /// <summary>Checks the entries of a list, wherever it is.</summary>
    public static void CheckEntries(
        string at, IReadOnlyList<string>? clients, IReadOnlyList<string>? users, IReadOnlyList<string>? keys,
        IReadOnlyList<string>? tokens, ICollection<FieldFault> faults)
    {
        CheckTexts($"{at}.users", users, 0, MaxEntries, faults);
        CheckTexts($"{at}.keys", keys, 0, MaxEntries, faults);
        CheckTexts($"{at}.tokens", tokens, 0, MaxEntries, faults);
        if (clients is null) return;
        if (clients.Count > MaxEntries) faults.Add(new FieldFault($"{at}.clients", $"must have {MaxEntries} at most"));
        for (var index = 0; index < clients.Count; index++)
            if (!MatchRules.TryReadNetwork(clients[index], out _))
                faults.Add(new FieldFault(
                    $"{at}.clients[{index}]", "must be a network, such as 10.0.0.0/8, or an address"));
    }

    /// <summary>Checks references to resources: <c>[namespace/]name</c>.</summary>
    public static void CheckNames(
        string at, IReadOnlyList<string>? names, int most, string kind, ICollection<FieldFault> faults)
    {
        if (names is null) return;
        if (names.Count is 0 || names.Count > most) faults.Add(new FieldFault(at, $"must have 1 to {most}"));
        for (var index = 0; index < names.Count; index++)
            if (!TryReadName(names[index], Names.DefaultNamespace, kind, out _))
                faults.Add(new FieldFault($"{at}[{index}]", "must be a name, such as partners or shop/partners"));
    }

    /// <summary>Reads <c>[namespace/]name</c>.</summary>
    public static bool TryReadName(string text, string defaultNamespace, string kind, out ResourceKey key)
    {
        key = default;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var (ns, name) = slash < 0 ? (defaultNamespace, text) : (text[..slash], text[(slash + 1)..]);
        if (!Names.IsNamespace(ns) || !Names.IsSegment(name)) return false;
        key = new ResourceKey(kind, ns, name);
        return true;
    }

    public static void CheckTexts(
        string at, IReadOnlyList<string>? texts, int least, int most, ICollection<FieldFault> faults)
    {
        if (texts is null) return;
        if (texts.Count < least || texts.Count > most)
            faults.Add(new FieldFault(at, $"must have {least} to {most} entries"));
        for (var index = 0; index < texts.Count; index++) CheckText($"{at}[{index}]", texts[index], faults);
    }

    public static void CheckText(string at, string text, ICollection<FieldFault> faults)
    {
        if (text.Length is 0 or > MaxTextLength)
            faults.Add(new FieldFault(at, $"must have 1 to {MaxTextLength} characters"));
    }

    private static void CheckLists(string at, CallerLists? lists, ICollection<FieldFault> faults)
    {
        if (lists is null) return;
        if (lists is { Clients: null, Users: null, Keys: null, Tokens: null, Lists: null })
            faults.Add(new FieldFault(at, "must have one of clients, users, keys, tokens and lists"));
        CheckEntries(at, lists.Clients, lists.Users, lists.Keys, lists.Tokens, faults);
        CheckNames($"{at}.lists", lists.Lists, MaxLists, AccessListKind.Name, faults);
    }

    private static void CheckToken(string at, TokenAccess? token, ICollection<FieldFault> faults)
    {
        if (token is null) return;
        CheckNames($"{at}.issuers", token.Issuers, MaxIssuers, TokenIssuerKind.Name, faults);
        CheckTexts($"{at}.scopes", token.Scopes, 1, MaxScopes, faults);
        if (token.Header is { } header && !MatchRules.IsToken(header))
            faults.Add(new FieldFault($"{at}.header", "must be a token"));
        if (token.Cookie is { } cookie && !MatchRules.IsToken(cookie))
            faults.Add(new FieldFault($"{at}.cookie", "must be a token"));
        if (token.Claims is not { } claims) return;
        if (claims.Count is 0 or > MaxClaims)
            faults.Add(new FieldFault($"{at}.claims", $"must have 1 to {MaxClaims} claims"));
        for (var index = 0; index < claims.Count; index++)
        {
            CheckText($"{at}.claims[{index}].name", claims[index].Name, faults);
            CheckTexts($"{at}.claims[{index}].values", claims[index].Values, 1, MaxValues, faults);
        }
    }
}
