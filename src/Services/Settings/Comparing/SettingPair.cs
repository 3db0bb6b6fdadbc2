using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Settings.Comparing;

/// <summary>One setting in two namespaces, with what was promoted last: every key and how it stands.</summary>
internal sealed class SettingPair
{
    private readonly IReadOnlyDictionary<string, string?> from;
    private readonly IReadOnlyDictionary<string, string?> to;
    private readonly Func<string, KeyPlace> baseOf;

    /// <param name="bases">The source's text by revision, as far as it is still kept; null where it was not there
    /// then.</param>
    public SettingPair(SettingSide source, SettingSide target, IReadOnlyDictionary<long, SettingSpec?> bases)
    {
        From = source;
        To = target;
        IsWhole = SettingSide.AreWhole(source.Spec, target.Spec);
        from = source.Values(IsWhole);
        to = target.Values(IsWhole);
        var origin = target.Spec?.PromotedFrom;
        Origin = origin?.Namespace == source.Key.Namespace ? origin : null;
        var known = bases.Where(pair => IsWhole || IsKeyed(pair.Value))
            .ToDictionary(pair => pair.Key, pair => (source with { Spec = pair.Value }).Values(IsWhole));
        var newest = Origin is not null && known.TryGetValue(Origin.Revision, out var keys) ? keys : null;
        Base = newest is null ? null : Origin!.Revision; // There is one, or there was no newest.
        BaseSpec = Base is { } revision ? bases[revision] : null;
        baseOf = key =>
        {
            if (Origin?.Keys?.TryGetValue(key, out var own) == true)
                return known.TryGetValue(own, out var then) ? Place(then, key) : KeyPlace.Unknown;
            return newest is null ? KeyPlace.Unknown : Place(newest, key);
        };
        States = [.. from.Keys.Concat(to.Keys).Concat(newest?.Keys ?? [])
            .Distinct(StringComparer.OrdinalIgnoreCase)
            .Order(StringComparer.OrdinalIgnoreCase)
            .Select(key => (key, KeyStates.Of(baseOf(key), Place(from, key), Place(to, key))))];
    }

    public SettingSide From { get; }

    public SettingSide To { get; }

    /// <summary>True: one value without keys.</summary>
    public bool IsWhole { get; }

    public SettingOrigin? Origin { get; }

    /// <summary>The source's revision that was promoted last, while it is kept.</summary>
    public long? Base { get; }

    public SettingSpec? BaseSpec { get; }

    /// <summary>Every key of both, and of the base, in order.</summary>
    public IReadOnlyList<(string Key, string State)> States { get; }

    public KeyPlace InFrom(string key) => Place(from, key);

    public KeyPlace InTo(string key) => Place(to, key);

    public KeyPlace InBase(string key) => baseOf(key);

    public string State => (From.Spec, To.Spec) switch
    {
        (null, _) => KeyStates.OnlyInTo,
        (_, null) => KeyStates.OnlyInFrom,
        var (one, other) => one.Content == other.Content && one.Format == other.Format && one.Secret == other.Secret
            ? KeyStates.Same
            : "different",
    };

    /// <summary>
    /// What the target remembers once these keys are dealt with. Where the rest of the source is as it was promoted
    /// already, the whole is.
    /// </summary>
    public SettingOrigin OriginAfter(IReadOnlySet<string> dealt)
    {
        var after = new SettingOrigin(From.Key.Namespace, From.Revision);
        if (States.All(one => dealt.Contains(one.Key) || IsAsPromoted(one.Key))) return after;
        var keys = new SortedDictionary<string, long>(StringComparer.OrdinalIgnoreCase);
        foreach (var (key, revision) in Origin?.Keys ?? new Dictionary<string, long>()) keys[key] = revision;
        foreach (var key in dealt) keys[key] = From.Revision;
        // Beyond the bound the oldest are forgotten: their keys are conflicts once more, never overwritten in silence.
        var kept = keys.OrderByDescending(pair => pair.Value).Take(SettingKind.MaxOriginKeys)
            .OrderBy(pair => pair.Key, StringComparer.Ordinal)
            .ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);
        return after with { Revision = Origin?.Revision ?? 0, Keys = kept };
    }

    private bool IsAsPromoted(string key) =>
        baseOf(key) == InFrom(key) || (!baseOf(key).Exists && !InFrom(key).Exists);

    private static KeyPlace Place(IReadOnlyDictionary<string, string?> keys, string key) =>
        keys.TryGetValue(key, out var value) ? KeyPlace.Of(value) : KeyPlace.Absent;

    private static bool IsKeyed(SettingSpec? spec) => !SettingSide.AreWhole(spec, spec);
}
