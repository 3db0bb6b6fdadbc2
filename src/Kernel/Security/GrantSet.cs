using System.Collections.Immutable;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Kernel.Security;

/// <summary>Grants in the form that is asked on every call. Asking allocates nothing.</summary>
public sealed class GrantSet
{
    /// <summary>
    /// Comparisons that one question of <see cref="FindUncovered"/> may take: milliseconds under the writer's lock.
    /// Whoever writes grants that need more is refused, and can write them plainer.
    /// </summary>
    private const int MaxCoverSteps = 20_000;

    private readonly ImmutableArray<CompiledGrant> grants;

    private GrantSet(ImmutableArray<CompiledGrant> grants) => this.grants = grants;

    public static GrantSet None { get; } = new([]);

    internal static GrantSet Everything { get; } = Of([new Grant([Grant.Any], [Grant.Any])]);

    internal static GrantSet ReadEverything { get; } =
        Of([new Grant([VerbNames.Of(Verb.Read), VerbNames.Of(Verb.Discover)], [Grant.Any])]);

    /// <summary>
    /// Compiles grants that have passed
    /// <see cref="Grant.Check(IReadOnlyList{Grant}, string, ICollection{FieldFault})"/>.
    /// </summary>
    public static GrantSet Of(IReadOnlyList<Grant>? grants) =>
        grants is null or { Count: 0 } ? None : new GrantSet([.. grants.Select(CompiledGrant.Of)]);

    internal bool Allows(Verb verb, in ResourceKey target)
    {
        foreach (var grant in grants.AsSpan())
            if (grant.Allows(verb, target)) return true;
        return false;
    }

    /// <summary>These grants as documents.</summary>
    /// <param name="role">The role that brings them; null for an access key's own.</param>
    internal IEnumerable<GrantDocument> Describe(string? role) => grants.Select(grant => grant.Describe(role));

    /// <summary>Those of these grants that allow the verb on the target.</summary>
    internal IEnumerable<GrantDocument> Explain(string? role, Verb verb, ResourceKey target) =>
        grants.Where(grant => grant.Allows(verb, target)).Select(grant => grant.Describe(role));

    /// <summary>
    /// The first part of these grants that none of <paramref name="held"/> covers, in words; null when all is covered.
    /// A grant may be covered by several together, so it is cut in halves until one covers each piece.
    /// </summary>
    internal string? FindUncovered(IReadOnlyList<GrantSet> held)
    {
        var steps = 0;
        foreach (var grant in grants)
            if (FindUncovered(grant, held, ref steps) is { } uncovered) return uncovered;
        return null;
    }

    private static string? FindUncovered(CompiledGrant wanted, IReadOnlyList<GrantSet> held, ref int steps)
    {
        foreach (var set in held)
        {
            foreach (var grant in set.grants)
            {
                if (grant.Covers(wanted)) return null;
                if (++steps > MaxCoverSteps) return $"{wanted} (too intricate to compare; write the grants plainer)";
            }
        }
        return wanted.Halve() is var (left, right)
            ? FindUncovered(left, held, ref steps) ?? FindUncovered(right, held, ref steps)
            : wanted.ToString();
    }
}

