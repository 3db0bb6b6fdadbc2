using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Settings;
using Groundwork.Services.Settings.Comparing;
using Groundwork.Services.Settings.Texts;
using Groundwork.Tests.Support;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Settings.Comparing;

/// <summary>
/// The three-way merge of keys against two references: git's merge of lines, on texts where each key stands apart from
/// the next, and a model of dictionaries in every format.
/// </summary>
public sealed class ThreeWayTests
{
    private const int Rounds = 100;
    private const int ManyRounds = 20_000;

    private static readonly string[] Names = ["a", "b", "c", "d", "e", "f"];

    [Fact]
    public async Task Keys_merge_as_git_merges_lines_that_stand_apart()
    {
        var random = LongRun.Random();
        using var directory = new TemporaryDirectory();
        var git = Tools.Require("git", "git");
        var (clean, conflicted) = (0, 0);
        for (var round = 0; round < LongRun.Count(40, 2_000); round++)
        {
            var texts = Texts(random);
            var merged = await GitMergeAsync(git, directory, texts);
            var states = States("properties", texts.Base, texts.From, texts.To);
            var conflicts = states.Where(one => one.State == KeyStates.Conflict).Select(one =>
                one.Key).Order().ToList();
            Assert.Equal(merged.Conflicts, conflicts);
            if (conflicts.Count > 0)
            {
                conflicted++;
                continue;
            }
            clean++;
            var ours = Merged("properties", texts.From, texts.To, states);
            Assert.Equal(Sorted(KeyedText.Read("properties", merged.Text)!), Sorted(ours)); // Both have keys.
        }
        Assert.True(clean > 5 && conflicted > 5, $"{clean} clean, {conflicted} conflicted");
    }

    [Theory]
    [InlineData("json")]
    [InlineData("yaml")]
    [InlineData("properties")]
    [InlineData("xml")]
    public void Keys_merge_as_dictionaries_do_and_twice_is_once(string format)
    {
        var random = LongRun.Random();
        var conflicted = 0;
        for (var round = 0; round < LongRun.Count(Rounds, ManyRounds); round++)
        {
            var ancestor = Tree(random, 2);
            var (from, to) = (Mutated(random, ancestor), Mutated(random, ancestor));
            var (baseText, fromText, toText) = (
                Write(random, format, ancestor), Write(random, format, from), Write(random, format, to));
            var states = States(format, baseText, fromText, toText);
            var (model, conflicts) = Model(Flat(ancestor), Flat(from), Flat(to));
            Assert.Equal(conflicts, states.Where(one => one.State == KeyStates.Conflict).Select(one =>
                one.Key).Order());
            conflicted += conflicts.Any() ? 1 : 0;

            var source = Read(format, fromText);
            var merged = Merged(format, fromText, toText, states);
            Assert.Equal(model, Sorted(merged));

            var again = States(format, fromText, fromText, merged.Content);
            var twice = Merged(format, fromText, merged.Content, again);
            Assert.Equal(merged.Content, twice.Content);
            Assert.Equal(Sorted(source), Sorted(Merged(format, fromText, baseText, States(format, baseText, fromText,
                baseText))));
            Assert.Equal(toText, Merged(format, baseText, toText, States(format, baseText, baseText, toText)).Content);
            Assert.Equal(fromText, Merged(format, fromText, fromText, States(format, baseText, fromText,
                fromText)).Content);
        }
        Assert.True(conflicted > 5, $"{conflicted} rounds had a conflict");
    }

    [Fact]
    public void Without_a_base_two_values_are_a_conflict()
    {
        var unknown = KeyPlace.Unknown;
        Assert.Equal(KeyStates.Conflict, KeyStates.Of(unknown, KeyPlace.Of("1"), KeyPlace.Of("2")));
        Assert.Equal(KeyStates.Same, KeyStates.Of(unknown, KeyPlace.Of("1"), KeyPlace.Of("1")));
        Assert.Equal(KeyStates.OnlyInFrom, KeyStates.Of(unknown, KeyPlace.Of("1"), KeyPlace.Absent));
        Assert.Equal(KeyStates.OnlyInTo, KeyStates.Of(unknown, KeyPlace.Absent, KeyPlace.Of("1")));
    }

