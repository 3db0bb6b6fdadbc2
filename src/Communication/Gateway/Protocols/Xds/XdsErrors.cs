using Groundwork.Kernel.Hosting.Rpc;
using Groundwork.Wire.Grpc;

namespace Groundwork.Communication.Gateway.Protocols.Xds;

/// <summary>How a stream ends that cannot go on.</summary>
internal static class XdsErrors
{
    public static GrpcException Stopping => new(
        GrpcStatus.Unavailable, "The node stops; ask another, or this one later.");

    public static GrpcException TooManyStreams => new(
        GrpcStatus.ResourceExhausted, $"There are {XdsLimits.MaxStreams} streams here already.");

    public static GrpcException Silent => new(
        GrpcStatus.DeadlineExceeded,
        $"No request came within {XdsLimits.FirstPatience.TotalSeconds:0} s; a stream begins with one.");

    public static GrpcException TooManyNames => new(
        GrpcStatus.ResourceExhausted, $"A stream has at most {XdsLimits.MaxNames} names of a type.");

    public static GrpcException TooManyNamesOfAll => new(
        GrpcStatus.ResourceExhausted, $"The streams have {XdsLimits.MaxNamesOfAll} names already.");

    public static GrpcException NameTooLong => new(
        GrpcStatus.InvalidArgument, $"A name has at most {XdsLimits.MaxNameLength} characters.");

    public static GrpcException Malformed => new(GrpcStatus.InvalidArgument, "The message is no DiscoveryRequest.");

    public static GrpcException UnknownNonce => new(
        GrpcStatus.InvalidArgument, "The response_nonce is none that this stream was sent.");

    public static GrpcException Wildcard => new(
        GrpcStatus.InvalidArgument, "Resources are asked for by name: resource_names is empty, or has a '*'.");

    public static GrpcException UnknownCredential => new(
        GrpcStatus.Unauthenticated, "The credential is not known here, or is no longer good.");

    public static GrpcException Nobody => new(
        GrpcStatus.Unauthenticated,
        $"Send an access key as Authorization: Bearer, or as {XdsCallers.KeyField} of the node's metadata.");

    public static GrpcException UnknownType(string url) => new(
        GrpcStatus.InvalidArgument, $"The type_url '{XdsWords.Shorten(url)}' is not served.");
}
