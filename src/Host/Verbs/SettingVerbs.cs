using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Groundwork.Host.Api;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Output;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Host.Verbs;

/// <summary><c>release</c>, <c>receipts</c>, <c>readers</c> and <c>blast-radius</c>: whom settings reach.</summary>
internal static class SettingVerbs
{
    private const string ReleaseKind = "gray-release";

    /// <summary>Between two looks at receipts: short beside what a process takes to apply a setting.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    private static readonly Argument<string> Setting = new("setting")
    {
        Description = "Setting, such as catalog/app.yaml",
    };

    private static readonly Argument<string?> AnySetting = new("setting")
    {
        Description = "Only readers of this setting", Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Argument<string> Release = new("release") { Description = "Name of the gray release" };

    private static readonly Option<long?> Revision = new("--revision")
    {
        Description = "A publication of the setting or of a gray release (default: what is meant for each now)",
        HelpName = "R",
    };

    private static readonly Option<string?> Wait = new("--wait")
    {
        Description = "Wait so long, such as 10s, until nobody is old", HelpName = "TIME",
    };

    private static readonly Option<string[]> Keys = new("--key")
    {
        Description = "Configuration key that would change; may be given again", HelpName = "KEY",
    };

    private static readonly Option<decimal?> Percent = new("--percent")
    {
        Description = "Of a gray release that is planned", HelpName = "P",
    };

    private static readonly Option<string[]> Labels = new("--label")
    {
        Description = "The same; may be given again", HelpName = "K=V",
    };

    private static readonly Option<string[]> Instances = new("--instance")
    {
        Description = "The same: service/id or service/*; may be given again", HelpName = "NAME",
    };

    private static readonly Option<string?> Planned = new("--release")
    {
        Description = "Its name, which decides who is in the percentage", HelpName = "NAME",
    };

    public static ImmutableArray<Command> All() =>
    [
        new Verb("release", "List gray releases, or make the text of one the setting's.", "release list", run: null)
        {
            new Verb("list", "List the gray releases of a namespace.", "release list -n shop", ListAsync)
            {
                SharedOptions.Namespace,
            },
            new Verb("promote", "Make a gray release's text the setting's, and end the release.",
                "release promote eu-prices --reason 'no complaints'", PromoteAsync)
            {
                Release, SharedOptions.Namespace, SharedOptions.DryRun, SharedOptions.Reason,
            },
        },
        new Verb("receipts", "Show what became of a setting at each of its readers.",
            "receipts catalog/app.yaml --wait 10s", ReceiptsAsync)
        {
            Setting, SharedOptions.Namespace, Revision, Wait,
        },
        new Verb("readers", "List who reads settings, and which keys.", "readers catalog/app.yaml", ReadersAsync)
        {
            AnySetting, SharedOptions.Namespace,
        },
        new Verb("blast-radius", "Show whom a change of a setting would reach.",
            "blast-radius catalog/app.yaml --key Price --percent 10", BlastAsync)
        {
            Setting, SharedOptions.Namespace, Keys, Percent, Labels, Instances, Planned,
        },
    ];

    private static string Namespace(Call call) =>
        ResourceName.Checked(call.Get(SharedOptions.Namespace)) is { Length: > 0 } named
            ? named
            : Names.DefaultNamespace;

    private static string Checked(string setting) => Names.IsName(setting) && setting.Contains('/')
        ? setting
        : throw VerbFailure.Usage($"'{setting}' is not a setting: group/dataId, such as catalog/app.yaml");

    private static async Task<int> ListAsync(Call call)
    {
        using var connection = call.Connect();
        var listed = await connection.GetAsync(
            ApiPaths.With($"resources/{ReleaseKind}", ("namespace", Namespace(call)), ("limit", 1000)),
            call.Cancellation);
        var releases = new List<(ResourceDocument Resource, GrayReleaseSpec Spec)>();
        foreach (var item in listed.Read(WireJson.Lenient.ResourceList).Items)
        {
            // A list leaves out the specs of what may be large.
            var name = new ResourceName(ReleaseKind, item.Namespace ?? "", item.Name);
            var answer = await connection.GetAsync(name.Path("resources"), call.Cancellation);
            var resource = answer.Read(WireJson.Lenient.ResourceDocument);
            releases.Add((resource, GrayText.Read(resource)));
        }
        call.Answer.Print(listed.Document, () => releases
            .OrderBy(release => release.Spec.Setting, StringComparer.Ordinal)
            .ThenByDescending(release => release.Spec.Priority)
            .Aggregate(
                new Table("RELEASE", "SETTING", "TO", "PRIORITY", "REVISION", "BY") { Empty = "no gray release" },
                (table, release) => table.Add(
                    release.Resource.Name, release.Spec.Setting, GrayText.Receivers(release.Spec.To),
                    ReadVerbs.Text(release.Spec.Priority), ReadVerbs.Text(release.Resource.Revision),
                    release.Resource.ChangedBy)));
        return ExitCodes.Ok;
    }

    private static async Task<int> PromoteAsync(Call call)
    {
        using var connection = call.Connect();
        var dryRun = call.Get(SharedOptions.DryRun);
        var release = $"{ApiPaths.Namespace(Namespace(call))}/{ApiPaths.Name(call.Required(Release))}";
        var request = ApiRequest.Post(ApiPaths.With($"gray-releases/{release}/promote", ("dryRun", dryRun))) with
        {
            Reason = call.Get(SharedOptions.Reason),
        };
        var answer = await connection.SendAsync(request, call.Cancellation);
        ChangeVerbs.Print(call, answer.Read(WireJson.Lenient.ChangesetAnswer), dryRun);
        return ExitCodes.Ok;
    }

    private static async Task<int> ReceiptsAsync(Call call)
    {
        var path = ApiPaths.With(
            $"receipts/{ApiPaths.Namespace(Namespace(call))}/{ApiPaths.Name(Checked(call.Required(Setting)))}",
            ("revision", call.Get(Revision)));
        var patience = TimeSpan.FromSeconds(AccessVerbs.Seconds(call.Get(Wait)) ?? 0);
        using var connection = call.Connect();
        var started = call.Time.GetTimestamp();
        ApiAnswer answer;
        SettingReceipts receipts;
        using (var progress = new Progress(call.Terminal, call.Time, "waiting for readers"))
        {
            while (true)
            {
                answer = await connection.GetAsync(path, call.Cancellation);
                receipts = answer.Read(WireJson.Lenient.SettingReceipts);
                if (receipts.Old == 0 || call.Time.GetElapsedTime(started) >= patience) break;
                await Task.Delay(LookEvery, call.Time, call.Cancellation);
            }
        }
        call.Answer.Print(answer.Document, () => receipts.Readers.Aggregate(
            new Table(
                "SERVICE", "INSTANCE", "STATE", "REVISION", "RELEASE", "HAS", "SENT", "CONFIRMED", "NODE", "ERROR")
            {
                Empty = "nobody reads it",
            },
            (table, line) => table.Add(
                line.Service, line.Instance, line.State, ReadVerbs.Text(line.Revision), line.Release,
                ReadVerbs.Text(line.HasRevision), ReadVerbs.Text(line.SentAt), ReadVerbs.Text(line.ConfirmedAt),
                line.Node, line.Error)));
        if (call.Answer.IsTable)
        {
            call.Terminal.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{receipts.Applied} applied, {receipts.Rejected} rejected, {receipts.Delivered} delivered, "
                + $"{receipts.Old} old"));
        }
        var unfinished = receipts.Old > 0 && call.Get(Wait) is not null;
        return receipts.Rejected > 0 || unfinished ? ExitCodes.Fault : ExitCodes.Ok;
    }

    private static async Task<int> ReadersAsync(Call call)
    {
        using var connection = call.Connect();
        var setting = call.Get(AnySetting) is { } named ? Checked(named) : null;
        var answer = await connection.GetAsync(
            ApiPaths.With($"readers/{ApiPaths.Namespace(Namespace(call))}", ("setting", setting)), call.Cancellation);
        var readers = answer.Read(WireJson.Lenient.ReaderList);
        call.Answer.Print(answer.Document, () => readers.Items.Aggregate(
            new Table("SERVICE", "INSTANCE", "LIVE", "RECEIPTS", "LAST SEEN", "NODE", "GROUPS", "KEYS READ")
            {
                Empty = "nobody reads settings here and says who it is",
            },
            (table, reader) => table.Add(
                reader.Service, reader.Instance, reader.Live ? "yes" : "no", reader.SendsReceipts ? "yes" : "no",
                ReadVerbs.Text(reader.LastSeen), reader.Node,
                reader.Groups.Count == 0 ? "all" : string.Join(' ', reader.Groups),
                ReadVerbs.Text(reader.Keys.Values.Sum(keys => keys.Count)))));
        return ExitCodes.Ok;
    }

    private static async Task<int> BlastAsync(Call call)
    {
        var labels = call.Get(Labels) is { Length: > 0 } pairs ? pairs.Select(Pair).ToList() : null;
        if (labels is not null && labels.DistinctBy(pair => pair.Key).Count() != labels.Count)
            throw VerbFailure.Usage("--label names a key twice");
        var to = new GrayReceivers(
            call.Get(Instances) is { Length: > 0 } instances ? instances : null,
            labels?.ToDictionary(pair => pair.Key, pair => pair.Value),
            call.Get(Percent));
        var request = new BlastRadiusRequest(
            Checked(call.Required(Setting)),
            call.Get(Keys) is { Length: > 0 } keys ? keys : null,
            to == new GrayReceivers() ? null : to,
            call.Get(Planned));
        using var connection = call.Connect();
        var answer = await connection.SendAsync(
            ApiRequest.Post(
                $"settings/{ApiPaths.Namespace(Namespace(call))}/blast-radius", request,
                WireJson.Strict.BlastRadiusRequest),
            call.Cancellation);
        var radius = answer.Read(WireJson.Lenient.BlastRadius);
        call.Answer.Print(answer.Document, () => radius.Readers.Aggregate(
            new Table("SERVICE", "INSTANCE", "GETS IT", "LIVE", "LAST SEEN", "HAS RELEASE", "KEYS READ")
            {
                Empty = "nobody reads it",
            },
            (table, reader) => table.Add(
                reader.Service, reader.Instance, reader.Receives ? "yes" : "no", reader.Live ? "yes" : "no",
                ReadVerbs.Text(reader.LastSeen), reader.Release, string.Join(' ', reader.Keys))));
        if (call.Answer.IsTable)
        {
            call.Terminal.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{radius.Receivers} of {radius.Readers.Count} readers in {radius.Services.Count} services get it"));
        }
        return ExitCodes.Ok;
    }

    private static KeyValuePair<string, string> Pair(string text)
    {
        var split = text.IndexOf('=', StringComparison.Ordinal);
        return split > 0
            ? new(text[..split], text[(split + 1)..])
            : throw VerbFailure.Usage($"--label is key=value, not '{text}'");
    }
}
