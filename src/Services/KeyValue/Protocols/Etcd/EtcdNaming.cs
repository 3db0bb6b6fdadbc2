using System.Text;
using Google.Protobuf;
using Groundwork.Kernel.Hosting.Rpc;
using Groundwork.Services.KeyValue.Protocols.Etcd.Messages;
using Groundwork.Services.Registry.Protocols.Etcd;
using Groundwork.Wire;
using Operation = Groundwork.Services.KeyValue.Protocols.Etcd.Messages.RequestOp.RequestOneofCase;

namespace Groundwork.Services.KeyValue.Protocols.Etcd;

/// <summary>
/// Requests whose keys are all below <c>services/</c>: they are about instances of the registry, and no key of the
/// table. Revisions are those of the registry then.
/// </summary>
internal sealed class EtcdNaming(EtcdCalls calls, NamingKeys keys)
{
    /// <summary>A value that is right, to ask who may register with.</summary>
    private static readonly byte[] Sample = Encoding.ASCII.GetBytes("""{"Addr":"localhost:1"}""");

    private static GrpcException Mixed => EtcdErrors.Of(new Fault(
        ErrorCodes.BadRequest,
        $"A transaction is about keys below {NamingKeys.Prefix}, the registry's instances, or about others."));

    private readonly SemaphoreSlim writing = new(1); // So that what a transaction compares stays until it is done.

    public NamingKeys Keys => keys;

    public static bool Owns(ByteString key, ByteString end) => NamingRows.Owns(EtcdKeys.Range(key, end));

    /// <exception cref="GrpcException">Some of it is the registry's and some is not.</exception>
    public static bool Owns(TxnRequest request)
    {
        var (some, others) = (false, false);
        Look(request);
        return some && others ? throw Mixed : some;

        void Look(TxnRequest part)
        {
            foreach (var compare in part.Compare) Note(compare.Key, compare.RangeEnd);
            foreach (var operation in part.Success.Concat(part.Failure))
            {
                if (operation.RequestCase == Operation.RequestTxn) Look(operation.RequestTxn);
                if (operation.RequestRange is { } range) Note(range.Key, range.RangeEnd);
                if (operation.RequestPut is { } put) Note(put.Key, ByteString.Empty);
                if (operation.RequestDeleteRange is { } delete) Note(delete.Key, delete.RangeEnd);
            }
        }

        void Note(ByteString key, ByteString end)
        {
            if (Owns(key, end)) some = true;
            else others = true;
        }
    }

    public async Task<RangeResponse> RangeAsync(EtcdCall call, RangeRequest request)
    {
        await keys.BeginAsync(call.Aborted);
        Demand(call, EtcdKeys.Range(request.Key, request.RangeEnd));
        return Range(call, request);
    }

    public async Task<PutResponse> PutAsync(EtcdCall call, PutRequest request)
    {
        await keys.BeginAsync(call.Aborted);
        return await InTurnAsync(
            call,
            async () =>
            {
                await CheckAsync(call, request);
                return await WriteAsync(call, request);
            });
    }

    public async Task<DeleteRangeResponse> DeleteAsync(EtcdCall call, DeleteRangeRequest request)
    {
        await keys.BeginAsync(call.Aborted);
        return await InTurnAsync(
            call,
            () =>
            {
                Check(call, request);
                return WriteAsync(call, request);
            });
    }

    /// <summary>
    /// All of it is checked first; then it is done, one after the other: another protocol may come between, and what
    /// has been done stays done should the store go away.
    /// </summary>
    public async Task<TxnResponse> TransactAsync(EtcdCall call, TxnRequest request)
    {
        await keys.BeginAsync(call.Aborted);
        return await InTurnAsync(
            call,
            async () =>
            {
                await CheckAsync(call, request);
                return await RunAsync(call, request);
            });
    }

    /// <summary>Deregisters what goes with a lease that is over.</summary>
    public async Task EndAsync(EtcdCall call, long lease)
    {
        if (!keys.HasBegun) return; // Nobody has put anything here; the loop that ends leases looks after the rest.
        if (await keys.Writes.EndAsync(new HashSet<long> { lease }, call.Aborted) is { } fault)
            throw Refusal(call, fault);
    }

    /// <summary>The keys of a lease that the caller may see.</summary>
    public IEnumerable<byte[]> KeysOf(EtcdCall call, long lease) => !keys.HasBegun
        ? []
        : keys.Look(null).Keys.Where(key => key.Lease == lease && keys.MayDiscover(call.Principal, key))
            .Select(key => key.Key);

    private async Task<T> InTurnAsync<T>(EtcdCall call, Func<Task<T>> write)
    {
        await writing.WaitAsync(call.Aborted);
        try
        {
            return await write();
        }
        finally
        {
            writing.Release();
        }
    }

    private void Demand(EtcdCall call, KeyRange range)
    {
        call.DemandSomebody();
        if (NamingRows.ServiceOf(range) is { } service && keys.CheckDiscover(call.Context, service) is { } fault
            && IsRefusal(fault)) throw call.Refusal();
    }

