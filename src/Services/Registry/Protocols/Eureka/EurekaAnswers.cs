using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;
using Groundwork.Services.Registry.Protocols.Sights;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.Registry.Protocols.Eureka;

/// <summary>How a client wants to be answered.</summary>
/// <param name="Xml">True unless it accepts JSON, as Eureka has it.</param>
/// <param name="Compact">True for the few fields that a caller needs.</param>
internal readonly record struct EurekaForm(bool Xml, bool Compact)
{
    public int Index => (Xml ? 2 : 0) + (Compact ? 1 : 0);

    public static EurekaForm Of(HttpRequest request) => new(
        !request.Headers.Accept.ToString().Contains("json", StringComparison.OrdinalIgnoreCase),
        request.Headers["X-Eureka-Accept"].ToString().Equals("compact", StringComparison.OrdinalIgnoreCase));
}

/// <summary>
/// Writes answers, and faults, which have no body where Eureka's have none: Java's clients read whatever they get for a
/// renewal as an instance, and never register again after one that they cannot read (Netflix/eureka#1486).
/// </summary>
internal sealed class EurekaAnswers(InstanceRegistry registry)
{
    /// <summary>What went wrong, as our API names it, beside answers that have no body.</summary>
    public const string FaultHeader = "Groundwork-Fault";

    private const string JsonType = "application/json";

    // Kept as long as the view is: an application is written once for all who fetch it.
    private readonly ConditionalWeakTable<ServiceView, byte[]?[]> written = [];

    /// <summary>Whole applications.</summary>
    public Task WriteAsync(HttpContext context, ImmutableArray<ServiceView> applications, long version)
    {
        var form = EurekaForm.Of(context.Request);
        return WriteAsync(
            context, form, HashOf(applications), version, [.. applications.Select(view => Written(view, form))]);
    }

    /// <summary>What changed, with the sum of all that there is.</summary>
    public Task WriteAsync(
        HttpContext context, ImmutableArray<ServiceView> all, IEnumerable<EurekaDelta> deltas, long version)
    {
        var form = EurekaForm.Of(context.Request);
        var parts = deltas.GroupBy(delta => delta.Instance.Key.Service).Select(group => Fragment(
            form, group.Key, group.Select(delta => (delta.Instance, delta.Callable, delta.Action))));
        return WriteAsync(context, form, HashOf(all), version, [.. parts]);
    }

