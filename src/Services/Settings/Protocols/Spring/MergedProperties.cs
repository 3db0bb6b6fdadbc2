using System.Globalization;

namespace Groundwork.Services.Settings.Protocols.Spring;

/// <summary>
/// All properties of an environment as one, as the file endpoints show them: what counts first wins, a list is taken
/// whole from where it counts first, and placeholders may be put in.
/// </summary>
internal sealed class MergedProperties
{
    /// <summary>Placeholders within placeholders; a circle ends here.</summary>
    private const int MaxDepth = 16;

    /// <summary>Characters that are put in, in all: a few lines could otherwise be billions.</summary>
    private const int MaxPutIn = 4 * 1024 * 1024;

    private readonly Dictionary<string, PropertyValue> values;
    private int putIn; // One request's alone.

    private MergedProperties(Dictionary<string, PropertyValue> values) => this.values = values;

    public IEnumerable<KeyValuePair<string, PropertyValue>> All => values;

    public static MergedProperties Of(SpringEnvironment environment)
    {
        var plain = new Dictionary<string, PropertyValue>(StringComparer.Ordinal);
        var lists = new Dictionary<string, List<KeyValuePair<string, PropertyValue>>>(StringComparer.Ordinal);
        foreach (var source in environment.Sources.Reverse())
        {
            var own = new Dictionary<string, List<KeyValuePair<string, PropertyValue>>>(StringComparer.Ordinal);
            foreach (var property in source.Properties)
            {
                var bracket = property.Key.IndexOf('[', StringComparison.Ordinal);
                if (bracket < 0)
                {
                    plain[property.Key] = property.Value;
                    continue;
                }
                var list = property.Key[..bracket];
                if (!own.TryGetValue(list, out var items)) own[list] = items = [];
                items.Add(property);
            }
            foreach (var (list, items) in own) lists[list] = items;
        }
        foreach (var (key, value) in lists.Values.SelectMany(items => items)) plain[key] = value;
        plain.Remove("spring.profiles");
        return new MergedProperties(plain);
    }

    /// <summary>The same with <c>${key:default}</c> put in; what is not known stays as it is written.</summary>
    public MergedProperties Resolved() => new(values.ToDictionary(
        one => one.Key,
        one => one.Value.IsText ? one.Value with { Text = Resolve(one.Value.Text) } : one.Value,
        StringComparer.Ordinal));

    public string Resolve(string text) => Resolve(text, 0);

    /// <summary>The properties as one tree of maps, lists and values.</summary>
    public Dictionary<string, object> ToTree()
    {
        var root = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (var (key, value) in values) Put(root, key, value);
        return root;
    }

    private string Resolve(string text, int depth)
    {
        var start = text.IndexOf("${", StringComparison.Ordinal);
        if (start < 0 || depth > MaxDepth) return text;
        var result = new System.Text.StringBuilder();
        var at = 0;
        while (start >= 0 && putIn < MaxPutIn)
        {
            var end = EndOf(text, start + 2);
            if (end < 0) break;
            var value = ValueOf(text[(start + 2)..end], depth) ?? text[start..(end + 1)];
            putIn += value.Length;
            result.Append(text, at, start - at).Append(value);
            at = end + 1;
            start = text.IndexOf("${", at, StringComparison.Ordinal);
        }
        return result.Append(text, at, text.Length - at).ToString();
    }

    private string? ValueOf(string placeholder, int depth)
    {
        placeholder = Resolve(placeholder, depth + 1);
        if (values.TryGetValue(placeholder, out var whole)) return Resolve(whole.Text, depth + 1);
        var colon = placeholder.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0) return null;
        return values.TryGetValue(placeholder[..colon], out var known)
            ? Resolve(known.Text, depth + 1)
            : placeholder[(colon + 1)..];
    }

    private static int EndOf(string text, int at)
    {
        for (var open = 1; at < text.Length; at++)
        {
            if (text[at] == '}' && --open == 0) return at;
            if (text[at] == '$' && at + 1 < text.Length && text[at + 1] == '{') open++;
        }
        return -1;
    }

    // Where a value stands in the way of what is below it, the rest of the key stays one name.
    private static void Put(Dictionary<string, object> map, string key, PropertyValue value)
    {
        object at = map;
        var steps = Steps(key);
        for (var step = 0; step < steps.Count; step++)
        {
            var isLast = step == steps.Count - 1;
            var makes = () => isLast ? value : steps[step + 1].Index is null ? NewMap() : (object)new List<object?>();
            var (name, index) = steps[step];
            if (at is List<object?> list && index is { } place)
            {
                while (list.Count <= place) list.Add(null);
                if (isLast || list[place] is null or PropertyValue) list[place] = makes();
                at = list[place]!; // Was made on the line above.
            }
            else if (at is Dictionary<string, object> below && index is null)
            {
                var rest = string.Join('.', steps.Skip(step).Select(one => one.Name));
                if (isLast) below[name] = value;
                else if (!below.TryGetValue(name, out var there)) below[name] = makes();
                else if (there is PropertyValue || there is List<object?> != steps[step + 1].Index is not null)
                {
                    below[rest] = value;
                    return;
                }
                at = below[name];
            }
            else
            {
                map[key] = value;
                return;
            }
        }
    }

    private static Dictionary<string, object> NewMap() => new(StringComparer.Ordinal);

    private static List<(string Name, int? Index)> Steps(string key)
    {
        var steps = new List<(string, int?)>();
        foreach (var part in key.Split('.'))
        {
            var bracket = part.IndexOf('[', StringComparison.Ordinal);
            if (bracket != 0) steps.Add((bracket < 0 ? part : part[..bracket], null));
            for (; bracket >= 0; bracket = part.IndexOf('[', bracket + 1))
            {
                var end = part.IndexOf(']', bracket);
                var text = end < 0 ? part[(bracket + 1)..] : part[(bracket + 1)..end];
                var isIndex = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
                    && index < PropertySource.MaxProperties;
                steps.Add(isIndex ? (text, index) : ($"[{text}]", null));
            }
        }
        return steps;
    }
}
