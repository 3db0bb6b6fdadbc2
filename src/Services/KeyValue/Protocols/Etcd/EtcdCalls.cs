using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Hosting.Rpc;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.KeyValue.Protocols.Etcd.Messages;
using Groundwork.Services.Registry.Protocols.Etcd;
using Groundwork.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.KeyValue.Protocols.Etcd;

/// <summary>What all calls of etcd have alike: the credential, errors, and the head of every answer.</summary>
internal sealed class EtcdCalls
{
    /// <summary>Why the listener does not look at credentials.</summary>
    private const string Why = "the call's token, or any other credential, is checked inside, and refusals are etcd's";

    /// <summary>There is one term, the one that a real member alone has after its election.</summary>
    public const long Term = 2;

    private static readonly Fault BadToken =
        new(ErrorCodes.Unauthenticated, "The token is not of this store, or has expired.");

    private readonly KeyAccess access;
    private readonly Authenticator authenticator;
    private readonly Authorizer authorizer;
    private readonly ILogger logger;

    public EtcdCalls(
        Node node, KeyValues keys, KeyAccess access, EtcdTokens tokens, NamingKeys? naming)
    {
        Table = new TableHistory(keys, access);
        if (naming is not null) (Naming, Instances) = (new EtcdNaming(this, naming), new NamingHistory(naming));
        this.access = access;
        Keys = keys;
        Tokens = tokens;
        Time = node.Time;
        Stopping = node.Listeners.Stopping;
        authenticator = node.Authenticator;
        authorizer = node.Authorizer;
        logger = node.Logs.CreateLogger<EtcdCalls>();
        ClusterId = IdOf(node.Snapshots.Current.StoreId);
        MemberId = IdOf(node.Snapshots.Current.StoreId + "\n" + node.Name);
    }

    public KeyValues Keys { get; }

    public EtcdTokens Tokens { get; }

    /// <summary>
    /// What is below <c>services/</c>; null where there is no registry, and those are keys like others.
    /// </summary>
    public EtcdNaming? Naming { get; }

    /// <summary>The history of the table.</summary>
    private TableHistory Table { get; }

    /// <summary>The history of what is below <c>services/</c>.</summary>
    private NamingHistory? Instances { get; }

    public TimeProvider Time { get; }

    public CancellationToken Stopping { get; }

    public ulong ClusterId { get; }

    public ulong MemberId { get; }

    /// <summary>Maps a call of one message for another.</summary>
    public void Unary<TRequest>(
        IEndpointRouteBuilder endpoints, string method, MessageParser<TRequest> parser,
        Func<EtcdCall, TRequest, Task<IMessage>> answer)
        where TRequest : class, IMessage<TRequest> => Map(endpoints, method, async call =>
        {
            var request = await call.ReadAsync(parser, call.Aborted)
                ?? throw new GrpcException(Wire.Grpc.GrpcStatus.Internal, "The call has no message.");
            await call.WriteAsync(await answer(call, request), call.Aborted);
        });

    /// <summary>Maps a call of as many messages as both sides want.</summary>
    public void Stream(IEndpointRouteBuilder endpoints, string method, Func<EtcdCall, Task> run) =>
        Map(endpoints, method, run);

    public IEtcdHistory HistoryOf(KeyRange range) =>
        Instances is not null && NamingRows.Owns(range) ? Instances : Table;

    public ResponseHeader Header(long revision) => new()
    {
        ClusterId = ClusterId, MemberId = MemberId, Revision = revision, RaftTerm = (ulong)Term,
    };

    /// <summary>The name and password of an operator, or an access key as the password.</summary>
    public async ValueTask<Outcome<Principal>> VerifyAsync(EtcdCall call, string name, string password)
    {
        var found = await authenticator.AuthenticatePasswordAsync(name, password, RequestAddress.Of(call.Context));
        if (!found.TryGet(out _, out var fault)) access.NoteUnknown(call.Context, fault);
        return found;
    }

    private void Map(IEndpointRouteBuilder endpoints, string method, Func<EtcdCall, Task> run) => endpoints
        .MapPost(
            "/etcdserverpb." + method,
            GrpcCall.Handle(
                async call =>
                {
                    try
                    {
                        await run(await EnterAsync(call));
                    }
                    catch (KeyValueRefusal refusal)
                    {
                        throw EtcdErrors.Of(refusal);
                    }
                },
                EtcdLimits.MaxMessageBytes, logger))
        .LimitsBody(GrpcCall.MaxStreamBytes)
        .AllowsAnyone(Why);

