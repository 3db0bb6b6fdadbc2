using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading.Channels;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Groundwork.Client.Tests.Support;

/// <summary>
/// The platform's API as the SDK sees it, on a real server: the documented paths, documents and events, kept in memory,
/// with switches for what can go wrong. The tests of the whole run against the real executable.
/// </summary>
public sealed class PlatformStub : IAsyncDisposable
{
    private const string Root = "/groundwork/v1";

    private readonly WebApplication app;
    private readonly Lock gate = new();
    private readonly List<(string Kind, string[] Names, Channel<string> Events)> streams = [];
    private readonly List<SettingSnapshot> history = [];
    private readonly Dictionary<string, ServiceDocument> services = new(StringComparer.Ordinal);
    private ImmutableDictionary<(string Group, string DataId), SettingDocument> settings =
        ImmutableDictionary<(string Group, string DataId), SettingDocument>.Empty;

    private PlatformStub(WebApplication app) => this.app = app;

    /// <summary>Every call, as <c>METHOD /path?query</c> below the API's root, in order of arrival.</summary>
    public ConcurrentQueue<string> Calls { get; } = new();

    /// <summary>Bodies of registrations, renewals and outcomes, in order.</summary>
    public ConcurrentQueue<string> Bodies { get; } = new();

    public ConcurrentQueue<string> Credentials { get; } = new();

    /// <summary>What readers said of their settings, in order of arrival.</summary>
    public ConcurrentQueue<ReceiptBatch> Receipts { get; } = new();

    public string StoreId { get; set; } = "store-1";

    public long Revision { get; set; } = 10;

    public string Address => app.Urls.First();

    public int Port => new Uri(Address).Port;

    /// <summary>What this path answers instead: a status, and a problem's code.</summary>
    public ConcurrentDictionary<string, (int Status, string Code)> Failures { get; } = new();

    /// <summary>Ids the next renewals do not find.</summary>
    public bool ForgetsInstances { get; set; }

    public int LeaseSeconds { get; set; } = 15;

    /// <summary>Set to hold <c>watchers</c> back until it completes.</summary>
    public Task WatchersSeen { get; set; } = Task.CompletedTask;

    /// <summary>Set to hold the settings back until it completes.</summary>
    public Task SettingsHeld { get; set; } = Task.CompletedTask;

    /// <summary>Set to hold the answers to receipts back until it completes.</summary>
    public Task ReceiptsHeld { get; set; } = Task.CompletedTask;

    /// <summary>Set to hold the answers to registrations back until it completes; they are taken at once.</summary>
    public Task RegistrationsHeld { get; set; } = Task.CompletedTask;

    /// <summary>Refuses reports that say more than outcomes, as an older platform does.</summary>
    public bool KnowsOutcomesOnly { get; set; }

    public string? AcceptedKey { get; set; }

    /// <summary>What is published under these dataIds is a secret.</summary>
    public HashSet<string> Secrets { get; } = [];

    /// <summary>The gray release of what is published under a dataId.</summary>
    public Dictionary<string, string> Releases { get; } = [];

    /// <summary>The order of precedence that the platform gives; null: as asked.</summary>
    public IReadOnlyList<string>? Groups { get; set; }

