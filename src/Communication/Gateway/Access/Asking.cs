using System.Net;
using System.Net.Sockets;
using System.Text;
using Groundwork.Communication.Gateway.Access.Callers;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Transforms;
using Groundwork.Kernel.Hosting;
using Groundwork.Services.Registry;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Access;

/// <summary>
/// Asks a service whether a request may pass, by a request of its own without the body. 2xx lets it pass; 401, 403 and
/// redirects go to the client; anything else, or nothing in time, decides nothing, and nobody passes.
/// </summary>
internal sealed class Asking
{
    private static readonly string[] UsualRequestHeaders = ["authorization", "cookie"];
    private static readonly string[] UsualClientHeaders = ["location", "set-cookie", "www-authenticate"];

    private readonly AskSpec spec;
    private readonly HttpClient http;
    private readonly IRegistryView registry;
    private readonly TimeProvider time;
    private readonly ServiceKey? service;
    private readonly Uri? address;
    private readonly (string Name, byte[] Lower)[] requestHeaders;
    private readonly (byte[] Name, string Text, byte[] Lower)[] serviceHeaders;
    private readonly IReadOnlyList<string> clientHeaders;

    public Asking(AskSpec spec, string ns, HttpClient http, IRegistryView registry, TimeProvider time)
    {
        this.spec = spec;
        this.http = http;
        this.registry = registry;
        this.time = time;
        if (ServiceKey.TryParse(spec.Service, ns, out var key)) service = key;
        address = spec.Address is { } text ? new Uri(text) : null;
        requestHeaders =
        [
            .. (spec.RequestHeaders ?? UsualRequestHeaders).Select(name =>
                (name, Encoding.ASCII.GetBytes(name.ToLowerInvariant()))),
        ];
        var passed = (spec.ServiceHeaders ?? []).Concat(spec.UserHeader is { } user ? [user] : []);
        serviceHeaders =
        [
            .. passed.Distinct(StringComparer.OrdinalIgnoreCase).Select(name =>
                (Encoding.ASCII.GetBytes(name), name, Encoding.ASCII.GetBytes(name.ToLowerInvariant()))),
        ];
        clientHeaders = spec.ClientHeaders ?? UsualClientHeaders;
    }

    /// <summary>True when the answer says who the user is.</summary>
    public bool NamesUser => spec.UserHeader is not null;

