using System.Collections.Immutable;
using System.Text.Json;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings.Texts;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Settings.Comparing;

/// <summary>
/// Takes settings, or keys of them, from one namespace to another in one changeset. What the target has of its own is
/// overwritten only where the caller says so key by key.
/// </summary>
internal sealed class SettingPromoter(ChangeLog changes, SettingComparer comparer, Authorizer authorizer)
{
    /// <summary>Conflicts that a refusal names; more do not help to decide.</summary>
    private const int MaxNamed = 50;

    private const string FromSource = "from";
    private const string FromTarget = "to";

    public async Task<Outcome<(Commit Commit, IReadOnlyList<PromotionResult> Results)>> PromoteAsync(
        SettingCaller caller, PromotionRequest request, CancellationToken cancellationToken)
    {
        var snapshot = changes.Snapshots.Current;
        var wanted = new List<Change>();
        var results = new List<PromotionResult>();
        var conflicts = new List<FieldFault>();
        for (var index = 0; index < request.Settings.Count; index++)
        {
            var setting = request.Settings[index];
            var name = $"{setting.Group}/{setting.DataId}";
            if (comparer.Refuse(caller, request.From, request.To, name) is { } refused) return refused;
            var read = await comparer.ReadAsync(snapshot, request.From, request.To, name, cancellationToken);
            if (!read.TryGet(out var pair, out var fault)) return fault;
            if (RefuseSource(caller, setting, pair) is { } stale) return stale;
            var plan = Plan.Of(setting, pair, $"settings[{index}]", conflicts);
            if (plan is null) continue;
            if (!plan.Carry().TryGet(out var carried, out fault)) return fault;
            wanted.Add(ToChange(pair, carried, setting.ToRevision));
            results.Add(Describe(pair, plan, carried));
        }
        if (conflicts.Count > 0)
        {
            return new Fault(
                ErrorCodes.PromotionConflict,
                $"{conflicts.Count} of the keys are the target's own or cannot be taken; say 'take' for each.")
            {
                Fields = [.. conflicts.Take(MaxNamed)],
            };
        }
        var outcome = await changes.CommitAsync(
            new Changeset(caller.Principal, [.. wanted])
            {
                Reason = request.Reason ?? $"promote {request.From} to {request.To}",
                Id = request.Id,
                DryRun = request.DryRun,
            },
            cancellationToken);
        return outcome.TryGet(out var commit, out var failed) ? (commit, results) : failed;
    }

    private Fault? RefuseSource(SettingCaller caller, PromotedSetting setting, SettingPair pair)
    {
        if (pair.From.IsSecret && authorizer.Authorize(caller.Principal, Verb.ReadSecret, pair.From.Key) is { } refused)
            return refused;
        if (pair.From.Spec is null && pair.To.Spec is null)
            return new Fault(ErrorCodes.SettingNotFound, $"There is no setting {pair.From.Key}, nor {pair.To.Key}.");
        // The target's revision is held to inside the commit.
        return pair.From.Revision == setting.FromRevision
            ? null
            : new Fault(
                ErrorCodes.RevisionConflict,
                $"{pair.From.Key} is at revision {pair.From.Revision}, not {setting.FromRevision}: compare again.");
    }

    private static Change ToChange(SettingPair pair, Carried carried, long expect) => carried.Spec is null
        ? Change.Delete(pair.To.Key, expect)
        : new Change(
            ChangeOperation.Put,
            pair.To.Key,
            JsonSerializer.SerializeToUtf8Bytes(carried.Spec, SettingJson.Default.SettingSpec),
            // Written out, so that a repeat of the same promotion is the same changeset.
            Labels: (pair.To.Resource ?? pair.From.Resource)?.Labels,
            Expect: expect);

    private PromotionResult Describe(SettingPair pair, Plan plan, Carried carried)
    {
        var (group, dataId) = SettingKind.Split(pair.To.Key.Name) ?? ("", pair.To.Key.Name);
        var result = new PromotionResult(group, dataId, null, carried.Verbatim, carried.CommentsLost);
        // A secret is read where it is, not in what a promotion says.
        if (pair.From.IsSecret || pair.To.IsSecret || pair.BaseSpec is { Secret: true }) return result;
        var lines = plan.Taken
            .Where(key => pair.InFrom(key) != pair.InTo(key))
            .Select(key => new DiffLine(key, ToElement(pair.InTo(key)), ToElement(pair.InFrom(key))));
        return result with { Content = carried.Spec?.Content, Lines = [.. lines] };
    }

    private static JsonElement? ToElement(KeyPlace place) =>
        place.Exists ? JsonSerializer.SerializeToElement(place.Value ?? "null", WireJson.Strict.String) : null;

    /// <param name="Spec">Null: the target's setting is deleted.</param>
    private sealed record Carried(SettingSpec? Spec, bool Verbatim, bool CommentsLost);

