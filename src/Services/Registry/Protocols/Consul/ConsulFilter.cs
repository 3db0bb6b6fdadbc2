using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Groundwork.Wire;

namespace Groundwork.Services.Registry.Protocols.Consul;

/// <summary>
/// Consul's filter language: selectors over the fields of an answer, compared, joined by <c>and</c>, <c>or</c> and
/// <c>not</c>. Not supported, and refused: <c>all</c> and <c>any</c>, and selectors into lists of objects.
/// </summary>
internal sealed class ConsulFilter
{
    /// <summary>Characters of a filter.</summary>
    private const int MaxLength = 2048;

    /// <summary>Parts in parts, and parts in all: each is looked at for every item.</summary>
    private const int MaxDepth = 32;

    /// <summary>Characters of a regular expression, which is matched in time linear to the text.</summary>
    private const int MaxPattern = 256;

    // Maps, whose fields need not be there; any other field that is not is a mistake of the filter.
    private static readonly string[] Maps =
        ["Meta", "NodeMeta", "ServiceMeta", "TaggedAddresses", "ServiceTaggedAddresses", "Proxy", "Connect",
            "ServiceProxy", "ServiceConnect"];

    private readonly Func<JsonObject, Verdict> matches;

    private ConsulFilter(Func<JsonObject, Verdict> matches) => this.matches = matches;

    /// <summary>Reads a filter; or says why it is none.</summary>
    public static Outcome<ConsulFilter> Parse(string text)
    {
        if (text.Length > MaxLength) return ConsulRules.Bad($"A filter has at most {MaxLength} characters");
        var parser = new Parser(text);
        var root = parser.Or(0);
        if (parser.Fault is null && !parser.AtEnd) parser.Fail("there is something after its end");
        return parser.Fault is { } fault
            ? ConsulRules.Bad($"Failed to create boolean expression evaluator: {fault}")
            : new ConsulFilter(root);
    }

    /// <summary>Whether an item is admitted; or the fault of a selector that no item of the list has.</summary>
    public Outcome<bool> Matches(JsonObject item)
    {
        var said = matches(item);
        return said.Wrong is null ? said.Holds : ConsulRules.Bad($"Selector \"{said.Wrong}\" is not valid");
    }

    /// <param name="Wrong">The selector that there is not.</param>
    private readonly record struct Verdict(bool Holds, string? Wrong = null);

    private enum Presence { There, NotThere, Wrong }

    private static Presence Find(JsonObject item, string[] path, out JsonNode? value)
    {
        value = item;
        for (var at = 0; at < path.Length; at++)
        {
            if (value is not JsonObject fields) return Presence.Wrong;
            if (fields.TryGetPropertyValue(path[at], out value)) continue;
            return at > 0 && path.AsSpan(0, at).ContainsAny(Maps) ? Presence.NotThere : Presence.Wrong;
        }
        return Presence.There;
    }

    /// <summary>A comparison of a field.</summary>
    /// <param name="isNegated">What holds of a field of a map that is not there, too.</param>
    private static Func<JsonObject, Verdict> Compare(string[] path, bool isNegated, Func<JsonNode?, bool?> holds) =>
        item =>
        Find(item, path, out var value) switch
        {
            Presence.NotThere => new Verdict(isNegated),
            Presence.There when holds(value) is { } found => new Verdict(found != isNegated),
            _ => new Verdict(false, string.Join('.', path)),
        };

    private static bool? IsEqual(JsonNode? value, string wanted) =>
        value is null or JsonValue ? Text(value) == wanted : null;

    // Of a list whether it has the value, of a map the key, of a text the part.
    private static bool? Contains(JsonNode? value, string wanted) => value switch
    {
        JsonArray list when list.All(one => one is null or JsonValue) => list.Any(one => Text(one) == wanted),
        JsonObject map => map.ContainsKey(wanted),
        JsonValue text when text.GetValueKind() == JsonValueKind.String =>
            Text(text).Contains(wanted, StringComparison.Ordinal),
        _ => null,
    };

    private static bool? IsEmpty(JsonNode? value) => value switch
    {
        JsonArray list => list.Count == 0,
        JsonObject map => map.Count == 0,
        JsonValue text when text.GetValueKind() == JsonValueKind.String => Text(text).Length == 0,
        _ => null,
    };

    private static string Text(JsonNode? value) => value switch
    {
        null => "",
        JsonValue one when one.GetValueKind() == JsonValueKind.String => one.GetValue<string>(),
        _ => value.ToJsonString(),
    };

    /// <summary>Reads an expression from left to right; the first thing wrong ends it.</summary>
    private sealed class Parser(string text)
    {
        private int at;

        public string? Fault { get; private set; }

        public bool AtEnd
        {
            get
            {
                Skip();
                return at == text.Length;
            }
        }

        public void Fail(string what) =>
            Fault ??= string.Create(CultureInfo.InvariantCulture, $"{what}, at {Math.Min(at, text.Length) + 1}");

        public Func<JsonObject, Verdict> Or(int depth)
        {
            var left = And(depth);
            while (Fault is null && Word("or"))
            {
                var (before, after) = (left, And(depth));
                left = item => before(item) is var said && said is { Wrong: null, Holds: false } ? after(item) : said;
            }
            return left;
        }

        private Func<JsonObject, Verdict> And(int depth)
        {
            var left = Not(depth);
            while (Fault is null && Word("and"))
            {
                var (before, after) = (left, Not(depth));
                left = item => before(item) is var said && said is { Wrong: null, Holds: true } ? after(item) : said;
            }
            return left;
        }

