using System.Net;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Tests.EndToEnd;

/// <summary>
/// Calls every operation of the API that the product maps, whatever it is, as each of four callers. An operation that
/// is added later is in the matrix without anybody remembering it.
/// </summary>
public sealed class AuthorisationMatrixTests
{
    private const string Sample = "sample";

    /// <summary>Refused to everybody over TCP, whatever they hold: the answer carries the root key.</summary>
    private const string SocketOnly = "/groundwork/v1/nodes/invitations";

    private enum Caller { WithoutCredential, WithWrongCredential, OfAnotherNamespace, ReadOnly, WithTheRight }

    [Fact]
    public async Task Every_operation_is_refused_to_all_but_those_with_the_right()
    {
        await using var product = await Product.StartAsync();
        var endpoints = product.Node.Listeners.Endpoints.Where(endpoint => endpoint.Listener == ListenerDefinition.Api)
            .ToArray();
        var faults = new List<string>();
        var keys = 0;
        foreach (var endpoint in endpoints)
        {
            var call = new Call(endpoint, product.Node.Kinds);
            foreach (var caller in Enum.GetValues<Caller>())
            {
                var grants = call.GrantsOf(caller);
                var credential = caller switch
                {
                    Caller.WithoutCredential => null,
                    Caller.WithWrongCredential => AccessKeys.Mint().Secret,
                    _ => await product.MintAsync($"matrix-{keys++}", [], grants.Length == 0 ? null : grants),
                };
                var status = await SendAsync(product, call, credential);
                if (!call.IsExpected(caller, status)) faults.Add($"{endpoint}, a caller {caller}: {(int)status}");
            }
        }
        Assert.True(endpoints.Length >= 20, $"only {endpoints.Length} operations are mapped");
        Assert.True(faults.Count == 0, string.Join(Environment.NewLine, faults));
    }

    private static async Task<HttpStatusCode> SendAsync(RunningNode product, Call call, string? credential)
    {
        using var client = product.Client(credential);
        using var request = new HttpRequestMessage(new HttpMethod(call.Endpoint.Method), call.Path);
        // What is for pages of this host takes no other page's call, whoever makes it.
        if (call.Endpoint.Permission is EndpointPermission.Anyone && client.BaseAddress is { } own)
            request.Headers.Add("Origin", own.GetLeftPart(UriPartial.Authority));
        // Streams have no end: the head says what the permission check said.
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return answer.StatusCode;
    }

    private sealed class Call
    {
        private readonly ResourceKey? target;

        // A protocol of others looks at the credential itself, and refuses in its own way: its own tests say which.
        private bool IsOfOthers => Endpoint.Protocol is not null;

        public Call(MappedEndpoint endpoint, KindCatalog kinds)
        {
            Endpoint = endpoint;
            var values = new RouteValueDictionary();
            var kind = kinds.All.FirstOrDefault(kind => kind.Namespaced)?.Name ?? "instance";
            Path = string.Join('/', endpoint.Pattern.Split('/').Select(segment => Fill(segment, kind, values)));
            if (endpoint.Permission is not EndpointPermission.Grant grant) return;
            var context = new DefaultHttpContext();
            context.Request.RouteValues = values;
            context.Request.Path = Path;
            target = grant.Target(context);
        }

        public MappedEndpoint Endpoint { get; }

        public string Path { get; }

        public Grant[] GrantsOf(Caller caller)
        {
            if (target is not { } key || Endpoint.Permission is not EndpointPermission.Grant grant) return [];
            var ns = key.Namespace.Length == 0 ? Names.NodeWide : key.Namespace;
            return caller switch
            {
                // For what belongs to no namespace, every namespace is another one.
                Caller.OfAnotherNamespace => [new Grant([Grant.Any], [Grant.Any], ["another"])],
                Caller.ReadOnly => [new Grant([VerbNames.Of(Verb.Read)], [Grant.Any])],
                Caller.WithTheRight => [new Grant([VerbNames.Of(grant.Verb)], [key.Kind], [ns])],
                _ => [],
            };
        }

        public bool IsExpected(Caller caller, HttpStatusCode status)
        {
            var isRefused = status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden;
            if (Endpoint.Permission is EndpointPermission.Anyone)
                return !IsServerFault(status) && (IsOfOthers || IsOpenAnswer(status));
            if (caller is Caller.WithoutCredential or Caller.WithWrongCredential)
                return status == HttpStatusCode.Unauthorized;
            // The handler decides what such a caller sees; the listener only that it is somebody.
            if (Endpoint.Permission is EndpointPermission.AnyPrincipal)
                return status != HttpStatusCode.Unauthorized && !IsServerFault(status);
            if (Endpoint.Pattern == SocketOnly) return status == HttpStatusCode.Forbidden;
            var may = caller == Caller.WithTheRight
                || (caller == Caller.ReadOnly && Endpoint.Permission is EndpointPermission.Grant { Verb: Verb.Read });
            return may ? !isRefused && !IsServerFault(status) : status == HttpStatusCode.Forbidden;
        }

        private static bool IsServerFault(HttpStatusCode status) => status == HttpStatusCode.InternalServerError;

        // A sign-in without a body is a bad request; nothing that allows anyone asks for a credential first.
        private static bool IsOpenAnswer(HttpStatusCode status) => status != HttpStatusCode.Forbidden;

        private static string Fill(string segment, string kind, RouteValueDictionary values)
        {
            if (!segment.StartsWith('{')) return segment;
            var parts = segment.Trim('{', '}').TrimStart('*').Split(':');
            var value = parts switch
            {
                ["kind", ..] => kind,
                ["namespace", ..] => Names.DefaultNamespace,
                [_, "long" or "int", ..] => "1",
                [_, "guid", ..] => "00000000-0000-7000-8000-000000000000",
                _ => Sample,
            };
            values[parts[0]] = value;
            return value;
        }
    }
}
