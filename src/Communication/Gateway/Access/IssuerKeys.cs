using System.Text;
using System.Text.Json;
using Groundwork.Communication.Gateway.Access.Tokens;
using Groundwork.Kernel.Resources;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway.Access;

/// <summary>Makes issuers of their resources, with the keys that are known at once.</summary>
internal static partial class IssuerKeys
{
    /// <summary>Null for one that this version does not understand.</summary>
    public static TokenIssuer? Compile(Resource resource, ReadOnlyMemory<byte> open, AccessParts parts)
    {
        var spec = resource.As<TokenIssuerSpec>();
        var issuer = new TokenIssuer(resource.Key, spec);
        if (issuer.Algorithms.Count != spec.Algorithms.Count)
        {
            LogSkipped(parts.Logger, resource.Key, "an algorithm is not understood");
            return null;
        }
        if (spec.Secret is not null)
        {
            if (SecretOf(open) is { } secret) issuer.Take([TokenKey.OfSecret(secret, issuer.Algorithms)]);
            else LogSkipped(parts.Logger, resource.Key, "this node may not read its secret");
        }
        else if (spec.KeySet is { } set)
        {
            issuer.Take(KeySetText.Read(Encoding.UTF8.GetBytes(set), issuer.Algorithms).Keys);
        }
        else if (spec.Keys is { } keys)
        {
            issuer.Take(
                [.. keys.Select(key => TokenKey.OfPem(key.Pem, key.Id, issuer.Algorithms).Key).OfType<TokenKey>()]);
        }
        else if (spec.KeySetAddress is { } address && KeySetAddress.Explain(address) is null)
        {
            issuer.Address = new KeySetAddress(issuer, spec, parts.Guard, parts.Time, parts.Logger);
            issuer.Address.Start();
        }
        return issuer;
    }

    private static byte[]? SecretOf(ReadOnlyMemory<byte> open)
    {
        using var document = JsonDocument.Parse(open);
        return document.RootElement.TryGetProperty("secret", out var secret)
            && secret.ValueKind == JsonValueKind.String
            ? Encoding.UTF8.GetBytes(secret.GetString()!) // It is text.
            : null;
    }

    [LoggerMessage(1, LogLevel.Error, "The {Issuer} is not served: {Reason}")]
    private static partial void LogSkipped(ILogger logger, ResourceKey issuer, string reason);
}
