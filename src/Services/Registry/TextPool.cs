using System.Collections.Concurrent;

namespace Groundwork.Services.Registry;

/// <summary>
/// Keeps one copy of texts that many instances share: zones, versions, metadata keys, names of services. Bounded; a
/// text that no longer fits is simply not shared.
/// </summary>
internal sealed class TextPool
{
    /// <summary>Texts kept: far above what names and labels of 200,000 instances need, about 5 MB when full.</summary>
    private const int MaxTexts = 65_536;

    /// <summary>Characters; longer ones are rarely alike.</summary>
    private const int MaxLength = 64;

    private readonly ConcurrentDictionary<string, string> texts = new(StringComparer.Ordinal);
    private int count; // Interlocked; counting the dictionary would take all its locks.

    public string Share(string text)
    {
        if (text.Length > MaxLength) return text;
        if (texts.TryGetValue(text, out var known)) return known;
        if (Volatile.Read(ref count) >= MaxTexts) return text;
        if (!texts.TryAdd(text, text)) return texts.GetValueOrDefault(text, text);
        Interlocked.Increment(ref count);
        return text;
    }
}
