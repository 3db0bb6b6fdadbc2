using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Groundwork.Wire;

namespace Groundwork.Services.Registry.Protocols;

/// <summary>
/// The instances by id alone, for protocols that name no service with it. Kept by whoever keeps the instances, from the
/// first question on: where nobody asks it holds nothing. Any thread may ask.
/// </summary>
/// <param name="all">The instances that there are; one is among them before it is added here.</param>
internal sealed class InstanceIds(Func<IEnumerable<InstanceKey>> all)
{
    private readonly ConcurrentDictionary<string, ImmutableArray<InstanceKey>> byId = new(StringComparer.Ordinal);
    private readonly Lock filling = new();
    private volatile bool isKept; // What is added is taken.
    private volatile bool isFilled; // So is what was there before.

    /// <summary>
    /// What the registry calls an instance that another protocol gives an id to: the same where it can be one, else a
    /// digest of it, which is as good for finding it again.
    /// </summary>
    public static string Of(string id) =>
        Names.IsSegment(id) ? id : "id:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)))[..32];

    public void Add(InstanceKey key)
    {
        if (isKept) Put(key);
    }

    public void Remove(InstanceKey key)
    {
        while (byId.TryGetValue(key.Id, out var known))
        {
            var left = known.Remove(key);
            var done = left.IsEmpty
                ? byId.TryRemove(KeyValuePair.Create(key.Id, known))
                : byId.TryUpdate(key.Id, left, known);
            if (done) return;
        }
    }

    /// <summary>The instances of that id, in no order.</summary>
    public ImmutableArray<InstanceKey> Find(string id)
    {
        if (!isFilled) Fill();
        return byId.TryGetValue(id, out var keys) ? keys : [];
    }

    // An instance that goes while this runs may leave its id behind, which then leads nowhere.
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

    private void Put(InstanceKey key) => byId.AddOrUpdate(
        key.Id,
        static (_, added) => [added],
        static (_, known, added) => known.Contains(added) ? known : known.Add(added),
        key);
}
