using System.Collections.Immutable;
using System.Text.Json;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Content.Caching;
using Groundwork.Kernel.Resources;

namespace Groundwork.Communication.Tests.Gateway.Content;

/// <summary>Makes the resources that purge.</summary>
internal static class Purges
{
    public static Resource Resource(CachePurgeSpec spec) => new()
    {
        Key = new ResourceKey(CachePurgeKind.Name, "default", "now"),
        Version = 1,
        Labels = ImmutableSortedDictionary<string, string>.Empty,
        Spec = JsonSerializer.SerializeToUtf8Bytes(spec, CachePurgeKind.Kind.SpecTypeInfo),
        SpecHash = default,
        Revision = 1,
        ChangedBy = "system:test",
        ChangedAt = DateTimeOffset.UnixEpoch,
        Kind = CachePurgeKind.Kind,
    };
}