    [Theory]
    [InlineData("1", "1", "1", KeyStates.Same)]
    [InlineData("1", "2", "1", KeyStates.ChangedInFrom)]
    [InlineData("1", "1", "2", KeyStates.ChangedInTo)]
    [InlineData("1", "2", "2", KeyStates.ChangedAlike)]
    [InlineData("1", "2", "3", KeyStates.Conflict)]
    [InlineData("1", "-", "1", KeyStates.ChangedInFrom)]
    [InlineData("1", "1", "-", KeyStates.ChangedInTo)]
    [InlineData("1", "-", "-", KeyStates.ChangedAlike)]
    [InlineData("1", "-", "2", KeyStates.Conflict)]
    [InlineData("1", "2", "-", KeyStates.Conflict)]
    [InlineData("-", "1", "-", KeyStates.OnlyInFrom)]
    [InlineData("-", "-", "1", KeyStates.OnlyInTo)]
    [InlineData("-", "1", "2", KeyStates.Conflict)]
    [InlineData("-", "1", "1", KeyStates.ChangedAlike)]
    public void A_key_stands_as_its_three_places_say(string before, string from, string to, string state)
    {
        static KeyPlace Place(string text) => text == "-" ? KeyPlace.Absent : KeyPlace.Of(text);
        Assert.Equal(state, KeyStates.Of(Place(before), Place(from), Place(to)));
    }

    private static IReadOnlyList<(string Key, string State)> States(
        string format, string before, string from, string to)
    {
        static SettingSide Side(string @namespace, SettingSpec spec) =>
            new(new ResourceKey("setting", @namespace, "g/d"), null, spec);
        return new SettingPair(
            Side("dev", new SettingSpec(format, from)),
            Side("prod", new SettingSpec(format, to, PromotedFrom: new SettingOrigin("dev", 1))),
            new Dictionary<long, SettingSpec?> { [1] = new(format, before) }).States;
    }

    private static KeyedText Merged(
        string format, string from, string to, IReadOnlyList<(string Key, string State)> states)
    {
        var taken = states.Where(one => KeyStates.IsTaken(one.State)).Select(one => one.Key)
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        var edited = Read(format, to).Take(Read(format, from), taken);
        Assert.True(edited is not null, $"{string.Join(", ", taken)} of\n{from}\ninto\n{to}");
        Assert.False(edited.CommentsLost, $"{string.Join(", ", taken)} of\n{from}\ninto\n{to}");
        return Read(format, edited.Content);
    }

    private static KeyedText Read(string format, string text) =>
        KeyedText.Read(format, text) ?? throw new InvalidDataException(text);