    public static async Task<PlatformStub> StartAsync(int port = 0)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        var server = builder.Build();
        var stub = new PlatformStub(server);
        server.Use(stub.GuardAsync);
        stub.Map(server);
        await server.StartAsync();
        return stub;
    }

    public int Count(string call) => Calls.Count(made => made.StartsWith(call, StringComparison.Ordinal));

    public int OpenStreams
    {
        get
        {
            lock (gate) return streams.Count;
        }
    }

    /// <summary>Publishes one changeset of settings; null content removes.</summary>
    public void Publish(params (string Group, string DataId, string Format, string? Content)[] changes)
    {
        lock (gate)
        {
            Revision++;
            var put = new List<SettingDocument>();
            var removed = new List<string>();
            foreach (var (group, dataId, format, content) in changes)
            {
                if (content is null)
                {
                    settings = settings.Remove((group, dataId));
                    removed.Add($"{group}/{dataId}");
                    continue;
                }
                var document = Setting(group, dataId, format, content, Revision) with
                {
                    Secret = Secrets.Contains(dataId),
                    Release = Releases.GetValueOrDefault(dataId),
                };
                settings = settings.SetItem((group, dataId), document);
                put.Add(document);
            }
            var delta = new SettingSnapshot(StoreId, Revision, "default", put, removed, Groups: Groups);
            history.Add(delta);
            foreach (var (kind, _, events) in streams)
                if (kind == "settings") events.Writer.TryWrite(Event(delta));
        }
    }

    public static SettingDocument Setting(string group, string dataId, string format, string content, long revision) =>
        new(
        "default", group, dataId, format, content,
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(content))), revision);

    public void PublishService(ServiceDocument document)
    {
        lock (gate)
        {
            services[document.Service] = document;
            foreach (var (kind, names, events) in streams)
                if (kind == "registry" && names.Contains(document.Service)) events.Writer.TryWrite(Event(document));
        }
    }

    /// <summary>A list of instances, <c>host:port</c> each, all up.</summary>
    public ServiceDocument Service(string name, long index, params int[] ports) => new(
        "default", "default", name, index, StoreId, false,
        [.. ports.Select(port => new InstanceDocument(name, "127.0.0.1", port, Id: $"{name}-{port}"))]);

    /// <summary>Ends every stream, as a restarting proxy does.</summary>
    public void BreakStreams()
    {
        lock (gate)
            foreach (var (_, _, events) in streams) events.Writer.TryComplete();
    }

    /// <summary>Sends raw server-sent events to every watcher of settings.</summary>
    public void SendRaw(string text)
    {
        lock (gate)
            foreach (var (kind, _, events) in streams)
                if (kind == "settings") events.Writer.TryWrite(text);
    }

    public async ValueTask DisposeAsync()
    {
        BreakStreams();
        await app.DisposeAsync();
    }

    private async Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        var path = context.Request.Path.Value![Root.Length..];
        Calls.Enqueue($"{context.Request.Method} {path}{context.Request.QueryString}");
        Credentials.Enqueue(context.Request.Headers.Authorization.ToString());
        if (AcceptedKey is { } key && context.Request.Headers.Authorization != $"Bearer {key}")
            await Problem(401, "unauthenticated").ExecuteAsync(context);
        else if (Failures.FirstOrDefault(failure =>
            path.StartsWith(failure.Key, StringComparison.Ordinal)) is { Key: not null } failing)
            await Problem(failing.Value.Status, failing.Value.Code).ExecuteAsync(context);
        else
            await next(context);
    }

    private void Map(WebApplication routes)
    {
        routes.MapGet(Root + "/settings/{ns}", async (string ns, string[] group) =>
        {
            await SettingsHeld;
            lock (gate)
            {
                var chosen = settings.Values.Where(setting => (Groups ?? group).Contains(setting.Group))
                    .OrderBy(setting => setting.Group).ThenBy(setting => setting.DataId).ToList();
                return Json(
                    new SettingSnapshot(StoreId, Revision, ns, chosen, Groups: Groups),
                    WireJson.Strict.SettingSnapshot);
            }
        });
        routes.MapGet(Root + "/settings/{ns}/watch", (HttpContext context, long after) => StreamAsync(
            context, "settings", [], () => history.Where(delta => delta.Revision > after).Select(Event)));
        routes.MapGet(Root + "/registry/services/{ns}/{service}", (string service) =>
        {
            lock (gate)
            {
                // A name that nobody registered is an empty list without a reason.
                return Json(services.GetValueOrDefault(service)
                    ?? Service(service, 1), WireJson.Strict.ServiceDocument);
            }
        });
        routes.MapGet(Root + "/registry/watch", (HttpContext context, string[] service) => StreamAsync(
            context, "registry", service,
            () => service.Where(services.ContainsKey).Select(name => Event(services[name]))));
        routes.MapPut(Root + "/registry/instances", async (HttpRequest request) =>
        {
            var document = await ReadAsync(request, WireJson.Strict.InstanceDocument);
            var answer = new RegistrationAnswer(
                document.Id ?? $"{document.Host}:{document.Port}", 1, LeaseSeconds, document.Incarnation ?? 0);
            ForgetsInstances = false;
            await RegistrationsHeld;
            return Json(answer, WireJson.Strict.RegistrationAnswer);
        });
        routes.MapPut(Root + "/registry/renewals", async (HttpRequest request) =>
        {
            var batch = await ReadAsync(request, WireJson.Strict.RenewalBatch);
            return Json(
                ForgetsInstances
                    ? new RenewalAnswer(
                        0, [.. batch.Renewals.Select(one =>
                            new RenewalRefusal(one.Service, one.Id, "instance_not_found"))])
                    : new RenewalAnswer(batch.Renewals.Count, []),
                WireJson.Strict.RenewalAnswer);
        });
        routes.MapPost(Root + "/registry/instances/{ns}/{service}/{id}/drain", (string service) =>
            Json(Service(service, 41), WireJson.Strict.ServiceDocument));
        routes.MapGet(Root + "/registry/services/{ns}/{service}/watchers", async (long index) =>
        {
            await WatchersSeen;
            return Json(new WatchersDocument(index, 2, 0), WireJson.Strict.WatchersDocument);
        });
        routes.MapDelete(Root + "/registry/instances/{ns}/{service}/{id}", () => Results.NoContent());
        routes.MapPost(Root + "/settings/{ns}/receipts", async (HttpRequest request) =>
        {
            var batch = await ReadAsync(request, WireJson.Strict.ReceiptBatch);
            await ReceiptsHeld;
            Receipts.Enqueue(batch);
            return Results.NoContent();
        });
        routes.MapPost(Root + "/registry/outcomes", async (HttpRequest request) =>
        {
            var batch = await ReadAsync(request, WireJson.Strict.OutcomeBatch);
            return KnowsOutcomesOnly && (batch.Caller is not null || batch.Breakers is not null)
                ? Problem(400, "bad_request")
                : Results.NoContent();
        });
    }

    private async Task StreamAsync(HttpContext context, string kind, string[] names, Func<IEnumerable<string>> first)
    {
        var events = Channel.CreateUnbounded<string>();
        var entry = (kind, names, events);
        lock (gate)
        {
            foreach (var text in first().ToList()) events.Writer.TryWrite(text);
            streams.Add(entry);
        }
        try
        {
            context.Response.ContentType = "text/event-stream";
            await context.Response.Body.FlushAsync();
            await foreach (var text in events.Reader.ReadAllAsync(context.RequestAborted))
            {
                await context.Response.WriteAsync(text, context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
            }
        }
        catch (OperationCanceledException)
        {
            // The watcher went away.
        }
        finally
        {
            lock (gate) streams.Remove(entry);
        }
    }

    private async Task<T> ReadAsync<T>(HttpRequest request, JsonTypeInfo<T> type)
    {
        using var reader = new StreamReader(request.Body);
        var text = await reader.ReadToEndAsync();
        Bodies.Enqueue(text);
        return JsonSerializer.Deserialize(text, type)!;
    }

    private static string Event(SettingSnapshot snapshot) => string.Create(
        CultureInfo.InvariantCulture,
        $"event: settings\nid: {snapshot.Revision}\n"
        + $"data: {JsonSerializer.Serialize(snapshot, WireJson.Strict.SettingSnapshot)}\n\n");

    private static string Event(ServiceDocument document) => string.Create(
        CultureInfo.InvariantCulture,
        $"event: service\nid: {document.Index}\n"
        + $"data: {JsonSerializer.Serialize(document, WireJson.Strict.ServiceDocument)}\n\n");

    private static IResult Json<T>(T value, JsonTypeInfo<T> type) =>
        Results.Text(JsonSerializer.Serialize(value, type), "application/json");

    private static IResult Problem(int status, string code) => Results.Text(
        JsonSerializer.Serialize(
            new ProblemDocument($"/errors#{code}", code, status, "as the test wants it", code),
                WireJson.Strict.ProblemDocument),
        "application/problem+json", statusCode: status);
}
