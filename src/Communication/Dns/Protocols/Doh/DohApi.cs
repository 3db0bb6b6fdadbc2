using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Net;
using Groundwork.Communication.Dns.Answering;
using Groundwork.Communication.Dns.Protocols.Plain;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Groundwork.Wire.Dns;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Communication.Dns.Protocols.Doh;

/// <summary>DNS over HTTP (RFC 8484), and its JSON as public resolvers have it, all at one path.</summary>
internal sealed class DohApi(NameService names, Authenticator authenticator, DnsFigures figures)
{
    public const string Path = "/dns-query";

    /// <summary>A message of DNS.</summary>
    public const string MessageType = "application/dns-message";

    private const string Why =
        "DNS has no credentials: answers are of zones, and of services that a role lets the caller discover";

    public void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet(Path, (Delegate)GetAsync)
            .Describe<string>("dnsQuery", "Answers a question for a name: a message of DNS, or JSON.", MessageType)
            .ReadsQuery("dns").ReadsQuery("name").ReadsQuery("type").ReadsQuery("cd").ReadsQuery("do")
            .ReadsQuery("edns_client_subnet")
            .ReadsHeader("Accept", "application/dns-json for JSON; a message of DNS otherwise.")
            .AllowsAnyone(Why);
        endpoints.MapPost(Path, (Delegate)PostAsync)
            .Describe<string>("postDnsQuery", "Answers a message of DNS that is the body.", MessageType)
            .LimitsBody(DnsLimits.MaxQueryBytes).AllowsAnyone(Why);
    }

    private Task GetAsync(HttpContext context)
    {
        var query = context.Request.Query;
        if (query.TryGetValue("dns", out var encoded)) return AnswerBase64Async(context, encoded[0] ?? "");
        return query.TryGetValue("name", out var name)
            ? AnswerJsonAsync(context, name[0] ?? "")
            : RefuseAsync(context, "Send the message as 'dns' in base64url, or 'name' and 'type' for JSON.");
    }

    private Task AnswerBase64Async(HttpContext context, string encoded)
    {
        if (!Base64Url.IsValid(encoded)) return RefuseAsync(context, "'dns' is not base64url.");
        if (encoded.Length > Base64Url.GetEncodedLength(DnsLimits.MaxQueryBytes))
            return RefuseAsync(context, $"A question has at most {DnsLimits.MaxQueryBytes} bytes.");
        var bytes = new byte[DnsLimits.MaxQueryBytes + 2];
        return AnswerAsync(context, bytes.AsMemory(0, Base64Url.DecodeFromChars(encoded, bytes)));
    }

    private async Task PostAsync(HttpContext context)
    {
        var type = context.Request.ContentType ?? "";
        if (!type.Split(';')[0].Trim().Equals(MessageType, StringComparison.OrdinalIgnoreCase))
        {
            await Problems.WriteAsync(context, new Fault(
                ErrorCodes.UnsupportedMediaType, $"This endpoint reads {MessageType}, not '{type}'."));
            return;
        }
        // The limit of the endpoint is that of a question; one byte more fails the reading.
        var bytes = new byte[DnsLimits.MaxQueryBytes];
        var length = await context.Request.Body.ReadAtLeastAsync(
            bytes, bytes.Length, throwOnEndOfStream: false, context.RequestAborted);
        await AnswerAsync(context, bytes.AsMemory(0, length));
    }

    private async Task AnswerAsync(HttpContext context, ReadOnlyMemory<byte> bytes)
    {
        if (DnsQuery.Read(bytes.Span, out var query) == DnsQueryVerdict.Dropped)
        {
            await RefuseAsync(context, "This is no question of DNS.");
            return;
        }
        if (await AskerAsync(context) is not { } asker) return;
        var response = query.HasQuestion ? await names.ResolveAsync(query, asker, context.RequestAborted) : null;
        figures.Answered(DnsTransport.Doh, response?.Rcode ?? query.Refusal);
        var buffer = ArrayPool<byte>.Shared.Rent(DnsLimits.MaxMessageBytes);
        try
        {
            var length = DnsWriter.WriteResponse(query, response, buffer.AsSpan(0, DnsLimits.MaxMessageBytes));
            await WriteAsync(context, MessageType, response, buffer.AsMemory(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task AnswerJsonAsync(HttpContext context, string name)
    {
        var parameters = context.Request.Query;
        var typeText = parameters.TryGetValue("type", out var given) ? given[0] ?? "" : "A";
        if (!DnsName.TryParse(name, out var asked) || DnsText.ParseType(typeText) is not { } type)
        {
            await RefuseAsync(context, "'name' must be a name, and 'type' a type such as AAAA or 28.");
            return;
        }
        var subnetText = parameters["edns_client_subnet"] is [{ Length: > 0 } first, ..] ? first : null;
        DnsClientSubnet? subnet = null;
        if (subnetText is not null && (subnet = ParseSubnet(subnetText)) is null)
        {
            await RefuseAsync(context, "'edns_client_subnet' must be a network, such as 192.0.2.0/24.");
            return;
        }
        if (await AskerAsync(context) is not { } asker) return;
        var query = DnsQuery.Of(asked, type, subnet: subnet);
        var response = await names.ResolveAsync(query, asker, context.RequestAborted);
        figures.Answered(DnsTransport.Doh, response.Rcode);
        var isDisabled = parameters["cd"] is ["1" or "true", ..];
        await WriteAsync(
            context, DohJson.MediaType, response, DohJson.Write(query, response, isDisabled, subnetText));
    }

    private static DnsClientSubnet? ParseSubnet(string text)
    {
        if (IPAddress.TryParse(text, out var single))
            return new DnsClientSubnet(single, (byte)(single.GetAddressBytes().Length * 8));
        return IPNetwork.TryParse(text, out var network)
            ? new DnsClientSubnet(network.BaseAddress, (byte)network.PrefixLength)
            : null;
    }

    /// <summary>Null when a wrong credential was refused: the answer is written.</summary>
    private async ValueTask<Asker?> AskerAsync(HttpContext context)
    {
        var authentication = await authenticator.AuthenticateAsync(context);
        if (authentication.TryGet(out var principal, out var fault))
            return Asker.Of(context.Connection.RemoteIpAddress ?? IPAddress.None, principal);
        await Problems.WriteAsync(context, fault);
        return null;
    }

    private static async Task WriteAsync(
        HttpContext context, string type, DnsResponse? response, ReadOnlyMemory<byte> body)
    {
        var answer = context.Response;
        answer.ContentType = type;
        answer.ContentLength = body.Length;
        // Who asks decides what is answered: kept by the one who asked alone (RFC 8484, 5.1).
        answer.Headers.CacheControl = response is { Rcode: DnsRcode.NoError or DnsRcode.NxDomain }
            ? string.Create(CultureInfo.InvariantCulture, $"private, max-age={response.CacheSeconds}")
            : "no-store";
        await answer.Body.WriteAsync(body, context.RequestAborted);
    }

    private static Task RefuseAsync(HttpContext context, string detail) =>
        Problems.WriteAsync(context, new Fault(ErrorCodes.BadRequest, detail));
}
