using Groundwork.Wire;

namespace Groundwork.Services.Settings.Protocols.Spring;

/// <summary>Where files of configuration are: our settings, or a source that somebody has configured.</summary>
internal interface IConfigBackend
{
    /// <summary>What is found in a backend with a lower one counts first.</summary>
    int Order { get; }

    /// <summary>
    /// The files that a query is about, as of now; null when it is not for this backend, or the label is unknown here.
    /// </summary>
    ValueTask<Outcome<ConfigFiles?>> OpenAsync(
        SpringQuery query, SettingCaller caller, CancellationToken cancellationToken);
}

/// <summary>The files of one backend in one version, as one caller may read them.</summary>
internal abstract class ConfigFiles
{
    /// <summary>The version of all of them, such as a commit; null where files have versions of their own.</summary>
    public abstract string? Version { get; }

    /// <summary>The label that this is, where the backend has a default one; else that of the query.</summary>
    public abstract string? Label { get; }

    /// <summary>Folders that are looked into, the one that counts first in front; empty for the topmost.</summary>
    public abstract IReadOnlyList<string> Folders { get; }

    /// <summary>Null when there is no such file, or the caller must not know of it.</summary>
    /// <param name="path">Below one of <see cref="Folders"/>, joined by slashes.</param>
    /// <param name="application">Whose properties it has; null for a file that is asked for by its path.</param>
    public abstract ValueTask<Outcome<ConfigFile?>> ReadAsync(
        string path, string? application, CancellationToken cancellationToken);
}

/// <summary>A file as it is delivered.</summary>
/// <param name="Name">Where it is, for people.</param>
/// <param name="Format">Of its text; null: by its extension.</param>
/// <param name="Version">Of this file.</param>
/// <param name="Target">What a right to its secrets is about.</param>
internal sealed record ConfigFile(
    string Name, string Text, string? Format, string Version, Kernel.Resources.ResourceKey Target);
