using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Upstreams;
using Groundwork.Kernel.Resources;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Communication.Tests.Gateway;

/// <summary>Makes upstreams and what they need.</summary>
internal static class TestUpstreams
{
    public static UpstreamParts Parts(
        TimeProvider time, Func<string, CancellationToken, Task<IPAddress[]>>? lookUp = null) => new(
        static (address, _) => address.Equals(IPAddress.Parse("169.254.169.254")) ? "a link-local address" : null,
        lookUp ?? (static (_, _) => Task.FromResult<IPAddress[]>([])),
        new byte[] { 1, 2, 3 },
        time,
        NullLogger.Instance);

    public static Resource Resource(string name, UpstreamSpec spec, long revision = 1) => new()
    {
        Key = new ResourceKey(UpstreamKind.Name, "default", name),
        Version = 1,
        Labels = ImmutableSortedDictionary<string, string>.Empty,
        Spec = JsonSerializer.SerializeToUtf8Bytes(spec, UpstreamKind.Kind.SpecTypeInfo),
        SpecHash = default,
        Revision = revision,
        ChangedBy = "system:test",
        ChangedAt = DateTimeOffset.UnixEpoch,
        Kind = UpstreamKind.Kind,
    };
}
