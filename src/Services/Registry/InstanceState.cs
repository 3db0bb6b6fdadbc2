namespace Groundwork.Services.Registry;

/// <summary>How an instance stands with its lease, on this node.</summary>
internal enum Standing : byte
{
    /// <summary>It has no lease: it stays until deregistered.</summary>
    Persistent,

    /// <summary>It renews here, in time.</summary>
    Valid,

    /// <summary>Taken over after a restart or from another node, with time to renew.</summary>
    Suspect,

    /// <summary>The lease ran out; it is still listed because it may not be evicted now.</summary>
    Expired,

    /// <summary>It renews on another node, whose lease vouches for it.</summary>
    Foreign,
}

/// <summary>The changeable side of one instance. Guarded by its service's gate unless a field says otherwise.</summary>
internal sealed class InstanceState(ServiceState service, Instance instance, string owner)
{
    // With what stands beside them eight bytes: there may be a million of these.
    private int failures; // Interlocked, by any thread.
    private Marks marks;

    public ServiceState Service { get; } = service;

    /// <summary>What callers see. Replaced under the gate, read anywhere.</summary>
    public Instance Instance { get; set; } = instance;

    public InstanceKey Key => Instance.Key;

    /// <summary>Name of the node that takes its renewals.</summary>
    public string Owner { get; set; } = owner;

    public Standing Standing { get; set; }

    /// <summary>No longer registered; whoever still holds it finds nothing to do.</summary>
    public bool Removed
    {
        get => (marks & Marks.Removed) != Marks.None;
        set => Mark(Marks.Removed, value);
    }

    /// <summary>Callers found it unreachable, and the ejection has not ended.</summary>
    public bool Ejected
    {
        get => (marks & Marks.Ejected) != Marks.None;
        set => Mark(Marks.Ejected, value);
    }

    /// <summary>Lease time of the last failed call while ejected.</summary>
    public long EjectedTicks { get; set; }

    /// <summary>Lease time at which it expires, while it renews here.</summary>
    public long DeadlineTicks { get; set; }

    /// <summary>Lease time of the last change of owner.</summary>
    public long OwnerSinceTicks { get; set; }

    /// <summary>Lease time at which it was found expired.</summary>
    public long ExpiredTicks { get; set; }

    /// <summary>
    /// Place of its row in the store's sequence, 0 before it has one. Only the store's loop touches it.
    /// </summary>
    public long StoredPosition { get; set; }

    // Guarded by the wheel.
    public InstanceState? WheelPrevious { get; set; }

    public InstanceState? WheelNext { get; set; }

    public short WheelSlot { get; set; } = -1;

    /// <summary>Counts a failed call; returns how many in a row it makes.</summary>
    public int CountFailures(int count) => Interlocked.Add(ref failures, count);

    /// <summary>
    /// Forgets failed calls. Reads before it writes: the answered call is the common one, on many cores.
    /// </summary>
    public void ForgetFailures()
    {
        if (Volatile.Read(ref failures) != 0) Volatile.Write(ref failures, 0);
    }

    private void Mark(Marks mark, bool isSo) => marks = isSo ? marks | mark : marks & ~mark;

    [Flags]
    private enum Marks : byte
    {
        None = 0,
        Removed = 1,
        Ejected = 2,
    }
}
