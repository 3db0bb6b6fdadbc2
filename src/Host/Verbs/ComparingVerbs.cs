using System.Collections.Immutable;
using System.CommandLine;
using Groundwork.Host.Api;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Output;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Host.Verbs;

/// <summary><c>compare</c> and <c>promote</c>: two namespaces, and the way from one to the other.</summary>
internal static class ComparingVerbs
{
    private const int Red = 31;
    private const int Green = 32;
    private const int Yellow = 33;
    private const int Blue = 34;

    /// <summary>Columns of a value; what is longer is cut, and <c>-o json</c> has it.</summary>
    private const int MaxShown = 32;

    private static readonly Argument<string> From = new("from") { Description = "Namespace to look from, such as dev" };

    private static readonly Argument<string> To = new("to") { Description = "Namespace to look at, such as prod" };

    private static readonly Argument<string[]> Groups = new("group")
    {
        Description = "Groups of settings; all when none is named", Arity = ArgumentArity.ZeroOrMore,
    };

    private static readonly Option<bool> All = new("--all") { Description = "With the keys that are the same" };

    private static readonly Option<bool> Reveal = new("--reveal")
    {
        Description = "With the values of secrets; needs read-secret, and is audited",
    };

    private static readonly Option<string[]> Setting = new("--setting")
    {
        Description = "Only this one; may be given again", HelpName = "GROUP/DATAID",
    };

    private static readonly Option<string[]> Key = new("--key")
    {
        Description = "Only this key, unless the target has changed it", HelpName = "KEY",
    };

    private static readonly Option<string[]> Take = new("--take")
    {
        Description = "Take this key over what the target has of its own", HelpName = "KEY",
    };

    private static readonly Option<string[]> Keep = new("--keep")
    {
        Description = "Leave the target's key, and count the source's as seen", HelpName = "KEY",
    };

    public static ImmutableArray<Command> Create() =>
    [
        new Verb("compare", "Compare the settings of two namespaces key by key.", "compare dev prod shop", CompareAsync)
        {
            From, To, Groups, All, Reveal,
        },
        new Verb("promote", "Take settings, or keys of them, from one namespace to another.",
            "promote dev prod --setting shop/app.yaml --dry-run", PromoteAsync)
        {
            From, To, Groups, Setting, Key, Take, Keep, SharedOptions.DryRun, SharedOptions.Reason,
        },
    ];

    private static async Task<int> CompareAsync(Call call)
    {
        using var connection = call.Connect();
        using var progress = new Progress(call.Terminal, call.Time, "comparing");
        var answer = await connection.GetAsync(PathOf(call, call.Get(All), call.Get(Reveal)), call.Cancellation);
        var comparison = answer.Read(WireJson.Lenient.SettingComparison);
        call.Answer.Print(answer.Document, string.Join(Environment.NewLine, Lines(call.Terminal, comparison)));
        return comparison.Settings.Any(IsDifferent) ? ExitCodes.Fault : ExitCodes.Ok;
    }

    private static string PathOf(Call call, bool same, bool reveal)
    {
        var path = ApiPaths.With(
            "settings-comparison", ("from", call.Required(From)), ("to", call.Required(To)), ("same", same),
            ("reveal", reveal));
        return (call.Get(Groups) ?? []).Aggregate(path, (sofar, group) => ApiPaths.With(sofar, ("group", group)));
    }

    private static bool IsDifferent(SettingDifference setting) => setting.State != "same";

    private static IEnumerable<string> Lines(Terminal terminal, SettingComparison comparison)
    {
        var shown = comparison.Settings.Where(setting =>
            IsDifferent(setting) || setting.Keys is { Count: > 0 }).ToList();
        foreach (var setting in shown)
        {
            var name = $"{setting.Group}/{setting.DataId}";
            var note = setting switch
            {
                { State: "only-in-from" } => $"only in {comparison.From}",
                { State: "only-in-to" } => $"only in {comparison.To}",
                { Keys: null } => "secret, and different",
                { Keys.Count: 0 } => "only its layout or comments differ",
                { Base: { } revision } => $"promoted last at {comparison.From} {revision}",
                _ => "nothing to compare with was promoted before",
            };
            yield return terminal.Bold(name) + terminal.Dim($"  {note}");
            foreach (var line in Keys(terminal, comparison, setting)) yield return line;
        }
        var same = comparison.Settings.Count(setting => !IsDifferent(setting));
        yield return terminal.Dim(
            shown.Count == 0 ? $"no difference in {same} settings" : $"{same} other settings are the same");
    }

    private static IEnumerable<string> Keys(Terminal terminal, SettingComparison comparison, SettingDifference setting)
    {
        var rows = (setting.Keys ?? []).Select(key =>
        {
            var (sign, words, colour) = Describe(key.State, comparison);
            return (Sign: sign, Colour: colour, Cells: new[]
            {
                key.Key.Length == 0 ? "(the text)" : Shown(key.Key, int.MaxValue), words,
                Shown(key.From ?? "-", MaxShown), Shown(key.To ?? "-", MaxShown),
            });
        }).ToList();
        if (rows.Count == 0) yield break;
        string[] heading = ["KEY", "STATE", comparison.From, comparison.To];
        var widths = heading.Select((text, column) => Math.Max(text.Length, rows.Max(row => row.Cells[column].Length)))
            .ToArray();
        yield return terminal.Dim("    " + Join(heading, widths));
        foreach (var row in rows)
        {
            var line = $"  {row.Sign} {Join(row.Cells, widths)}";
            yield return row.Colour == 0 ? terminal.Dim(line) : terminal.Coloured(line, row.Colour);
        }
    }

