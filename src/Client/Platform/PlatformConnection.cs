using System.Collections.Immutable;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Groundwork.Client.Discovery;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Logging;

namespace Groundwork.Client.Platform;

/// <summary>
/// Calls the platform's API: one node after the other until one answers, which is then kept. Faults are values; a
/// platform that is away is the fault <see cref="Away"/>. Thread-safe.
/// </summary>
internal sealed partial class PlatformConnection : IDisposable
{
    /// <summary>Path below which the platform's API lives.</summary>
    public const string Root = "/groundwork/v1";

    /// <summary>No node answered. Never leaves this process, so it is not in the platform's catalogue.</summary>
    public static readonly ErrorCode Away = new("platform_away", 503, "No platform node answers.");

    /// <summary>A node of the same network accepts within this, or is not there.</summary>
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(1);

    /// <summary>Pooled connections are given up after this, so that a changed address of a name is found.</summary>
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(2);

    /// <summary>An answer: 64 MiB holds every setting that a service may read, 1 MiB each.</summary>
    private const long MaxAnswerBytes = 64 * 1024 * 1024;

    private readonly HttpClient http;
    private readonly ImmutableArray<Uri> addresses;
    private readonly AccessKey accessKey;
    private readonly TimeProvider time;
    private readonly CallerName self;
    private readonly ILogger log;

    // Index of the address that answered last; any caller may move it.
    private int current;

    // UTC ticks since when no node answers; 0 while one does.
    private long awaySinceTicks;

