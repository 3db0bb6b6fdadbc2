using System.Globalization;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Hosting.Streaming;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry.Consumers;
using Groundwork.Services.Registry.Protocols;
using Groundwork.Services.Registry.Storing;
using Groundwork.Services.Registry.Watching;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Services.Registry;

/// <summary>Reading one service, at once or when it changes, and watching many.</summary>
internal sealed class RegistryWatchApi(
    InstanceRegistry registry,
    Registrations registrations,
    RegistryAccess access,
    ConsumerBook consumers,
    TimeProvider time,
    CancellationToken stopping)
{
    private const string Root = Listeners.ApiRoot + "/registry";

    /// <summary>
    /// A comment goes out after so long without an event, so that both ends notice a dead connection.
    /// </summary>
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    /// <summary>Between two writes to one watcher: changes within it travel as one.</summary>
    private static readonly TimeSpan Coalescing = TimeSpan.FromMilliseconds(20);

    /// <summary>How long a blocking query waits when it does not say.</summary>
    private static readonly TimeSpan DefaultWait = TimeSpan.FromSeconds(30);

    /// <summary>How long the question who is behind waits when it does not say.</summary>
    private static readonly TimeSpan DefaultWatchersWait = TimeSpan.FromSeconds(5);

    private static readonly ReadOnlyMemory<byte> Comment = ": \n\n"u8.ToArray();

    private readonly StreamPulse pulse = new(time, KeepAlive);
    private readonly NewerViews newer = new(registry, time);

    public void Map(IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.MapGroup(Root).WithTags("Registry");
        api.MapGet("/services/{namespace}/{service}", GetServiceAsync)
            .Requires(Verb.Discover, context => RegistryAccess.Target(RegistryPaths.Service(context)))
            .ReadsQuery("group")
            .Describe<ServiceDocument>(
                "getService", "A service with its instances; with index it waits until there is a newer one.");
        api.MapGet("/services/{namespace}/{service}/watchers", GetWatchersAsync)
            .Requires(Verb.Discover, context => RegistryAccess.Target(RegistryPaths.Service(context)))
            .ReadsQuery("group")
            .Describe<WatchersDocument>(
                "getWatchers", "How many watch a service, and how many have not seen the index yet.");
        api.MapGet("/watch", WatchAsync)
            .RequiresPrincipal("Discover on every service named; of a namespace it shows what it may discover")
            .Describe<ServiceDocument>(
                "watchServices", "Server-sent events: the services now, then each as it changes, coalesced.",
                "text/event-stream");
    }

    private async Task GetServiceAsync(HttpContext context, long? index, string? wait)
    {
        var key = RegistryPaths.Service(context);
        if (RegistryPaths.FindMisnamed(key.Namespace, key) is { } misnamed)
        {
            await Problems.WriteAsync(context, misnamed);
            return;
        }
        if (!RegistryPaths.TryReadWait(wait, DefaultWait, out var patience))
        {
            await Problems.WriteAsync(context, RegistryPaths.BadWait(wait));
            return;
        }
        if (index is not { } known)
        {
            var view = newer.Now(key);
            var json = SharedAnswer.Of(view, registry.StoreId, registry.ExpiresAt);
            await WriteAsync(context, json);
            return;
        }
        // Beyond what any node may have handed out: the index is of another store.
        if (newer.IsForeign(known))
        {
            await Problems.WriteAsync(context, new Fault(
                ErrorCodes.IndexUnknown, $"Index {known} was never given by this store; read the service anew."));
            return;
        }
        await AnswerWhenNewerAsync(context, key, known, patience.Value);
    }

    private async Task AnswerWhenNewerAsync(HttpContext context, ServiceKey key, long known, TimeSpan patience)
    {
        ServiceKey[] keys = [key];
        NoteConsumer(access.CallerOf(context), keys);
        var name = access.WatcherName(context);
        if (registry.Watches.Open(keys, name, By(context, name, "blocking-query")) is not { } session)
        {
            await Problems.WriteAsync(context, TooMany());
            return;
        }
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        using var atEnd = session.Changed.EndWith(ending.Token);
        try
        {
            var view = await newer.WaitAsync(session, key, known, patience, ending.Token);
            if (context.RequestAborted.IsCancellationRequested) return;
            var service = registry.FindService(key);
            await WriteAsync(context, service is null || !ReferenceEquals(service.View, view)
                ? SharedAnswer.Of(view, registry.StoreId)
                : service.Answer(view, registry.StoreId));
            if (service is not null) session.Sent(service, view.Index);
        }
        finally
        {
            registry.Watches.Close(session, keys);
        }
    }

    private async Task<IResult> GetWatchersAsync(
        HttpContext context, long? index, string? wait, CancellationToken cancellationToken)
    {
        if (!RegistryPaths.TryReadWait(wait, DefaultWatchersWait, out var patience))
            return Problems.From(RegistryPaths.BadWait(wait));
        if (registry.FindService(RegistryPaths.Service(context)) is not { } service)
            return TypedResults.Ok(new WatchersDocument(index ?? 0, 0, 0));
        var wanted = index ?? registry.Publisher.Fresh(service)?.Index ?? 0;
        return TypedResults.Ok(
            await registrations.WaitForWatchersAsync(service, wanted, patience.Value, cancellationToken));
    }

    private async Task WatchAsync(HttpContext context, string? @namespace, string[]? service)
    {
        var keys = (service ?? []).Select(name => RegistryPaths.Service(@namespace, group: null, name)).Distinct()
            .ToArray();
        if (keys.Length > RegistryLimits.MaxServicesPerWatch)
        {
            await Problems.WriteAsync(context, new Fault(
                ErrorCodes.BadRequest,
                    $"A watch names at most {RegistryLimits.MaxServicesPerWatch} services; watch the namespace."));
            return;
        }
        if (RegistryPaths.FindMisnamed(@namespace, keys) is { } misnamed)
        {
            await Problems.WriteAsync(context, misnamed);
            return;
        }
        foreach (var key in keys)
        {
            if (access.Check(context, Verb.Discover, RegistryAccess.Target(key)) is not { } refusal) continue;
            await Problems.WriteAsync(context, refusal);
            return;
        }
        var name = access.WatcherName(context);
        var session = keys.Length > 0
            ? registry.Watches.Open(keys, name, By(context, name, "watch"))
            : registry.Watches.OpenWide(@namespace, name, By(context, name, "watch"));
        if (session is null)
        {
            await Problems.WriteAsync(context, TooMany());
            return;
        }
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        using var atEnd = session.Changed.EndWith(ending.Token);
        pulse.Join(session.Changed);
        try
        {
            await SendAsync(context, session, keys, ending.Token);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The peer left, or the listeners close: a stream has no other end.
        }
        finally
        {
            pulse.Leave(session.Changed);
            if (keys.Length > 0) registry.Watches.Close(session, keys);
            else registry.Watches.CloseWide(session);
        }
    }

    /// <param name="keys">The services that are watched by name; none when a whole namespace is.</param>
    private async Task SendAsync(
        HttpContext context, WatchSession session, ServiceKey[] keys, CancellationToken ending)
    {
        var watcher = access.CallerOf(context);
        var response = context.Response;
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store";
        var body = response.BodyWriter;
        await body.FlushAsync(ending); // The head goes out before there is anything to say.
        var caller = access.Lasting(context);
        var touched = new List<ServiceState>();
        var woken = Woken.News;
        while (woken != Woken.Ended)
        {
            // Asked with every round, so that a revoked key does not go on listening.
            if (await caller() is not { } principal) return;
            NoteConsumer(watcher, keys);
            session.Take(touched);
            foreach (var service in touched)
            {
                if (!access.Allows(principal, Verb.Discover, service.Target)) continue;
                if ((service.View ?? (keys.Length > 0 ? newer.Unknown(service.Key) : null)) is not { } view) continue;
                if (session.HasSeen(service, view.Index)) continue;
                await body.WriteAsync(service.Answer(view, registry.StoreId).Event, ending);
                session.Sent(service, view.Index);
                (woken, session.Changed.ToldAt) = (Woken.News, time.GetTimestamp());
            }
            touched.Clear();
            if (woken == Woken.Silence)
            {
                await body.WriteAsync(Comment, ending);
                session.Changed.ToldAt = time.GetTimestamp();
            }
            woken = await session.Changed.WaitAsync();
            var early = Coalescing - time.GetElapsedTime(session.Changed.ToldAt);
            if (woken == Woken.News && early > TimeSpan.Zero) await Task.Delay(early, time, ending);
        }
    }

    // With every round, so that a watch of long standing is heard of every few seconds. Who watches a whole namespace
    // consumes nothing in particular.
    private void NoteConsumer(InstanceKey? watcher, ServiceKey[] keys)
    {
        if (watcher is not { } known) return;
        var name = known.ToString();
        foreach (var key in keys) consumers.Note(new ConsumerLink(key, name, ConsumerBook.Watch), []);
    }

    private static async Task WriteAsync(HttpContext context, SharedAnswer answer)
    {
        var response = context.Response;
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = answer.Json.Length;
        response.Headers.CacheControl = "no-store";
        response.Headers[HeaderNames.Index] = answer.View.Index.ToString(CultureInfo.InvariantCulture);
        await response.Body.WriteAsync(answer.Json, context.RequestAborted);
        await response.Body.FlushAsync(context.RequestAborted);
    }

    private Watcher By(HttpContext context, string name, string how) =>
        new(Registrar.Own, how, name, context, time);

    private Fault TooMany() => RegistryLimits.TooManyWatchers(registry.Options);
}
