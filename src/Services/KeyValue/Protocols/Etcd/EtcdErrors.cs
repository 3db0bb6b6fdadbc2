using Groundwork.Kernel.Hosting.Rpc;
using Groundwork.Wire;
using Groundwork.Wire.Grpc;

namespace Groundwork.Services.KeyValue.Protocols.Etcd;

/// <summary>etcd's refusals in its own words: its clients know them by the text.</summary>
internal static class EtcdErrors
{
    public static GrpcException EmptyKey => Wrong("key is not provided");

    public static GrpcException KeyNotFound => Wrong("key not found");

    public static GrpcException ValueProvided => Wrong("value is provided");

    public static GrpcException LeaseProvided => Wrong("lease is provided");

    public static GrpcException TooManyOperations => Wrong("too many operations in txn request");

    public static GrpcException DuplicateKey => Wrong("duplicate key given in txn request");

    public static GrpcException InvalidSortOption => Wrong("invalid sort option");

    public static GrpcException RequestTooLarge => Wrong("request is too large");

    public static GrpcException UserEmpty => Wrong("user name is empty");

    public static GrpcException AuthenticationFailed => Wrong("authentication failed, invalid user ID or password");

    public static GrpcException Compacted => new(
        GrpcStatus.OutOfRange, "etcdserver: mvcc: required revision has been compacted");

    public static GrpcException FutureRevision => new(
        GrpcStatus.OutOfRange, "etcdserver: mvcc: required revision is a future revision");

    public static GrpcException LeaseNotFound => new(GrpcStatus.NotFound, "etcdserver: requested lease not found");

    public static GrpcException LeaseExists => new(
        GrpcStatus.FailedPrecondition, "etcdserver: lease already exists");

    public static GrpcException LeaseTtlTooLarge => new(GrpcStatus.OutOfRange, "etcdserver: too large lease TTL");

    public static GrpcException TooManyRequests => new(
        GrpcStatus.ResourceExhausted, "etcdserver: too many requests");

    public static GrpcException PermissionDenied => new(
        GrpcStatus.PermissionDenied, "etcdserver: permission denied");

    public static GrpcException InvalidToken => new(GrpcStatus.Unauthenticated, "etcdserver: invalid auth token");

    public static GrpcException Stopped => new(GrpcStatus.Unavailable, "etcdserver: server stopped");

    public static GrpcException Of(KeyValueRefusal refusal) => refusal.Why switch
    {
        KeyValueRefusal.Kind.TooLarge => RequestTooLarge,
        KeyValueRefusal.Kind.LeaseUnknown => LeaseNotFound,
        _ => TooManyRequests,
    };

    /// <summary>What the registry says, with its code: no client of etcd knows it by a text.</summary>
    public static GrpcException Of(Fault fault) => new(
        fault.Error.Status switch
        {
            409 => GrpcStatus.FailedPrecondition,
            429 or 507 => GrpcStatus.ResourceExhausted,
            >= 500 => GrpcStatus.Unavailable,
            _ => GrpcStatus.InvalidArgument,
        },
        $"etcdserver: {fault.Error.Code}: {fault.Detail}");

    private static GrpcException Wrong(string text) => new(GrpcStatus.InvalidArgument, "etcdserver: " + text);
}
