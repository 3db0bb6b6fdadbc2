using Microsoft.CodeAnalysis;

namespace Groundwork.Client.Generators;

/// <summary>What can be written into a path, a query or a header.</summary>
internal static class ParameterRules
{
    /// <summary>Text, booleans, characters, enums, and whatever formats itself.</summary>
    public static bool HasText(ITypeSymbol type)
    {
        if (type is INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T } nullable)
            return HasText(nullable.TypeArguments[0]);
        return type.SpecialType is SpecialType.System_String or SpecialType.System_Boolean or SpecialType.System_Char
            || type.TypeKind == TypeKind.Enum
            || type.AllInterfaces.Any(one => one.ToDisplayString() == "System.IFormattable");
    }

    /// <summary>A list of such, which a query repeats.</summary>
    public static bool IsListOfText(ITypeSymbol type)
    {
        if (type.SpecialType == SpecialType.System_String) return false;
        var sequences = type.AllInterfaces.Concat(type is INamedTypeSymbol itself ? [itself] : [])
            .Where(one => one.OriginalDefinition.SpecialType == SpecialType.System_Collections_Generic_IEnumerable_T);
        return sequences.Any(sequence => HasText(sequence.TypeArguments[0]));
    }

    /// <summary>
    /// A name of RFC 9110 §5.1 that is neither the content's nor the connection's, which <c>HttpClient</c> sets.
    /// </summary>
    public static bool IsHeader(string name) => name.Length > 0
        && name.All(c => c is > ' ' and < '\u007f' && "\"(),/:;<=>?@[\\]{}".IndexOf(c) < 0)
        && !name.StartsWith("Content-", StringComparison.OrdinalIgnoreCase)
        && !Reserved.Contains(name, StringComparer.OrdinalIgnoreCase);

    private static readonly string[] Reserved =
        ["Allow", "Expires", "Last-Modified", "Host", "Connection", "Transfer-Encoding", "Upgrade", "Trailer", "TE"];
}
