using System.Collections.Immutable;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Groundwork.Wire;

namespace Groundwork.Kernel.Resources;

/// <summary>The labels of a resource, their rules and their form on disk.</summary>
internal static class Labels
{
    /// <summary>Labels of one resource: for selecting, not for storing.</summary>
    public const int MaxCount = 32;

    /// <summary>Characters of a key or of a value.</summary>
    public const int MaxLength = 128;

    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static readonly ImmutableSortedDictionary<string, string> None =
        ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    public static void Check(ImmutableSortedDictionary<string, string> labels, ICollection<FieldFault> faults)
    {
        if (labels.Count > MaxCount)
            faults.Add(new FieldFault("labels", $"has {labels.Count} labels, {MaxCount} are allowed"));
        foreach (var (key, value) in labels)
        {
            if (!Names.IsSegment(key))
                faults.Add(
                    new FieldFault("labels", $"has the key '{key}', which is not made of A-Z a-z 0-9 . _ : @ -"));
            if (value is null || value.Length > MaxLength)
                faults.Add(new FieldFault($"labels.{key}", $"must be text of at most {MaxLength} characters"));
        }
    }

    public static string Write(ImmutableSortedDictionary<string, string> labels)
    {
        if (labels.IsEmpty) return "";
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, Compact))
        {
            writer.WriteStartObject();
            foreach (var (key, value) in labels) writer.WriteString(key, value);
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    public static ImmutableSortedDictionary<string, string> Read(string text)
    {
        if (text.Length == 0) return None;
        var labels = None.ToBuilder();
        using var document = JsonDocument.Parse(text);
        foreach (var label in document.RootElement.EnumerateObject())
            labels[label.Name] = label.Value.GetString() ?? "";
        return labels.ToImmutable();
    }
}