    /// <summary>Some instances of several applications.</summary>
    public Task WriteAsync(
        HttpContext context, IReadOnlyCollection<(ServiceView View, Instance[] Some)> chosen, long version)
    {
        var form = EurekaForm.Of(context.Request);
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var (view, some) in chosen)
            foreach (var instance in some) Count(counts, view, instance);
        var parts = chosen.Select(part => Fragment(form, part.View.Key, part.Some.Select(
            instance => (instance, SightParts.IsCallable(part.View, instance), EurekaInstance.Added))));
        return WriteAsync(context, form, HashOf(counts), version, [.. parts]);
    }

    /// <summary>One application.</summary>
    public Task WriteAsync(HttpContext context, ServiceView application)
    {
        var form = EurekaForm.Of(context.Request);
        return form.Xml
            ? SendAsync(context, EurekaXml.MediaType, [Written(application, form)])
            : SendAsync(
                context, JsonType,
                ["{\"application\":"u8.ToArray(), Written(application, form), "}"u8.ToArray()]);
    }

    /// <summary>One instance.</summary>
    public Task WriteAsync(HttpContext context, ServiceView application, Instance instance) => WriteAsync(
        context, "instance", Write(
            EurekaForm.Of(context.Request), instance, SightParts.IsCallable(application, instance),
            EurekaInstance.Added));

    public static Task WriteAsync(HttpContext context, string name, JsonObject content) =>
        EurekaForm.Of(context.Request).Xml
            ? SendAsync(context, EurekaXml.MediaType, [EurekaXml.Write(name, content)])
            : SendAsync(
                context, JsonType, [Encoding.UTF8.GetBytes(new JsonObject { [name] = content }.ToJsonString())]);

    /// <summary>A status and nothing else.</summary>
    public static Task WriteAsync(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        if (status != StatusCodes.Status204NoContent) context.Response.ContentLength = 0;
        return Task.CompletedTask;
    }

    /// <summary>
    /// A fault: words for those who register, who do not read them as an instance; none for the others.
    /// </summary>
    public static Task WriteAsync(HttpContext context, Fault fault)
    {
        var response = context.Response;
        response.Headers[FaultHeader] = fault.Error.Code;
        if (fault.Error.Status == StatusCodes.Status401Unauthorized)
            response.Headers.WWWAuthenticate = "Basic realm=\"groundwork\"";
        // What is not well formed is 400 here, whatever it is in our own API.
        response.StatusCode = fault.Error.Status == StatusCodes.Status422UnprocessableEntity
            ? StatusCodes.Status400BadRequest
            : fault.Error.Status;
        if (HttpMethods.IsPost(context.Request.Method))
            return SendAsync(context, "text/plain; charset=utf-8", [Encoding.UTF8.GetBytes(fault.Detail)]);
        response.ContentLength = 0;
        return Task.CompletedTask;
    }

    /// <summary>
    /// How many instances have each status, as clients sum up what they hold to see whether they miss anything:
    /// <c>DOWN_1_UP_4_</c>.
    /// </summary>
    public static string HashOf(IEnumerable<ServiceView> applications)
    {
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var view in applications)
            foreach (var instance in view.Instances) Count(counts, view, instance);
        return HashOf(counts);
    }

    private static string HashOf(SortedDictionary<string, int> counts) => string.Concat(counts.Select(
        entry => string.Create(CultureInfo.InvariantCulture, $"{entry.Key}_{entry.Value}_")));

    private static void Count(SortedDictionary<string, int> counts, ServiceView view, Instance instance)
    {
        var status = EurekaStatus.Of(instance, SightParts.IsCallable(view, instance));
        counts[status] = counts.GetValueOrDefault(status) + 1;
    }

    private byte[] Written(ServiceView view, EurekaForm form)
    {
        var forms = written.GetValue(view, static _ => new byte[]?[4]);
        // Two may write it at once, and the same.
        return forms[form.Index] ??= Fragment(form, view.Key, view.Instances.Select(
            instance => (instance, SightParts.IsCallable(view, instance), EurekaInstance.Added)));
    }

    private byte[] Fragment(
        EurekaForm form, ServiceKey service, IEnumerable<(Instance Instance, bool Callable, string Action)> instances)
    {
        var content = new JsonObject
        {
            ["name"] = ProtocolNames.ToEureka(service),
            ["instance"] = new JsonArray([.. instances.Select(
                one => Write(form, one.Instance, one.Callable, one.Action))]),
        };
        return form.Xml ? EurekaXml.Write("application", content) : Encoding.UTF8.GetBytes(content.ToJsonString());
    }

    private JsonObject Write(EurekaForm form, Instance instance, bool callable, string action) =>
        EurekaInstance.Write(instance, callable, registry.ExpiresAt(instance), form.Compact, action);

    // Every list is there, also when it is empty: a client that finds none keeps what it had.
    private static Task WriteAsync(
        HttpContext context, EurekaForm form, string hash, long version, IReadOnlyCollection<byte[]> applications)
    {
        var number = version.ToString(CultureInfo.InvariantCulture);
        var head = form.Xml
            ? $"<applications><versions__delta>{number}</versions__delta><apps__hashcode>{hash}</apps__hashcode>"
            : $$"""{"applications":{"versions__delta":"{{number}}","apps__hashcode":"{{hash}}","application":[""";
        var parts = new List<byte[]>(2 * applications.Count + 2) { Encoding.ASCII.GetBytes(head) };
        foreach (var application in applications)
        {
            if (!form.Xml && parts.Count > 1) parts.Add([(byte)',']);
            parts.Add(application);
        }
        parts.Add(form.Xml ? "</applications>"u8.ToArray() : "]}}"u8.ToArray());
        return SendAsync(context, form.Xml ? EurekaXml.MediaType : JsonType, parts);
    }

    private static async Task SendAsync(HttpContext context, string type, IReadOnlyCollection<byte[]> parts)
    {
        context.Response.ContentType = type;
        context.Response.ContentLength = parts.Sum(part => (long)part.Length);
        context.Response.Headers.CacheControl = "no-store";
        foreach (var part in parts) await context.Response.Body.WriteAsync(part, context.RequestAborted);
    }
}