    /// <summary>Which keys of one setting are taken.</summary>
    private sealed record Plan(SettingPair Pair, ImmutableHashSet<string> Taken, ImmutableHashSet<string> Seen)
    {
        /// <summary>Null, and faults, when something may not be taken.</summary>
        public static Plan? Of(PromotedSetting setting, SettingPair pair, string path, List<FieldFault> conflicts)
        {
            var before = conflicts.Count;
            var states = pair.States.ToDictionary(one => one.Key, one => one.State, StringComparer.OrdinalIgnoreCase);
            var none = ImmutableHashSet.Create<string>(StringComparer.OrdinalIgnoreCase);
            var (taken, seen) = (none.ToBuilder(), none.ToBuilder());
            if (setting.Keys is null)
            {
                foreach (var (key, state) in pair.States)
                {
                    if (state == KeyStates.Conflict)
                        conflicts.Add(new FieldFault($"{path}.keys", Spell(key, state)));
                    else if (KeyStates.IsTaken(state)) taken.Add(key);
                    if (!KeyStates.IsOwn(state)) seen.Add(key);
                }
                return conflicts.Count > before ? null : new Plan(pair, taken.ToImmutable(), seen.ToImmutable());
            }
            for (var index = 0; index < setting.Keys.Count; index++)
            {
                var (key, take) = setting.Keys[index];
                var place = $"{path}.keys[{index}]";
                if (!states.TryGetValue(key, out var state))
                    conflicts.Add(new FieldFault(place, $"neither text has a key '{key}'"));
                else if (take is not (null or FromSource or FromTarget))
                    conflicts.Add(new FieldFault($"{place}.take", "must be 'from' or 'to'"));
                else if (take is null && KeyStates.IsOwn(state))
                    conflicts.Add(new FieldFault(place, Spell(key, state)));
                else
                {
                    seen.Add(key);
                    if (take != FromTarget && pair.InFrom(key) != pair.InTo(key)) taken.Add(key);
                }
            }
            return conflicts.Count > before ? null : new Plan(pair, taken.ToImmutable(), seen.ToImmutable());
        }

        /// <summary>The target's spec afterwards.</summary>
        public Outcome<Carried> Carry()
        {
            var (source, target) = (Pair.From.Spec, Pair.To.Spec);
            if (source is null) return Withdraw();
            var origin = Pair.OriginAfter(Seen);
            var all = Pair.States.All(one => Taken.Contains(one.Key) || Pair.InFrom(one.Key) == Pair.InTo(one.Key));
            if (target is null)
            {
                return all
                    ? new Carried(source with { PromotedFrom = origin }, Verbatim: true, CommentsLost: false)
                    : Edit(
                        source,
                        source with { Content = KeyedText.EmptyLike(source.Format, source.Content),
                            PromotedFrom = origin });
            }
            var next = target with { Secret = target.Secret || source.Secret, PromotedFrom = origin };
            var untouched = Pair.BaseSpec is { } then && then.Content == target.Content && then.Format == target.Format;
            if (all && (untouched || Pair.IsWhole && Taken.Count > 0))
                return new Carried(next with { Content = source.Content, Format = source.Format }, true, false);
            return Taken.Count == 0 ? new Carried(next, source.Content == target.Content, false) : Edit(source, next);
        }

        // The source has no such setting any more: what was promoted is taken away.
        private Outcome<Carried> Withdraw()
        {
            if (Pair.States.All(one => Taken.Contains(one.Key) || !Pair.InTo(one.Key).Exists))
                return new Carried(null, false, false);
            var target = Pair.To.Spec!; // One of the two is there.
            if (Taken.IsEmpty) return new Carried(target, false, false);
            return Edit(
                target with { Content = KeyedText.EmptyLike(target.Format, target.Content) },
                target with { PromotedFrom = Pair.OriginAfter(Seen) });
        }

        private Outcome<Carried> Edit(SettingSpec given, SettingSpec into)
        {
            var source = KeyedText.Read(given.Format, given.Content);
            var target = KeyedText.Read(into.Format, into.Content);
            var edited = source is null || target is null || Pair.IsWhole ? null : target.Take(source, Taken);
            return edited is null
                ? new Fault(
                    ErrorCodes.PromotionConflict,
                    $"The {into.Format} of {Pair.To.Key} cannot have these keys without others: a list would "
                    + "have a hole, or a value would be an object too. Take those keys too, or the whole setting.")
                : new Carried(into with { Content = edited.Content }, edited.Content == given.Content,
                    edited.CommentsLost);
        }

        private static string Spell(string key, string state) => state switch
        {
            KeyStates.OnlyInTo => $"'{key}' is in the target alone",
            KeyStates.ChangedInTo => $"'{key}' was changed in the target",
            _ => $"'{key}' was changed on both sides",
        };
    }
}