        private Func<JsonObject, Verdict> Not(int depth)
        {
            if (depth >= MaxDepth) Fail("it is nested too deep");
            if (Fault is not null) return Nothing;
            if (Word("not"))
            {
                var inner = Not(depth + 1);
                return item => inner(item) is var said && said.Wrong is null ? new Verdict(!said.Holds) : said;
            }
            if (!Sign("(")) return Match();
            var group = Or(depth + 1);
            if (Fault is null && !Sign(")")) Fail("a ) is missing");
            return group;
        }

        private Func<JsonObject, Verdict> Match()
        {
            var start = at;
            if (Value() is not { } first) return Nothing;
            // "value" in Selector, or Selector and what is asked of it.
            var isNegated = Word("not");
            if (Word("in"))
            {
                var (wanted, container) = (first, Selector());
                return container is null ? Nothing : Compare(container, isNegated, value => Contains(value, wanted));
            }
            if (isNegated)
            {
                var asked = Reread(start);
                Word("not");
                if (asked is null) return Nothing;
                if (Word("contains")) return With(asked, true, Contains);
                if (Word("matches")) return Pattern(asked, isNegated: true);
                Fail("after not there must be in, contains or matches");
                return Nothing;
            }
            if (Reread(start) is not { } path) return Nothing;
            if (Sign("==")) return With(path, false, IsEqual);
            if (Sign("!=")) return With(path, true, IsEqual);
            if (Word("contains")) return With(path, false, Contains);
            if (Word("matches")) return Pattern(path, isNegated: false);
            if (Word("is"))
            {
                isNegated = Word("not");
                if (Word("empty")) return IsEmptyOf(path, isNegated);
            }
            Fail("there must be ==, !=, in, contains, matches or is empty");
            return Nothing;
        }

        // A field of a map that is not there is empty.
        private static Func<JsonObject, Verdict> IsEmptyOf(string[] path, bool isNegated) => item =>
            Find(item, path, out var value) switch
            {
                Presence.NotThere => new Verdict(!isNegated),
                Presence.There when IsEmpty(value) is { } empty => new Verdict(empty != isNegated),
                _ => new Verdict(false, string.Join('.', path)),
            };

        private Func<JsonObject, Verdict> With(string[] path, bool isNegated, Func<JsonNode?, string, bool?> holds)
        {
            if (Value() is not { } wanted) return Nothing;
            return Compare(path, isNegated, value => holds(value, wanted));
        }

        private Func<JsonObject, Verdict> Pattern(string[] path, bool isNegated)
        {
            if (Value() is not { } pattern) return Nothing;
            try
            {
                if (pattern.Length > MaxPattern) throw new ArgumentException("too long");
                var regex = new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
                return Compare(path, isNegated, value =>
                    value is null or JsonValue ? regex.IsMatch(Text(value)) : null);
            }
            catch (Exception wrong) when (wrong is ArgumentException or NotSupportedException)
            {
                Fail("that is no regular expression that can be matched");
                return Nothing;
            }
        }

        /// <summary>Reads again from there, as a selector.</summary>
        private string[]? Reread(int from)
        {
            at = from;
            return Selector();
        }

        private string[]? Selector()
        {
            Skip();
            var path = new List<string>();
            while (true)
            {
                var start = at;
                while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] is '_' or '-' or '/')) at++;
                if (at == start)
                {
                    Fail("a selector such as Service.Tags is missing");
                    return null;
                }
                path.Add(text[start..at]);
                while (at < text.Length && text[at] == '[')
                {
                    at++;
                    if (Value() is not { } key) return null;
                    path.Add(key);
                    if (Sign("]")) continue;
                    Fail("a ] is missing");
                    return null;
                }
                if (at == text.Length || text[at] != '.') return [.. path];
                at++;
            }
        }

        private string? Value()
        {
            Skip();
            if (Fault is not null) return null;
            if (at < text.Length && text[at] is '"' or '`') return Quoted(text[at]);
            var start = at;
            while (at < text.Length && !char.IsWhiteSpace(text[at])
                && text[at] is not ('(' or ')' or '=' or '!' or ']')) at++;
            if (at > start) return text[start..at];
            Fail("a value is missing");
            return null;
        }

        private string? Quoted(char quote)
        {
            var value = new StringBuilder();
            for (at++; at < text.Length; at++)
            {
                if (text[at] == quote)
                {
                    at++;
                    return value.ToString();
                }
                if (quote == '"' && text[at] == '\\' && at + 1 < text.Length && text[at + 1] is '"' or '\\') at++;
                if (at < text.Length) value.Append(text[at]);
            }
            Fail("a quote is not closed");
            return null;
        }

        private bool Word(string word)
        {
            Skip();
            if (Fault is not null) return false;
            if (!text.AsSpan(at).StartsWith(word, StringComparison.OrdinalIgnoreCase)) return false;
            var end = at + word.Length;
            if (end < text.Length && !char.IsWhiteSpace(text[end])
                && text[end] is not ('(' or ')' or '"' or '`')) return false;
            at = end;
            return true;
        }

        private bool Sign(string sign)
        {
            Skip();
            if (Fault is not null || !text.AsSpan(at).StartsWith(sign, StringComparison.Ordinal)) return false;
            at += sign.Length;
            return true;
        }

        private void Skip()
        {
            while (at < text.Length && char.IsWhiteSpace(text[at])) at++;
        }

        private static Verdict Nothing(JsonObject item) => default;
    }
}
