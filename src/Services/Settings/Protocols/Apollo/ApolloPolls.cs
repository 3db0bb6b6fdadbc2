using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Wire;

namespace Groundwork.Services.Settings.Protocols.Apollo;

/// <summary>A namespace that a client asks about, and what it knows of it.</summary>
internal sealed record ApolloNotification(
    string NamespaceName, long NotificationId, ApolloMessages? Messages = null);

/// <summary>The newest change of each place that a namespace is looked for in.</summary>
internal sealed record ApolloMessages(IReadOnlyDictionary<string, long> Details);

/// <summary>Long polls: each waits until one of the namespaces that it names has changed.</summary>
internal sealed class ApolloPolls(
    ApolloNews news, ApolloConfigs configs, ISnapshotSource snapshots, Authorizer authorizer, TimeProvider time)
{
    /// <summary>How long a poll without news lasts; clients wait ten seconds longer.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Polls that wait at once, as many as event streams are meant for.</summary>
    public const int MaxParked = 10_000;

    /// <summary>Namespaces of one poll; a large application has some dozen.</summary>
    public const int MaxNamespaces = 200;

    /// <summary>
    /// A client that goes on asking with nothing known is answered no sooner than after this: one that reads namespaces
    /// of JSON never learns its number, and would ask as fast as it is answered.
    /// </summary>
    public static readonly TimeSpan RepeatAfter = TimeSpan.FromSeconds(1);

    /// <summary>How long an answer to such a question is remembered.</summary>
    private static readonly TimeSpan Repeats = TimeSpan.FromSeconds(5);

    /// <summary>Such clients that are remembered; beyond, all are forgotten.</summary>
    private const int MaxRemembered = 10_000;

    private readonly ConcurrentDictionary<string, long> answered = new(StringComparer.Ordinal);
    private int parked; // Interlocked.

    /// <summary>What is new; empty when the time is up without news.</summary>
    /// <param name="asked">What the client knows.</param>
    public async Task<Outcome<ApolloNotification[]>> PollAsync(
        SettingCaller caller, IReadOnlyList<(ApolloName Name, long Id)> asked, CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref parked) > MaxParked)
        {
            Interlocked.Decrement(ref parked);
            await Task.Delay(RepeatAfter, time, cancellationToken);
            return new Fault(ErrorCodes.ReadQueueFull, $"{MaxParked} polls wait already.");
        }
        try
        {
            var begun = time.GetTimestamp();
            var repeat = await DelayRepeatAsync(caller, asked, cancellationToken);
            var keys = asked.SelectMany(one => one.Name.WatchKeys).Select(one => one.Key)
                .Distinct(StringComparer.OrdinalIgnoreCase).ToList();
            using var wait = news.Wait(keys);
            while (true)
            {
                var answer = Answer(caller.Principal, asked);
                if (answer.Length > 0)
                {
                    if (repeat is not null) Note(repeat);
                    return answer;
                }
                var left = Patience - time.GetElapsedTime(begun);
                if (left <= TimeSpan.Zero || !await wait.WaitAsync(left, time, cancellationToken)) return answer;
                // A credential may have ended meanwhile.
                if (authorizer.Refresh(caller.Principal, time.GetUtcNow()) is not { } principal)
                    return new Fault(ErrorCodes.Unauthenticated, "The credential of this poll has ended.");
                caller = caller with { Principal = principal };
            }
        }
        finally
        {
            Interlocked.Decrement(ref parked);
        }
    }

    private ApolloNotification[] Answer(Principal caller, IReadOnlyList<(ApolloName Name, long Id)> asked)
    {
        var now = snapshots.Current;
        var answer = new List<ApolloNotification>();
        foreach (var (name, id) in asked)
        {
            var details = DetailsOf(now, caller, name, id);
            if (details.Count == 0) continue;
            var latest = details.Values.Max();
            if (latest > id)
                answer.Add(new ApolloNotification(name.Namespace, latest, new ApolloMessages(details)));
        }
        return [.. answer];
    }

    private Dictionary<string, long> DetailsOf(Snapshot now, Principal caller, ApolloName name, long known)
    {
        var details = new Dictionary<string, long>(StringComparer.Ordinal);
        var keys = name.WatchKeys.ToArray();
        var at = 0;
        foreach (var cluster in name.Clusters)
        {
            foreach (var group in name.Groups)
            {
                var (key, message) = keys[at++];
                var change = news.ChangeOf(key);
                if (change is not null && !authorizer.Allows(caller, Verb.Read, change.Setting)) change = null;
                // What is gone is news to those who may have seen it.
                if (configs.Has(now, caller, name, cluster, group))
                    details[message] = Math.Max(change?.Revision ?? 0, news.Floor);
                else if (change is not null && known > 0) details[message] = change.Revision;
            }
        }
        // It was there when the client learned its number, and went before this node started.
        if (details.Count == 0 && known > 0) details[keys[0].Message] = news.Floor;
        return details;
    }

    private async ValueTask<string?> DelayRepeatAsync(
        SettingCaller caller, IReadOnlyList<(ApolloName Name, long Id)> asked, CancellationToken cancellationToken)
    {
        if (!asked.Any(one => one.Id <= 0)) return null;
        var key = string.Join('\n', asked.Where(one => one.Id <= 0)
            .Select(one => $"{caller.Address} {one.Name.AppId} {one.Name.Clusters[0]} {one.Name.Namespace}"));
        if (answered.TryGetValue(key, out var last) && time.GetElapsedTime(last) < Repeats)
            await Task.Delay(RepeatAfter, time, cancellationToken);
        return key;
    }

    private void Note(string repeat)
    {
        if (answered.Count >= MaxRemembered) answered.Clear();
        answered[repeat] = time.GetTimestamp();
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, PropertyNameCaseInsensitive = true)]
[JsonSerializable(typeof(List<ApolloNotification?>))]
[JsonSerializable(typeof(ApolloNotification[]))]
[JsonSerializable(typeof(ApolloMessages))]
internal sealed partial class ApolloJson : JsonSerializerContext;
