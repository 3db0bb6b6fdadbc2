using System.Buffers;
using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings.Protocols.Spring.Sources;
using Groundwork.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Services.Settings.Protocols.Spring.Bus;

/// <summary>
/// <c>/monitor</c>, by which repositories tell of a push, and <c>/actuator/busrefresh</c>, by which people do. A push
/// must be signed with the secret of a source, or come from somebody who may <c>operate</c> it.
/// </summary>
internal sealed class MonitorApi(
    ConfigSources sources, ConfigBuses buses, RefreshNews news, ProtocolCallers callers, Authorizer authorizer,
    TimeProvider time)
{
    private const string Why =
        "Repositories sign what they send, and Spring's clients expect errors in Spring's shape: the signature or the "
        + "credential, and the right to operate, are checked inside";

    public void Map(IEndpointRouteBuilder endpoints, string at)
    {
        void Post(string pattern, Func<HttpContext, Task> answer, string id, string summary) => endpoints
            .MapPost(pattern, (Delegate)((HttpContext context) => answer(context)))
            .WithTags("Spring Cloud Config").Describe<string>($"{at}{id}", summary).AllowsAnyone(Why)
            .LimitsBody(PushNotice.MaxBytes);

        Post("/monitor", MonitorAsync, "Monitor", "A repository was pushed to: looks now, and tells applications.");
        Post("/actuator/busrefresh", context => RefreshAsync(context, null), "BusRefresh",
            "Tells all applications to read their configuration again.");
        Post(
            "/actuator/busrefresh/{**destination}",
            context => RefreshAsync(context, $"{context.Request.RouteValues["destination"]}"), "BusRefreshOf",
            "Tells the applications of a destination, such as orders:**.");
    }

    private async Task MonitorAsync(HttpContext context)
    {
        var sent = await SentBody.ReadAsync(context, PushNotice.MaxBytes);
        if (!sent.TryGet(out var body, out var fault))
        {
            await FailAsync(context, fault);
            return;
        }
        var trusted = sources.Sources
            .Where(source => source.WebhookSecret is { } secret
                && PushNotice.IsSigned(context.Request.Headers, body, secret))
            .ToList();
        if (trusted.Count == 0)
        {
            var asked = await callers.AskAsync(context);
            if (!asked.TryGet(out var caller, out fault))
            {
                await FailAsync(context, fault);
                return;
            }
            trusted = [.. sources.Sources.Where(source => authorizer.Allows(caller, Verb.Operate, Target(source)))];
            var all = new ResourceKey(ConfigSourceKind.Name, "", "*");
            if (trusted.Count == 0 && callers.Check(context, Verb.Operate, all) is { } refused)
            {
                await FailAsync(context, refused);
                return;
            }
        }
        var notice = PushNotice.Read(context.Request, body);
        if (!notice.TryGet(out var push, out fault))
        {
            await FailAsync(context, fault);
            return;
        }
        var destinations = push.Destinations();
        news.After(Task.WhenAll(trusted.Select(source => source.RefreshAsync())), destinations);
        await BootAnswers.WriteAsync(context, ListOf(destinations), BootAnswers.JsonType);
    }

    private async Task RefreshAsync(HttpContext context, string? destination)
    {
        var asked = await callers.AskAsync(context);
        if (!asked.TryGet(out var caller, out var fault))
        {
            await FailAsync(context, fault);
            return;
        }
        var allowed = buses.Names.Where(name => authorizer.Allows(
            caller, Verb.Operate, new ResourceKey(ConfigBusKind.Name, "", name))).ToHashSet(StringComparer.Ordinal);
        var all = new ResourceKey(ConfigBusKind.Name, "", "*");
        if (allowed.Count == 0)
        {
            fault = callers.Check(context, Verb.Operate, all)
                ?? new Fault(ErrorCodes.NotFound, "There is no config-bus to tell applications over.");
        }
        else if (destination is { } text && (text.Length > SpringQuery.MaxLength || text.Any(char.IsControl)))
        {
            fault = new Fault(
                ErrorCodes.BadRequest, $"A destination has at most {SpringQuery.MaxLength} printable characters.");
        }
        if (fault is not null)
        {
            await FailAsync(context, fault);
            return;
        }
        buses.Publish(destination, allowed.Contains);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static ResourceKey Target(ConfigSource source) => new(ConfigSourceKind.Name, "", source.Name);

    private static byte[] ListOf(IReadOnlyList<string> texts)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartArray();
        foreach (var text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    private Task FailAsync(HttpContext context, Fault fault) => BootAnswers.FailAsync(context, fault, time);
}
