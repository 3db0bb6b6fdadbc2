using System.Net.Sockets;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Tests.Hosting;

/// <summary>
/// Real listeners on free ports with a small set of principals: the bearer token is the principal's name, and it may do
/// what its one role names, such as <c>read</c>, in the namespace <c>shop</c>.
/// </summary>
internal sealed class OpenListeners : IAsyncDisposable
{
    private readonly HttpClient client = new();

    public OpenListeners(
        ListenersOptions? options =
            null, IReadOnlyCollection<ListenerDefinition>? definitions = null, ILoggerFactory? logs = null)
    {
        Listeners = new Listeners(
            definitions ?? [Api],
            options ?? new ListenersOptions(),
            new RequestGuards(AuthenticateAsync, Authorize, Audit.Add, () => Revision),
            TimeProvider.System,
            logs ?? new RecordedLogs());
    }

    public static ListenerDefinition Api { get; } = new(ListenerDefinition.Api, ListenerProtocol.Http, "127.0.0.1:0");

    public Listeners Listeners { get; }

    public List<AuditEvent> Audit { get; } = [];

    public long Revision { get; set; } = 42;

    public async Task<HttpResponseMessage> SendAsync(
        string path,
        HttpMethod? method = null,
        string? token = null,
        string? host = null,
        HttpContent? body = null,
        string listener = ListenerDefinition.Api)
    {
        using var request = new HttpRequestMessage(
            method ?? HttpMethod.Get, new Uri(Listeners.UrlOf(listener), path)) { Content = body };
        if (token is not null) request.Headers.Authorization = new("Bearer", token);
        if (host is not null) request.Headers.Host = host;
        return await client.SendAsync(request);
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await Listeners.DisposeAsync();
    }

    private static ValueTask<Outcome<Principal>> AuthenticateAsync(HttpContext context)
    {
        var header = context.Request.Headers.Authorization.ToString();
        if (header.Length == 0) return ValueTask.FromResult<Outcome<Principal>>(Principal.Anonymous);
        var name = header["Bearer ".Length..];
        return ValueTask.FromResult<Outcome<Principal>>(name == "wrong"
            ? new Fault(ErrorCodes.Unauthenticated, "The key is not known.")
            : new Principal(name, [name]));
    }

    private static Fault? Authorize(Principal principal, Verb verb, ResourceKey target) =>
        target.Namespace == "shop" && principal.Roles.Contains(verb.ToString().ToLowerInvariant())
            ? null
            : new Fault(ErrorCodes.Forbidden, $"{principal.Name} may not {verb} {target}.");
}
