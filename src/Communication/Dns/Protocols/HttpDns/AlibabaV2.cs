using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Groundwork.Wire.Dns;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Dns.Protocols.HttpDns;

/// <summary><c>/v2/d</c>: several names at once, signed, and encrypted where the client wants it.</summary>
internal sealed class AlibabaV2(
    AccountTable accounts, HttpDnsNames names, ClientAddresses addresses, TimeProvider time)
{
    /// <summary>How far ahead a signature may be valid: a day, for clients whose clocks are wrong.</summary>
    private static readonly TimeSpan MostAhead = TimeSpan.FromDays(1);

    private const string LabelPrefix = "sdns-";

    private static readonly string[] SignedPlain = ["cip", "dn", "exp", "id", "m", "q", "tags", "v"];
    private static readonly string[] SignedEncrypted = ["enc", "exp", "id", "m", "v"];

    public async Task AnswerAsync(HttpContext context)
    {
        var given = context.Request.Query.ToDictionary(
            pair => pair.Key, pair => pair.Value[0] ?? "", StringComparer.Ordinal);
        var (fault, account) = Check(given);
        if (fault is null && account is not null && given.GetValueOrDefault("m", "0") is var mode)
        {
            var asked = mode == "0" ? given : Open(account, mode, given.GetValueOrDefault("enc", ""));
            if (asked is null) fault = HttpDnsFault.InvalidSignature;
            else if (asked.GetValueOrDefault("dn", "").Length == 0) fault = HttpDnsFault.MissingArgument;
            else
            {
                fault = await AnswerAsync(context, account, mode, asked, IsSigned(given));
                if (fault is null) return;
            }
        }
        await HttpDnsJson.WriteAsync(context, fault ?? HttpDnsFault.InternalError);
    }

    private static bool IsSigned(Dictionary<string, string> given) => given.GetValueOrDefault("s", "").Length > 0;

    private (HttpDnsFault? Fault, Account? Account) Check(Dictionary<string, string> given)
    {
        if (given.GetValueOrDefault("id", "") is not { Length: > 0 } id) return (HttpDnsFault.MissingArgument, null);
        if (accounts.Find(id) is not { } account) return (HttpDnsFault.AccountNotExists, null);
        if (given.GetValueOrDefault("m", "0") is not ("0" or "1" or "2")) return (HttpDnsFault.MissingArgument, null);
        if (!IsSigned(given))
            return (account.AllowUnsigned ? null : HttpDnsFault.UnsignedInterfaceDisabled, account);
        if (account.Secret is null || !Verify(given, account.Secret)) return (HttpDnsFault.InvalidSignature, account);
        if (!long.TryParse(
            given.GetValueOrDefault("exp"), NumberStyles.None, CultureInfo.InvariantCulture, out var exp))
            return (HttpDnsFault.MissingArgument, account);
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        if (exp <= now) return (HttpDnsFault.SignatureExpired, account);
        return (exp - now > MostAhead.TotalSeconds ? HttpDnsFault.InvalidDuration : null, account);
    }

    private static bool Verify(Dictionary<string, string> given, byte[] secret)
    {
        var isPlain = given.GetValueOrDefault("m", "0") == "0";
        var signed = given.Where(pair => pair.Value.Length > 0
                && ((isPlain ? SignedPlain : SignedEncrypted).Contains(pair.Key)
                    || (isPlain && pair.Key.StartsWith(LabelPrefix, StringComparison.Ordinal))))
            .OrderBy(pair => pair.Key, StringComparer.Ordinal)
            .Select(pair => $"{pair.Key}={pair.Value}");
        var expected = Convert.ToHexStringLower(
            HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(string.Join('&', signed))));
        return CryptographicOperations.FixedTimeEquals(
            Encoding.ASCII.GetBytes(expected), Encoding.UTF8.GetBytes(given["s"].ToLowerInvariant()));
    }

    private static Dictionary<string, string>? Open(Account account, string mode, string encrypted)
    {
        if (account.AesKey is not { } key || encrypted.Length % 2 != 0 || !encrypted.All(char.IsAsciiHexDigit))
            return null;
        var whole = Convert.FromHexString(encrypted);
        var clear = mode == "1" ? HttpDnsCiphers.OpenCbc(key, whole) : HttpDnsCiphers.OpenGcm(key, whole);
        if (clear is null) return null;
        try
        {
            using var document = JsonDocument.Parse(clear);
            if (document.RootElement.ValueKind != JsonValueKind.Object) return null;
            var read = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var member in document.RootElement.EnumerateObject())
                if (member.Value.ValueKind == JsonValueKind.String)
                    read[member.Name] = member.Value.GetString()!; // It is text.
            return read;
        }
        catch (Exception unread) when (unread is JsonException or InvalidOperationException)
        {
            return null; // No JSON, or strings in it that are no text: half a pair, bytes that are not UTF-8.
        }
    }

    /// <summary>Null when it is answered.</summary>
    private async Task<HttpDnsFault?> AnswerAsync(
        HttpContext context, Account account, string mode, Dictionary<string, string> asked, bool isSigned)
    {
        if (HttpDnsNames.Read(asked["dn"]) is not { } hosts) return HttpDnsFault.InvalidHost;
        if (hosts.Count > HttpDnsNames.MaxHosts) return HttpDnsFault.TooManyHosts;
        if (hosts.Any(host => !account.MayAsk(host.Name))) return HttpDnsFault.InvalidHost;
        // Who signs says where the client is; anybody else is where the call comes from.
        var client = addresses.Of(context, isSigned ? asked.GetValueOrDefault("cip") : null);
        var labels = LabelsOf(asked);
        var wanted = asked.GetValueOrDefault("q", "4").Split(',');
        var bytes = new ArrayBufferWriter<byte>(512);
        await using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteString("cip", client.ToString());
            json.WriteStartArray("answers");
            foreach (var (text, name) in hosts)
            {
                json.WriteStartObject();
                json.WriteString("dn", text);
                foreach (var (query, field, type) in new[] { ("4", "v4", DnsType.A), ("6", "v6", DnsType.Aaaa) })
                    if (wanted.Contains(query))
                        Write(json, field, await names.FindAsync(name, type, client, labels, context.RequestAborted));
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        await HttpDnsJson.WriteAsync(context, mode, Seal(account, mode, bytes.WrittenSpan));
        return null;
    }

    private static ReadOnlyMemory<byte> Seal(Account account, string mode, ReadOnlySpan<byte> clear) => mode switch
    {
        "1" => HttpDnsCiphers.SealCbc(account.AesKey, clear),
        "2" => HttpDnsCiphers.SealGcm(account.AesKey, clear),
        _ => clear.ToArray(),
    };

    private static void Write(Utf8JsonWriter json, string field, FoundAddresses found)
    {
        json.WriteStartObject(field);
        json.WriteStartArray("ips");
        foreach (var address in found.Addresses) json.WriteStringValue(address);
        json.WriteEndArray();
        json.WriteNumber("ttl", found.Ttl);
        if (found.Addresses.Count == 0)
            json.WriteString("no_ip_code", found.Exists ? "RRNotExist" : "HostNotExist");
        json.WriteEndObject();
    }

    private static Dictionary<string, string>? LabelsOf(Dictionary<string, string> asked)
    {
        var labels = asked.Where(pair => pair.Key.StartsWith(LabelPrefix, StringComparison.Ordinal))
            .ToDictionary(pair => pair.Key[LabelPrefix.Length..], pair => pair.Value, StringComparer.Ordinal);
        if (asked.TryGetValue("tags", out var tags)) labels["tags"] = tags;
        return labels.Count == 0 ? null : labels;
    }
}
