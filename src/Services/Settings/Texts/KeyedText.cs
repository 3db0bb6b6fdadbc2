using System.Collections.Immutable;
using System.Text.Json;
using System.Xml;
using Groundwork.Kernel.Documents;
using YamlDotNet.Core;

namespace Groundwork.Services.Settings.Texts;

/// <summary>A configuration key of a text, as a service's configuration has it.</summary>
/// <param name="Key">Parts joined by <c>:</c>; case does not count.</param>
/// <param name="Value">Null for a value that is null.</param>
internal readonly record struct TextKey(string Key, string? Value);

/// <summary>
/// A text taken apart into configuration keys, which can be changed one by one: what nobody chose to change stays as it
/// was written, comments and order included, wherever the format lets it.
/// </summary>
/// <remarks>
/// The keys are those of the SDK, by the rules that both have from <see cref="Groundwork.Wire.SettingSyntax"/>.
/// </remarks>
internal abstract class KeyedText
{
    /// <summary>Keys of one text that are compared; the SDK takes no more.</summary>
    public const int MaxKeys = 50_000;

    protected KeyedText(string content) => Content = content;

    public string Content { get; }

    /// <summary>In order of the text.</summary>
    public abstract IReadOnlyList<TextKey> Keys { get; }

    /// <summary>
    /// The text in its keys; null where it has none: plain text, TOML and flags, and what is no object at its root or
    /// has keys that differ in case alone.
    /// </summary>
    public static KeyedText? Read(string format, string content)
    {
        try
        {
            return format switch
            {
                "json" => TreeText.Of(JsonTree.Read(content), content, isJson: true),
                "yaml" => TreeText.Of(YamlTree.Read(content), content, isJson: false),
                "properties" => new PropertiesText(content),
                "xml" => new XmlText(content),
                _ => null,
            };
        }
        catch (Exception fault) when (
            fault is FormatException or XmlException or JsonException or YamlException or InvalidOperationException)
        {
            // The last is how the YAML parser gives up in some unclosed brackets.
            return null;
        }
    }

    /// <summary>A text of the format without any key, with the root of another.</summary>
    public static string EmptyLike(string format, string content) => format switch
    {
        "json" => "{}",
        "xml" => XmlText.EmptyLike(content),
        _ => "",
    };

    /// <summary>
    /// This text with some keys as <paramref name="source"/>, of the same format, has them: set, or taken away where it
    /// has them not. Null where the format cannot express the result, such as a list with a hole.
    /// </summary>
    /// <param name="keys">By <see cref="StringComparer.OrdinalIgnoreCase"/>.</param>
    public EditedText? Take(KeyedText source, IReadOnlySet<string> keys)
    {
        var wanted = ToDictionary(this);
        foreach (var key in keys) wanted.Remove(key);
        foreach (var key in source.Keys)
            if (keys.Contains(key.Key)) wanted[key.Key] = key.Value;
        if (Has(wanted)) return new EditedText(Content, CommentsLost: false);
        return Edit(source, keys, content => Has(content, wanted));
    }

    /// <param name="isRight">Tells whether a text has exactly the keys that are wanted.</param>
    protected abstract EditedText? Edit(KeyedText source, IReadOnlySet<string> keys, Func<string, bool> isRight);

    /// <summary>A text of the same format, or null when it has faults.</summary>
    protected abstract KeyedText? Again(string content);

    private bool Has(string content, Dictionary<string, string?> wanted) => Again(content)?.Has(wanted) == true;

    private bool Has(Dictionary<string, string?> wanted)
    {
        if (Keys.Count != wanted.Count) return false;
        foreach (var (key, value) in Keys)
            if (!wanted.TryGetValue(key, out var other) || value != other) return false;
        return true;
    }

    public static Dictionary<string, string?> ToDictionary(KeyedText? text)
    {
        var keys = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var (key, value) in text?.Keys ?? []) keys[key] = value;
        return keys;
    }

    /// <summary>Keys that the configuration takes for one, or too many of them, are refused.</summary>
    protected static ImmutableArray<T> Distinct<T>(IEnumerable<T> all, Func<T, string> key)
    {
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var found = ImmutableArray.CreateBuilder<T>();
        foreach (var one in all)
        {
            if (!seen.Add(key(one))) throw new FormatException($"key '{key(one)}' stands twice (case does not count)");
            if (seen.Count > MaxKeys) throw new FormatException($"it has more than {MaxKeys} keys");
            found.Add(one);
        }
        return found.ToImmutable();
    }
}

/// <summary>A text after keys were taken into it.</summary>
/// <param name="CommentsLost">True when it had to be written anew.</param>
internal sealed record EditedText(string Content, bool CommentsLost);
