using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace Groundwork.Services.Registry.Protocols;

/// <summary>
/// Keys by a name that several may have. Kept by whoever keeps the keys, from the first question on: where nobody asks
/// it holds nothing. Any thread may ask.
/// </summary>
/// <param name="nameOf">The name of a key.</param>
/// <param name="comparer">When two names are the same; one that also takes spans.</param>
/// <param name="all">The keys that there are; one is among them before it is added here.</param>
internal sealed class KeyIndex<TKey>(Func<TKey, string> nameOf, StringComparer comparer, Func<IEnumerable<TKey>> all)
{
    private readonly ConcurrentDictionary<string, ImmutableArray<TKey>> byName = new(comparer);
    private readonly Lock filling = new();
    private volatile bool isKept; // What is added is taken.
    private volatile bool isFilled; // So is what was there before.

    public void Add(TKey key)
    {
        if (isKept) Put(key);
    }

    public void Remove(TKey key)
    {
        var name = nameOf(key);
        while (byName.TryGetValue(name, out var known))
        {
            var left = known.Remove(key);
            var done = left.IsEmpty
                ? byName.TryRemove(KeyValuePair.Create(name, known))
                : byName.TryUpdate(name, left, known);
            if (done) return;
        }
    }

    /// <summary>The keys of that name, in no order.</summary>
    public ImmutableArray<TKey> Find(ReadOnlySpan<char> name)
    {
        if (!isFilled) Fill();
        return byName.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out var keys) ? keys : [];
    }

    // A key that goes while this runs may leave its name behind, which then leads nowhere.
    private void Fill()
    {
        lock (filling)
        {
            if (isFilled) return;
            isKept = true; // First, so that none is missed that comes meanwhile.
            foreach (var key in all()) Put(key);
            isFilled = true;
        }
    }

    private void Put(TKey key) => byName.AddOrUpdate(
        nameOf(key),
        static (_, added) => [added],
        static (_, known, added) => known.Contains(added) ? known : known.Add(added),
        key);
}
