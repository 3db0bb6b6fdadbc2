using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Groundwork.Wire.Dns;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Dns.Protocols.HttpDns;

/// <summary><c>/{account}/d</c> and what belongs to it: what older clients still call.</summary>
internal sealed class AlibabaV1(
    AccountTable accounts, HttpDnsNames names, ClientAddresses addresses, TimeProvider time)
{
    public async Task AnswerAsync(HttpContext context, string account, bool isSigned, bool isBatch)
    {
        var query = context.Request.Query;
        var host = query["host"].ToString();
        var fault = Check(account, host, query, isSigned, isBatch, out var found, out var hosts);
        if (fault is not null || found is null)
        {
            await HttpDnsJson.WriteAsync(context, fault ?? HttpDnsFault.AccountNotExists);
            return;
        }
        var client = addresses.Of(context, isSigned ? query["ip"].ToString() : null);
        var wanted = query["query"].ToString() is { Length: > 0 } families ? families.Split(',') : ["4"];
        var answers = new List<(string Host, FoundAddresses? V4, FoundAddresses? V6)>();
        foreach (var (text, name) in hosts)
            answers.Add((
                text,
                wanted.Contains("4") ? await FindAsync(name, DnsType.A) : null,
                wanted.Contains("6") ? await FindAsync(name, DnsType.Aaaa) : null));
        await HttpDnsJson.WriteAsync(context, json =>
        {
            if (!isBatch)
            {
                Write(json, answers[0], client);
                return;
            }
            json.WriteStartArray("dns");
            foreach (var answer in answers)
            {
                json.WriteStartObject();
                Write(json, answer, client);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        });

        ValueTask<FoundAddresses> FindAsync(DnsName name, DnsType type) =>
            names.FindAsync(name, type, client, null, context.RequestAborted);
    }

    /// <summary>Where the servers of this protocol are: here.</summary>
    public Task ScheduleAsync(HttpContext context, string account)
    {
        if (accounts.Find(account) is null) return HttpDnsJson.WriteAsync(context, HttpDnsFault.AccountNotExists);
        var here = context.Connection.LocalIpAddress ?? IPAddress.Loopback;
        if (here.IsIPv4MappedToIPv6) here = here.MapToIPv4();
        var isIPv4 = here.GetAddressBytes().Length == 4;
        return HttpDnsJson.WriteAsync(context, json =>
        {
            json.WriteStartArray("service_ip");
            if (isIPv4) json.WriteStringValue(here.ToString());
            json.WriteEndArray();
            json.WriteStartArray("service_ipv6");
            if (!isIPv4) json.WriteStringValue(here.ToString());
            json.WriteEndArray();
            json.WriteStartArray("service_ip_port");
            json.WriteStringValue(new IPEndPoint(here, context.Connection.LocalPort).ToString());
            json.WriteEndArray();
        });
    }

    private HttpDnsFault? Check(
        string account, string host, IQueryCollection query, bool isSigned, bool isBatch, out Account? found,
        out List<(string Text, DnsName Name)> hosts)
    {
        hosts = [];
        found = accounts.Find(account);
        if (found is null) return HttpDnsFault.AccountNotExists;
        if (host.Length == 0) return HttpDnsFault.MissingArgument;
        if (!isSigned && !found.AllowUnsigned) return HttpDnsFault.UnsignedInterfaceDisabled;
        if (isSigned && CheckSignature(found, host, query) is { } fault) return fault;
        if (HttpDnsNames.Read(host) is not { } read) return HttpDnsFault.InvalidHost;
        hosts = read;
        var allowed = found;
        if (read.Count > (isBatch ? HttpDnsNames.MaxHosts : 1)) return HttpDnsFault.TooManyHosts;
        return read.Any(one => !allowed.MayAsk(one.Name)) ? HttpDnsFault.InvalidHost : null;
    }

    private HttpDnsFault? CheckSignature(Account account, string host, IQueryCollection query)
    {
        var until = query["t"].ToString();
        if (!long.TryParse(until, NumberStyles.None, CultureInfo.InvariantCulture, out var expires))
            return HttpDnsFault.MissingArgument;
        // The protocol's own digest.
#pragma warning disable CA5351
        var expected = Convert.ToHexStringLower(
            MD5.HashData(Encoding.UTF8.GetBytes($"{host}-{account.SecretText}-{until}")));
#pragma warning restore CA5351
        var given = query["s"].ToString().ToLowerInvariant();
        if (account.SecretText is null || !CryptographicOperations.FixedTimeEquals(
            Encoding.ASCII.GetBytes(expected), Encoding.UTF8.GetBytes(given))) return HttpDnsFault.InvalidSignature;
        return expires <= time.GetUtcNow().ToUnixTimeSeconds() ? HttpDnsFault.SignatureExpired : null;
    }

    private static void Write(
        Utf8JsonWriter json, (string Host, FoundAddresses? V4, FoundAddresses? V6) answer, IPAddress client)
    {
        json.WriteString("host", answer.Host);
        json.WriteString("client_ip", client.ToString());
        var ttl = Math.Min(answer.V4?.Ttl ?? uint.MaxValue, answer.V6?.Ttl ?? uint.MaxValue);
        Write(json, "ips", answer.V4);
        if (answer.V6 is not null) Write(json, "ipsv6", answer.V6);
        json.WriteNumber("ttl", ttl == uint.MaxValue ? 0 : ttl);
        json.WriteNumber("origin_ttl", ttl == uint.MaxValue ? 0 : ttl);
    }

    private static void Write(Utf8JsonWriter json, string field, FoundAddresses? found)
    {
        json.WriteStartArray(field);
        foreach (var address in found?.Addresses ?? []) json.WriteStringValue(address);
        json.WriteEndArray();
    }
}
