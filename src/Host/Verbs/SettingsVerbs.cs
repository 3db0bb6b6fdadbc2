using System.CommandLine;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Groundwork.Host.Api;
using Groundwork.Host.Archives;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Output;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Host.Verbs;

/// <summary><c>settings export</c> and <c>settings import</c>: settings as files, and back as one changeset.</summary>
internal static class SettingsVerbs
{
    private const string Fail = "fail";
    private const string Skip = "skip";
    private const string Overwrite = "overwrite";
    private const string Stdout = "-";

    private static readonly Argument<string> To = new("path")
    {
        Description = "A new folder or file; - for standard output, but for a folder",
    };

    private static readonly Argument<string> From = new("path") { Description = "A folder or a zip of settings" };

    private static readonly Option<string[]> Group = new("--group")
    {
        Description = "Only this group; may be given again", HelpName = "GROUP",
    };

    private static readonly Option<string> As = Choice(
        "--as", "folder, zip, configmap or secret (default: folder)", "FORM", "folder", "zip", "configmap", "secret");

    private static readonly Option<string> Conflict = Choice(
        "--conflict", "Of one that differs: fail, skip or overwrite (default: fail)", "WAY", Fail, Skip, Overwrite);

    private static readonly Option<bool> Reveal = new("--reveal")
    {
        Description = "With the texts of secrets; needs read-secret, and is audited",
    };

    private static readonly Option<bool> Prune = new("--prune")
    {
        Description = "Delete what is in these groups and not in the files",
    };

    public static Command Create() =>
        new Verb("settings", "Settings as files: folders, zips and Kubernetes YAML.", "settings export shop -n dev",
            run: null)
        {
            new Verb("export", "Write settings to files.", "settings export shop.zip -n dev --group shop --as zip",
                ExportAsync)
            {
                To, SharedOptions.Namespace, Group, As, Reveal,
            },
            new Verb("import", "Publish the settings of files, all or none.",
                "settings import shop.zip -n prod --dry-run",
                ImportAsync)
            {
                From, SharedOptions.Namespace, Conflict, Prune, SharedOptions.DryRun, SharedOptions.Reason,
            },
        };

    private static Option<string> Choice(string name, string description, string help, params string[] values)
    {
        var option = new Option<string>(name)
        {
            Description = description, HelpName = help, DefaultValueFactory = _ => values[0],
        };
        return option.AcceptOnlyFromAmong(values);
    }

    private static async Task<int> ExportAsync(Call call)
    {
        var @namespace = call.Get(SharedOptions.Namespace) ?? Names.DefaultNamespace;
        var groups = call.Get(Group) ?? [];
        var form = call.Required(As);
        if (form is "configmap" or "secret" && groups.Length != 1)
            throw VerbFailure.Usage($"a {form} is one group: name it with --group");
        using var connection = call.Connect();
        using var progress = new Progress(call.Terminal, call.Time, "reading settings");
        var settings = new List<ArchivedSetting>();
        foreach (var found in await ListAsync(call, connection, @namespace))
        {
            var setting = ToArchived(found);
            if (groups.Length > 0 && !groups.Contains(setting.Group)) continue;
            if (form == "configmap" && (bool?)setting.Spec["secret"] == true)
                throw VerbFailure.Usage($"{setting.Name} is a secret, which does not belong into a ConfigMap");
            settings.Add(setting.Text is null && call.Get(Reveal)
                ? ToArchived(await RevealAsync(call, connection, found))
                : setting);
        }
        if (settings.Count == 0) throw new VerbFailure(ExitCodes.Fault, "there are no settings to export");
        var path = call.Required(To);
        Write(call, path, form, @namespace, settings);
        if (path != Stdout)
            call.Answer.Print(
                new JsonObject { ["settings"] = settings.Count, ["path"] = path },
                $"{settings.Count} settings of {@namespace} are in {path}");
        return ExitCodes.Ok;
    }

    private static void Write(
        Call call, string path, string form, string @namespace, IReadOnlyList<ArchivedSetting> settings)
    {
        var full = Path.GetFullPath(path, call.Surroundings.WorkingDirectory);
        try
        {
            if (form == "folder")
            {
                if (path == Stdout) throw VerbFailure.Usage("a folder cannot be written to standard output");
                ArchiveFiles.WriteFolder(full, SettingArchive.ToFiles(@namespace, settings));
                return;
            }
            using var output = path == Stdout
                ? call.Terminal.OpenOutput()
                : new FileStream(full, FileMode.CreateNew, FileAccess.Write);
            if (form == "zip")
            {
                using var archive = new MemoryStream();
                ArchiveFiles.WriteZip(archive, SettingArchive.ToFiles(@namespace, settings));
                output.Write(archive.GetBuffer(), 0, (int)archive.Length);
                return;
            }
            var manifest = KubernetesManifest.Of(
                form == "secret" ? "Secret" : "ConfigMap", settings[0].Group, settings);
            output.Write(Encoding.UTF8.GetBytes(YamlWriter.Write(manifest)));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw VerbFailure.Usage($"{path} cannot be written: {fault.Message}");
        }
    }

