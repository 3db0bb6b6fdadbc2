using System.Collections.Immutable;

namespace Groundwork.Communication.Gateway.OpenApi.Documents;

/// <summary>A document, read: compiled once for each revision, and shared by all requests.</summary>
/// <param name="BasePaths">What its servers put before its paths; one is empty where there is nothing.</param>
internal sealed record ApiDocument(ImmutableArray<byte[]> BasePaths, PathTree Paths)
{
    /// <summary>The path of a request below one of the prefixes; empty where it is below none.</summary>
    public static ReadOnlySpan<byte> Below(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> path)
    {
        if (prefix.IsEmpty) return path;
        if (!path.StartsWith(prefix)) return [];
        var rest = path[prefix.Length..];
        return rest.IsEmpty || rest[0] != '/' ? [] : rest;
    }
}
