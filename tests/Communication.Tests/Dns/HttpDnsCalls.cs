using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Groundwork.Communication.Tests.Dns;

/// <summary>Paths of HTTPDNS as its clients sign them.</summary>
internal static class HttpDnsCalls
{
    public const string Secret = "00112233445566778899aabbccddeeff";

    /// <summary>The second version's, of the account 100000 unless a field says another.</summary>
    public static string Second(Dictionary<string, string> fields)
    {
        var all = new SortedDictionary<string, string>(fields, StringComparer.Ordinal);
        all.TryAdd("id", "100000");
        all.TryAdd("m", "0");
        all.TryAdd("v", "1.0");
        all.TryAdd("exp", In(minutes: 5));
        var signed = string.Join('&', all.Where(pair => pair.Value.Length > 0).Select(
            pair => $"{pair.Key}={pair.Value}"));
        all["s"] = Convert.ToHexStringLower(
            HMACSHA256.HashData(Convert.FromHexString(Secret), Encoding.UTF8.GetBytes(signed)));
        return "/v2/d?" + string.Join('&', all.Select(
            pair => $"{Uri.EscapeDataString(pair.Key)}={Uri.EscapeDataString(pair.Value)}"));
    }

    /// <summary>The first version's.</summary>
    public static string First(string path, string hosts, int minutes = 5)
    {
        var until = In(minutes);
#pragma warning disable CA5351 // The protocol's own digest.
        var digest = Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes($"{hosts}-{Secret}-{until}")));
#pragma warning restore CA5351
        return $"/100000/{path}?host={hosts}&t={until}&s={digest}";
    }

    private static string In(int minutes) =>
        TimeProvider.System.GetUtcNow().AddMinutes(minutes).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
}