    private async Task CheckAsync(EtcdCall call, TxnRequest request)
    {
        foreach (var compare in request.Compare) Demand(call, EtcdKeys.Range(compare.Key, compare.RangeEnd));
        foreach (var operation in request.Success.Concat(request.Failure))
        {
            switch (operation.RequestCase)
            {
                case Operation.RequestRange:
                    Demand(call, EtcdKeys.Range(operation.RequestRange.Key, operation.RequestRange.RangeEnd));
                    break;
                case Operation.RequestPut:
                    await CheckAsync(call, operation.RequestPut);
                    break;
                case Operation.RequestDeleteRange:
                    Check(call, operation.RequestDeleteRange);
                    break;
                case Operation.RequestTxn:
                    await CheckAsync(call, operation.RequestTxn);
                    break;
            }
        }
    }

    private async Task CheckAsync(EtcdCall call, PutRequest request)
    {
        call.DemandSomebody();
        if (request.PrevKv || request.IgnoreValue || request.IgnoreLease)
            Demand(call, KeyRange.One(request.Key.ToByteArray()));
        var value = request.IgnoreValue ? Sample : request.Value.Memory;
        if (keys.Writes.CheckPut(call.Context, request.Key.Memory, value, request.Lease) is { } fault)
            throw Refusal(call, fault);
        if (request.Lease == 0) return;
        var lease = await calls.Keys.ReadAsync(reading => reading.FindLease(request.Lease), call.Aborted);
        if (lease is not { Session: null }) throw EtcdErrors.LeaseNotFound;
    }

    private void Check(EtcdCall call, DeleteRangeRequest request)
    {
        call.DemandSomebody();
        var range = EtcdKeys.Range(request.Key, request.RangeEnd);
        if (request.PrevKv) Demand(call, range);
        if (keys.Writes.CheckDelete(call.Context, NamingRows.Range(range)) is { } fault && IsRefusal(fault))
            throw call.Refusal();
    }

    private RangeResponse Range(EtcdCall call, RangeRequest request)
    {
        var rows = new NamingRows(keys, call.Principal, EtcdKeys.Range(request.Key, request.RangeEnd));
        return EtcdRange.Answer(rows, request, rows.Head.Revision);
    }

    private async Task<PutResponse> WriteAsync(EtcdCall call, PutRequest request)
    {
        var (value, lease) = (request.Value.Memory, request.Lease);
        if (request.IgnoreValue || request.IgnoreLease)
        {
            var range = KeyRange.One(request.Key.ToByteArray());
            if (new NamingRows(keys, call.Principal, range).List(range) is not [var known])
                throw EtcdErrors.KeyNotFound;
            if (request.IgnoreValue) value = known.Value;
            if (request.IgnoreLease) lease = known.Lease;
        }
        var written = await keys.Writes.PutAsync(call.Context, request.Key.Memory, value, lease, call.Aborted);
        if (!written.TryGet(out var done, out var fault)) throw Refusal(call, fault);
        return new PutResponse
        {
            Header = new ResponseHeader { Revision = done.Revision },
            PrevKv = request.PrevKv && done.Before is [var before] ? EtcdKeys.Write(NamingRows.Entry(before)) : null,
        };
    }

    private async Task<DeleteRangeResponse> WriteAsync(EtcdCall call, DeleteRangeRequest request)
    {
        var range = EtcdKeys.Range(request.Key, request.RangeEnd);
        var deleted = await keys.Writes.DeleteAsync(call.Context, NamingRows.Range(range), call.Aborted);
        var answer = new DeleteRangeResponse();
        if (deleted.TryGet(out var done, out var fault))
        {
            answer.Header = new ResponseHeader { Revision = done.Revision };
            answer.Deleted = done.Count;
            if (request.PrevKv)
                answer.PrevKvs.AddRange(done.Before.Select(key => EtcdKeys.Write(NamingRows.Entry(key))));
            return answer;
        }
        // What is no name of a service is none of an instance: nothing is there.
        if (fault.Error != ErrorCodes.NameInvalid && fault.Error != ErrorCodes.NamespaceInvalid)
            throw Refusal(call, fault);
        answer.Header = new ResponseHeader { Revision = keys.Look("").Revision };
        return answer;
    }

    private async Task<TxnResponse> RunAsync(EtcdCall call, TxnRequest request)
    {
        var answer = new TxnResponse
        {
            Succeeded = request.Compare.All(compare => EtcdCompare.Holds(
                new NamingRows(keys, call.Principal, EtcdKeys.Range(compare.Key, compare.RangeEnd)), compare)),
        };
        foreach (var operation in answer.Succeeded ? request.Success : request.Failure)
        {
            answer.Responses.Add(operation.RequestCase switch
            {
                Operation.RequestRange => new ResponseOp { ResponseRange = Range(call, operation.RequestRange) },
                Operation.RequestPut => new ResponseOp { ResponsePut = await WriteAsync(call, operation.RequestPut) },
                Operation.RequestDeleteRange => new ResponseOp
                {
                    ResponseDeleteRange = await WriteAsync(call, operation.RequestDeleteRange),
                },
                Operation.RequestTxn => new ResponseOp { ResponseTxn = await RunAsync(call, operation.RequestTxn) },
                _ => new ResponseOp(),
            });
        }
        answer.Header = new ResponseHeader { Revision = keys.Look("").Revision };
        return answer;
    }

    private static GrpcException Refusal(EtcdCall call, Fault fault) =>
        IsRefusal(fault) ? call.Refusal() : EtcdErrors.Of(fault);

    private static bool IsRefusal(Fault fault) =>
        fault.Error == ErrorCodes.Forbidden || fault.Error == ErrorCodes.Unauthenticated;
}
