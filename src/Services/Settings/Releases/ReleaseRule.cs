using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Settings.Readers;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Settings.Releases;

/// <summary>A gray release without its text: whom it is for.</summary>
/// <param name="Resource">As the snapshot has it, without its spec.</param>
/// <param name="Setting">Name of the setting, <c>group/dataId</c>.</param>
internal sealed record ReleaseRule(
    Resource Resource, string Setting, string? Format, bool Secret, int Priority, ReleaseReceivers Receivers)
{
    public string Name => Resource.Key.Name;

    public static ReleaseRule Of(Resource resource, GrayReleaseSpec spec) => new(
        resource, spec.Setting, spec.Format, spec.Secret, spec.Priority,
        ReleaseReceivers.Of(resource.Key.Name, spec.To));

    /// <summary>The order in which releases of one setting are asked: the first that has the reader is its.</summary>
    public static int Compare(ReleaseRule a, ReleaseRule b) =>
        a.Priority != b.Priority ? b.Priority.CompareTo(a.Priority) : string.CompareOrdinal(a.Name, b.Name);
}

/// <summary>Who is a receiver; the same answer on every node, at every poll and start.</summary>
internal sealed class ReleaseReceivers
{
    /// <summary>The percentage is counted in hundredths.</summary>
    public const int Buckets = 10_000;

    /// <summary>Stands for every instance of the service before it.</summary>
    public const string AllInstances = "/*";

    private readonly string release;
    private readonly FrozenSet<string> instances;
    private readonly KeyValuePair<string, string>[] labels;
    private readonly int? below;

    private ReleaseReceivers(
        string release, FrozenSet<string> instances, KeyValuePair<string, string>[] labels, int? below)
    {
        this.release = release;
        this.instances = instances;
        this.labels = labels;
        this.below = below;
    }

    public static ReleaseReceivers Of(string release, GrayReceivers to) => new(
        release,
        (to.Instances ?? []).ToFrozenSet(StringComparer.Ordinal),
        [.. to.Labels ?? new Dictionary<string, string>()],
        to.Percent is { } percent ? (int)(percent * 100) : null);

    public bool Include(ReaderIdentity reader)
    {
        if (reader.IsNamed && instances.Count > 0
            && (instances.Contains(reader.Name) || instances.Contains(reader.Service + AllInstances))) return true;
        if (labels.Length == 0 && below is null) return false;
        foreach (var (key, value) in labels)
            if (!reader.Labels.TryGetValue(key, out var stated) || stated != value) return false;
        return below is not { } limit || (reader.IsNamed && BucketOf(release, reader.Name) < limit);
    }

    /// <summary>
    /// The first 8 bytes of SHA-256(release, 0, <c>service/id</c>), big-endian, modulo 10,000. Documented: other
    /// implementations of readers compute the same.
    /// </summary>
    public static int BucketOf(string release, string reader)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{release}\0{reader}"), hash);
        return (int)(BinaryPrimitives.ReadUInt64BigEndian(hash) % Buckets);
    }
}