    /// <summary>What all who ask share.</summary>
    public static HttpClient MakeClient(AddressGuard guard)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = new GuardedConnector(guard).OpenAsync,
            AllowAutoRedirect = false, // The client's to follow.
            UseProxy = false,
            UseCookies = false,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5), // So that a changed DNS answer is seen.
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            MaxConnectionsPerServer = 256, // More than that wait, within their time.
            MaxResponseHeadersLength = 32,
            RequestHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
            ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
        };
        return new HttpClient(handler)
        {
            MaxResponseContentBufferSize = AskSpec.MaxAnswerBytes,
            Timeout = Timeout.InfiniteTimeSpan, // Each has its own.
        };
    }

    /// <summary>Null with the user whom it names, or why the request does not pass. May answer the client itself.
    /// </summary>
    public async ValueTask<Answer> AskAsync(Exchange exchange)
    {
        // What services are told by it is told by nobody else, be the answer without it.
        foreach (var (_, _, lower) in serviceHeaders) exchange.WithheldFields.Add(lower);
        if (Choose(out var instance) is not { } uri) return new(Refusals.NobodyToAsk, null, false);
        using var request = Make(exchange, uri);
        HttpResponseMessage answer;
        byte[] body;
        using var over = new CancellationTokenSource(TimeSpan.FromMilliseconds(spec.TimeoutMs), time);
        try
        {
            answer = await http.SendAsync(request, over.Token);
            body = await answer.Content.ReadAsByteArrayAsync(over.Token);
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or SocketException
            or OperationCanceledException or AddressForbiddenException)
        {
            await Task.Yield();
            if (instance is not null)
                registry.ReportOutcome(
                    instance.Key,
                    fault is OperationCanceledException ? CallOutcome.NoAnswer : CallOutcome.ConnectFailed);
            return new(Refusals.NoAnswer, null, false);
        }
        await Task.Yield(); // Off the sockets' thread, which has others to serve.
        using (answer)
        {
            if (instance is not null) registry.ReportOutcome(instance.Key, CallOutcome.Answered);
            if (answer.IsSuccessStatusCode) return new(null, Pass(exchange, answer), false);
            if (answer.StatusCode is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden
                or HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther
                or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect))
                return new(Refusals.NoAnswer, null, false);
            await RefuseAsync(exchange, answer, body);
            return new(null, null, true);
        }
    }

    private Uri? Choose(out Instance? instance)
    {
        instance = null;
        if (address is not null) return address;
        if (service is not { } key || registry.Find(key) is not { Callable: { IsEmpty: false } callable }) return null;
        instance = callable[Random.Shared.Next(callable.Length)];
        return new UriBuilder(Uri.UriSchemeHttp, instance.Host, instance.Port).Uri is var uri
            && Uri.TryCreate(uri, spec.Path, out var whole) ? whole : null;
    }

    private HttpRequestMessage Make(Exchange exchange, Uri uri)
    {
        var head = exchange.Request;
        var request = new HttpRequestMessage(HttpMethod.Get, uri);
        var fields = request.Headers;
        foreach (var (name, lower) in requestHeaders)
        {
            var from = 0;
            var values = new List<string>();
            while (exchange.Fields.TryGetNext(lower, ref from, out var value))
                values.Add(Encoding.Latin1.GetString(value));
            if (values.Count > 0)
                fields.TryAddWithoutValidation(
                    name, string.Join(lower.AsSpan().SequenceEqual("cookie"u8) ? "; " : ", ", values));
        }
        fields.TryAddWithoutValidation("X-Forwarded-Method", Encoding.ASCII.GetString(head.MethodName));
        fields.TryAddWithoutValidation("X-Forwarded-Proto", exchange.Client.IsSecure ? "https" : "http");
        fields.TryAddWithoutValidation("X-Forwarded-Host", Encoding.ASCII.GetString(head.Authority));
        fields.TryAddWithoutValidation(
            "X-Forwarded-Uri", Encoding.ASCII.GetString(head.Path) + Encoding.ASCII.GetString(head.Query));
        if (exchange.CallerAddress is { } caller) fields.TryAddWithoutValidation("X-Forwarded-For", caller.ToString());
        fields.TryAddWithoutValidation("traceparent", Encoding.ASCII.GetString(exchange.Trace.Parent));
        if (exchange.Caller?.User is { } user)
            fields.TryAddWithoutValidation(Wire.HeaderNames.User, Uri.EscapeDataString(user));
        return request;
    }

    private string? Pass(Exchange exchange, HttpResponseMessage answer)
    {
        string? user = null;
        foreach (var (name, text, _) in serviceHeaders)
        {
            foreach (var value in ValuesOf(answer, text))
            {
                exchange.RequestFields.Add(new WrittenField(name, Encoding.Latin1.GetBytes(value)));
                if (text.Equals(spec.UserHeader, StringComparison.OrdinalIgnoreCase)) user ??= value;
            }
        }
        return user;
    }

    private async ValueTask RefuseAsync(Exchange exchange, HttpResponseMessage answer, byte[] body)
    {
        var (head, client) = (exchange.Head, exchange.Client);
        var bare = head.Status is 204 or 304 || exchange.Request.Method == KnownMethod.Head;
        head.Status = (int)answer.StatusCode;
        head.Body = bare ? BodyKind.None : BodyKind.Length;
        head.ContentLength = body.Length;
        head.Added.AddRange(exchange.AnswerFields);
        foreach (var name in clientHeaders)
            foreach (var value in ValuesOf(answer, name)) head.Added.Add(new(name, value));
        if (answer.Content.Headers.ContentType is { } type) head.Added.Add(new("Content-Type", type.ToString()));
        if (answer.StatusCode == HttpStatusCode.Unauthorized
            && !head.Added.Exists(static field => field.Key.Equals(
                "WWW-Authenticate", StringComparison.OrdinalIgnoreCase)))
            head.Added.Add(new("WWW-Authenticate", "Bearer")); // RFC 9110, 15.5.2: there is one.
        head.Added.Add(new("Cache-Control", "no-store"));
        client.Begin(head);
        if (!bare) client.Write(body);
        client.End(null);
        await client.FlushAsync();
    }

    // What is no plain text of a field is left out.
    private static IEnumerable<string> ValuesOf(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out var values) || answer.Content.Headers.TryGetValues(name, out values)
            ? values.Where(static value => value.All(static one => one is >= ' ' and not '\x7f' and <= '\xff'))
            : [];

    /// <summary>What became of a question.</summary>
    /// <param name="Refusal">Why the request does not pass; null: it does, or is answered.</param>
    /// <param name="User">Whom the answer names.</param>
    /// <param name="IsAnswered">True when the client has its answer.</param>
    internal readonly record struct Answer(Refusal? Refusal, string? User, bool IsAnswered);
}
