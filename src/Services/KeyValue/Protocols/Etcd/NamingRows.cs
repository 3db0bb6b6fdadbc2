using System.Text;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry.Protocols.Etcd;

namespace Groundwork.Services.KeyValue.Protocols.Etcd;

/// <summary>
/// The instances of the registry as keys below <c>services/</c>, as far as the caller may discover them.
/// </summary>
internal sealed class NamingRows : IKeyRows
{
    /// <summary>All keys that are the registry's.</summary>
    private static readonly KeyRange All = KeyRange.Prefix(Encoding.ASCII.GetBytes(NamingKeys.Prefix));

    private readonly NamingKeys keys;
    private readonly Principal principal;
    private readonly string? service;
    private readonly NamingMoment now;

    /// <param name="range">What will be read is in it.</param>
    public NamingRows(NamingKeys keys, Principal principal, KeyRange range)
    {
        this.keys = keys;
        this.principal = principal;
        service = ServiceOf(range);
        now = keys.Look(service);
    }

    public KeyHead Head => new(now.Revision, now.Beginning, now.Floor, Forgotten: 0, Sessions: 0);

    /// <summary>True for a range that is the registry's: nothing else can be in it.</summary>
    public static bool Owns(KeyRange range) => range.IsWithin(All);

    /// <summary>
    /// The one service that a range is about, as its keys name it; null when it may be about several. It may be none.
    /// </summary>
    public static string? ServiceOf(KeyRange range)
    {
        var rest = range.From.AsSpan(All.From.Length);
        var slash = rest.IndexOf((byte)'/');
        if (slash < 0) return range.IsSingle ? "" : null;
        var prefix = KeyRange.Prefix(range.From[..(All.From.Length + slash + 1)]);
        return range.IsWithin(prefix) ? Encoding.UTF8.GetString(rest[..slash]) : null;
    }

    public static NamingRange Range(KeyRange range) =>
        new(ServiceOf(range), range.IsSingle ? range.From : null, key => range.Contains(key));

    public static KeyEntry Entry(NamingKey key) => new(
        key.Key, key.Value, key.Created, key.Revision, key.Version, key.Lease, Flags: 0, LockIndex: 0, Session: null);

    public List<KeyEntry> List(KeyRange range, long? revision = null, int? limit = null)
    {
        var found = Find(range, revision).OrderBy(key => key.Key, Bytewise).Select(Entry);
        if (limit is { } some) return [.. found.Take(some)];
        List<KeyEntry> all = [.. found.Take(KeyValueLimits.MaxRowsPerAnswer + 1)];
        return all.Count <= KeyValueLimits.MaxRowsPerAnswer
            && all.Sum(entry => (long)entry.Value.Length) <= KeyValueLimits.MaxAnswerBytes
            ? all
            : throw new KeyValueRefusal(
                KeyValueRefusal.Kind.TooLarge, $"more than {KeyValueLimits.MaxRowsPerAnswer} keys");
    }

    public long Count(KeyRange range, long? revision = null) => Find(range, revision).Count();

    private static Comparer<byte[]> Bytewise { get; } =
        Comparer<byte[]>.Create((one, other) => one.AsSpan().SequenceCompareTo(other));

    private IEnumerable<NamingKey> Find(KeyRange range, long? revision)
    {
        var moment = revision is null || revision == now.Revision ? now : keys.Look(service, revision);
        return moment.Keys.Where(key => range.Contains(key.Key) && keys.MayDiscover(principal, key));
    }
}
