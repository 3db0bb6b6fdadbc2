using System.Collections.Immutable;
using Microsoft.Extensions.Configuration;

namespace Groundwork.Client.Settings;

/// <summary>The keys of one setting while its text is read: where in the text we are, and what was found.</summary>
internal sealed class SettingKeys
{
    /// <summary>Keys of one setting; more would make every bind of the service slow.</summary>
    public const int MaxKeys = 50_000;

    /// <summary>Levels of nesting, as in the platform's own check.</summary>
    public const int MaxDepth = 64;

    private readonly Dictionary<string, string?> found = new(StringComparer.OrdinalIgnoreCase);
    private readonly Stack<string> path = new();

    public ImmutableArray<KeyValuePair<string, string?>> ToImmutable() => [.. found];

    public void Enter(string name)
    {
        if (path.Count >= MaxDepth) throw new FormatException($"it nests deeper than {MaxDepth} levels");
        path.Push(path.TryPeek(out var parent) ? ConfigurationPath.Combine(parent, name) : name);
    }

    public void Leave() => path.Pop();

    /// <summary>The value of the place where we are; a text whose root is a value has no key and is a fault.</summary>
    public void Value(string? value) =>
        Add(path.TryPeek(out var key) ? key : throw new FormatException("it has a value and no key"), value);

    /// <summary>
    /// A value by its whole key. Keys that differ in case only are the same key to the configuration.
    /// </summary>
    public void Add(string key, string? value)
    {
        if (found.Count >= MaxKeys) throw new FormatException($"it has more than {MaxKeys} keys");
        if (!found.TryAdd(key, value)) throw new FormatException($"key '{key}' stands twice (case does not count)");
    }
}
