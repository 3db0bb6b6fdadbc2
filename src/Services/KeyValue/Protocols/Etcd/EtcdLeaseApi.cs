using System.Buffers.Binary;
using System.Security.Cryptography;
using Google.Protobuf;
using Groundwork.Kernel.Security;
using Groundwork.Services.KeyValue.Leases;
using Groundwork.Services.KeyValue.Protocols.Etcd.Messages;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Services.KeyValue.Protocols.Etcd;

/// <summary>etcd's service <c>Lease</c>. Consul's sessions are not seen here.</summary>
internal sealed class EtcdLeaseApi(EtcdCalls calls)
{
    public void Map(IEndpointRouteBuilder endpoints)
    {
        calls.Unary(endpoints, "Lease/LeaseGrant", LeaseGrantRequest.Parser, GrantAsync);
        calls.Unary(endpoints, "Lease/LeaseRevoke", LeaseRevokeRequest.Parser, RevokeAsync);
        calls.Unary(endpoints, "Lease/LeaseTimeToLive", LeaseTimeToLiveRequest.Parser, TimeToLiveAsync);
        calls.Unary(endpoints, "Lease/LeaseLeases", LeaseLeasesRequest.Parser, ListAsync);
        calls.Stream(endpoints, "Lease/LeaseKeepAlive", KeepAliveAsync);
    }

    private async Task<IMessage> GrantAsync(EtcdCall call, LeaseGrantRequest request)
    {
        call.Demand(Verb.Write, KeyAccess.LeaseNamed(""));
        if (request.TTL > EtcdLimits.MaxTtlSeconds) throw EtcdErrors.LeaseTtlTooLarge;
        var ttl = TimeSpan.FromSeconds(Math.Max(request.TTL, EtcdLimits.MinTtlSeconds));
        var (lease, revision) = await calls.Keys.WriteAsync(
            transaction =>
            {
                if (request.ID != 0 && transaction.Read.FindLease(request.ID) is not null)
                    throw EtcdErrors.LeaseExists;
                var id = request.ID != 0 ? request.ID
                    : BinaryPrimitives.ReadInt64BigEndian(RandomNumberGenerator.GetBytes(sizeof(long))) & long.MaxValue;
                return (transaction.Grant(new Lease(id, ttl, call.Principal.Name)), transaction.Revision);
            },
            call.Aborted);
        return new LeaseGrantResponse
        {
            Header = calls.Header(revision), ID = lease.Id, TTL = (long)lease.Ttl.TotalSeconds,
        };
    }

    private async Task<IMessage> RevokeAsync(EtcdCall call, LeaseRevokeRequest request)
    {
        var known = await FindAsync(call, request.ID) ?? throw EtcdErrors.LeaseNotFound;
        call.Demand(Verb.Delete, known);
        var revision = await calls.Keys.WriteAsync(
            transaction =>
            {
                if (transaction.Read.FindLease(request.ID) is not { Session: null } lease)
                    throw EtcdErrors.LeaseNotFound;
                transaction.Revoke(lease);
                return transaction.Revision;
            },
            call.Aborted);
        if (calls.Naming is { } naming) await naming.EndAsync(call, request.ID);
        return new LeaseRevokeResponse { Header = calls.Header(revision) };
    }

    private async Task<IMessage> TimeToLiveAsync(EtcdCall call, LeaseTimeToLiveRequest request)
    {
        var (lease, remaining, keys, revision) = await calls.Keys.ReadAsync(
            reading => reading.FindLease(request.ID) is { Session: null } found
                ? (found, reading.Remaining(found), request.Keys ? reading.KeysOf(found) : [], reading.Head.Revision)
                : ((Lease?)null, (long?)null, new List<KeyEntry>(), reading.Head.Revision),
            call.Aborted);
        var answer = new LeaseTimeToLiveResponse { Header = calls.Header(revision), ID = request.ID, TTL = -1 };
        if (lease is null)
        {
            call.DemandSomebody();
            return answer;
        }
        call.Demand(Verb.Read, lease);
        answer.TTL = (remaining ?? 0) / 1_000;
        answer.GrantedTTL = (long)lease.Ttl.TotalSeconds;
        foreach (var entry in keys)
        {
            call.Demand(Verb.Read, KeyAccess.Target(entry.Key));
            answer.Keys.Add(ByteString.CopyFrom(entry.Key));
        }
        if (request.Keys && calls.Naming is { } naming)
            answer.Keys.AddRange(naming.KeysOf(call, lease.Id).Select(key => ByteString.CopyFrom(key)));
        return answer;
    }

    private async Task<IMessage> ListAsync(EtcdCall call, LeaseLeasesRequest request)
    {
        call.Demand(Verb.Read, KeyAccess.EveryLease);
        var (leases, revision) = await calls.Keys.ReadAsync(
            reading => (reading.Leases(), reading.Head.Revision), call.Aborted);
        var answer = new LeaseLeasesResponse { Header = calls.Header(revision) };
        answer.Leases.AddRange(leases.Select(lease => new LeaseStatus { ID = lease.Id }));
        return answer;
    }

    /// <summary>Answers each renewal; of a lease that is not there with a TTL of 0.</summary>
    private async Task KeepAliveAsync(EtcdCall call)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(call.Aborted, calls.Stopping);
        try
        {
            while (await call.ReadAsync(LeaseKeepAliveRequest.Parser, ending.Token) is { } request)
            {
                if (await FindAsync(call, request.ID) is { } known && !await MayRenewAsync(call, known))
                    throw EtcdErrors.PermissionDenied;
                var (lease, revision) = await calls.Keys.WriteAsync(
                    transaction => transaction.Read.FindLease(request.ID) is { Session: null } found
                        ? (transaction.Renew(found), transaction.Revision)
                        : (null, transaction.Revision),
                    ending.Token);
                await call.WriteAsync(
                    new LeaseKeepAliveResponse
                    {
                        Header = calls.Header(revision), ID = request.ID, TTL = (long)(lease?.Ttl.TotalSeconds ?? 0),
                    },
                    ending.Token);
            }
        }
        catch (OperationCanceledException) when (calls.Stopping.IsCancellationRequested)
        {
            throw EtcdErrors.Stopped;
        }
    }

    // Whoever began it may, as long as he is somebody at all.
    private static async ValueTask<bool> MayRenewAsync(EtcdCall call, Lease lease) =>
        await call.IsStillAsync(lease.Principal) || await call.StillMayAsync(Verb.Renew, KeyAccess.Target(lease));

    private async Task<Lease?> FindAsync(EtcdCall call, long id)
    {
        var found = await calls.Keys.ReadAsync(reading => reading.FindLease(id), call.Aborted);
        if (found is not { Session: null }) call.DemandSomebody();
        return found is { Session: null } ? found : null;
    }
}
