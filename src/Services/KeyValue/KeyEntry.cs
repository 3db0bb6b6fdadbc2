namespace Groundwork.Services.KeyValue;

/// <summary>A key as it is, or was, from one revision on.</summary>
/// <param name="Created">The revision at which it last began to be.</param>
/// <param name="Revision">The revision of its last change.</param>
/// <param name="Version">Changes since it was created; 1 for the first.</param>
/// <param name="Lease">It ends, or is released, with this lease; 0 for none.</param>
/// <param name="Flags">Consul's: 64 bits that mean something to its writer.</param>
/// <param name="LockIndex">How often a session has acquired it.</param>
/// <param name="Session">The session that holds it, when the lease is one.</param>
internal sealed record KeyEntry(
    byte[] Key, byte[] Value, long Created, long Revision, long Version, long Lease, long Flags, long LockIndex,
    string? Session);

/// <summary>One change of one key.</summary>
/// <param name="Entry">The key after it; of a removed one only its name and the revision.</param>
internal sealed record KeyChange(KeyEntry Entry, bool IsRemoval);

/// <summary>Where the table stands.</summary>
/// <param name="Revision">Of the last change.</param>
/// <param name="Compacted">What was before this revision can no longer be read.</param>
/// <param name="Purged">Up to here the rows that were replaced are really gone.</param>
/// <param name="Forgotten">The last revision of a removal among those rows.</param>
/// <param name="Sessions">Grows with every change of a session.</param>
internal readonly record struct KeyHead(long Revision, long Compacted, long Purged, long Forgotten, long Sessions);
