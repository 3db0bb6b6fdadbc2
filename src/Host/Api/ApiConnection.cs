using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Groundwork.Host.CommandLine;
using Groundwork.Wire;

namespace Groundwork.Host.Api;

/// <summary>A request of the API, relative to <c>/groundwork/v1/</c>.</summary>
internal sealed record ApiRequest(HttpMethod Method, string Path)
{
    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Why, for the history.</summary>
    public string? Reason { get; init; }

    public string? Accept { get; init; }

    /// <summary>Resume a watch after this event.</summary>
    public string? LastEventId { get; init; }

    /// <summary>True: sent without the credential, as to get one.</summary>
    public bool Anonymous { get; init; }

    public static ApiRequest Get(string path) => new(HttpMethod.Get, path);

    public static ApiRequest Post(string path) => new(HttpMethod.Post, path);

    public static ApiRequest Post<T>(string path, T body, JsonTypeInfo<T> json) =>
        new(HttpMethod.Post, path) { Body = JsonSerializer.SerializeToUtf8Bytes(body, json) };

    public HttpRequestMessage ToMessage(Uri root)
    {
        var message = new HttpRequestMessage(Method, new Uri(root, Path));
        if (!Body.IsEmpty)
        {
            message.Content = new ReadOnlyMemoryContent(Body);
            message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }
        if (Reason is not null) message.Headers.Add(HeaderNames.Reason, Uri.EscapeDataString(Reason));
        if (Accept is not null) message.Headers.Accept.ParseAdd(Accept);
        if (LastEventId is not null) message.Headers.Add("Last-Event-ID", LastEventId);
        return message;
    }
}

/// <summary>An answer of the API: read as its contract, or passed on as it came.</summary>
internal sealed record ApiAnswer(HttpStatusCode Status, byte[] Body)
{
    public JsonNode? Document => Body.Length == 0 ? null : JsonNode.Parse(Body);

    public T Read<T>(JsonTypeInfo<T> json)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(Body, json) ?? throw new JsonException("The answer is null.");
        }
        catch (JsonException fault)
        {
            throw new VerbFailure(
                ExitCodes.Fault, $"the node's answer is not what this version understands: {fault.Message}");
        }
    }
}

/// <summary>Talks to one node. Every failure is a <see cref="VerbFailure"/> with its exit code.</summary>
internal sealed class ApiConnection : IDisposable
{
    /// <summary>A node that is there accepts within milliseconds.</summary>
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    /// <summary>
    /// For a whole answer that is not a stream: changesets and verification of the audit trail take the longest.
    /// </summary>
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromMinutes(5);

    private readonly HttpClient client;
    private readonly ICredential credential;
    private readonly TimeProvider time;
    private readonly string name;

    public ApiConnection(string name, Uri root, HttpMessageHandler handler, ICredential credential, TimeProvider time)
    {
        this.name = name;
        this.credential = credential;
        this.time = time;
        client = new HttpClient(handler)
        {
            BaseAddress = root,
            Timeout = Timeout.InfiniteTimeSpan, // Ours are linked tokens: streams have no end.
            DefaultRequestHeaders = { UserAgent = { ProductInfoHeaderValue.Parse("groundwork-cli") } },
        };
    }

    public Task<ApiAnswer> GetAsync(string path, CancellationToken cancellationToken) =>
        SendAsync(ApiRequest.Get(path), cancellationToken);

    /// <summary>Sends and reads the whole answer; a problem is a <see cref="VerbFailure"/>.</summary>
    public async Task<ApiAnswer> SendAsync(ApiRequest request, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(AnswerTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            using var answer = await OpenAsync(request, either.Token);
            return new ApiAnswer(answer.StatusCode, await answer.Content.ReadAsByteArrayAsync(either.Token));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new VerbFailure(
                ExitCodes.Unreachable, $"{name} did not answer within {AnswerTimeout.TotalSeconds:0} s");
        }
        catch (HttpRequestException fault)
        {
            throw BrokenOff(fault);
        }
    }

    /// <summary>
    /// Sends and returns as soon as a good answer starts; the caller reads its body, which may have no end.
    /// </summary>
    public async Task<HttpResponseMessage> OpenAsync(ApiRequest request, CancellationToken cancellationToken)
    {
        using var message = request.ToMessage(client.BaseAddress!); // Set by the constructor.
        if (!request.Anonymous && await credential.TokenAsync(this, cancellationToken) is { } token)
            message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        HttpResponseMessage answer;
        try
        {
            answer = await client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        }
        catch (HttpRequestException fault)
        {
            throw CannotReach(fault);
        }
        if (answer.IsSuccessStatusCode) return answer;
        using (answer) throw await RefusalAsync(answer, cancellationToken);
    }

    /// <summary>The connection was lost while the answer was read.</summary>
    public VerbFailure BrokenOff(Exception fault) =>
        new(ExitCodes.Unreachable, $"the connection to {name} broke off: {fault.Message}");

    public void Dispose() => client.Dispose();

    private VerbFailure CannotReach(HttpRequestException fault)
    {
        var why = (fault.InnerException as SocketException)?.SocketErrorCode switch
        {
            SocketError.ConnectionRefused or SocketError.AddressNotAvailable => "nobody listens there",
            SocketError.AccessDenied => "it belongs to another user",
            SocketError.HostNotFound => "the name is not known",
            _ => fault.InnerException?.Message ?? fault.Message,
        };
        return new VerbFailure(ExitCodes.Unreachable, $"cannot reach {name}: {why}");
    }

    private async Task<VerbFailure> RefusalAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        var status = (int)answer.StatusCode;
        var body = await answer.Content.ReadAsByteArrayAsync(cancellationToken);
        try
        {
            if (JsonSerializer.Deserialize(body, WireJson.Lenient.ProblemDocument) is { } problem)
                return VerbFailure.From(problem);
        }
        catch (JsonException)
        {
            // Not one of our problems: something else answers at this address, which the message below says.
        }
        var exitCode = status is 401 or 403 ? ExitCodes.Refused : ExitCodes.Fault;
        return new VerbFailure(exitCode, $"{name} answered {status}, and not in the words of a Groundwork node");
    }
}