    /// <summary>The same said with dictionaries alone.</summary>
    private static (SortedDictionary<string, string?> Merged, IEnumerable<string> Conflicts) Model(
        Dictionary<string, string> before, Dictionary<string, string> from, Dictionary<string, string> to)
    {
        var merged = new SortedDictionary<string, string?>(StringComparer.Ordinal);
        var conflicts = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var key in before.Keys.Union(from.Keys).Union(to.Keys))
        {
            var (b, f, t) = (before.GetValueOrDefault(key), from.GetValueOrDefault(key), to.GetValueOrDefault(key));
            var value = f == b ? t : f;
            if (f != b && t != b && f != t)
            {
                conflicts.Add(key);
                value = t;
            }
            if (value is not null) merged[key] = value;
        }
        return (merged, conflicts);
    }

    private static SortedDictionary<string, string?> Sorted(KeyedText text) => new(
        text.Keys.ToDictionary(key => key.Key, key => key.Value, StringComparer.Ordinal), StringComparer.Ordinal);

    // Maps alone, never empty: every key can come and go without the others.
    private static SortedDictionary<string, object> Tree(Random random, int depth)
    {
        var tree = new SortedDictionary<string, object>(StringComparer.Ordinal) { ["z"] = "kept" };
        foreach (var name in Names)
        {
            if (random.Next(3) == 0) continue;
            if (depth > 0 && name is "a" or "b") tree[name] = Tree(random, depth - 1);
            else if (name is not ("a" or "b")) tree[name] = Value(random);
        }
        return tree;
    }

    private static SortedDictionary<string, object> Mutated(Random random, SortedDictionary<string, object> tree)
    {
        var copy = new SortedDictionary<string, object>(StringComparer.Ordinal);
        foreach (var (name, value) in tree)
        {
            if (value is SortedDictionary<string, object> below)
            {
                if (random.Next(8) > 0) copy[name] = Mutated(random, below);
            }
            else if (name == "z" || random.Next(6) > 0) copy[name] = random.Next(4) == 0
                && name != "z" ? Value(random) : value;
        }
        foreach (var name in Names[2..])
            if (random.Next(8) == 0) copy[name] = Value(random);
        if (random.Next(8) == 0 && !copy.ContainsKey("b")) copy["b"] = Tree(random, 0);
        return copy;
    }

    private static string Value(Random random) => random.Next(8) switch
    {
        0 => "two words", 1 => "ü, [x] {y}", 2 => "a: b #c", 3 => "\"q'", 4 => "1", _ => $"v{random.Next(4)}",
    };

    private static Dictionary<string, string> Flat(SortedDictionary<string, object> tree, string prefix = "")
    {
        var flat = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in tree)
        {
            if (value is string text) flat[prefix + name] = text;
            else foreach (var (key, below) in Flat((SortedDictionary<string, object>)value, $"{prefix}{name}:"))
                flat[key] = below;
        }
        return flat;
    }

    private static string Write(Random random, string format, SortedDictionary<string, object> tree)
    {
        var text = new StringBuilder();
        switch (format)
        {
            case "json":
                return Json(tree).ToJsonString(new() { WriteIndented = random.Next(2) == 0 });
            case "yaml":
                WriteYaml(random, text, tree, "");
                return text.ToString();
            case "properties":
                foreach (var (key, value) in Flat(tree))
                    text.Append($"# about {key}\n{key.Replace(':', '.')} = {PropertiesText.Escape(value)}\n");
                return text.ToString();
            default:
                text.Append("<!-- head -->\n<c>\n");
                WriteXml(random, text, tree, "  ");
                return text.Append("</c>\n").ToString();
        }
    }

    private static JsonObject Json(SortedDictionary<string, object> tree) => new(tree.Select(pair =>
        KeyValuePair.Create(
        pair.Key, pair.Value is string text
            ? JsonValue.Create(text) : (JsonNode?)Json((SortedDictionary<string, object>)pair.Value))));

    private static void WriteYaml(
        Random random, StringBuilder text, SortedDictionary<string, object> tree, string indent)
    {
        foreach (var (name, value) in tree)
        {
            if (random.Next(4) == 0) text.Append($"{indent}# before {name}\n");
            if (value is string scalar) text.Append($"{indent}{name}: {TreeWriter.Quoted(scalar)}  # after\n");
            else if (random.Next(3) == 0) text.Append(
                $"{indent}{name}: {Json((SortedDictionary<string, object>)value).ToJsonString()}\n");
            else
            {
                text.Append($"{indent}{name}:\n");
                WriteYaml(random, text, (SortedDictionary<string, object>)value, indent + (random.Next(2) == 0
                    ? "  " : "    "));
            }
        }
    }

    private static void WriteXml(
        Random random, StringBuilder text, SortedDictionary<string, object> tree, string indent)
    {
        foreach (var (name, value) in tree)
        {
            if (value is string scalar) text.Append(
                $"{indent}<{name}>{System.Security.SecurityElement.Escape(scalar)}</{name}>\n");
            else
            {
                text.Append($"{indent}<!-- {random.Next(9)} -->\n{indent}<{name}>\n");
                WriteXml(random, text, (SortedDictionary<string, object>)value, indent + "  ");
                text.Append($"{indent}</{name}>\n");
            }
        }
    }

    /// <summary>One key a line, three lines that never change between two of them.</summary>
    private static (string Base, string From, string To) Texts(Random random)
    {
        var ancestor = Enumerable.Range(0, 12).Select(_ => random.Next(4) == 0 ? null : $"{random.Next(5)}").ToArray();
        string?[] Changed() => [.. ancestor.Select(value => random.Next(6) switch
        {
            0 => null, 1 => $"{random.Next(5)}", _ => value,
        })];
        static string Text(string?[] values) => string.Concat(values.Select((value, at) =>
            $"# {at} one\n# {at} two\n# {at} three\n" + (value is null ? "" : $"key{at:00}={value}\n")));
        return (Text(ancestor), Text(Changed()), Text(Changed()));
    }

    private static async Task<(List<string> Conflicts, string Text)> GitMergeAsync(
        string git, TemporaryDirectory directory, (string Base, string From, string To) texts)
    {
        foreach (var (name, text) in new[] { ("base", texts.Base), ("from", texts.From), ("to", texts.To) })
            await File.WriteAllTextAsync(directory.Combine(name), text);
        using var process = Process.Start(new ProcessStartInfo(
            git, ["merge-file", "-p", "-q", directory.Combine("to"), directory.Combine("base"),
                directory.Combine("from")])
        {
            RedirectStandardOutput = true, UseShellExecute = false,
        }) ?? throw new InvalidOperationException("git did not start.");
        var merged = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        var conflicts = new SortedSet<string>(StringComparer.Ordinal);
        var inside = false;
        foreach (var line in merged.Split('\n'))
        {
            if (line.StartsWith("<<<<<<<", StringComparison.Ordinal)) inside = true;
            else if (line.StartsWith(">>>>>>>", StringComparison.Ordinal)) inside = false;
            else if (inside && line.StartsWith("key", StringComparison.Ordinal)) conflicts.Add(line[..5]);
        }
        Assert.Equal(process.ExitCode > 0, conflicts.Count > 0);
        return ([.. conflicts], merged);
    }
}
