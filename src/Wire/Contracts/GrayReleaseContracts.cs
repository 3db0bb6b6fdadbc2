namespace Groundwork.Wire.Contracts;

/// <summary>
/// The spec of a <c>gray-release</c> resource: a text of one setting for some of its readers. Its name is one segment.
/// </summary>
/// <param name="Setting">The setting, <c>group/dataId</c>, of the release's own namespace; it must exist.</param>
/// <param name="Content">The text, checked like the setting's own.</param>
/// <param name="To">Who receives it.</param>
/// <param name="Format">The setting's; null: the same.</param>
/// <param name="Secret">True: the text is a secret. It must be when the setting is.</param>
/// <param name="Priority">Of several releases that a reader could receive it gets the one with the highest; among
/// equals the first by name.</param>
/// <param name="Description">What it is for, at most 512 characters.</param>
public sealed record GrayReleaseSpec(
    string Setting,
    string Content,
    GrayReceivers To,
    string? Format = null,
    bool Secret = false,
    int Priority = 0,
    string? Description = null);

/// <summary>
/// Receivers of a gray release: every listed instance, and besides them whoever has all the labels and is in the
/// percentage, as far as these two are given.
/// </summary>
/// <param name="Instances"><c>service/id</c>, or <c>service/*</c> for all of a service; at most 1,000.</param>
/// <param name="Labels">Labels that a reader must state, all of them.</param>
/// <param name="Percent">0 to 100 with at most two decimals, of the readers that name an instance. By hash of release
/// and instance, so that more percent keep all who had it.</param>
public sealed record GrayReceivers(
    IReadOnlyList<string>? Instances = null,
    IReadOnlyDictionary<string, string>? Labels = null,
    decimal? Percent = null);

/// <summary>The spec of a <c>setting-group</c> resource; its name is the group's.</summary>
/// <param name="Includes">Groups of the same namespace that are read with it, in rising precedence; all of them below
/// the group itself. 1 to 31, and with all that these include at most 32 groups and 8 levels.</param>
/// <param name="Description">What it is for, at most 512 characters.</param>
public sealed record SettingGroupSpec(IReadOnlyList<string> Includes, string? Description = null);
