using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Groundwork.Host.Api;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Output;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Host.Verbs;

/// <summary><c>get</c>, <c>list</c> and <c>export</c>.</summary>
internal static class ReadVerbs
{
    /// <summary>Resources per request; the API's own bound.</summary>
    private const int PageSize = 1000;

    private static readonly Option<long?> AsOf = new("--as-of")
    {
        Description = "As it was at this revision", HelpName = "R",
    };

    private static readonly Option<bool> Reveal = new("--reveal")
    {
        Description = "Show secrets in clear (audited; needs the verb read-secret)",
    };

    private static readonly Option<string[]> Label = new("--label")
    {
        Description = "Only with this label; may be given again", HelpName = "KEY=VALUE",
    };

    private static readonly Option<string?> Prefix = new("--prefix")
    {
        Description = "Only names that start so", HelpName = "TEXT",
    };

    private static readonly Argument<string?> OptionalKind = new("kind")
    {
        Description = "Kind; without one, all kinds", Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<string?> OnlyNamespace = new("--namespace", "-n")
    {
        Description = "Only this namespace (_: node-wide kinds)", HelpName = "NAMESPACE",
    };

    public static ImmutableArray<Command> All() =>
    [
        new Verb("get", "Show one resource.", "get setting catalog/app.yaml -o yaml", GetAsync)
        {
            ResourceName.KindArgument, ResourceName.NameArgument, SharedOptions.Namespace, AsOf, Reveal,
        },
        new Verb("list", "List the resources of a kind, or the kinds.", "list route -n default", ListAsync)
        {
            OptionalKind, OnlyNamespace, Prefix, Label, AsOf, SharedOptions.Limit,
        },
        new Verb(
            "export", "Write resources as YAML that 'apply' takes back.", "export setting > settings.yaml", ExportAsync)
        {
            OptionalKind, OnlyNamespace,
        },
    ];

    private static async Task<int> GetAsync(Call call)
    {
        using var connection = call.Connect();
        var name = await ResourceName.FromAsync(call, connection);
        var path = ApiPaths.With(name.Path("resources"), ("asOf", call.Get(AsOf)), ("reveal", call.Get(Reveal)));
        var answer = await connection.GetAsync(path, call.Cancellation);
        var resource = answer.Read(WireJson.Lenient.ResourceDocument);
        call.Answer.Print(answer.Document, () => ToTable([resource]));
        if (call.Answer.IsTable && resource.Spec is { } spec)
            call.Terminal.Out.Write($"\n{YamlWriter.Write(JsonNode.Parse(spec.GetRawText()))}");
        return ExitCodes.Ok;
    }

    private static async Task<int> ListAsync(Call call)
    {
        using var connection = call.Connect();
        if (call.Get(OptionalKind) is not { } kind) return await ListKindsAsync(call, connection);
        var wanted = call.Get(SharedOptions.Limit);
        if (wanted < 1) throw VerbFailure.Usage("--limit must be 1 or more");
        var items = new JsonArray();
        var resources = new List<ResourceDocument>();
        var revision = 0L;
        for (string? page = null; ;)
        {
            var path = ApiPaths.With(
                $"resources/{Uri.EscapeDataString(kind)}",
                ("namespace", Typed(call)), ("prefix", call.Get(Prefix)), ("asOf", call.Get(AsOf)),
                ("limit", Math.Min(PageSize, wanted - resources.Count)), ("page", page));
            path = (call.Get(Label) ?? [])
                .Aggregate(path, (address, label) => ApiPaths.With(address, ("label", label)));
            var answer = await connection.GetAsync(path, call.Cancellation);
            var list = answer.Read(WireJson.Lenient.ResourceList);
            revision = list.Revision;
            resources.AddRange(list.Items);
            foreach (var item in answer.Document?["items"]?.AsArray() ?? []) items.Add(item?.DeepClone());
            page = list.NextPage;
            if (page is null || resources.Count >= wanted) break;
        }
        call.Answer.Print(new JsonObject { ["revision"] = revision, ["items"] = items }, () => ToTable(resources));
        return ExitCodes.Ok;
    }

    private static async Task<int> ListKindsAsync(Call call, ApiConnection connection)
    {
        var answer = await connection.GetAsync("kinds", call.Cancellation);
        var kinds = answer.Read(WireJson.Lenient.IReadOnlyListKindDocument);
        call.Answer.Print(answer.Document, () => kinds.Aggregate(
            new Table("KIND", "VERSION", "MODULE", "NAMESPACED", "RESIDENCY", "SUMMARY"),
            (table, kind) => table.Add(
                kind.Name, Text(kind.Version), kind.Module, kind.Namespaced
                    ? "yes"
                    : "no", kind.Residency, kind.Summary)));
        return ExitCodes.Ok;
    }

    /// <summary>Streams: an export may be larger than our memory.</summary>
    private static async Task<int> ExportAsync(Call call)
    {
        using var connection = call.Connect();
        using var progress = new Progress(call.Terminal, call.Time, "exporting");
        var path = ApiPaths.With("export", ("kind", call.Get(OptionalKind)), ("namespace", Typed(call)));
        using var answer = await connection.OpenAsync(ApiRequest.Get(path), call.Cancellation);
        var json = call.Parsed.GetValue(SharedOptions.Output) == OutputFormat.Json;
        var output = call.Terminal.Out;
        try
        {
            using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync(call.Cancellation));
            var first = true;
            while (await lines.ReadLineAsync(call.Cancellation) is { } line)
            {
                if (line.Length == 0) continue;
                var resource = Applicable(JsonNode.Parse(line)?.AsObject() ?? []);
                if (json) output.Write($"{(first ? "[" : ",")}\n{Answer.ToJson(resource, indented: false)}");
                else output.Write($"{(first ? "" : "---\n")}{YamlWriter.Write(resource)}");
                first = false;
            }
            if (json) output.WriteLine(first ? "[]" : "\n]");
        }
        catch (HttpRequestException fault)
        {
            throw connection.BrokenOff(fault);
        }
        return ExitCodes.Ok;
    }

    /// <summary>Without what a write ignores, so that two exports differ only where something differs.</summary>
    private static JsonObject Applicable(JsonObject resource)
    {
        foreach (var member in (string[])["revision", "changedBy", "changedAt"]) resource.Remove(member);
        return resource;
    }

    internal static Table ToTable(IEnumerable<ResourceDocument> resources) => resources.Aggregate(
        new Table("KIND", "NAMESPACE", "NAME", "REVISION", "CHANGED", "BY"),
        (table, resource) => table.Add(
            resource.Kind, resource.Namespace, resource.Name, Text(resource.Revision),
            Text(resource.ChangedAt), resource.ChangedBy));

    internal static string Text(long? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "";

    /// <summary>Times are UTC everywhere, so that two people read the same.</summary>
    internal static string Text(DateTimeOffset? time) =>
        time?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "";

    private static string? Typed(Call call) =>
        call.Get(OnlyNamespace) is { } typed && ResourceName.Checked(typed) is { } checkedOne
        ? checkedOne.Length == 0 ? Names.NodeWide : checkedOne
        : null;
}
