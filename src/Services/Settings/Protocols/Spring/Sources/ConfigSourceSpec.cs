using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Groundwork.Kernel.Security;

namespace Groundwork.Services.Settings.Protocols.Spring.Sources;

/// <summary>Where files of configuration are, and for which applications. One of four kinds of place.</summary>
public sealed record ConfigSourceSpec(
    [Description("A folder of this machine, absolute, below one of the fileRoots of the process configuration.")]
    string? Folder = null,
    [Description("A git repository: https://, ssh:// or, below one of the fileRoots, file://. No password in it.")]
    string? Git = null,
    [Description("A Subversion repository with trunk, branches and tags: https://, svn:// or file://.")]
    string? Svn = null,
    [Description("True: our settings themselves, to say for which applications and in which order they count.")]
    bool Settings = false,
    [Description("The label that is meant where a request names none; of git main, else master; of Subversion trunk.")]
    string? Label = null,
    [Description("Folders in it that files are looked for in, the one that counts first in front; / for the topmost. "
        + "{application}, {profile} and {label} stand for those of the request. Absent: the topmost.")]
    [MaxLength(ConfigSourceKind.MaxPaths)]
    IReadOnlyList<string>? Paths = null,
    [Description("Applications it is for, by name or as orders-*. Absent: all.")]
    [MaxLength(ConfigSourceKind.MaxApplications)]
    IReadOnlyList<string>? Applications = null,
    [Description("What has a lower one counts first, -1,000 to 1,000. Our settings have 0, and count before others "
        + "of the same order.")]
    [Range(-ConfigSourceKind.MaxOrder, ConfigSourceKind.MaxOrder)]
    int Order = 0,
    [Description("Seconds between two looks at what is there now, 1 to 86,400.")]
    [Range(1, 86_400)]
    int RefreshSeconds = 30,
    [Description("Seconds that one look may take, 1 to 3,600.")]
    [Range(1, 3_600)]
    int TimeoutSeconds = 30,
    [Description("MiB that a copy of the repository may take on the disk, 1 to 16,384; one beyond is refused.")]
    [Range(1, 16_384)]
    int MaxMegabytes = 256,
    [Description("Who signs in there.")]
    string? Username = null,
    [Description("The password or token.")]
    SecretText? Password = null,
    [Description("Also allows http://, which anybody on the way can read and change.")]
    bool AllowHttp = false,
    [Description("What pushes to /monitor are signed with, or show: at least 8 bytes.")]
    SecretText? WebhookSecret = null,
    [Description("The namespace whose rights to settings count for its files.")]
    string Namespace = "default",
    [Description("What it is for, for people.")]
    string? Description = null)
{
    /// <summary>Whether it stands for an application.</summary>
    public bool IsFor(string application) => Applications is not { Count: > 0 } listed
        || listed.Any(one => one.EndsWith('*')
            ? application.StartsWith(one.AsSpan(..^1), StringComparison.Ordinal)
            : application == one);
}
