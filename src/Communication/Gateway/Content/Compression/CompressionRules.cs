using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Content.Compression;

/// <summary>What the compression part of a route must be.</summary>
internal static class CompressionRules
{
    /// <summary>Types of one route: they are gone through for each answer.</summary>
    public const int MaxTypes = 64;

    /// <summary>Who compresses nothing below this compresses nothing.</summary>
    public const int MaxLeastBytes = 1024 * 1024;

    public static void Check(CompressSpec? spec, ICollection<FieldFault> faults)
    {
        if (spec is null) return;
        if (spec.Algorithms is { } algorithms)
        {
            if (algorithms.Count is 0 or > 2 || algorithms.Distinct().Count() < algorithms.Count)
                faults.Add(new FieldFault("spec.compress.algorithms", "must have br, gzip or both, each once"));
            for (var index = 0; index < algorithms.Count; index++)
                if (algorithms[index] is not ("br" or "gzip"))
                    faults.Add(new FieldFault($"spec.compress.algorithms[{index}]", "must be br or gzip"));
        }
        if (spec.Types is { } types)
        {
            if (types.Count is 0 or > MaxTypes)
                faults.Add(new FieldFault("spec.compress.types", $"must have 1 to {MaxTypes} media types"));
            for (var index = 0; index < types.Count; index++)
                if (MediaTypes.TryParse(types[index]) is null)
                    faults.Add(new FieldFault(
                        $"spec.compress.types[{index}]",
                        "must be a media type in lower case, such as application/json or text/*"));
        }
        if (spec.MinBytes is < 0 or > MaxLeastBytes)
            faults.Add(new FieldFault("spec.compress.minBytes", $"must be 0 to {MaxLeastBytes}"));
        if (spec.Level is < 1 or > 9) faults.Add(new FieldFault("spec.compress.level", "must be 1 to 9"));
    }
}
