using System.Collections.Immutable;
using System.Text;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.OpenApi.Requests;

/// <summary>What of a request does not fit.</summary>
/// <param name="Operation">Its id, or method and path as the document has them.</param>
/// <param name="Error">How it is refused.</param>
internal sealed record OpenApiFinding(string Operation, ErrorCode Error, ImmutableArray<FieldFault> Faults)
{
    /// <summary>Faults that are told in one line.</summary>
    private const int MaxTold = 4;

    public override string ToString()
    {
        var text = new StringBuilder(Operation);
        for (var index = 0; index < Math.Min(Faults.Length, MaxTold); index++)
            text.Append(index == 0 ? ": " : "; ").Append(Faults[index].Path).Append(' ').Append(Faults[index].Message);
        if (Faults.Length > MaxTold) text.Append($"; and {Faults.Length - MaxTold} more");
        return text.ToString();
    }
}
