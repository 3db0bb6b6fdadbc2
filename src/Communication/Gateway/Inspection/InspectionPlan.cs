using System.Collections.Immutable;
using System.Text;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Inspection;

/// <summary>Where a value stands.</summary>
internal enum ValuePlace
{
    Path,

    /// <summary>A parameter of the query, a field of a form, a member of JSON.</summary>
    Parameter,
    Header,
    Cookie,
}

/// <summary>What a route's inspection asks, compiled.</summary>
internal sealed class InspectionPlan
{
    private const string HeaderPrefix = "header:";
    private const string CookiePrefix = "cookie:";
    private const string PathName = "path";

    private static readonly string[] UsualHeaders = ["user-agent", "referer"];

    private readonly ImmutableArray<(ValuePlace Place, byte[] Name, RuleSet Rules)> exceptions;

    public InspectionPlan(InspectSpec spec)
    {
        Blocks = spec.Mode == "block";
        Threshold = spec.Threshold;
        BodyBytes = spec.BodyBytes;
        RefusesUnseen = Blocks && spec.Unseen == "refuse";
        Headers = [.. (spec.Headers ?? UsualHeaders).Select(name => Encoding.ASCII.GetBytes(name.ToLowerInvariant()))];
        var classes = AttackClass.None;
        foreach (var name in spec.Classes ?? []) classes |= InspectionRules.ClassOf(name) ?? AttackClass.None;
        Asked = InspectionRules.Of(classes == AttackClass.None ? AttackClass.All : classes, spec.Level);
        var all = ImmutableArray.CreateBuilder<(ValuePlace, byte[], RuleSet)>();
        foreach (var exception in spec.Except ?? [])
        {
            var rules = RulesOf(exception);
            // For all parameters: they are not asked at all.
            if (exception.Parameters is null) Asked = Asked.Without(rules);
            foreach (var name in exception.Parameters ?? []) all.Add(Parse(name, rules));
        }
        exceptions = all.ToImmutable();
    }

    public bool Blocks { get; }

    public int Threshold { get; }

    public int BodyBytes { get; }

    public bool RefusesUnseen { get; }

    /// <summary>In lower case.</summary>
    public ImmutableArray<byte[]> Headers { get; }

    public RuleSet Asked { get; }

    /// <summary>What of some rules counts for a value.</summary>
    public RuleSet Counted(RuleSet met, ValuePlace place, ReadOnlySpan<byte> name)
    {
        foreach (var (where, excepted, rules) in exceptions)
            if (where == place && (place == ValuePlace.Header
                ? Ascii.EqualsIgnoreCase(excepted, name) : name.SequenceEqual(excepted))) met = met.Without(rules);
        return met;
    }

    private static RuleSet RulesOf(InspectException exception)
    {
        if (exception.Rules is not { } ids) return RuleSet.All;
        var rules = default(RuleSet);
        foreach (var id in ids)
            if (InspectionRules.Find(id) is { } rule) rules = rules.With(rule.Rule);
        return rules;
    }

    private static (ValuePlace Place, byte[] Name, RuleSet Rules) Parse(string name, RuleSet rules)
    {
        if (name == PathName) return (ValuePlace.Path, [], rules);
        var place = name.StartsWith(HeaderPrefix, StringComparison.Ordinal) ? ValuePlace.Header
            : name.StartsWith(CookiePrefix, StringComparison.Ordinal) ? ValuePlace.Cookie
            : ValuePlace.Parameter;
        var start = place == ValuePlace.Parameter ? 0 : HeaderPrefix.Length; // Both are as long.
        return (place, Encoding.UTF8.GetBytes(name[start..]), rules);
    }
}
