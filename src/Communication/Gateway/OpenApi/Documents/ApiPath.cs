using System.Collections.Immutable;

namespace Groundwork.Communication.Gateway.OpenApi.Documents;

/// <summary>One path of a document, with its operations.</summary>
/// <param name="Template">As the document writes it.</param>
/// <param name="Names">What it captures, in the order in which it stands there.</param>
/// <param name="Allow">Its methods, for <c>Allow</c>.</param>
internal sealed record ApiPath(
    string Template, ImmutableArray<string> Names, ImmutableArray<ApiOperation> Operations, string Allow)
{
    public ApiOperation? Find(ReadOnlySpan<byte> method)
    {
        foreach (var operation in Operations)
            if (method.SequenceEqual(operation.Method)) return operation;
        // Whoever has something to give says what it is like (RFC 9110, 9.3.2).
        return method.SequenceEqual("HEAD"u8) ? Find("GET"u8) : null;
    }
}

/// <summary>One operation. Changes only while its document is read.</summary>
/// <param name="Name">Its id, or method and path.</param>
internal sealed record ApiOperation(
    byte[] Method, string Name, ImmutableArray<ApiParameter> Parameters, ApiBody? Body)
{
    /// <summary>
    /// True when one of its parameters has members of any name, which stand in the query as they are.
    /// </summary>
    public bool TakesAnyQuery { get; set; }
}
