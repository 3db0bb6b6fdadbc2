using Groundwork.Services.KeyValue.Protocols.Etcd.Messages;

namespace Groundwork.Services.KeyValue.Protocols.Etcd;

/// <summary>Puts and deletes, alone or within a transaction.</summary>
internal static class EtcdWrites
{
    /// <exception cref="Kernel.Hosting.Rpc.GrpcException">The request is not well formed.</exception>
    public static void Check(PutRequest request)
    {
        if (request.Key.IsEmpty) throw EtcdErrors.EmptyKey;
        if (request.IgnoreValue && !request.Value.IsEmpty) throw EtcdErrors.ValueProvided;
        if (request.IgnoreLease && request.Lease != 0) throw EtcdErrors.LeaseProvided;
    }

    /// <inheritdoc cref="Check(PutRequest)"/>
    public static void Check(DeleteRangeRequest request)
    {
        if (request.Key.IsEmpty) throw EtcdErrors.EmptyKey;
    }

    /// <exception cref="Kernel.Hosting.Rpc.GrpcException">
    /// There is no such lease, or no key whose value or lease it could keep.
    /// </exception>
    public static PutResponse Put(KeyTransaction transaction, PutRequest request)
    {
        var key = request.Key.ToByteArray();
        var before = transaction.Read.Find(key);
        if (before is null && (request.IgnoreValue || request.IgnoreLease)) throw EtcdErrors.KeyNotFound;
        // A session is not a lease that etcd gave out.
        if (request.Lease != 0 && transaction.Read.FindLease(request.Lease) is not { Session: null })
            throw EtcdErrors.LeaseNotFound;
        transaction.Put(
            key,
            // Not null, as asked above.
            request.IgnoreValue ? before!.Value : request.Value.ToByteArray(),
            request.IgnoreLease ? before!.Lease : request.Lease,
            before);
        return new PutResponse
        {
            Header = new ResponseHeader { Revision = transaction.Revision },
            PrevKv = request.PrevKv && before is not null ? EtcdKeys.Write(before) : null,
        };
    }

    public static DeleteRangeResponse Delete(KeyTransaction transaction, DeleteRangeRequest request)
    {
        var range = EtcdKeys.Range(request.Key, request.RangeEnd);
        var removed = range.IsEmpty ? [] : transaction.Remove(range);
        var answer = new DeleteRangeResponse
        {
            Header = new ResponseHeader { Revision = transaction.Revision }, Deleted = removed.Count,
        };
        if (request.PrevKv) answer.PrevKvs.AddRange(removed.Select(entry => EtcdKeys.Write(entry)));
        return answer;
    }
}
