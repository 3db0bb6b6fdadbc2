using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Groundwork.Wire;

namespace Groundwork.Services.Registry.Protocols;

/// <summary>The instances by id alone, for protocols that name no service with it. Any thread may ask.</summary>
/// <param name="all">The instances that there are; one is among them before it is added here.</param>
internal sealed class InstanceIds(Func<IEnumerable<InstanceKey>> all)
{
    private readonly KeyIndex<InstanceKey> byId = new(static key => key.Id, StringComparer.Ordinal, all);

    /// <summary>
    /// What the registry calls an instance that another protocol gives an id to: the same where it can be one, else a
    /// digest of it, which is as good for finding it again.
    /// </summary>
    public static string Of(string id) =>
        Names.IsSegment(id) ? id : "id:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)))[..32];

    public void Add(InstanceKey key) => byId.Add(key);

    public void Remove(InstanceKey key) => byId.Remove(key);

    /// <summary>The instances of that id, in no order.</summary>
    public ImmutableArray<InstanceKey> Find(string id) => byId.Find(id);
}
