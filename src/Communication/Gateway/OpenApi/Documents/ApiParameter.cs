using System.Collections.Immutable;
using Groundwork.Kernel.Schemas;

namespace Groundwork.Communication.Gateway.OpenApi.Documents;

/// <summary>Where a parameter stands.</summary>
internal enum ParameterPlace
{
    Path,
    Query,
    Header,
    Cookie,
}

/// <summary>What a parameter's value is made of.</summary>
internal enum ParameterShape
{
    /// <summary>One text.</summary>
    Plain,

    /// <summary>Several, one after the other.</summary>
    List,

    /// <summary>Several with names.</summary>
    Object,

    /// <summary>A text that is JSON.</summary>
    Json,
}

/// <summary>A parameter of an operation. Changes only while its document is read.</summary>
/// <param name="Name">As messages write it, such as <c>query.limit</c>.</param>
/// <param name="Key">Its name in bytes; of a header field in lower case.</param>
/// <param name="Capture">Of a parameter of the path, which of the captures it is.</param>
internal sealed record ApiParameter(string Name, byte[] Key, ParameterPlace Place, int Capture, bool Required)
{
    /// <summary>Where it stands in the document.</summary>
    public string At { get; set; } = "";

    public ParameterShape Shape { get; set; }

    /// <summary>Between the parts of a value that stands there once.</summary>
    public char Separator { get; set; } = ',';

    /// <summary>True where each part stands by itself.</summary>
    public bool Explodes { get; set; }

    /// <summary>True for members that are written as <c>name[member]</c>.</summary>
    public bool IsDeep { get; set; }

    public bool AllowsEmpty { get; init; }

    /// <summary>Names of the members of an object, and which of them are lists.</summary>
    public ImmutableDictionary<string, bool> Members { get; set; } = ImmutableDictionary<string, bool>.Empty;

    /// <summary>The same as a query names them: by themselves, or as <c>name[member]</c>.</summary>
    public ImmutableArray<(byte[] Written, string Member)> MemberNames { get; set; } = [];

    public JsonSchema? Schema { get; set; }
}
