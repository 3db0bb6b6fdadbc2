using Google.Protobuf;
using Groundwork.Kernel.Security;
using Groundwork.Services.KeyValue.Protocols.Etcd.Messages;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Services.KeyValue.Protocols.Etcd;

/// <summary>etcd's service <c>KV</c>.</summary>
internal sealed class EtcdKvApi(EtcdCalls calls)
{
    public void Map(IEndpointRouteBuilder endpoints)
    {
        calls.Unary(endpoints, "KV/Range", RangeRequest.Parser, RangeAsync);
        calls.Unary(endpoints, "KV/Put", PutRequest.Parser, PutAsync);
        calls.Unary(endpoints, "KV/DeleteRange", DeleteRangeRequest.Parser, DeleteAsync);
        calls.Unary(endpoints, "KV/Txn", TxnRequest.Parser, TransactAsync);
        calls.Unary(endpoints, "KV/Compact", CompactionRequest.Parser, CompactAsync);
    }

    private async Task<IMessage> RangeAsync(EtcdCall call, RangeRequest request)
    {
        EtcdRange.Check(request);
        if (calls.Naming is { } naming && EtcdNaming.Owns(request.Key, request.RangeEnd))
        {
            var named = await naming.RangeAsync(call, request);
            named.Header = calls.Header(named.Header.Revision);
            return named;
        }
        EtcdTransaction.Demand(call, request);
        var answer = await calls.Keys.ReadAsync(
            reading => EtcdRange.Answer(reading, request, reading.Head.Revision), call.Aborted);
        answer.Header = calls.Header(answer.Header.Revision);
        return answer;
    }

    private async Task<IMessage> PutAsync(EtcdCall call, PutRequest request)
    {
        if (request.CalculateSize() > EtcdLimits.MaxRequestBytes) throw EtcdErrors.RequestTooLarge;
        EtcdWrites.Check(request);
        if (calls.Naming is { } naming && EtcdNaming.Owns(request.Key, ByteString.Empty))
        {
            var named = await naming.PutAsync(call, request);
            named.Header = calls.Header(named.Header.Revision);
            return named;
        }
        EtcdTransaction.Demand(call, request);
        var answer = await calls.Keys.WriteAsync(
            transaction => EtcdWrites.Put(transaction, request), call.Aborted);
        answer.Header = calls.Header(answer.Header.Revision);
        return answer;
    }

    private async Task<IMessage> DeleteAsync(EtcdCall call, DeleteRangeRequest request)
    {
        EtcdWrites.Check(request);
        if (calls.Naming is { } naming && EtcdNaming.Owns(request.Key, request.RangeEnd))
        {
            var named = await naming.DeleteAsync(call, request);
            named.Header = calls.Header(named.Header.Revision);
            return named;
        }
        EtcdTransaction.Demand(call, request);
        var answer = await calls.Keys.WriteAsync(
            transaction => EtcdWrites.Delete(transaction, request), call.Aborted);
        answer.Header = calls.Header(answer.Header.Revision);
        return answer;
    }

    private async Task<IMessage> TransactAsync(EtcdCall call, TxnRequest request)
    {
        if (request.CalculateSize() > EtcdLimits.MaxRequestBytes) throw EtcdErrors.RequestTooLarge;
        EtcdTransaction.Check(request);
        if (calls.Naming is { } naming && EtcdNaming.Owns(request))
        {
            var named = await naming.TransactAsync(call, request);
            named.Header = calls.Header(named.Header.Revision);
            return named;
        }
        EtcdTransaction.Demand(call, request);
        var answer = EtcdTransaction.IsRead(request)
            ? await calls.Keys.ReadAsync(reading => EtcdTransaction.Run(reading, null, request), call.Aborted)
            : await calls.Keys.WriteAsync(
                transaction => EtcdTransaction.Run(transaction.Read, transaction, request), call.Aborted);
        answer.Header = calls.Header(answer.Header.Revision);
        return answer;
    }

    /// <summary>Ends what is before a revision for everybody, so that it takes the right to administer keys.</summary>
    private async Task<IMessage> CompactAsync(EtcdCall call, CompactionRequest request)
    {
        call.Demand(Verb.Administer, KeyAccess.Target(KeyRange.All));
        var now = await calls.Keys.WriteAsync(
            transaction =>
            {
                if (request.Revision > transaction.Revision) throw EtcdErrors.FutureRevision;
                if (request.Revision <= transaction.Read.Head.Compacted) throw EtcdErrors.Compacted;
                transaction.Compact(request.Revision);
                return transaction.Revision;
            },
            call.Aborted);
        return new CompactionResponse { Header = calls.Header(now) };
    }
}
