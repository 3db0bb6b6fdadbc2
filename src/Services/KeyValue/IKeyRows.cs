namespace Groundwork.Services.KeyValue;

/// <summary>Keys as they are at one moment: rows of the table, or what another module shows as keys.</summary>
internal interface IKeyRows
{
    KeyHead Head { get; }

    /// <summary>The keys of a range in their order.</summary>
    /// <param name="revision">As of then; null for now.</param>
    /// <param name="limit">At most so many; null for all that an answer may have.</param>
    /// <exception cref="KeyValueRefusal">There is more than one answer may have.</exception>
    List<KeyEntry> List(KeyRange range, long? revision = null, int? limit = null);

    long Count(KeyRange range, long? revision = null);
}
