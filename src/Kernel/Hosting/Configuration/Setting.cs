using System.Collections.Immutable;
using Groundwork.Kernel.Documents;
using Groundwork.Wire;

namespace Groundwork.Kernel.Hosting.Configuration;

/// <summary>One key as a source has it, before it is understood.</summary>
/// <param name="Items">One text, or several for a list.</param>
/// <param name="Origin">For people.</param>
/// <param name="Where">What a fault names: the key in the file, the variable or the flag.</param>
/// <param name="BasePath">What a relative path starts from.</param>
internal sealed record Setting(
    string Key, ImmutableArray<string> Items, string Origin, string Where, string BasePath, TextPosition? Position =
        null)
{
    public string Text => string.Join(',', Items);

    public FieldFault Wrong(string message) => new(Where, message, Position?.Line, Position?.Column);
}