    private static (char Sign, string Words, int Colour) Describe(string state, SettingComparison comparison) =>
        state switch
        {
            "only-in-from" => ('+', $"only in {comparison.From}", Green),
            "changed-in-from" => ('>', $"changed in {comparison.From}", Green),
            "only-in-to" => ('-', $"only in {comparison.To}", Blue),
            "changed-in-to" => ('<', $"changed in {comparison.To}", Blue),
            "conflict" => ('!', "conflict", Red),
            "changed-alike" => ('=', "changed alike", 0),
            _ => (' ', state, 0),
        };

    private static string Join(string[] cells, int[] widths) =>
        string.Join("  ", cells.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd();

    // A line break or an escape sequence in a value must not forge a row or drive the terminal.
    private static string Shown(string value, int most)
    {
        var line = string.Concat(value.Select(c => char.IsControl(c) ? ' ' : c));
        return line.Length <= most ? line : line[..(most - 1)] + "…";
    }

    private static async Task<int> PromoteAsync(Call call)
    {
        using var connection = call.Connect();
        using var progress = new Progress(call.Terminal, call.Time, "promoting");
        var compared = await connection.GetAsync(PathOf(call, same: false, reveal: false), call.Cancellation);
        var comparison = compared.Read(WireJson.Lenient.SettingComparison);
        var settings = Chosen(call, comparison);
        if (settings.Count == 0)
        {
            call.Answer.Print(null, $"nothing to promote from {comparison.From} to {comparison.To}");
            return ExitCodes.Ok;
        }
        var dryRun = call.Get(SharedOptions.DryRun);
        var request = ApiRequest.Post(
            "settings-promotions",
            new PromotionRequest(
                comparison.From, comparison.To, settings, call.Get(SharedOptions.Reason),
                Guid.CreateVersion7(call.Time.GetUtcNow()), dryRun),
            WireJson.Strict.PromotionRequest);
        var answer = await connection.SendAsync(request, call.Cancellation);
        var done = answer.Read(WireJson.Lenient.PromotionAnswer);
        call.Answer.Print(
            answer.Document,
            string.Join(
                Environment.NewLine, [.. Lines(call.Terminal, done, dryRun), .. ChangeVerbs.Lines(done.Changeset,
                    dryRun)]));
        return ExitCodes.Ok;
    }

    private static List<PromotedSetting> Chosen(Call call, SettingComparison comparison)
    {
        var named = call.Get(Setting) ?? [];
        var keys = (call.Get(Key) ?? []).Select(key => new PromotedKey(key))
            .Concat((call.Get(Take) ?? []).Select(key => new PromotedKey(key, "from")))
            .Concat((call.Get(Keep) ?? []).Select(key => new PromotedKey(key, "to")))
            .ToList();
        if (keys.Count > 0
            && named.Length != 1) throw VerbFailure.Usage("keys are of one setting: name it with --setting");
        foreach (var name in named)
            if (!comparison.Settings.Any(setting => $"{setting.Group}/{setting.DataId}" == name))
                throw VerbFailure.Usage($"neither namespace has a setting {name} that you may read");
        return [.. comparison.Settings
            .Where(setting => named.Length == 0
                ? IsDifferent(setting) && (setting.FromRevision > 0 || IsWithdrawn(setting))
                : named.Contains($"{setting.Group}/{setting.DataId}"))
            .Select(setting => new PromotedSetting(
                setting.Group, setting.DataId, setting.FromRevision, setting.ToRevision, Chosen(call, setting, keys)))];
    }

    // What is in the target alone is its own; what was promoted and is gone from the source is taken away.
    private static bool IsWithdrawn(SettingDifference setting) =>
        setting.Keys?.Any(key => key.State == "changed-in-from") == true;

    /// <summary>Without a key of its own, what is taken or kept comes to all that may be taken anyway.</summary>
    private static List<PromotedKey>? Chosen(Call call, SettingDifference setting, List<PromotedKey> keys)
    {
        if (keys.Count == 0) return null;
        if (call.Get(Key) is { Length: > 0 }) return keys;
        var own = keys.Select(key => key.Key).ToHashSet(StringComparer.OrdinalIgnoreCase);
        return [.. (setting.Keys ?? [])
            .Where(key => key.State is "only-in-from" or "changed-in-from" && !own.Contains(key.Key))
            .Select(key => new PromotedKey(key.Key))
            .Concat(keys)];
    }

    private static IEnumerable<string> Lines(Terminal terminal, PromotionAnswer answer, bool dryRun)
    {
        foreach (var setting in answer.Settings)
        {
            yield return terminal.Bold($"{setting.Group}/{setting.DataId}");
            foreach (var line in setting.Lines ?? [])
            {
                var key = line.Path.Length == 0 ? "(the text)" : line.Path;
                if (line.Before is { } before)
                    yield return terminal.Coloured($"  - {key}: {Shown($"{before}", int.MaxValue)}", Red);
                if (line.After is { } after)
                    yield return terminal.Coloured($"  + {key}: {Shown($"{after}", int.MaxValue)}", Green);
            }
            if (setting.CommentsLost)
                yield return terminal.Coloured("  the comments of the target are lost: it is written anew", Yellow);
            if (!dryRun || setting.Content is null) continue;
            foreach (var line in setting.Content.TrimEnd('\n').Split('\n'))
                yield return terminal.Dim($"  | {Shown(line, int.MaxValue)}");
        }
    }
}
