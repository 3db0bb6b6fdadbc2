using System.Collections.Frozen;
using System.Globalization;

namespace Groundwork.Communication.Gateway.Content.Caching;

/// <summary>How long answers are fresh by their status, where the route says.</summary>
internal sealed class StatusTimes
{
    private readonly FrozenDictionary<int, int> times; // By status, and by class below 10.

    public StatusTimes(IReadOnlyDictionary<string, int>? listed) =>
        times = (listed ?? new Dictionary<string, int>()).Where(pair => IsStatus(pair.Key)).ToFrozenDictionary(
            pair => pair.Key.EndsWith("xx", StringComparison.Ordinal)
                ? pair.Key[0] - '0' : int.Parse(pair.Key, CultureInfo.InvariantCulture),
            pair => pair.Value);

    public static bool IsStatus(string text) =>
        text.Length == 3 && text[0] is >= '2' and <= '5'
        && (text.EndsWith("xx", StringComparison.Ordinal)
            || (char.IsAsciiDigit(text[1]) && char.IsAsciiDigit(text[2])));

    public int? Of(int status) =>
        times.TryGetValue(status, out var exact) ? exact
        : times.TryGetValue(status / 100, out var ofClass) ? ofClass : null;
}
