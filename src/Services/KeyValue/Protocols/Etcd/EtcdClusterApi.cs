using Google.Protobuf;
using Groundwork.Kernel.Hosting;
using Groundwork.Services.KeyValue.Protocols.Etcd.Messages;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Services.KeyValue.Protocols.Etcd;

/// <summary>
/// Of etcd's services <c>Auth</c>, <c>Cluster</c> and <c>Maintenance</c> what clients need to work: the token, the one
/// member that they talk to, and its state.
/// </summary>
internal sealed class EtcdClusterApi(EtcdCalls calls, string nodeName, Listeners listeners)
{
    /// <summary>The version of the interface that this is like.</summary>
    private const string Version = "3.4.0";

    public void Map(IEndpointRouteBuilder endpoints)
    {
        calls.Unary(endpoints, "Auth/Authenticate", AuthenticateRequest.Parser, AuthenticateAsync);
        calls.Unary(endpoints, "Cluster/MemberList", MemberListRequest.Parser, MembersAsync);
        calls.Unary(endpoints, "Maintenance/Status", StatusRequest.Parser, StatusAsync);
    }

    private async Task<IMessage> AuthenticateAsync(EtcdCall call, AuthenticateRequest request)
    {
        var found = await calls.VerifyAsync(call, request.Name, request.Password);
        if (!found.TryGet(out var principal, out _)) throw EtcdErrors.AuthenticationFailed;
        return new AuthenticateResponse
        {
            Header = calls.Header(await RevisionAsync(call)), Token = calls.Tokens.Issue(principal),
        };
    }

    private async Task<IMessage> MembersAsync(EtcdCall call, MemberListRequest request)
    {
        call.DemandSomebody();
        var member = new Member { ID = calls.MemberId, Name = nodeName };
        foreach (var name in new[] { ProtocolListeners.Etcd.Name, ProtocolListeners.GrpcName })
            if (listeners.Addresses.TryGetValue(name, out var addresses) && addresses.Length > 0)
                member.ClientURLs.Add(listeners.UrlOf(name).GetLeftPart(UriPartial.Authority));
        return new MemberListResponse { Header = calls.Header(await RevisionAsync(call)), Members = { member } };
    }

    private async Task<IMessage> StatusAsync(EtcdCall call, StatusRequest request)
    {
        call.DemandSomebody();
        var (revision, bytes) = await calls.Keys.ReadAsync(
            reading => (reading.Head.Revision, reading.Bytes()), call.Aborted);
        return new StatusResponse
        {
            Header = calls.Header(revision),
            Version = Version,
            DbSize = bytes,
            DbSizeInUse = bytes,
            Leader = calls.MemberId,
            RaftIndex = (ulong)revision,
            RaftAppliedIndex = (ulong)revision,
            RaftTerm = (ulong)EtcdCalls.Term,
        };
    }

    private Task<long> RevisionAsync(EtcdCall call) =>
        calls.Keys.ReadAsync(reading => reading.Head.Revision, call.Aborted);
}
