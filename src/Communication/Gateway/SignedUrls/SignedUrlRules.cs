using Groundwork.Communication.Gateway.Access;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.SignedUrls;

/// <summary>What the signed addresses of a route must be.</summary>
internal static class SignedUrlRules
{
    /// <summary>Parameters that are looked up one by one.</summary>
    public const int MaxNames = 16;

    /// <summary>A year: what is longer is no expiry.</summary>
    public const int MaxSeconds = 31_536_000;

    public static void Check(SignedUrlSpec? spec, ICollection<FieldFault> faults)
    {
        if (spec is null) return;
        if (!FieldRules.TryReadLongName(spec.Key, Names.DefaultNamespace, SigningKeyKind.Name, out _))
            faults.Add(new FieldFault("spec.signedUrls.key", "must be the name of a signing-key: [namespace/]name"));
        FieldRules.CheckRange("spec.signedUrls.maxSeconds", spec.MaxSeconds, 1, MaxSeconds, faults);
        if (spec.Query is { Count: 0 or > MaxNames })
            faults.Add(new FieldFault("spec.signedUrls.query", $"must have 1 to {MaxNames} names"));
        for (var index = 0; index < spec.Query?.Count; index++)
            if (!IsName(spec.Query[index]) || spec.Query.Take(index).Contains(spec.Query[index]))
                faults.Add(new FieldFault(
                    $"spec.signedUrls.query[{index}]",
                    "must be a name of letters, digits and -._~, once, and neither expires nor signature"));
    }

    // As it stands in the text that is signed, where it needs no escapes.
    private static bool IsName(string name) =>
        name is { Length: > 0 and <= 128 } and not ("expires" or "signature")
        && name.All(one => char.IsAsciiLetterOrDigit(one) || "-._~".Contains(one, StringComparison.Ordinal));
}