    public PlatformConnection(GroundworkOptions options, CallerName self, ILogger log)
    {
        time = options.Time;
        this.self = self;
        this.log = log;
        addresses = [.. options.Addresses.Select(address => new Uri(address))];
        accessKey = new AccessKey(options);
        if (accessKey.FileFault is { } fault) LogAccessKeyFile(fault);
        if (accessKey.Text is not null && addresses.FirstOrDefault(SendsKeyInPlain) is { } plain) LogPlain(plain);
        http = new HttpClient(new SocketsHttpHandler
        {
            ConnectTimeout = ConnectLimit,
            PooledConnectionLifetime = ConnectionLifetime,
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            AutomaticDecompression = DecompressionMethods.All,
            // The platform's own calls must not appear as spans of the service.
            ActivityHeadersPropagator = null,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>Since when no node answers; null while one does.</summary>
    public DateTimeOffset? AwaySince =>
        Volatile.Read(ref awaySinceTicks) is > 0 and var ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;

    /// <summary>The node that answered last, or is tried first.</summary>
    public Uri Address => addresses[Volatile.Read(ref current)];

    public Task<Outcome<T>> GetAsync<T>(
        string path, JsonTypeInfo<T> answer, TimeSpan limit, CancellationToken cancellationToken) =>
        ExchangeAsync(() => Request(HttpMethod.Get, path), Json(answer), limit, cancellationToken);

    /// <summary>Sends a document and reads one.</summary>
    public Task<Outcome<T>> SendAsync<TBody, T>(
        HttpMethod method, string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<T> answer,
            TimeSpan limit,
        CancellationToken cancellationToken)
    {
        var content = JsonSerializer.SerializeToUtf8Bytes(body, bodyType);
        return ExchangeAsync(() => Request(method, path, content), Json(answer), limit, cancellationToken);
    }

    /// <summary>Sends without a body and reads a document.</summary>
    public Task<Outcome<T>> SendAsync<T>(
        HttpMethod method, string path, JsonTypeInfo<T> answer, TimeSpan limit, CancellationToken cancellationToken) =>
        ExchangeAsync(() => Request(method, path), Json(answer), limit, cancellationToken);

    /// <summary>Sends without a body, or with one, and expects no answer but success.</summary>
    public async Task<Fault?> SendAsync(
        HttpMethod method, string path, byte[]? content, TimeSpan limit, CancellationToken cancellationToken)
    {
        var outcome = await ExchangeAsync(() => Request(method, path, content), Nothing, limit, cancellationToken);
        return outcome.Fault;
    }

    /// <summary>Opens a watch. The limit is for its beginning.</summary>
    public Task<Outcome<EventStream>> WatchAsync(string path, TimeSpan limit, CancellationToken cancellationToken) =>
        ExchangeAsync(() => Watch(path), ReadStreamAsync, limit, cancellationToken);

    public void Dispose() => http.Dispose();

    private async Task<Outcome<T>> ExchangeAsync<T>(
        Func<HttpRequestMessage> make,
        Func<HttpResponseMessage, CancellationToken, Task<T>> read,
        TimeSpan limit,
        CancellationToken cancellationToken)
    {
        var first = Volatile.Read(ref current);
        Fault? last = null;
        for (var offset = 0; offset < addresses.Length; offset++)
        {
            var index = (first + offset) % addresses.Length;
            var outcome = await AttemptAsync(addresses[index], make, read, limit, cancellationToken);
            if (outcome.Fault is null || !IsOfNode(outcome.Fault))
            {
                Arrived(index);
                return outcome;
            }
            last = outcome.Fault;
        }
        // There is at least one address, so the loop has set it. A node that says why it fails is not away.
        if (last!.Error == Away) Lost(last);
        else Arrived(first);
        return last;
    }

    private async Task<Outcome<T>> AttemptAsync<T>(
        Uri address,
        Func<HttpRequestMessage> make,
        Func<HttpResponseMessage, CancellationToken, Task<T>> read,
        TimeSpan limit,
        CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        try
        {
            var response = await SendAsync(address, make(), either.Token);
            if (response.StatusCode == HttpStatusCode.Unauthorized && accessKey.Reload())
            {
                response.Dispose();
                response = await SendAsync(address, make(), either.Token);
            }
            if (response.IsSuccessStatusCode) return await read(response, either.Token);
            using (response) return await ReadFaultAsync(response, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new Fault(Away, $"{address.Authority} did not answer within {limit.TotalSeconds:0.#} s");
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or JsonException)
        {
            return new Fault(Away, $"{address.Authority}: {fault.Message}");
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            // What answers there is no platform: content in an encoding that it is not, lists of nothing, and the like.
            return new Fault(Away, $"{address.Authority}: {fault.GetType().Name}: {fault.Message}");
        }
    }

    private Task<HttpResponseMessage> SendAsync(
        Uri address, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.RequestUri = new Uri(address, request.RequestUri!); // Request() always sets it.
        // Who watches and reads, for whoever waits for watchers.
        request.Headers.TryAddWithoutValidation(HeaderNames.Caller, self.Text);
        if (accessKey.Text is { } key) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    private static HttpRequestMessage Request(HttpMethod method, string path, byte[]? content = null)
    {
        var request = new HttpRequestMessage(method, new Uri(Root + path, UriKind.Relative));
        if (content is null) return request;
        request.Content = new ByteArrayContent(content);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return request;
    }

    private static HttpRequestMessage Watch(string path)
    {
        var request = Request(HttpMethod.Get, path);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        return request;
    }

    private Func<HttpResponseMessage, CancellationToken, Task<T>> Json<T>(JsonTypeInfo<T> type) =>
        async (response, cancellationToken) =>
        {
            using (response)
            {
                await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
                var watched = new WatchedStream(body, MaxAnswerBytes, TimeSpan.FromSeconds(30), time);
                return await JsonSerializer.DeserializeAsync(watched, type, cancellationToken)
                    ?? throw new JsonException("the answer is null");
            }
        };

    private static Task<bool> Nothing(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        response.Dispose();
        return Task.FromResult(true);
    }

    private async Task<EventStream> ReadStreamAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentType?.MediaType != "text/event-stream")
        {
            response.Dispose();
            throw new JsonException("the answer is not an event stream");
        }
        return new EventStream(response, await response.Content.ReadAsStreamAsync(cancellationToken), time);
    }

    private static async Task<Fault> ReadFaultAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        ProblemDocument? problem = null;
        try
        {
            problem = await JsonSerializer.DeserializeAsync(
                await response.Content.ReadAsStreamAsync(cancellationToken),
                WireJson.Lenient.ProblemDocument, cancellationToken);
        }
        catch (JsonException)
        {
            // Something between us and the platform answered in its own words; the status says enough.
        }
        return problem is null ? Unexplained(response) : ToFault(problem);
    }

    /// <summary>The fault that a problem document describes.</summary>
    public static Fault ToFault(ProblemDocument problem) => new(
        ErrorCodes.ByCode.GetValueOrDefault(problem.Code) ?? new ErrorCode(problem.Code, problem.Status, problem.Title),
        problem.Detail);

    private static Fault Unexplained(HttpResponseMessage response)
    {
        var status = (int)response.StatusCode;
        return new Fault(
            new ErrorCode($"status_{status}", status, "The answer has no problem document."),
            $"{response.RequestMessage?.RequestUri} answered {status}");
    }

    /// <summary>A fault of the node rather than of the call, so that another node may answer better.</summary>
    public static bool IsOfNode(Fault fault) => fault.Error.Status is 502 or 503 or 504;

    private static bool SendsKeyInPlain(Uri address) => address.Scheme == Uri.UriSchemeHttp && !address.IsLoopback;

    private void Arrived(int index)
    {
        if (Interlocked.Exchange(ref current, index) != index) LogNode(addresses[index]);
        var since = Interlocked.Exchange(ref awaySinceTicks, 0);
        if (since > 0) LogBack(addresses[index], new DateTimeOffset(since, TimeSpan.Zero));
    }

    private void Lost(Fault fault)
    {
        if (Interlocked.CompareExchange(ref awaySinceTicks, time.GetUtcNow().Ticks, 0) == 0) LogAway(fault);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The access key's file cannot be used: {Reason}")]
    private partial void LogAccessKeyFile(string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The access key travels in plain text to {Address}; use https")]
    private partial void LogPlain(Uri address);

    [LoggerMessage(Level = LogLevel.Information, Message = "Calls the platform at {Address} now")]
    private partial void LogNode(Uri address);

    [LoggerMessage(
        Level = LogLevel.Information, Message = "The platform at {Address} answers again; it was away since {Since:u}")]
    private partial void LogBack(Uri address, DateTimeOffset since);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The platform is away; goes on with what it knows. {Fault}")]
    private partial void LogAway(Fault fault);
}