    private async Task<EtcdCall> EnterAsync(GrpcCall call)
    {
        var principal = await AuthenticateAsync(call.Context) ?? throw EtcdErrors.InvalidToken;
        call.Context.Features.Set(principal);
        return new EtcdCall(
            call, access, LastingCaller.Of(principal, authorizer, Time)) { Principal = principal };
    }

    private async ValueTask<Principal?> AuthenticateAsync(HttpContext context)
    {
        var token = context.Request.Headers["token"].ToString();
        var header = context.Request.Headers.Authorization.ToString();
        // Clients of etcd send the token there as it is.
        if (token.Length == 0 && header.Length > 0 && !header.Contains(' ')) token = header;
        if (EtcdTokens.Looks(token))
        {
            if (Tokens.Verify(token) is { } name)
                return authorizer.Refresh(new Principal(name, []), Time.GetUtcNow());
            access.NoteUnknown(context, BadToken);
            return null;
        }
        var found = token.Length > 0
            ? authenticator.AuthenticateKey(token, RequestAddress.Of(context))
            : await authenticator.AuthenticateAsync(context);
        if (found.TryGet(out var principal, out var fault)) return principal;
        access.NoteUnknown(context, fault);
        return null;
    }

    private static ulong IdOf(string text) =>
        BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text))) & long.MaxValue;
}

/// <summary>One call: who makes it and what he may.</summary>
/// <param name="caller">For calls that last.</param>
internal sealed class EtcdCall(GrpcCall call, KeyAccess access, LastingCaller caller)
{
    public required Principal Principal { get; init; }

    public HttpContext Context => call.Context;

    public CancellationToken Aborted => call.Aborted;

    public Task AcceptAsync() => call.AcceptAsync();

    public ValueTask<T?> ReadAsync<T>(MessageParser<T> parser, CancellationToken cancellationToken)
        where T : class, IMessage<T> => call.ReadAsync(
            bytes =>
            {
                try
                {
                    return parser.ParseFrom(bytes);
                }
                catch (InvalidProtocolBufferException)
                {
                    throw new GrpcException(Wire.Grpc.GrpcStatus.Internal, "The message is malformed.");
                }
            },
            cancellationToken);

    public ValueTask WriteAsync(IMessage message, CancellationToken cancellationToken) =>
        call.WriteAsync(message.CalculateSize(), message.WriteTo, cancellationToken);

    /// <exception cref="GrpcException">The caller may not.</exception>
    public void Demand(Verb verb, ResourceKey target)
    {
        if (!access.Check(Context, Principal, verb, target)) throw Refusal();
    }

    /// <inheritdoc cref="Demand(Verb, ResourceKey)"/>
    public void Demand(Verb verb, Leases.Lease lease)
    {
        if (!access.Check(Context, Principal, verb, lease)) throw Refusal();
    }

    /// <summary>Somebody who may do something at all.</summary>
    /// <exception cref="GrpcException">
    /// The call comes without a credential, and the loopback rule does not hold.
    /// </exception>
    public void DemandSomebody()
    {
        if (Principal.Name == Principal.Anonymous.Name && Principal.Roles.IsDefaultOrEmpty) throw Refusal();
    }

    /// <summary>Whether a call that lasts is of that principal, and he is still there.</summary>
    public async ValueTask<bool> IsStillAsync(string name) =>
        name == Principal.Name && name != Principal.Anonymous.Name && (await caller.AskAsync()).Succeeded;

    /// <summary>The caller of a call that lasts, as of now; null when he is none any more.</summary>
    public async ValueTask<Principal?> NowAsync() => (await caller.AskAsync()).TryGet(out var now, out _) ? now : null;

    /// <summary>Whether the caller of a call that lasts still may.</summary>
    public async ValueTask<bool> StillMayAsync(Verb verb, ResourceKey target) =>
        (await caller.AskAsync()).TryGet(out var now, out _) && access.Allows(now, verb, target);

    /// <summary>The caller may not.</summary>
    public GrpcException Refusal() => Principal.Name == Principal.Anonymous.Name
        ? EtcdErrors.UserEmpty
        : EtcdErrors.PermissionDenied;
}
