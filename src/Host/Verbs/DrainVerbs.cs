using System.Collections.Immutable;
using System.CommandLine;
using Groundwork.Host.Api;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Output;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Host.Verbs;

/// <summary><c>drain</c> and <c>undrain</c>.</summary>
internal static class DrainVerbs
{
    /// <summary>One round of the wait: short, so that who is behind is told while it is so.</summary>
    private const string Round = "1s";

    private static readonly Option<int> Wait = new("--wait")
    {
        Description = "Wait so long for the watchers (default: 30)",
        HelpName = "SECONDS",
        DefaultValueFactory = _ => 30,
    };

    public static ImmutableArray<Command> All() =>
    [
        new Verb("drain", "Send no new traffic to an instance, and wait until its callers know.",
            "drain shop/catalog/1 --reason 'new disk'", DrainAsync)
        {
            RegistryName.InstanceArgument, Wait, SharedOptions.Reason,
        },
        new Verb("undrain", "Take a drain back.", "undrain shop/catalog/1", UndrainAsync)
        {
            RegistryName.InstanceArgument, SharedOptions.Reason,
        },
    ];

    /// <summary>Exit code 1 when some watcher has not been told in time: the drain is in force all the same.</summary>
    private static async Task<int> DrainAsync(Call call)
    {
        var key = RegistryName.Instance(call);
        var patience = call.Get(Wait);
        if (patience < 0) throw VerbFailure.Usage("--wait must be 0 or more");
        using var connection = call.Connect();
        var drained = await connection.SendAsync(
            ApiRequest.Post(RegistryName.Path(key, "/drain")) with { Reason = call.Get(SharedOptions.Reason) },
            call.Cancellation);
        var index = drained.Read(WireJson.Lenient.ServiceDocument).Index;
        var started = call.Time.GetTimestamp();
        var told = "";
        while (true)
        {
            var over = call.Time.GetElapsedTime(started).TotalSeconds >= patience;
            var answer = await connection.GetAsync(
                ApiPaths.With(
                    RegistryName.Path(key.Service, "/watchers"), ("index", index), ("wait", over ? "0s" : Round)),
                call.Cancellation);
            var watchers = answer.Read(WireJson.Lenient.WatchersDocument);
            if (watchers.Behind == 0 || over)
            {
                call.Answer.Print(answer.Document, () => Table(watchers));
                Say(call, watchers.Behind == 0
                    ? $"{key} is draining; all {watchers.Watchers} watchers have seen it"
                    : $"{key} is draining, but after {patience} s {Behind(watchers)}");
                return watchers.Behind == 0 ? ExitCodes.Ok : ExitCodes.Fault;
            }
            var line = Behind(watchers);
            if (line != told) Say(call, line);
            told = line;
        }
    }

    private static async Task<int> UndrainAsync(Call call)
    {
        var key = RegistryName.Instance(call);
        using var connection = call.Connect();
        var answer = await connection.SendAsync(
            ApiRequest.Post(RegistryName.Path(key, "/undrain")) with { Reason = call.Get(SharedOptions.Reason) },
            call.Cancellation);
        var status = answer.Read(WireJson.Lenient.ServiceDocument).Instances
            .FirstOrDefault(instance => instance.Id == key.Id)?.Status;
        call.Answer.Print(answer.Document, $"{key} is {status}");
        return ExitCodes.Ok;
    }

    private static string Behind(WatchersDocument watchers)
    {
        var names = (watchers.Items ?? []).Where(watcher => !watcher.Seen).Select(watcher => watcher.Name).ToList();
        return $"{watchers.Behind} of {watchers.Watchers} watchers have not seen it: {string.Join(", ", names)}";
    }

    private static Table Table(WatchersDocument watchers) => (watchers.Items ?? []).Aggregate(
        new Table("WATCHER", "NODE", "SEEN") { Empty = "nobody watches the service" },
        (table, watcher) => table.Add(watcher.Name, watcher.Node, watcher.Seen ? "yes" : "no"));

    private static void Say(Call call, string line) => call.Terminal.Error.WriteLine(line);
}
