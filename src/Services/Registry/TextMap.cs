using System.Collections;

namespace Groundwork.Services.Registry;

/// <summary>
/// A small immutable map of texts, in order of key. One array: a tree or a hash table of four entries costs three times
/// as much, for every instance.
/// </summary>
public sealed class TextMap : IReadOnlyDictionary<string, string>, IEquatable<TextMap>
{
    private readonly KeyValuePair<string, string>[] entries;

    private TextMap(KeyValuePair<string, string>[] entries) => this.entries = entries;

    public static TextMap Empty { get; } = new([]);

    public int Count => entries.Length;

    public IEnumerable<string> Keys => entries.Select(entry => entry.Key);

    public IEnumerable<string> Values => entries.Select(entry => entry.Value);

    public string this[string key] => TryGetValue(key, out var value)
        ? value
        : throw new KeyNotFoundException($"There is no '{key}'.");

    /// <summary>The map of these entries, whose keys differ.</summary>
    public static TextMap Of(IEnumerable<KeyValuePair<string, string>> entries)
    {
        var sorted = entries.ToArray();
        if (sorted.Length == 0) return Empty;
        Array.Sort(sorted, static (a, b) => string.CompareOrdinal(a.Key, b.Key));
        for (var at = 1; at < sorted.Length; at++)
            if (sorted[at].Key == sorted[at - 1].Key)
                throw new ArgumentException($"'{sorted[at].Key}' is there twice.", nameof(entries));
        return new TextMap(sorted);
    }

    public bool ContainsKey(string key) => TryGetValue(key, out _);

    public bool TryGetValue(string key, [System.Diagnostics.CodeAnalysis.MaybeNullWhen(false)] out string value)
    {
        // A few short keys: looking at each is as quick as a search.
        foreach (var entry in entries)
        {
            if (entry.Key != key) continue;
            value = entry.Value;
            return true;
        }
        value = null;
        return false;
    }

    public bool Equals(TextMap? other) => other is not null && entries.AsSpan().SequenceEqual(other.entries);

    public override bool Equals(object? obj) => Equals(obj as TextMap);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var entry in entries) hash.Add(entry);
        return hash.ToHashCode();
    }

    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => entries.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
