using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Groundwork.Communication.Gateway.Content.Files;

namespace Groundwork.Communication.Gateway;

/// <summary>Answers with files of a folder of this machine.</summary>
public sealed record FilesSpec(
    [Description("An absolute path; below one of the fileRoots that the process configuration of the node lists.")]
    [MaxLength(FilesRules.MaxPath)]
    string Folder,
    [Description("The file that is given for a path that ends in a slash; empty: none.")]
    [MaxLength(FilesRules.MaxName)]
    string Index = "index.html",
    [Description("The file that is given for a path that there is none for and whose last segment has no dot, such as "
        + "/index.html of an application with routes of its own.")]
    [MaxLength(FilesRules.MaxPath)]
    string? Fallback = null,
    [Description("An expression; files whose names it is found in never change, such as [.-][0-9a-f]{8,}[.] for names "
        + "with a hash. Browsers keep them for a year.")]
    [MaxLength(FilesRules.MaxPattern)]
    string? Immutable = null,
    [Description("Cache-Control of all others.")]
    [MaxLength(256)]
    string CacheControl = "no-cache",
    [Description("True: NAME.br and NAME.gz are given in place of NAME to clients that take them.")]
    bool Precompressed = true);
