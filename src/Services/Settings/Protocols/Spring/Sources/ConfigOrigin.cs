using Groundwork.Wire;

namespace Groundwork.Services.Settings.Protocols.Spring.Sources;

/// <summary>A place that files come from. One loop looks; requests read what it has seen last.</summary>
internal abstract class ConfigOrigin
{
    /// <summary>Makes what was kept on the disk usable again, before the first look; true when there was something.
    /// </summary>
    public virtual Task<bool> RestoreAsync(CancellationToken cancellationToken) => Task.FromResult(false);

    /// <summary>Looks at what is there now. Null when that went well; else what was there before stays.</summary>
    public abstract Task<Fault?> RefreshAsync(CancellationToken cancellationToken);

    /// <summary>
    /// The files of a label as they were seen last; null for a label that is not there, <c>source_unavailable</c> while
    /// nothing was seen yet. Asks nobody outside.
    /// </summary>
    /// <param name="label">Null: the default one.</param>
    public abstract ValueTask<Outcome<SourceTree?>> FindAsync(string? label, CancellationToken cancellationToken);

    /// <summary>How a file is called for people.</summary>
    public abstract string NameOf(SourceTree tree, string path);

    protected static Fault Unavailable(string detail) => new(ErrorCodes.SourceUnavailable, detail);
}