/// <summary>One grant: a set of verbs and three lists of patterns.</summary>
internal sealed record CompiledGrant(
    uint Verbs, ImmutableArray<Pattern> Kinds, ImmutableArray<Pattern> Namespaces, ImmutableArray<Pattern> Names)
{
    private static readonly uint AllVerbs = (1u << Enum.GetValues<Verb>().Length) - 1;

    public static CompiledGrant Of(Grant grant) => new(
        grant.Verbs.Aggregate(0u, (verbs, name) => verbs | Bits(name)),
        Patterns(grant.Kinds),
        Patterns(grant.Namespaces, nodeWide: true),
        Patterns(grant.Names));

    public bool Allows(Verb verb, in ResourceKey target) =>
        (Verbs & (1u << (int)verb)) != 0
        && Matches(Kinds, target.Kind) && Matches(Namespaces, target.Namespace) && Matches(Names, target.Name);

    public bool Covers(CompiledGrant other) =>
        (other.Verbs & ~Verbs) == 0
        && Covers(Kinds, other.Kinds) && Covers(Namespaces, other.Namespaces) && Covers(Names, other.Names);

    /// <summary>Two grants that are this one together; null when it is a single verb on a single pattern.</summary>
    public (CompiledGrant Left, CompiledGrant Right)? Halve()
    {
        if (uint.PopCount(Verbs) > 1)
        {
            var first = Verbs & (~Verbs + 1);
            return (this with { Verbs = first }, this with { Verbs = Verbs & ~first });
        }
        if (Kinds.Length > 1) return (this with { Kinds = First(Kinds) }, this with { Kinds = Second(Kinds) });
        if (Namespaces.Length > 1)
            return (this with { Namespaces = First(Namespaces) }, this with { Namespaces = Second(Namespaces) });
        return Names.Length > 1
            ? (this with { Names = First(Names) }, this with { Names = Second(Names) })
            : null;
    }

    public GrantDocument Describe(string? role) => new(
        Verbs == AllVerbs ? [Grant.Any] : [.. Listed().Select(VerbNames.Of)],
        [.. Kinds.Select(kind => kind.ToString())],
        [.. Namespaces.Select(space => space.ToString())],
        [.. Names.Select(name => name.ToString())],
        role);

    public override string ToString()
    {
        var verbs = Verbs == AllVerbs
            ? "every verb"
            : string.Join(", ", Listed().Select(VerbNames.Of));
        return $"{verbs} on {string.Join(", ", Kinds)} {string.Join(", ", Namespaces)}/{string.Join(", ", Names)}";
    }

    private IEnumerable<Verb> Listed() =>
        Enum.GetValues<Verb>().Where(verb => (Verbs & (1u << (int)verb)) != 0);

    private static uint Bits(string name) => name == Grant.Any
        ? AllVerbs
        // A newer node's verb: granted by that node alone.
        : VerbNames.TryParse(name, out var verb) ? 1u << (int)verb : 0;

    private static ImmutableArray<Pattern> Patterns(IReadOnlyList<string>? list, bool nodeWide = false) => list is null
        ? [Pattern.Any]
        : [.. list.Select(text => Pattern.Of(nodeWide && text == Wire.Names.NodeWide ? "" : text))];

    private static bool Matches(ImmutableArray<Pattern> patterns, string text)
    {
        foreach (var pattern in patterns.AsSpan())
            if (pattern.Matches(text)) return true;
        return false;
    }

    private static bool Covers(ImmutableArray<Pattern> patterns, ImmutableArray<Pattern> others)
    {
        foreach (var other in others)
        {
            var covered = false;
            foreach (var pattern in patterns) covered |= pattern.Covers(other);
            if (!covered) return false;
        }
        return true;
    }

    private static ImmutableArray<Pattern> First(ImmutableArray<Pattern> patterns) => patterns[..(patterns.Length / 2)];

    private static ImmutableArray<Pattern> Second(ImmutableArray<Pattern> patterns) =>
        patterns[(patterns.Length / 2)..];
}

/// <summary>Everything, a prefix that ends at a slash, or one text.</summary>
internal readonly record struct Pattern(string Text, bool IsPrefix)
{
    public static Pattern Any { get; } = new("", IsPrefix: true);

    public static Pattern Of(string text)
    {
        if (text == Grant.Any) return Any;
        return text.EndsWith(Grant.PrefixEnd, StringComparison.Ordinal)
            ? new Pattern(text[..^1], true) : new Pattern(text, false);
    }

    public bool Matches(string text) => IsPrefix ? text.StartsWith(Text, StringComparison.Ordinal) : text == Text;

    public bool Covers(Pattern other) => IsPrefix
        ? other.Text.StartsWith(Text, StringComparison.Ordinal)
        : !other.IsPrefix && other.Text == Text;

    public override string ToString() => IsPrefix ? Text + "*" : Text.Length == 0 ? Wire.Names.NodeWide : Text;
}
