using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Groundwork.Client.Resolving;

/// <summary>Puts names into a request of HTTPDNS (Alibaba's second version), and reads what is answered.</summary>
internal sealed class HttpDnsQuestion(HttpDnsOptions options)
{
    /// <summary>How long a signature is good: clocks of clients are wrong by minutes.</summary>
    private static readonly TimeSpan ValidFor = TimeSpan.FromMinutes(10);

    /// <summary>Names in one request, as the protocol has it.</summary>
    public const int MaxHosts = 5;

    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    private readonly byte[]? secret = options.Secret is null ? null : Convert.FromHexString(options.Secret);
    private readonly byte[]? key = options.AesKey is null ? null : Convert.FromHexString(options.AesKey);

    public string Write(IEnumerable<string> hosts)
    {
        var families = options.IPv6 ? "4,6" : "4";
        var fields = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["id"] = options.Account, ["m"] = key is null ? "0" : "2", ["v"] = "1.0",
        };
        var names = string.Join(',', hosts);
        if (key is null) (fields["dn"], fields["q"]) = (names, families);
        else fields["enc"] = Convert.ToHexStringLower(Seal(key, new Dictionary<string, string>
        {
            ["dn"] = names, ["q"] = families,
        }));
        if (secret is not null)
        {
            fields["exp"] = (options.Time.GetUtcNow() + ValidFor).ToUnixTimeSeconds()
                .ToString(CultureInfo.InvariantCulture);
            var signed = string.Join('&', fields.Select(field => $"{field.Key}={field.Value}"));
            fields["s"] = Convert.ToHexStringLower(HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(signed)));
        }
        return "/v2/d?" + string.Join(
            '&', fields.Select(field => $"{field.Key}={Uri.EscapeDataString(field.Value)}"));
    }

    /// <summary>The addresses by name, with how long they are good; empty for an answer that is none.</summary>
    public Dictionary<string, (List<IPAddress> Addresses, TimeSpan Ttl)> Read(string answer)
    {
        var found = new Dictionary<string, (List<IPAddress>, TimeSpan)>(StringComparer.OrdinalIgnoreCase);
        try
        {
            using var document = JsonDocument.Parse(answer);
            if (document.RootElement.GetProperty("code").GetString() != "success") return found;
            var content = document.RootElement.GetProperty("data");
            using var opened = key is null ? null : JsonDocument.Parse(Open(key, content.GetBytesFromBase64()));
            foreach (var one in (opened?.RootElement ?? content).GetProperty("answers").EnumerateArray())
            {
                var addresses = new List<IPAddress>();
                var ttl = Math.Min(Add(one, "v4", addresses), Add(one, "v6", addresses));
                if (one.GetProperty("dn").GetString() is { } name && addresses.Count > 0)
                    found[name] = (addresses, TimeSpan.FromSeconds(ttl));
            }
        }
        catch (Exception wrong) when (wrong is JsonException or KeyNotFoundException or InvalidOperationException
            or FormatException or CryptographicException)
        {
            found.Clear(); // Not of our server, or not of our key: as if there were no answer.
        }
        return found;
    }

    private static int Add(JsonElement answer, string family, List<IPAddress> into)
    {
        const int LongestTtl = 86_400;
        if (!answer.TryGetProperty(family, out var found)) return LongestTtl;
        var before = into.Count;
        foreach (var text in found.GetProperty("ips").EnumerateArray())
            if (IPAddress.TryParse(text.GetString(), out var address)) into.Add(address);
        // That there is none of one family says nothing about how long the other's are good.
        return into.Count == before ? LongestTtl : Math.Clamp(found.GetProperty("ttl").GetInt32(), 0, LongestTtl);
    }

    private static byte[] Seal(byte[] key, Dictionary<string, string> fields)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var (name, value) in fields) json.WriteString(name, value);
            json.WriteEndObject();
        }
        var clear = buffer.ToArray();
        var whole = new byte[NonceBytes + clear.Length + TagBytes];
        RandomNumberGenerator.Fill(whole.AsSpan(0, NonceBytes));
        using var gcm = new AesGcm(key, TagBytes);
        gcm.Encrypt(
            whole.AsSpan(0, NonceBytes), clear, whole.AsSpan(NonceBytes, clear.Length), whole.AsSpan(^TagBytes..));
        return whole;
    }

    private static byte[] Open(byte[] key, byte[] whole)
    {
        if (whole.Length < NonceBytes + TagBytes) throw new CryptographicException("The answer is too short.");
        var clear = new byte[whole.Length - NonceBytes - TagBytes];
        using var gcm = new AesGcm(key, TagBytes);
        gcm.Decrypt(
            whole.AsSpan(0, NonceBytes), whole.AsSpan(NonceBytes, clear.Length), whole.AsSpan(^TagBytes..), clear);
        return clear;
    }
}
