namespace Groundwork.Kernel.Storage;

/// <summary>
/// The database refused one statement. The same on both engines, so that no module knows their own exceptions.
/// </summary>
public sealed class StatementException(string message, bool isConstraint, Exception? cause = null)
    : Exception(message, cause)
{
    /// <summary>A uniqueness, not-null or check rule said no; otherwise the statement itself is at fault.</summary>
    public bool IsConstraint { get; } = isConstraint;
}