    private static async Task<int> ImportAsync(Call call)
    {
        var @namespace = call.Get(SharedOptions.Namespace) ?? Names.DefaultNamespace;
        var archived = SettingArchive.FromFiles(ArchiveFiles.Read(
            Path.GetFullPath(call.Required(From), call.Surroundings.WorkingDirectory)));
        if (archived.IsEmpty) throw VerbFailure.Usage("there are no settings in it");
        using var connection = call.Connect();
        using var progress = new Progress(call.Terminal, call.Time, "importing settings");
        var live = (await ListAsync(call, connection, @namespace)).ToDictionary(
            one => one.Name, StringComparer.Ordinal);
        var puts = archived.Select(setting => new ChangeDocument("put", ToResource(@namespace, setting))).ToList();
        // The node says itself what would change: it knows secrets, and what makes two texts the same.
        var preview = await ChangeVerbs.SendAsync(
            connection, new ChangesetRequest(puts, DryRun: true), call.Cancellation);
        var results = preview.Changes.ToDictionary(change => change.Name, change =>
            change.Result, StringComparer.Ordinal);
        var differing = archived.Where(one => results.GetValueOrDefault(one.Name) == "updated").ToList();
        var way = call.Required(Conflict);
        if (differing.Count > 0 && way == Fail)
        {
            throw new VerbFailure(
                ExitCodes.Conflict,
                $"{differing.Count} settings of {@namespace} differ and nothing was changed; "
                + "say --conflict skip, or overwrite")
            {
                Details = [.. differing.Select(one => one.Name)],
            };
        }
        var changes = puts
            .Where(put => results.GetValueOrDefault(put.Resource.Name) is var result
                && result != "unchanged" && (result != "updated" || way == Overwrite))
            .Select(put => put with { Expect = live.GetValueOrDefault(put.Resource.Name)?.Revision ?? 0 })
            .Concat(call.Get(Prune) ? Pruned(archived, live.Values) : [])
            .ToList();
        var dryRun = call.Get(SharedOptions.DryRun);
        if (changes.Count == 0)
        {
            call.Answer.Print(
                JsonSerializer.SerializeToNode(preview with { Changes = [] }, WireJson.Strict.ChangesetAnswer),
                $"{@namespace} has these {archived.Length} settings as they are; nothing to change");
            return ExitCodes.Ok;
        }
        var request = new ChangesetRequest(
            changes, call.Get(SharedOptions.Reason) ?? $"import of {call.Required(From)}",
            Guid.CreateVersion7(call.Time.GetUtcNow()), dryRun);
        ChangeVerbs.Print(call, await ChangeVerbs.SendAsync(connection, request, call.Cancellation), dryRun);
        return ExitCodes.Ok;
    }

    private static IEnumerable<ChangeDocument> Pruned(
        IReadOnlyList<ArchivedSetting> archived, IEnumerable<ResourceDocument> live)
    {
        var names = archived.Select(one => one.Name).ToHashSet(StringComparer.Ordinal);
        var groups = archived.Select(one => one.Group).ToHashSet(StringComparer.Ordinal);
        return live
            .Where(one => !names.Contains(one.Name) && groups.Contains(one.Name.Split('/')[0]))
            .Select(one => new ChangeDocument(
                "delete", new ResourceDocument(one.Kind, one.Name, one.Namespace), one.Revision));
    }

    private static async Task<List<ResourceDocument>> ListAsync(
        Call call, ApiConnection connection, string @namespace)
    {
        var answer = await connection.GetAsync(
            ApiPaths.With("export", ("kind", "setting"), ("namespace", @namespace)), call.Cancellation);
        var settings = new List<ResourceDocument>();
        foreach (var line in Encoding.UTF8.GetString(answer.Body).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            settings.Add(JsonSerializer.Deserialize(line, WireJson.Lenient.ResourceDocument)
                ?? throw new VerbFailure(ExitCodes.Fault, "the node exported a setting that is null"));
        return settings;
    }

    private static async Task<ResourceDocument> RevealAsync(
        Call call, ApiConnection connection, ResourceDocument setting)
    {
        var path = ApiPaths.Resource("resources", setting.Kind, setting.Namespace ?? "", setting.Name);
        var answer = await connection.GetAsync(ApiPaths.With(path, ("reveal", true)), call.Cancellation);
        return answer.Read(WireJson.Lenient.ResourceDocument);
    }

    private static ArchivedSetting ToArchived(ResourceDocument resource) => new(
        resource.Name,
        resource.Spec is { } spec && JsonNode.Parse(spec.GetRawText()) is JsonObject read
            ? read
            : throw new VerbFailure(ExitCodes.Fault, $"the node exported {resource.Name} without a spec"),
        resource.Labels is { Count: > 0 } labels
            ? new JsonObject(labels.Select(label => KeyValuePair.Create(label.Key, (JsonNode?)label.Value)))
            : null);

    private static ResourceDocument ToResource(string @namespace, ArchivedSetting setting) => new(
        "setting",
        setting.Name,
        @namespace,
        Labels: setting.Labels?.ToDictionary(
            label => label.Key, label => label.Value?.ToString() ?? "", StringComparer.Ordinal),
        Spec: JsonSerializer.SerializeToElement(setting.Spec));
}
