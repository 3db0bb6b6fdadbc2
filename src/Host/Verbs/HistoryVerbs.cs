using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Groundwork.Host.Api;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Output;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Host.Verbs;

/// <summary><c>history</c>, <c>diff</c>, <c>rollback</c> and <c>revert</c>.</summary>
internal static class HistoryVerbs
{
    private static readonly Argument<string?> Kind = new("kind")
    {
        Description = ResourceName.KindArgument.Description, Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Argument<string?> Name = new("name")
    {
        Description = ResourceName.NameArgument.Description, Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Argument<long> Revision = new(
        "revision") { Description = "Revision of the changeset", HelpName = "R" };

    private static readonly Option<string?> Author = new("--author")
    {
        Description = "Only changesets of this principal, such as operator:alice", HelpName = "NAME",
    };

    private static readonly Option<long?> From = new("--from")
    {
        Description = "Older revision (default: the one before --to)", HelpName = "R",
    };

    private static readonly Option<long?> To = new(
        "--to") { Description = "Newer revision (default: now)", HelpName = "R" };

    private static readonly Option<long> BackTo = new("--to")
    {
        Description = "Revision whose content comes back", HelpName = "R", Required = true,
    };

    private static readonly Option<string[]> Files = new("--file", "-f")
    {
        Description = "Compare files with what is live: what 'apply' would change", HelpName = "FILE",
    };

    private static readonly Option<bool> ExitCode = new("--exit-code")
    {
        Description = $"Exit with {ExitCodes.Different} when there are differences",
    };

    public static ImmutableArray<Command> All() =>
    [
        new Verb("history", "Show the versions of a resource, or the latest changesets.",
            "history setting catalog/app.yaml", HistoryAsync)
        {
            Kind, Name, SharedOptions.Namespace, Author, SharedOptions.Limit,
        },
        new Verb(
            "diff", "Compare two revisions of a resource, or files with what is live.", "diff -f shop.yaml", DiffAsync)
        {
            Kind, Name, SharedOptions.Namespace, From, To, Files, ExitCode,
        },
        new Verb("rollback", "Write the content that a resource had at a revision.", "rollback route shop --to 41",
            RollbackAsync)
        {
            ResourceName.KindArgument, ResourceName.NameArgument, SharedOptions.Namespace, BackTo,
            SharedOptions.DryRun, SharedOptions.Reason,
        },
        new Verb("revert", "Undo one changeset, unless something it touched changed since.", "revert 42", RevertAsync)
        {
            Revision, SharedOptions.DryRun, SharedOptions.Reason,
        },
    ];

    private static async Task<int> HistoryAsync(Call call)
    {
        using var connection = call.Connect();
        if (call.Get(Kind) is not { } kind) return await TimelineAsync(call, connection);
        if (call.Get(Name) is not { } typed) throw VerbFailure.Usage("history takes KIND NAME, or neither");
        var name = await ResourceName.FromAsync(call, connection, kind, typed);
        var answer = await connection.GetAsync(
            ApiPaths.With(name.Path("history"), ("limit", call.Get(SharedOptions.Limit))), call.Cancellation);
        var history = answer.Read(WireJson.Lenient.HistoryList);
        call.Answer.Print(answer.Document, () => history.Items.Aggregate(
            new Table("REVISION", "OPERATION", "AT", "BY", "REASON"),
            (table, entry) => table.Add(
                ReadVerbs.Text(
                    entry.Revision), entry.Operation, ReadVerbs.Text(entry.At), entry.Author, entry.Reason)));
        return ExitCodes.Ok;
    }

    private static async Task<int> TimelineAsync(Call call, ApiConnection connection)
    {
        var answer = await connection.GetAsync(
            ApiPaths.With(
                "changesets", ("author", call.Get(Author)), ("limit", call.Get(SharedOptions.Limit))),
            call.Cancellation);
        var list = answer.Read(WireJson.Lenient.ChangesetList);
        call.Answer.Print(answer.Document, () => list.Items.Aggregate(
            new Table("REVISION", "AT", "BY", "CHANGES", "REASON"),
            (table, changeset) => table.Add(
                ReadVerbs.Text(changeset.Revision), ReadVerbs.Text(changeset.At), changeset.Author,
                Summary(changeset), changeset.Reason)));
        return ExitCodes.Ok;
    }

    private static string Summary(ChangesetDocument changeset)
    {
        const int Shown = 3; // More do not fit a line; -o json has them all.
        var names = changeset.Changes.Take(Shown)
            .Select(entry => $"{entry.Operation} {ResourceName.Of(entry.Resource)}");
        var more = changeset.Changes.Count - Shown;
        return string.Join(", ", names) + (more > 0 ? $" and {more} more" : "");
    }

    private static async Task<int> DiffAsync(Call call)
    {
        var files = call.Get(Files) ?? [];
        if (files.Length == 0 == (call.Get(Name) is null)) throw VerbFailure.Usage("diff takes KIND NAME, or -f FILE");
        if (files.Length > 0 && (call.Get(From) ?? call.Get(To)) is not null)
            throw VerbFailure.Usage("--from and --to go with KIND NAME, not with -f");
        var differences = files.Length > 0 ? await DiffFilesAsync(call, files) : await DiffRevisionsAsync(call);
        return differences && call.Get(ExitCode) ? ExitCodes.Different : ExitCodes.Ok;
    }

    private static async Task<bool> DiffRevisionsAsync(Call call)
    {
        using var connection = call.Connect();
        var name = await ResourceName.FromAsync(call, connection, call.Get(Kind)!, call.Get(Name)!); // Both, or none.
        var from = call.Get(From) ?? await PreviousAsync(call, connection, name);
        var answer = await connection.GetAsync(
            ApiPaths.With(name.Path("diff"), ("from", from), ("to", call.Get(To))), call.Cancellation);
        var diff = answer.Read(WireJson.Lenient.ResourceDiff);
        call.Answer.Print(answer.Document, Lines(call.Terminal, diff));
        return diff.Lines.Count > 0;
    }

    /// <summary>The version before the newest, or before <c>--to</c>.</summary>
    private static async Task<long> PreviousAsync(Call call, ApiConnection connection, ResourceName name)
    {
        const int Enough = 1000; // The API's page; an older version must be named.
        var to = call.Get(To) ?? long.MaxValue;
        var answer = await connection.GetAsync(
            ApiPaths.With(name.Path("history"), ("limit", call.Get(To) is null ? 2 : Enough)), call.Cancellation);
        var versions = answer.Read(WireJson.Lenient.HistoryList).Items.Where(entry => entry.Revision <= to).ToList();
        return versions.Count >= 2
            ? versions[1].Revision
            : throw VerbFailure.Usage($"{name} has no version before that one; name it with --from");
    }

    private static async Task<bool> DiffFilesAsync(Call call, string[] files)
    {
        var filed = ResourceFiles.Read(call.Surroundings, files);
        using var connection = call.Connect();
        using var progress = new Progress(call.Terminal, call.Time, "comparing");
        var diffs = new List<ResourceDiff>();
        foreach (var wanted in filed.Select(entry => entry.Resource))
        {
            var name = ResourceName.Of(wanted);
            if (wanted.Namespace is null)
                name = await ResourceName.FromAsync(call, connection, wanted.Kind, wanted.Name);
            var live = await FindAsync(connection, name, call.Cancellation);
            var lines = JsonDifference.Between(Comparable(live), Comparable(wanted));
            diffs.Add(new ResourceDiff(name.Kind, name.Namespace, name.Name, live?.Revision ?? 0, 0, lines));
        }
        var document = new JsonArray([.. diffs.Select(diff =>
            JsonSerializer.SerializeToNode(diff, WireJson.Strict.ResourceDiff))]);
        call.Answer.Print(document, string.Join(Environment.NewLine, diffs.Select(diff => Lines(call.Terminal, diff))));
        return diffs.Exists(diff => diff.Lines.Count > 0);
    }

    private static async Task<ResourceDocument?> FindAsync(
        ApiConnection connection, ResourceName name, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await connection.GetAsync(name.Path("resources"), cancellationToken);
            return answer.Read(WireJson.Lenient.ResourceDocument);
        }
        catch (ProblemFailure failure) when (failure.Problem.Code == ErrorCodes.ResourceNotFound.Code)
        {
            return null;
        }
    }

    /// <summary>What an author writes: the spec, and the labels where the file has some.</summary>
    private static JsonObject? Comparable(ResourceDocument? resource)
    {
        if (resource is null) return null;
        var result = new JsonObject
        {
            ["spec"] = resource.Spec is { } spec ? JsonNode.Parse(spec.GetRawText()) : null,
        };
        if (resource.Labels is { Count: > 0 } labels)
            result["labels"] = new JsonObject(
                labels.Select(label => KeyValuePair.Create(label.Key, (JsonNode?)label.Value)));
        return result;
    }

    private static string Lines(Terminal terminal, ResourceDiff diff)
    {
        const int Red = 31;
        const int Green = 32;
        var name = new ResourceName(diff.Kind, diff.Namespace, diff.Name);
        if (diff.Lines.Count == 0) return $"{name}: no difference";
        var lines = new List<string> { terminal.Bold($"{name}") };
        foreach (var line in diff.Lines)
        {
            if (line.Before is { } before) lines.Add(terminal.Coloured($"  - {line.Path}: {Shown(before)}", Red));
            if (line.After is { } after) lines.Add(terminal.Coloured($"  + {line.Path}: {Shown(after)}", Green));
        }
        return string.Join(Environment.NewLine, lines);
    }

    private static string Shown(JsonElement value) =>
        Answer.ToJson(JsonNode.Parse(value.GetRawText()), indented: false);

    private static async Task<int> RollbackAsync(Call call)
    {
        using var connection = call.Connect();
        var name = await ResourceName.FromAsync(call, connection);
        return await ChangeAsync(call, connection, ApiPaths.With(name.Path("rollback"), ("to", call.Required(BackTo))));
    }

    private static async Task<int> RevertAsync(Call call)
    {
        using var connection = call.Connect();
        return await ChangeAsync(call, connection, $"changesets/{call.Required(Revision)}/revert");
    }

    private static async Task<int> ChangeAsync(Call call, ApiConnection connection, string path)
    {
        var dryRun = call.Get(SharedOptions.DryRun);
        var request = ApiRequest.Post(
            ApiPaths.With(path, ("dryRun", dryRun))) with { Reason = call.Get(SharedOptions.Reason) };
        var answer = await connection.SendAsync(request, call.Cancellation);
        ChangeVerbs.Print(call, answer.Read(WireJson.Lenient.ChangesetAnswer), dryRun);
        return ExitCodes.Ok;
    }
}
