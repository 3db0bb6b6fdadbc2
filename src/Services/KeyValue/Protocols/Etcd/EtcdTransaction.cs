using Groundwork.Kernel.Security;
using Groundwork.Services.KeyValue.Protocols.Etcd.Messages;
using Operation = Groundwork.Services.KeyValue.Protocols.Etcd.Messages.RequestOp.RequestOneofCase;

namespace Groundwork.Services.KeyValue.Protocols.Etcd;

/// <summary>Compares, then one of two lists of operations, which may be transactions themselves.</summary>
internal static class EtcdTransaction
{
    /// <summary>Transactions in transactions; each is a step of the stack.</summary>
    private const int MaxDepth = 16;

    /// <exception cref="Kernel.Hosting.Rpc.GrpcException">The request is not well formed.</exception>
    public static void Check(TxnRequest request) => _ = CheckAll(request, MaxDepth);

    /// <summary>Demands what every part of it takes, whether it comes to it or not.</summary>
    public static void Demand(EtcdCall call, TxnRequest request)
    {
        foreach (var compare in request.Compare)
            call.Demand(Verb.Read, KeyAccess.Target(EtcdKeys.Range(compare.Key, compare.RangeEnd)));
        foreach (var operation in request.Success.Concat(request.Failure))
        {
            switch (operation.RequestCase)
            {
                case Operation.RequestRange:
                    Demand(call, operation.RequestRange);
                    break;
                case Operation.RequestPut:
                    Demand(call, operation.RequestPut);
                    break;
                case Operation.RequestDeleteRange:
                    Demand(call, operation.RequestDeleteRange);
                    break;
                case Operation.RequestTxn:
                    Demand(call, operation.RequestTxn);
                    break;
            }
        }
    }

    public static void Demand(EtcdCall call, RangeRequest request) =>
        call.Demand(Verb.Read, KeyAccess.Target(EtcdKeys.Range(request.Key, request.RangeEnd)));

    public static void Demand(EtcdCall call, PutRequest request)
    {
        var target = KeyAccess.Target(request.Key.ToByteArray());
        call.Demand(Verb.Write, target);
        if (request.PrevKv) call.Demand(Verb.Read, target);
    }

    public static void Demand(EtcdCall call, DeleteRangeRequest request)
    {
        var target = KeyAccess.Target(EtcdKeys.Range(request.Key, request.RangeEnd));
        call.Demand(Verb.Delete, target);
        if (request.PrevKv) call.Demand(Verb.Read, target);
    }

    /// <summary>True when nothing in it can change anything.</summary>
    public static bool IsRead(TxnRequest request) => request.Success.Concat(request.Failure).All(
        operation => operation.RequestCase switch
        {
            Operation.RequestRange or Operation.None => true,
            Operation.RequestTxn => IsRead(operation.RequestTxn),
            _ => false,
        });

    /// <param name="transaction">Null for one that only reads.</param>
    public static TxnResponse Run(KeyReading reading, KeyTransaction? transaction, TxnRequest request)
    {
        var answer = new TxnResponse
        {
            Succeeded = request.Compare.All(compare => EtcdCompare.Holds(reading, compare)),
        };
        foreach (var operation in answer.Succeeded ? request.Success : request.Failure)
            answer.Responses.Add(Run(reading, transaction, operation));
        answer.Header = new ResponseHeader { Revision = Revision(reading, transaction) };
        return answer;
    }

    private static ResponseOp Run(KeyReading reading, KeyTransaction? transaction, RequestOp operation) =>
        operation.RequestCase switch
        {
            Operation.RequestRange => new ResponseOp
            {
                ResponseRange = EtcdRange.Answer(reading, operation.RequestRange, Revision(reading, transaction)),
            },
            Operation.RequestTxn => new ResponseOp
            {
                ResponseTxn = Run(reading, transaction, operation.RequestTxn),
            },
            // What writes comes with a transaction.
            Operation.RequestPut => new ResponseOp
            {
                ResponsePut = EtcdWrites.Put(transaction!, operation.RequestPut),
            },
            Operation.RequestDeleteRange => new ResponseOp
            {
                ResponseDeleteRange = EtcdWrites.Delete(transaction!, operation.RequestDeleteRange),
            },
            _ => new ResponseOp(),
        };

    private static long Revision(KeyReading reading, KeyTransaction? transaction) =>
        transaction?.Revision ?? reading.Head.Revision;

    private static Touched CheckAll(TxnRequest request, int depth)
    {
        if (depth == 0 || request.Compare.Count > EtcdLimits.MaxOperations
            || request.Success.Count > EtcdLimits.MaxOperations || request.Failure.Count > EtcdLimits.MaxOperations)
            throw EtcdErrors.TooManyOperations;
        foreach (var compare in request.Compare)
            if (compare.Key.IsEmpty) throw EtcdErrors.EmptyKey;
        // Only one of them happens, so that they may touch the same.
        return CheckBranch(request.Success, depth).And(CheckBranch(request.Failure, depth));
    }

    private static Touched CheckBranch(IEnumerable<RequestOp> operations, int depth)
    {
        var all = new Touched([], []);
        foreach (var operation in operations)
        {
            var touched = Check(operation, depth);
            if (all.Conflicts(touched)) throw EtcdErrors.DuplicateKey;
            all = all.And(touched);
        }
        return all;
    }

    private static Touched Check(RequestOp operation, int depth)
    {
        switch (operation.RequestCase)
        {
            case Operation.RequestRange:
                EtcdRange.Check(operation.RequestRange);
                return new Touched([], []);
            case Operation.RequestPut:
                EtcdWrites.Check(operation.RequestPut);
                return new Touched([KeyRange.One(operation.RequestPut.Key.ToByteArray())], []);
            case Operation.RequestDeleteRange:
                EtcdWrites.Check(operation.RequestDeleteRange);
                var request = operation.RequestDeleteRange;
                return new Touched([], [EtcdKeys.Range(request.Key, request.RangeEnd)]);
            case Operation.RequestTxn:
                return CheckAll(operation.RequestTxn, depth - 1);
            default:
                throw EtcdErrors.KeyNotFound;
        }
    }

    /// <summary>What a part of a transaction changes: a key may be put once, and not be deleted beside that.</summary>
    private sealed record Touched(List<KeyRange> Puts, List<KeyRange> Deletes)
    {
        public Touched And(Touched other) => new([.. Puts, .. other.Puts], [.. Deletes, .. other.Deletes]);

        public bool Conflicts(Touched other) =>
            Puts.Any(put => other.Puts.Any(put.Overlaps) || other.Deletes.Any(put.Overlaps))
            || Deletes.Any(delete => other.Puts.Any(delete.Overlaps));
    }
}
