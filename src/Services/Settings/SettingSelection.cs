using System.Collections.Immutable;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings.Groups;
using Groundwork.Services.Settings.Readers;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.Settings;

/// <summary>Which settings a reader wants.</summary>
/// <param name="Groups">Null or empty: all groups of the namespace.</param>
internal sealed record SettingSelection(string Namespace, IReadOnlyList<string>? Groups)
{
    /// <summary>Groups of one reader: the SDK asks for two, and what they include is on top.</summary>
    public const int MaxGroups = 64;

    /// <summary>The same for all who select the same; no group has the separator in its name.</summary>
    public string Key { get; } = $"{Namespace}\n{string.Join('\n', Groups ?? [])}";

    /// <summary>The selection as of a snapshot, with the groups that these include.</summary>
    public SelectedSettings At(Snapshot snapshot)
    {
        var own = snapshot.Of(SettingKind.Name).Values.Where(one => one.Key.Namespace == Namespace);
        var asked = Groups is { Count: > 0 }
            ? Groups
            : [.. own.Select(one => SettingKind.Split(one.Key.Name)?.Group ?? "").Distinct()];
        return new SelectedSettings(Namespace, GroupOrder.Of(snapshot, Namespace, asked));
    }
}

/// <summary>The settings of some groups.</summary>
/// <param name="Order">All groups, in rising precedence.</param>
internal sealed record SelectedSettings(string Namespace, IReadOnlyList<string> Order)
{
    /// <summary>They themselves, in order of group and dataId; only where they were asked for with them.</summary>
    public ImmutableArray<Resource> Settings { get; init; } = [];

    // Asked a few times only.
    private readonly HashSet<string> groups = Order.ToHashSet(StringComparer.Ordinal);

    public bool Selects(ResourceKey key) => key.Namespace == Namespace && SelectsName(key.Name);

    public bool SelectsName(string setting) =>
        SettingKind.Split(setting) is var (group, _) && groups.Contains(group);
}

/// <summary>Who reads, and from where.</summary>
internal sealed record SettingCaller(Principal Principal, string? Address, ReaderIdentity Reader)
{
    public static SettingCaller Of(HttpContext context, ReaderIdentity reader) =>
        new(context.Principal(), RequestAddress.Of(context), reader);
}
