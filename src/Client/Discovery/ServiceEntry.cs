using Groundwork.Wire.Contracts;

namespace Groundwork.Client.Discovery;

/// <summary>One host name that was called: whether it is a service, and its newest list. Thread-safe.</summary>
internal sealed class ServiceEntry(string name, string? zone, TimeProvider time)
{
    private readonly Lock gate = new();
    private CallableList? list;

    // Timestamp until which the registry is not asked again whether this is a service.
    private long unknownUntil;

    public string Name { get; } = name;

    /// <summary>Null while the registry has not said that it is a service.</summary>
    public CallableList? List => Volatile.Read(ref list);

    public bool IsUnknown => Volatile.Read(ref unknownUntil) is > 0 and var until && time.GetTimestamp() < until;

    /// <summary>One asks, the others wait for the answer.</summary>
    public SemaphoreSlim Asking { get; } = new(1, 1);

    public void SetUnknown(TimeSpan length) => Volatile.Write(
        ref unknownUntil, time.GetTimestamp() + (long)(length.TotalSeconds * time.TimestampFrequency));

    /// <summary>
    /// Takes over a list unless it is older than the one in place, or suddenly empty without a reason: the platform may
    /// have lost what it knew, and the instances that were there are then the better guess.
    /// </summary>
    public Taken Take(ServiceDocument document)
    {
        lock (gate)
        {
            var before = list;
            if (before is not null && before.Document.StoreId == document.StoreId)
            {
                if (document.Index < before.Document.Index) return Taken.Older;
            }
            var next = CallableList.From(document, before, zone, time);
            if (next.Document.Instances.Count == 0 && document.EmptyReason is null
                && before is { Callable.IsEmpty: false })
                return Taken.KeptEmpty;
            Volatile.Write(ref list, next);
            Volatile.Write(ref unknownUntil, 0);
            return Taken.Yes;
        }
    }

    public enum Taken
    {
        Yes,
        Older,
        KeptEmpty,
    }
}
