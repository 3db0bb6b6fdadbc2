namespace Groundwork.Kernel.Storage;

/// <summary>How a write is kept apart from the others of its group.</summary>
public enum WriteScope
{
    /// <summary>In a savepoint: it may throw at any point and undoes only its own statements.</summary>
    Savepoint,

    /// <summary>
    /// Without a savepoint, for a write that changes nothing before it has decided to succeed: it may query and throw,
    /// and fails alone. When it throws after a statement that changes something, the whole group is undone and run
    /// again with a savepoint around each write, which is correct and slow.
    /// </summary>
    Group,
}
