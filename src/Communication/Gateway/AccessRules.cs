using Groundwork.Communication.Gateway.Access;
using Groundwork.Communication.Gateway.Access.Signatures;
using Groundwork.Communication.Gateway.Access.Tokens;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Registry;
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

    /// <summary>Fingerprints, and names, of certificates.</summary>
    public const int MaxFingerprints = 256;

    /// <summary>Bytes of a signed body: it is held in memory until its digest is known.</summary>
    public const int MaxSignedBodyBytes = 16 * 1_024 * 1_024;

    /// <summary>Characters of a user, a scope, a claim's name or value.</summary>
    public const int MaxTextLength = 256;

    public static void Check(AccessSpec? spec, ICollection<FieldFault> faults)
    {
        const string at = "spec.access";
        if (spec is null) return;
        if (spec is { Deny: null, Allow: null, Token: null, AccessKey: null, Signature: null, Certificate: null,
            Ask: null })
            faults.Add(new FieldFault(
                at, "must have one of deny, allow, token, accessKey, signature, certificate and ask"));
        if (spec.Require is not ("any" or "all")) faults.Add(new FieldFault($"{at}.require", "must be any or all"));
        CheckLists($"{at}.deny", spec.Deny, faults);
        CheckLists($"{at}.allow", spec.Allow, faults);
        CheckToken($"{at}.token", spec.Token, faults);
        CheckKey($"{at}.accessKey", spec.AccessKey, faults);
        CheckSignature($"{at}.signature", spec.Signature, faults);
        CheckCertificate($"{at}.certificate", spec.Certificate, faults);
        CheckAsk($"{at}.ask", spec.Ask, faults);
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
            if (!FieldRules.TryReadName(names[index], Names.DefaultNamespace, kind, out _))
                faults.Add(new FieldFault($"{at}[{index}]", "must be a name, such as partners or shop/partners"));
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

    private static void CheckKey(string at, KeyAccess? key, ICollection<FieldFault> faults)
    {
        if (key is null) return;
        CheckTexts($"{at}.roles", key.Roles, 1, MaxClaims, faults);
        if (key.Header is { } header && !MatchRules.IsToken(header))
            faults.Add(new FieldFault($"{at}.header", "must be a token"));
    }

    private static void CheckSignature(string at, SignatureAccess? signature, ICollection<FieldFault> faults)
    {
        if (signature is null) return;
        if (signature.WindowSeconds is < 1 or > SignatureCredential.MaxWindowSeconds)
            faults.Add(new FieldFault(
                $"{at}.windowSeconds", $"must be 1 to {SignatureCredential.MaxWindowSeconds}"));
        if (signature.BodyBytes is < 0 or > MaxSignedBodyBytes)
            faults.Add(new FieldFault($"{at}.bodyBytes", $"must be 0 to {MaxSignedBodyBytes}"));
    }

    private static void CheckCertificate(string at, CertificateAccess? certificate, ICollection<FieldFault> faults)
    {
        if (certificate is null) return;
        if (certificate is { Authorities: null, Fingerprints: null })
            faults.Add(new FieldFault(at, "must have authorities, or fingerprints, or both"));
        if (certificate.Authorities is { } pem && KeySetAddress.ReadAuthorities(pem) is null)
            faults.Add(new FieldFault($"{at}.authorities", "must be certificates in PEM"));
        CheckTexts($"{at}.fingerprints", certificate.Fingerprints, 1, MaxFingerprints, faults);
        foreach (var (index, text) in (certificate.Fingerprints ?? []).Index())
            if (text.Length != 64 || !text.All(char.IsAsciiHexDigit))
                faults.Add(new FieldFault($"{at}.fingerprints[{index}]", "must be 64 hexadecimal digits"));
        CheckTexts($"{at}.names", certificate.Names, 1, MaxFingerprints, faults);
        if (certificate.Name is not ("cn" or "dns" or "uri" or "email"))
            faults.Add(new FieldFault($"{at}.name", "must be cn, dns, uri or email"));
    }

    private static void CheckAsk(string at, AskSpec? ask, ICollection<FieldFault> faults)
    {
        if (ask is null) return;
        if ((ask.Address is null) == (ask.Service is null))
            faults.Add(new FieldFault(at, "must have exactly one of address and service"));
        if (ask.Address is { } address && !(Uri.TryCreate(address, UriKind.Absolute, out var uri)
            && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps) && uri.UserInfo.Length == 0))
            faults.Add(new FieldFault($"{at}.address", "must be an address such as http://10.0.0.9:9000/verify"));
        if (ask.Service is { } service && !ServiceKey.TryParse(service, Names.DefaultNamespace, out _))
            faults.Add(new FieldFault($"{at}.service", "must be a service, such as verifier or shop/verifier"));
        if (!ask.Path.StartsWith('/') || ask.Path.StartsWith("//", StringComparison.Ordinal))
            faults.Add(new FieldFault($"{at}.path", "must begin with one slash"));
        if (ask.TimeoutMs is < 10 or > 10_000) faults.Add(new FieldFault($"{at}.timeoutMs", "must be 10 to 10000"));
        CheckFields($"{at}.requestHeaders", ask.RequestHeaders, faults);
        CheckFields($"{at}.serviceHeaders", ask.ServiceHeaders, faults);
        CheckFields($"{at}.clientHeaders", ask.ClientHeaders, faults);
        if (ask.UserHeader is { } user && !TransformRules.IsOpen(user))
            faults.Add(new FieldFault($"{at}.userHeader", "is not a header field that could be set"));
    }

    private static void CheckFields(string at, IReadOnlyList<string>? names, ICollection<FieldFault> faults)
    {
        if (names?.Count > MaxScopes) faults.Add(new FieldFault(at, $"must have {MaxScopes} at most"));
        foreach (var (index, name) in (names ?? []).Index())
            if (!TransformRules.IsOpen(name))
                faults.Add(new FieldFault($"{at}[{index}]", "is not a header field that could be set"));
    }
}
