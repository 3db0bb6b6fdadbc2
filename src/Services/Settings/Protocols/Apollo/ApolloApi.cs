using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Settings.Readers;
using Groundwork.Services.Settings.Texts;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Services.Settings.Protocols.Apollo;

/// <summary>The paths of Apollo's configuration service.</summary>
internal sealed class ApolloApi(
    ApolloConfigs configs, ApolloPolls polls, ApolloCallers callers, ISnapshotSource snapshots, LiveReaders readers,
    TimeProvider time, CancellationToken stopping)
{
    private const string Why =
        "Apollo's clients expect errors in Apollo's shape: signature or credential, and read on each setting, are "
        + "checked inside";

    /// <summary>Characters of the list of notifications in a query.</summary>
    private const int MaxListLength = 64 * 1024;

    /// <summary>Where it stands on a shared listener; clients are given it as part of their address.</summary>
    public const string Prefix = "/apollo";

    public void MapShared(IEndpointRouteBuilder endpoints) => Map(endpoints.MapGroup(Prefix), Prefix);

    public void MapAlone(IEndpointRouteBuilder endpoints) => Map(endpoints, "");

    private void Map(IEndpointRouteBuilder endpoints, string prefix)
    {
        var above = prefix.Count('/');
        RouteHandlerBuilder Get(string pattern, Func<HttpContext, Task> answer, string id, string summary) =>
            endpoints.MapGet(pattern, (Delegate)((HttpContext context) => answer(context))).WithTags("Apollo")
                .Describe<string>(prefix.Length > 0 ? id : $"{id}Alone", summary).AllowsAnyone(Why)
                .ReadsQuery("ip").ReadsQuery("dataCenter");

        Get("/configs/{appId}/{cluster}/{namespace}", context => ConfigAsync(context, above + 1),
            "apolloConfig", "A namespace, with its release key.")
            .ReadsQuery("releaseKey").ReadsQuery("label").ReadsQuery("messages");
        Get(
            "/configfiles/{appId}/{cluster}/{namespace}",
            context => FileAsync(context, above + 1, WritePropertiesAsync),
            "apolloProperties", "A namespace as properties.").ReadsQuery("label");
        Get("/configfiles/json/{appId}/{cluster}/{namespace}", context => FileAsync(context, above + 2, WriteJsonAsync),
            "apolloJson", "A namespace as one object.").ReadsQuery("label");
        Get("/configfiles/raw/{appId}/{cluster}/{namespace}", context => FileAsync(context, above + 2, WriteRawAsync),
            "apolloRaw", "A namespace as it is written.").ReadsQuery("label");
        Get("/notifications/v2", NotificationsAsync, "apolloNotifications", "Waits for changes of namespaces.")
            .ReadsQuery("appId").ReadsQuery("cluster").ReadsQuery("notifications").ReadsQuery("label");
        Get(
            "/services/config", context => ServicesAsync(context, prefix), "apolloServices",
            "Where configuration is served: here.")
            .ReadsQuery("appId");
    }

    private async Task ConfigAsync(HttpContext context, int skip)
    {
        var found = await ReadAsync(context, skip);
        if (!found.TryGet(out var read, out var fault))
        {
            await FailAsync(context, fault);
            return;
        }
        var (name, config) = read;
        if (context.Request.Query["releaseKey"].ToString() == config.ReleaseKey)
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }
        await BootAnswers.WriteAsync(context, Json(json =>
        {
            json.WriteStartObject();
            json.WriteString("appId", name.AppId);
            json.WriteString("cluster", config.Cluster);
            json.WriteString("namespaceName", name.Namespace);
            json.WritePropertyName("configurations");
            Write(json, config.Configurations);
            json.WriteString("releaseKey", config.ReleaseKey);
            json.WriteEndObject();
        }), "application/json;charset=UTF-8");
    }

    private async Task FileAsync(HttpContext context, int skip, Func<HttpContext, ApolloConfig, Task> write)
    {
        var found = await ReadAsync(context, skip);
        if (found.TryGet(out var read, out var fault)) await write(context, read.Config);
        else await FailAsync(context, fault);
    }

    private async Task<Outcome<(ApolloName Name, ApolloConfig Config)>> ReadAsync(HttpContext context, int skip)
    {
        if (SentPath.Segments(context, skip) is not [var appId, var cluster, var @namespace])
            return new Fault(ErrorCodes.BadRequest, "The path is /{appId}/{cluster}/{namespace}.");
        var asked = await callers.AskAsync(context, appId);
        if (!asked.TryGet(out _, out var fault)) return fault;
        var query = context.Request.Query;
        if (ApolloName.Of(appId, cluster, query["dataCenter"], @namespace) is not { } name)
            return NotFound(appId, cluster, @namespace);
        var now = snapshots.Current;
        if (MessagesOf(query["messages"]) is { } wanted && wanted > now.Revision)
        {
            var reached = await snapshots.ReachAsync(wanted, ApiRequests.MaxWait, context.RequestAborted);
            if (!reached.TryGet(out now, out fault)) return fault;
        }
        var caller = CallerOf(context, appId);
        var found = await configs.ReadAsync(now, caller, name, context.RequestAborted);
        if (!found.TryGet(out var config, out fault)) return fault;
        if (config is null) return NotFound(appId, cluster, @namespace);
        Note(caller, config, now);
        return (name, config);
    }

    private async Task NotificationsAsync(HttpContext context)
    {
        var query = context.Request.Query;
        var appId = query["appId"].ToString();
        var asked = await callers.AskAsync(context, appId);
        if (!asked.TryGet(out _, out var fault))
        {
            await FailAsync(context, fault);
            return;
        }
        if (Read(query["notifications"].ToString(), appId, query["cluster"].ToString(), query["dataCenter"])
            is not { } wanted)
        {
            await FailAsync(context, new Fault(
                ErrorCodes.BadRequest,
                "'notifications' is a list of {namespaceName, notificationId}, beside 'appId' and 'cluster'."));
            return;
        }
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        try
        {
            var polled = await polls.PollAsync(CallerOf(context, appId), wanted, ending.Token);
            if (!polled.TryGet(out var news, out fault)) await FailAsync(context, fault);
            else if (news.Length == 0) context.Response.StatusCode = StatusCodes.Status304NotModified;
            else
            {
                var body = JsonSerializer.SerializeToUtf8Bytes(news, ApolloJson.Default.ApolloNotificationArray);
                await BootAnswers.WriteAsync(context, body, "application/json;charset=UTF-8");
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Nothing is new; the client asks again, another node or this one when it is up.
            context.Response.StatusCode = StatusCodes.Status304NotModified;
        }
    }

    private static Task ServicesAsync(HttpContext context, string prefix)
    {
        var request = context.Request;
        return BootAnswers.WriteAsync(context, Json(json =>
        {
            json.WriteStartArray();
            json.WriteStartObject();
            json.WriteString("appName", "APOLLO-CONFIGSERVICE");
            json.WriteString("instanceId", $"{request.Host}:apollo-configservice");
            json.WriteString("homepageUrl", $"{request.Scheme}://{request.Host}{prefix}/");
            json.WriteEndObject();
            json.WriteEndArray();
        }), BootAnswers.JsonType);
    }

    private static Task WritePropertiesAsync(HttpContext context, ApolloConfig config) =>
        BootAnswers.TextAsync(context, Properties(config));

    private static Task WriteJsonAsync(HttpContext context, ApolloConfig config) => BootAnswers.WriteAsync(
        context, Json(json => Write(json, config.Configurations)), "application/json;charset=UTF-8");

    private static Task WriteRawAsync(HttpContext context, ApolloConfig config) => BootAnswers.TextAsync(
        context, config.Settings[0].Format == "properties" ? Properties(config) : config.Settings[0].Content);

    private static string Properties(ApolloConfig config) => string.Concat(config.Configurations
        .Select(one => $"{PropertyName(one.Key)}={PropertiesText.Escape(one.Value)}\n"));

    private static string PropertyName(string name) => PropertiesText.Escape(name)
        .Replace(" ", "\\ ", StringComparison.Ordinal).Replace(":", "\\:", StringComparison.Ordinal)
        .Replace("=", "\\=", StringComparison.Ordinal).Replace("#", "\\#", StringComparison.Ordinal)
        .Replace("!", "\\!", StringComparison.Ordinal);

    private static void Write(Utf8JsonWriter json, IReadOnlyDictionary<string, string> map)
    {
        json.WriteStartObject();
        foreach (var (key, value) in map) json.WriteString(key, value);
        json.WriteEndObject();
    }

    private static byte[] Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        write(json);
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    private static List<(ApolloName, long)>? Read(string text, string appId, string cluster, string? dataCenter)
    {
        if (text.Length is 0 or > MaxListLength) return null;
        try
        {
            var list = JsonSerializer.Deserialize(text, ApolloJson.Default.ListApolloNotification);
            var known = new Dictionary<string, (ApolloName, long)>(StringComparer.OrdinalIgnoreCase);
            foreach (var one in list ?? [])
            {
                if (one?.NamespaceName is not { Length: > 0 }) continue;
                if (ApolloName.Of(appId, cluster, dataCenter, one.NamespaceName) is not { } name) return null;
                known[name.Namespace] = (name, one.NotificationId);
            }
            return known.Count is > 0 and <= ApolloPolls.MaxNamespaces ? [.. known.Values] : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The revision that a client has been told of, and wants to read at.</summary>
    private static long? MessagesOf(string? text)
    {
        if (string.IsNullOrEmpty(text) || text.Length > MaxListLength) return null;
        try
        {
            var details = JsonSerializer.Deserialize(text, ApolloJson.Default.ApolloMessages)?.Details;
            return details is { Count: > 0 } ? details.Values.Max() : null;
        }
        catch (JsonException)
        {
            return null; // As Apollo has it: the newest known here is read.
        }
    }

    /// <summary>
    /// The client as gray releases name it: the instance <c>appId/ip</c>, with the labels <c>ip</c> and <c>label</c>.
    /// </summary>
    private static SettingCaller CallerOf(HttpContext context, string appId)
    {
        var query = context.Request.Query;
        var ip = query["ip"].ToString() is { Length: > 0 } said ? said : RequestAddress.Of(context) ?? "";
        var labels = ReaderIdentity.None.Labels.ToBuilder();
        if (Fits(ip)) labels["ip"] = ip;
        if (query["label"].ToString() is { Length: > 0 } label && Fits(label)) labels["label"] = label;
        var identity = ReaderIdentity.TryParse($"{appId}/{ip}", out var service, out var instance)
            ? new ReaderIdentity(service, instance, labels.ToImmutable(), SendsReceipts: false)
            : ReaderIdentity.None with { Labels = labels.ToImmutable() };
        return SettingCaller.Of(context, identity);
    }

    private static bool Fits(string text) =>
        text.Length is > 0 and <= ReaderIdentity.MaxLabelLength && ReaderText.IsPlain(text);

    /// <summary>Who reads what is known of these clients as of others.</summary>
    private void Note(SettingCaller caller, ApolloConfig config, Snapshot now)
    {
        foreach (var byNamespace in config.Settings.GroupBy(one => one.Namespace, StringComparer.Ordinal))
        {
            var groups = byNamespace.Select(one => one.Group).Distinct(StringComparer.Ordinal).ToList();
            using var connection = readers.Begin(caller, new SettingSelection(byNamespace.Key, groups));
            connection?.Sent(
                new SettingSnapshot(now.StoreId, now.Revision, byNamespace.Key, [.. byNamespace], []), now);
        }
    }

    private static Fault NotFound(string appId, string cluster, string @namespace) => new(
        ErrorCodes.SettingNotFound,
        $"Could not load configurations with appId: {appId}, clusterName: {cluster}, namespace: {@namespace}");

    /// <summary>Also of what no path or method of Apollo is, which it says with 400 where others say 405.</summary>
    public Task FailAsync(HttpContext context, Fault fault) =>
        fault.Error == ErrorCodes.NameInvalid || fault.Error == ErrorCodes.MethodNotAllowed
        ? BootAnswers.FailAsync(context, StatusCodes.Status400BadRequest, fault.Detail, time)
        : BootAnswers.FailAsync(context, fault, time);
}
