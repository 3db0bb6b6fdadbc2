using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Groundwork.Host.Api;
using Groundwork.Host.CommandLine;
using Groundwork.Wire;

namespace Groundwork.Host.Verbs;

/// <summary><c>watch</c>: every change as it happens, without gap or repeat across lost connections.</summary>
internal static class WatchVerb
{
    private static readonly Argument<string?> Kind = new("kind")
    {
        Description = "Kind; without one, all kinds", Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<string?> Namespace = new("--namespace", "-n")
    {
        Description = "Only this namespace (_: node-wide kinds)", HelpName = "NAMESPACE",
    };

    private static readonly Option<string?> Prefix = new("--prefix")
    {
        Description = "Only names that start so", HelpName = "TEXT",
    };

    private static readonly Option<long?> After = new("--after")
    {
        Description = "Start after this revision (default: now)", HelpName = "R",
    };

    private static readonly Option<string?> Token = new("--token")
    {
        Description = "Resume after an event, by the token it carried", HelpName = "TOKEN",
    };

    private static readonly Option<int?> Count = new("--count")
    {
        Description = "End after so many changes", HelpName = "N",
    };

    public static Command Create() =>
        new Verb("watch", "Follow changes as they happen; Ctrl-C ends it.", "watch setting -o json", RunAsync)
        {
            Kind, Namespace, Prefix, After, Token, Count,
        };

    private static async Task<int> RunAsync(Call call)
    {
        using var connection = call.Connect();
        var @namespace = ResourceName.Checked(call.Get(Namespace));
        var path = ApiPaths.With(
            "watch",
            ("kind", call.Get(Kind)), ("namespace", @namespace is "" ? Names.NodeWide : @namespace),
            ("prefix", call.Get(Prefix)), ("after", call.Get(After)), ("token", call.Get(Token)));
        var stream = new EventStream(connection, call.Time)
        {
            Notice = text => call.Terminal.Error.WriteLine($"groundwork: {text}"),
        };
        var left = call.Get(Count) ?? int.MaxValue;
        await foreach (var item in stream.ReadAsync(path, call.Get(Token), call.Cancellation))
        {
            if (item.EventType != "change") continue;
            call.Answer.PrintNext(JsonNode.Parse(item.Data), () => Line(item.Data));
            if (--left <= 0) return ExitCodes.Ok;
        }
        return ExitCodes.Ok;
    }

    private static string Line(string data)
    {
        try
        {
            if (JsonSerializer.Deserialize(data, WireJson.Lenient.WatchEvent) is not { } change) return data;
            var resource = change.Resource;
            var name = ResourceName.Of(resource);
            return $"{change.Revision}  {change.Operation,-6}  {name}  {resource.ChangedBy}".TrimEnd();
        }
        catch (JsonException)
        {
            return data; // A node of another version says it differently; the event is still worth showing.
        }
    }
}
