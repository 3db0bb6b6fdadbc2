using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Groundwork.Communication.Dns.Steering;
using Groundwork.Kernel.Resources;
using Groundwork.Wire.Dns;

namespace Groundwork.Communication.Dns.Protocols.HttpDns;

/// <summary>An account with its secrets in clear.</summary>
internal sealed class Account
{
    private readonly bool mayAskAll;
    private readonly ImmutableHashSet<DnsName> names;
    private readonly ImmutableHashSet<DnsName> above;
    private readonly byte[]? token;

    private Account(string id, HttpDnsAccountSpec spec, JsonElement open)
    {
        Id = id;
        AllowUnsigned = spec.AllowUnsigned;
        SecretText = TextOf(open, "secret");
        Secret = SecretText is null ? null : Convert.FromHexString(SecretText);
        AesKey = TextOf(open, "aesKey") is { } key ? Convert.FromHexString(key) : null;
        TencentKey = TextOf(open, "tencentKey") is { } tencent ? Encoding.UTF8.GetBytes(tencent) : null;
        token = TextOf(open, "token") is { } word ? Encoding.UTF8.GetBytes(word) : null;
        mayAskAll = spec.Names.Contains(AccountRules.AllNames);
        var patterns = spec.Names.Select(RuleRules.NameOf).OfType<(DnsName Name, bool IsBelow)>().ToArray();
        names = [.. patterns.Where(pattern => !pattern.IsBelow).Select(pattern => pattern.Name)];
        above = [.. patterns.Where(pattern => pattern.IsBelow).Select(pattern => pattern.Name)];
    }

    public string Id { get; }

    public bool AllowUnsigned { get; }

    /// <summary>As it is written: the first version's signatures are over its digits.</summary>
    public string? SecretText { get; }

    public byte[]? Secret { get; }

    public byte[]? AesKey { get; }

    public byte[]? TencentKey { get; }

    public static Account Compile(Resource resource, ReadOnlyMemory<byte> open)
    {
        using var document = JsonDocument.Parse(open);
        return new Account(resource.Key.Name, resource.As<HttpDnsAccountSpec>(), document.RootElement);
    }

    public bool MayAsk(DnsName name)
    {
        if (mayAskAll || names.Contains(name)) return true;
        for (var at = name; !at.IsRoot;)
        {
            at = at.Parent;
            if (above.Contains(at)) return true;
        }
        return false;
    }

    public bool HasToken(ReadOnlySpan<byte> given) =>
        token is not null && CryptographicOperations.FixedTimeEquals(token, given);

    private static string? TextOf(JsonElement spec, string name) =>
        spec.TryGetProperty(name, out var secret) && secret.ValueKind == JsonValueKind.String
            ? secret.GetString()
            : null;
}
