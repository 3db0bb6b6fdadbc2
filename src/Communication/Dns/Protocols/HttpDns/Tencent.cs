using System.Text;
using Groundwork.Wire.Dns;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Dns.Protocols.HttpDns;

/// <summary><c>/d</c>: Tencent's HTTPDNS, in text, with everything encrypted or over TLS with a token.</summary>
internal sealed class Tencent(AccountTable accounts, HttpDnsNames names, ClientAddresses addresses)
{
    /// <summary>What stands for a name, or a family, that has no address.</summary>
    private const string None = "0";

    private const int AesKeyBytes = 16;

    public async Task AnswerAsync(HttpContext context)
    {
        if (await ReadAsync(context) is not { } given)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        var isAes = given.GetValueOrDefault("alg") == "aes";
        var token = given.GetValueOrDefault("token", "");
        var account = token.Length > 0 ? accounts.FindByToken(token) : accounts.Find(given.GetValueOrDefault("id", ""));
        var key = token.Length > 0 ? null : KeyOf(account, isAes);
        if (account is null || (token.Length == 0 && key is null)
            || Open(key, isAes, given.GetValueOrDefault("dn", "")) is not { } hosts
            || HttpDnsNames.Read(hosts) is not { Count: <= HttpDnsNames.MaxHosts } asked
            || asked.Any(one => !account.MayAsk(one.Name)))
        {
            // It has no words for what is wrong.
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        var said = given.GetValueOrDefault("ip", "") is { Length: > 0 } ip ? Open(key, isAes, ip) : null;
        var client = addresses.Of(context, said);
        var lines = new List<string>();
        foreach (var (text, name) in asked)
        {
            var line = await DescribeAsync(name, given, asked.Count > 1, client, context.RequestAborted);
            lines.Add(asked.Count > 1 || given.GetValueOrDefault("query") == "1" ? $"{text}.:{line}" : line);
        }
        var body = string.Join('\n', lines);
        if (given.GetValueOrDefault("clientip") == "1") body += $"|{client}";
        context.Response.ContentType = "text/html; charset=utf-8"; // As theirs.
        await context.Response.WriteAsync(Seal(key, isAes, body), context.RequestAborted);
    }

    private async ValueTask<string> DescribeAsync(
        DnsName name, Dictionary<string, string> given, bool isOfSeveral, System.Net.IPAddress client,
        CancellationToken cancellationToken)
    {
        var type = given.GetValueOrDefault("type", "");
        var saysNone = isOfSeveral || given.GetValueOrDefault("query") == "1" || type == "addrs";
        var v4 = type == "aaaa" ? null : await PartAsync(DnsType.A);
        var v6 = type is "aaaa" or "addrs" ? await PartAsync(DnsType.Aaaa) : null;
        return v4 is not null && v6 is not null ? $"{v4}-{v6}" : v4 ?? v6 ?? "";

        async ValueTask<string> PartAsync(DnsType wanted)
        {
            var found = await names.FindAsync(name, wanted, client, null, cancellationToken);
            if (found.Addresses.Count == 0) return saysNone ? None : "";
            var list = string.Join(';', found.Addresses);
            return given.GetValueOrDefault("ttl") == "1" ? $"{list},{found.Ttl}" : list;
        }
    }

    /// <summary>Null for a form that is none.</summary>
    private static async Task<Dictionary<string, string>?> ReadAsync(HttpContext context)
    {
        var given = context.Request.Query.ToDictionary(
            pair => pair.Key, pair => pair.Value[0] ?? "", StringComparer.Ordinal);
        if (!HttpMethods.IsPost(context.Request.Method) || !context.Request.HasFormContentType) return given;
        try
        {
            foreach (var (name, values) in await context.Request.ReadFormAsync(context.RequestAborted))
                given[name] = values[0] ?? "";
            return given;
        }
        catch (Exception none) when (none is InvalidDataException or IOException and not BadHttpRequestException
            && !context.RequestAborted.IsCancellationRequested)
        {
            return null; // Too many or too long fields, a wrong boundary, or parts that end before they should.
        }
    }

    private static byte[]? KeyOf(Account? account, bool isAes) =>
        account?.TencentKey is { } key && (!isAes || key.Length == AesKeyBytes) ? key : null;

    private static string? Open(byte[]? key, bool isAes, string text)
    {
        if (key is null) return text;
        if (text.Length % 2 != 0 || !text.All(char.IsAsciiHexDigit)) return null;
        var whole = Convert.FromHexString(text);
        var clear = isAes ? HttpDnsCiphers.OpenCbc(key, whole) : HttpDnsCiphers.OpenDes(key, whole);
        return clear is null ? null : Encoding.UTF8.GetString(clear);
    }

    private static string Seal(byte[]? key, bool isAes, string text)
    {
        if (key is null) return text;
        var clear = Encoding.UTF8.GetBytes(text);
        return Convert.ToHexStringLower(
            isAes ? HttpDnsCiphers.SealCbc(key, clear) : HttpDnsCiphers.SealDes(key, clear));
    }
}
