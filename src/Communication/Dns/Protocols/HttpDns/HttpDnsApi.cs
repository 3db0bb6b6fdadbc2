using Groundwork.Kernel.Hosting;
using Groundwork.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Communication.Dns.Protocols.HttpDns;

/// <summary>
/// HTTPDNS as three kinds of clients have it. It has a listener alone, because an account stands first in its paths and
/// would swallow other protocols'.
/// </summary>
internal sealed class HttpDnsApi(AlibabaV1 first, AlibabaV2 second, Tencent tencent)
{
    /// <summary>Bytes of a form: five names, encrypted.</summary>
    private const int MaxBodyBytes = 16 * 1024;

    private const string TencentPath = "/d";

    private const string Why = "an account's signature, key or token is in the request, and is checked there";

    public void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/v2/d", (RequestDelegate)second.AnswerAsync).AllowsAnyone(Why);
        endpoints.MapMethods(TencentPath, [HttpMethods.Get, HttpMethods.Post], (RequestDelegate)tencent.AnswerAsync)
            .LimitsBody(MaxBodyBytes).AllowsAnyone(Why);
        foreach (var (path, isSigned, isBatch) in new[]
        {
            ("d", false, false), ("sign_d", true, false), ("resolve", false, true), ("sign_resolve", true, true),
        })
        {
            endpoints.MapGet($"/{{account}}/{path}", (RequestDelegate)(context =>
                first.AnswerAsync(context, AccountOf(context), isSigned, isBatch))).AllowsAnyone(Why);
        }
        endpoints.MapGet(
            "/{account}/ss", (RequestDelegate)(context => first.ScheduleAsync(context, AccountOf(context))))
            .AllowsAnyone(Why);
    }

    /// <summary>Says what goes wrong around the answers; Alibaba has words for two of them, Tencent for none.</summary>
    public static Task WriteAsync(HttpContext context, Fault fault)
    {
        var worded = context.Request.Path.Equals(TencentPath, StringComparison.OrdinalIgnoreCase) ? null
            : fault.Error == ErrorCodes.MethodNotAllowed ? HttpDnsFault.MethodNotAllowed
            : fault.Error == ErrorCodes.Internal ? HttpDnsFault.InternalError
            : null;
        if (worded is not null) return HttpDnsJson.WriteAsync(context, worded);
        context.Response.StatusCode = fault.Error.Status;
        return Task.CompletedTask;
    }

    private static string AccountOf(HttpContext context) => context.Request.RouteValues["account"] as string ?? "";
}
