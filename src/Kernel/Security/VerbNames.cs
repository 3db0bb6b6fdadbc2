using System.Collections.Frozen;

namespace Groundwork.Kernel.Security;

/// <summary>Verbs as roles and people write them: lower case with hyphens.</summary>
public static class VerbNames
{
    private static readonly string[] Names = [.. Enum.GetValues<Verb>().Select(Spell)];

    private static readonly FrozenDictionary<string, Verb> ByName =
        Enum.GetValues<Verb>().ToFrozenDictionary(Of, StringComparer.Ordinal);

    /// <summary>All of them, for messages and documentation.</summary>
    public static IReadOnlyList<string> All => Names;

    public static string Of(Verb verb) => Names[(int)verb];

    public static bool TryParse(string name, out Verb verb) => ByName.TryGetValue(name, out verb);

    private static string Spell(Verb verb) => string.Concat(
        verb.ToString().Select((c, place) => (char.IsUpper(c) && place > 0 ? "-" : "") + char.ToLowerInvariant(c)));
}
