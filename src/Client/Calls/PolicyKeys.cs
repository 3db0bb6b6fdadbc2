using System.Globalization;

namespace Groundwork.Client.Calls;

/// <summary>A key's value, and where it was written: a method's policy has keys of several places.</summary>
internal readonly record struct PolicyKey(string Path, string Value);

/// <summary>
/// The keys of one policy, read by name; everything wrong with them is gathered, also keys that nobody asks for.
/// </summary>
internal sealed class PolicyKeys(IReadOnlyDictionary<string, PolicyKey> keys, ICollection<string> faults)
{
    private readonly HashSet<string> asked = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>True when there is a key of that section.</summary>
    public bool Has(string section) =>
        keys.Keys.Any(key => key.StartsWith(section + ":", StringComparison.OrdinalIgnoreCase));

    public bool Gives(string name) => keys.ContainsKey(name);

    private static bool IsOff(string value) =>
        value.Equals("off", StringComparison.OrdinalIgnoreCase)
        || value.Equals(bool.FalseString, StringComparison.OrdinalIgnoreCase);

    public string? Text(string name, int maxLength)
    {
        if (Find(name) is not { } key) return null;
        if (key.Value.Length <= maxLength) return key.Value;
        Wrong(key, $"is longer than {maxLength} characters");
        return null;
    }

    public string? Text(string name, int maxLength, Func<string, bool> isRight, string what)
    {
        if (Find(name) is not { } key) return null;
        if (key.Value.Length <= maxLength && isRight(key.Value)) return key.Value;
        Wrong(key, $"is not {what}");
        return null;
    }

    public int Number(string name, int otherwise, int least, int most)
    {
        if (Find(name) is not { } key) return otherwise;
        if (int.TryParse(key.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            && number >= least && number <= most)
            return number;
        Wrong(key, string.Create(CultureInfo.InvariantCulture, $"is not a whole number from {least} to {most}"));
        return otherwise;
    }

    public double Ratio(string name, double otherwise, double most)
    {
        if (Find(name) is not { } key) return otherwise;
        if (double.TryParse(key.Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var ratio)
            && ratio <= most)
            return ratio;
        Wrong(key, string.Create(CultureInfo.InvariantCulture, $"is not a number from 0 to {most}"));
        return otherwise;
    }

    public bool Flag(string name, bool otherwise)
    {
        if (Find(name) is not { } key) return otherwise;
        if (bool.TryParse(key.Value, out var flag)) return flag;
        Wrong(key, "is neither true nor false");
        return otherwise;
    }

    /// <summary>A length of time such as <c>250ms</c>, <c>2s</c>, <c>1m</c>, <c>1h</c> or <c>00:00:02</c>.</summary>
    public TimeSpan? Duration(string name, TimeSpan least, TimeSpan most)
    {
        if (Find(name) is not { } key || IsOff(key.Value)) return null;
        if (TryDuration(key.Value, out var length) && length >= least && length <= most) return length;
        Wrong(key, $"is not a time from {Text(least)} to {Text(most)}, such as 250ms, 2s or 00:00:02");
        return null;
    }

    public T Word<T>(string name, T otherwise, params ReadOnlySpan<(string Word, T Value)> words)
    {
        if (Find(name) is not { } key) return otherwise;
        foreach (var (word, value) in words)
            if (word.Equals(key.Value, StringComparison.OrdinalIgnoreCase)) return value;
        var known = new List<string>();
        foreach (var (word, _) in words) known.Add(word);
        Wrong(key, $"is not one of {string.Join(", ", known)}");
        return otherwise;
    }

    /// <summary>Whole numbers: a list, or one text with commas.</summary>
    public IEnumerable<int> Numbers(string name, int least, int most)
    {
        var found = new List<int>();
        foreach (var (at, key) in keys)
        {
            if (!at.Equals(name, StringComparison.OrdinalIgnoreCase)
                && !at.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase)) continue;
            asked.Add(at);
            foreach (var part in key.Value.Split(
                ',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                if (int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                    && number >= least && number <= most) found.Add(number);
                else Wrong(key, string.Create(
                    CultureInfo.InvariantCulture, $"is not a list of whole numbers from {least} to {most}"));
            }
        }
        return found;
    }

    /// <summary>False when the key says that the section is not wanted, whatever stands below it.</summary>
    public bool IsOn(string section)
    {
        if (Find(section) is not { } key) return true;
        if (IsOff(key.Value)) return false;
        Wrong(key, "is not 'off'; what it is like stands below it");
        return true;
    }

    /// <summary>Names the keys that nothing asked for.</summary>
    public void RefuseOthers()
    {
        foreach (var (name, key) in keys)
            if (!asked.Contains(name)) faults.Add($"{key.Path} is not a key of a call policy.");
    }

    public void Wrong(string name, string what)
    {
        if (keys.TryGetValue(name, out var key)) Wrong(key, what);
    }

    private PolicyKey? Find(string name)
    {
        asked.Add(name);
        return keys.TryGetValue(name, out var key) ? key : null;
    }

    private void Wrong(PolicyKey key, string what) => faults.Add($"{key.Path} '{Short(key.Value)}' {what}.");

    // A bare number is no length of time: TimeSpan would take it for days.
    private static bool TryDuration(string text, out TimeSpan length)
    {
        foreach (var (unit, ticks) in Units)
        {
            if (!text.EndsWith(unit, StringComparison.Ordinal)) continue;
            var isNumber = double.TryParse(
                text.AsSpan(0, text.Length - unit.Length), NumberStyles.AllowDecimalPoint,
                CultureInfo.InvariantCulture, out var number) && number <= MaxUnits;
            length = isNumber ? TimeSpan.FromTicks((long)(number * ticks)) : default;
            return isNumber;
        }
        length = default;
        return text.Contains(':', StringComparison.Ordinal)
            && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out length);
    }

    private static string Short(string value) => value.Length <= 64 ? value : value[..64] + "…";

    private static string Text(TimeSpan length) => length.TotalSeconds < 1
        ? string.Create(CultureInfo.InvariantCulture, $"{length.TotalMilliseconds}ms")
        : string.Create(CultureInfo.InvariantCulture, $"{length.TotalSeconds}s");

    /// <summary>Beyond every limit of ours, and far from an overflow.</summary>
    private const double MaxUnits = 1e9;

    // The longer unit's name first: "ms" ends in "s".
    private static readonly (string Unit, long Ticks)[] Units =
    [
        ("ms", TimeSpan.TicksPerMillisecond), ("s", TimeSpan.TicksPerSecond), ("m", TimeSpan.TicksPerMinute),
        ("h", TimeSpan.TicksPerHour),
    ];
}
