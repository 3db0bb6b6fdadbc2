namespace Groundwork.Services.Registry.Leases;

/// <summary>
/// Finds leases that are due without looking at the others: a ring of slots, each a list of instances linked through
/// themselves. A renewal does not touch it: an instance whose slot comes up before its deadline is put back by the
/// caller, which costs one step per lease time instead of one per renewal.
/// </summary>
internal sealed class TimerWheel
{
    /// <summary>Width of a slot, and the pace at which expiry is looked at.</summary>
    public static readonly TimeSpan SlotWidth = TimeSpan.FromMilliseconds(200);

    /// <summary>102 s in one turn; a longer lease comes up early and is put back.</summary>
    private const int SlotCount = 512;

    // Guards the ring and the links in the instances. Innermost lock: nothing is called while it is held.
    private readonly Lock gate = new();
    private readonly InstanceState?[] slots = new InstanceState?[SlotCount];
    private long current; // Number of the last slot that was emptied, counted from lease time zero.

    /// <summary>
    /// Puts the instance where its deadline is, or where the ring ends; moves it when it is in another place.
    /// </summary>
    public void Schedule(InstanceState instance, long deadlineTicks)
    {
        var due = (deadlineTicks + SlotWidth.Ticks - 1) / SlotWidth.Ticks;
        lock (gate)
        {
            Unlink(instance);
            var slot = (int)(Math.Clamp(due, current + 1, current + SlotCount - 1) % SlotCount);
            var head = slots[slot];
            instance.WheelSlot = (short)slot; // Of a few hundred.
            instance.WheelNext = head;
            if (head is not null) head.WheelPrevious = instance;
            slots[slot] = instance;
        }
    }

    public void Remove(InstanceState instance)
    {
        lock (gate) Unlink(instance);
    }

    /// <summary>Takes out everything whose slot has come up by then, due or not.</summary>
    public void Advance(long leaseTicks, List<InstanceState> into)
    {
        var until = leaseTicks / SlotWidth.Ticks;
        lock (gate)
        {
            // After a long gap one whole turn finds everything.
            var first = Math.Max(current + 1, until - SlotCount + 1);
            for (var number = first; number <= until; number++) Empty((int)(number % SlotCount), into);
            current = Math.Max(current, until);
        }
    }

    private void Empty(int slot, List<InstanceState> into)
    {
        while (slots[slot] is { } instance)
        {
            Unlink(instance);
            into.Add(instance);
        }
    }

    private void Unlink(InstanceState instance)
    {
        if (instance.WheelSlot < 0) return;
        if (instance.WheelPrevious is { } previous) previous.WheelNext = instance.WheelNext;
        else slots[instance.WheelSlot] = instance.WheelNext;
        if (instance.WheelNext is { } next) next.WheelPrevious = instance.WheelPrevious;
        instance.WheelPrevious = instance.WheelNext = null;
        instance.WheelSlot = -1;
    }
}
