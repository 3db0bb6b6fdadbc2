using System.Text;

namespace Groundwork.Communication.Gateway.Inspection;

/// <summary>Words in lower case, each with what it stands for, found by their bytes without a string.</summary>
internal sealed class WordTable<T>
    where T : struct
{
    private readonly (byte[]? Word, T Value)[] slots;
    private readonly int longest;

    /// <param name="groups">What they stand for, and words between blanks.</param>
    public WordTable(params ReadOnlySpan<(T Value, string Words)> groups)
    {
        var all = new List<(byte[] Word, T Value)>();
        foreach (var (value, words) in groups)
            foreach (var word in words.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                all.Add((Encoding.ASCII.GetBytes(word), value));
        var size = 16;
        while (size < all.Count * 4) size *= 2; // Mostly empty: most lookups are of words that are not there.
        slots = new (byte[]?, T)[size];
        foreach (var (word, value) in all)
        {
            longest = Math.Max(longest, word.Length);
            var at = Place(word);
            while (slots[at].Word is not null) at = (at + 1) & (size - 1);
            slots[at] = (word, value);
        }
    }

    public bool TryFind(ReadOnlySpan<byte> word, out T value)
    {
        value = default;
        if (word.IsEmpty || word.Length > longest) return false;
        for (var at = Place(word); slots[at].Word is { } known; at = (at + 1) & (slots.Length - 1))
        {
            if (!word.SequenceEqual(known)) continue;
            value = slots[at].Value;
            return true;
        }
        return false;
    }

    // FNV-1a: short words, and nobody gains by making them meet, since the table's are fixed.
    private int Place(ReadOnlySpan<byte> word)
    {
        var hash = 2_166_136_261u;
        foreach (var one in word) hash = (hash ^ one) * 16_777_619u;
        return (int)(hash & (uint)(slots.Length - 1));
    }
}
