using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Groundwork.Wire.Contracts;

/// <summary>
/// The spec of a <c>gray-release</c> resource: a text of one setting for some of its readers. Its name is one segment.
/// </summary>
public sealed record GrayReleaseSpec(
    [Description("The setting, group/dataId, of the release's own namespace; it must exist.")]
    string Setting,
    [Description("The text, checked like the setting's own.")]
    string Content,
    [Description("Who receives it.")]
    GrayReceivers To,
    [Description("The setting's; null: the same.")]
    string? Format = null,
    [Description("True: the text is a secret. It must be when the setting is.")]
    bool Secret = false,
    [Description(
        "Of several releases that a reader could receive it gets the one with the highest; among equals the "
        + "first by name.")]
    [Range(-1_000, 1_000)]
    int Priority = 0,
    [Description("What it is for, at most 512 characters.")]
    string? Description = null);

/// <summary>
/// Receivers of a gray release: every listed instance, and besides them whoever has all the labels and is in the
/// percentage, as far as these two are given.
/// </summary>
public sealed record GrayReceivers(
    [Description("service/id, or service/* for all of a service; at most 1,000.")]
    IReadOnlyList<string>? Instances = null,
    [Description("Labels that a reader must state, all of them.")]
    IReadOnlyDictionary<string, string>? Labels = null,
    [Description(
        "0 to 100 with at most two decimals, of the readers that name an instance. By hash of release and "
        + "instance, so that more percent keep all who had it.")]
    [Range(0.0, 100.0)]
    decimal? Percent = null);

/// <summary>The spec of a <c>setting-group</c> resource; its name is the group's.</summary>
public sealed record SettingGroupSpec(
    [Description(
        "Groups of the same namespace that are read with it, in rising precedence; all of them below the group "
        + "itself. 1 to 31, and with all that these include at most 32 groups and 8 levels.")]
    IReadOnlyList<string> Includes,
    [Description("What it is for, at most 512 characters.")]
    string? Description = null);
