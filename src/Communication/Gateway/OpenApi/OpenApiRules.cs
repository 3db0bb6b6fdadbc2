using System.Text;
using Groundwork.Communication.Gateway.OpenApi.Documents;
using Groundwork.Wire;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.OpenApi;

/// <summary>What a route's wish to have requests held to a document must be.</summary>
internal static class OpenApiRules
{
    /// <summary>Bytes of a body in memory, of each request under way; checked, they take some times as much.</summary>
    public const int MaxBodyBytes = 1_048_576;

    /// <summary>Characters of a prefix.</summary>
    private const int MaxPrefix = 256;

    public static void Check(OpenApiSpec? spec, ICollection<FieldFault> faults)
    {
        if (spec is null) return;
        if (!FieldRules.TryReadLongName(spec.Document, Names.DefaultNamespace, OpenApiDocumentKind.Name, out _))
            faults.Add(new FieldFault(
                "spec.openApi.document", "must be the name of an openapi-document: [namespace/]name"));
        if (spec.Mode is not ("detect" or "block"))
            faults.Add(new FieldFault("spec.openApi.mode", "must be detect or block"));
        if (spec.Unknown is not ("refuse" or "pass"))
            faults.Add(new FieldFault("spec.openApi.unknown", "must be refuse or pass"));
        if (spec.UnknownQuery is not ("refuse" or "pass"))
            faults.Add(new FieldFault("spec.openApi.unknownQuery", "must be refuse or pass"));
        if (spec.Unseen is not ("refuse" or "pass"))
            faults.Add(new FieldFault("spec.openApi.unseen", "must be refuse or pass"));
        FieldRules.CheckRange("spec.openApi.bodyBytes", spec.BodyBytes, 0, MaxBodyBytes, faults);
        if (spec.Prefix is { } prefix && !IsPrefix(prefix))
            faults.Add(new FieldFault(
                "spec.openApi.prefix",
                $"must be a path of at most {MaxPrefix} characters in its normal form, without parameters"));
    }

    private static bool IsPrefix(string prefix) =>
        prefix.Length is > 0 and <= MaxPrefix && Ascii.IsValid(prefix)
        && PathForm.IsNormal(Encoding.ASCII.GetBytes(prefix), out _) && prefix.IndexOfAny(['{', '}']) < 0;
}
