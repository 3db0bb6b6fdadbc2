using Groundwork.Kernel.Resources;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Settings.Groups;

/// <summary>
/// Which groups are read for those that are asked for, in rising precedence: what a group includes stands before it,
/// and a group that comes up again keeps its first, lowest, place.
/// </summary>
internal static class GroupOrder
{
    public static List<string> Of(Snapshot snapshot, string @namespace, IEnumerable<string> asked)
    {
        var order = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var group in asked) Add(group, SettingGroupKind.MaxLevels);
        return order;

        // The depth is held at publication; the bound is for a store that was written by something else.
        void Add(string group, int levels)
        {
            if (levels < 0 || seen.Contains(group)) return;
            foreach (var included in Includes(snapshot, @namespace, group)) Add(included, levels - 1);
            if (seen.Add(group)) order.Add(group);
        }
    }

    /// <summary>The group, and all that include it, directly or by others.</summary>
    public static IEnumerable<string> Including(Snapshot snapshot, string @namespace, string group)
    {
        var found = new List<string> { group };
        var seen = new HashSet<string>(found, StringComparer.Ordinal);
        var groups = snapshot.Of(SettingGroupKind.Name).Values
            .Where(one => one.Key.Namespace == @namespace).ToList();
        for (var at = 0; at < found.Count; at++)
        {
            foreach (var one in groups)
                if (one.As<SettingGroupSpec>().Includes.Contains(found[at]) && seen.Add(one.Key.Name))
                    found.Add(one.Key.Name);
        }
        return found;
    }

    /// <summary>What is wrong with all that a group includes: a circle, too deep or too much.</summary>
    public static string? FindFault(Snapshot snapshot, string @namespace, string group)
    {
        var path = new List<string>();
        var heights = new Dictionary<string, int>(StringComparer.Ordinal);
        var fault = Visit(group);
        if (fault is null && heights[group] > SettingGroupKind.MaxLevels)
            fault = $"more than {SettingGroupKind.MaxLevels} levels of groups that include groups";
        if (fault is null && heights.Count > SettingGroupKind.MaxGroups)
            fault = $"more than {SettingGroupKind.MaxGroups} groups, {heights.Count}";
        return fault;

        string? Visit(string at)
        {
            if (heights.ContainsKey(at)) return null;
            if (path.Contains(at)) return $"a circle, {string.Join(" → ", path.Append(at))}";
            path.Add(at);
            var height = 0;
            foreach (var included in Includes(snapshot, @namespace, at))
            {
                if (Visit(included) is { } below) return below;
                height = Math.Max(height, heights[included] + 1);
            }
            path.RemoveAt(path.Count - 1);
            heights[at] = height;
            return null;
        }
    }

    private static IReadOnlyList<string> Includes(Snapshot snapshot, string @namespace, string group) =>
        snapshot.Find(SettingGroupKind.Name, @namespace, group)?.As<SettingGroupSpec>().Includes ?? [];
}
