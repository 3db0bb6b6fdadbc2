using System.Globalization;
using System.Text;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Hosting.Streaming;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings.Readers;
using Groundwork.Services.Settings.Releases;
using Groundwork.Wire;
using Groundwork.Wire.Nacos;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.Settings.Protocols.Nacos;

/// <summary>
/// The long poll: a client names configurations with the hash of what it has, and is answered with the names of those
/// that are not so any more, when there are some, or with nothing when its time is up.
/// </summary>
internal sealed class NacosListener(
    ISnapshotSource snapshots,
    ParkedPolls parked,
    SettingContents contents,
    GrayReleases releases,
    Authorizer authorizer,
    SettingAccess access,
    LiveReaders readers,
    TimeProvider time,
    CancellationToken ending)
{
    private const char FieldEnd = '\u0002';
    private const char RecordEnd = '\u0001';

    /// <summary>Some clients hash an empty text, and some say that they have none.</summary>
    private static readonly string EmptyHash = NacosSettings.HashOf("");

    /// <summary>A poll that comes while the node drains is held so long, for its client asks again at once.</summary>
    private static readonly TimeSpan HoldAtEnd = TimeSpan.FromSeconds(1);

    /// <summary>A poll is woken again so soon after its time is up: the first waking may have met it at work.</summary>
    private static readonly TimeSpan AlarmAgain = TimeSpan.FromSeconds(1);

    public async Task<Fault?> ListenAsync(NacosConfigCall call)
    {
        if (!ReadKeys(call.Form["Listening-Configs"]).TryGet(out var keys, out var fault)) return fault;
        var readable = keys.Where(key => authorizer.Allows(call.Caller, Verb.Read, key.Setting)).ToArray();
        // What may not be read never changes for the caller; who may read nothing of it is told.
        if (readable.Length == 0 && access.Check(call.Context, Verb.Read, keys[0].Setting) is { } refused)
            return refused;
        var reader = call.Reader();
        var poll = new ParkedPoll(readable, reader.Address ?? "");
        if (!parked.Park(poll))
        {
            return new Fault(
                ErrorCodes.Overloaded, $"{NacosConfigLimits.MaxParked} polls wait already, which is the limit.");
        }
        try
        {
            var groups = readable.Select(key => SettingKind.Split(key.Setting.Name)?.Group ?? "")
                .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Take(SettingSelection.MaxGroups);
            using var connection = readers.Begin(
                reader, new SettingSelection(readable[0].Setting.Namespace, [.. groups]));
            connection?.See();
            var found = await WaitAsync(call.Context, poll, reader, HoldOf(call.Context.Request));
            if (!found.TryGet(out var changed, out fault)) return fault;
            if (call.Context.RequestAborted.IsCancellationRequested) return null;
            await AnswerAsync(call.Context, changed);
            return null;
        }
        finally
        {
            parked.Leave(poll);
        }
    }

    /// <summary>Who waits for a configuration, and with which text: by address, on this node.</summary>
    public Task<Fault?> ShowListenersAsync(NacosConfigCall call)
    {
        if (!call.Key().TryGet(out var key, out var fault)) return Task.FromResult<Fault?>(fault);
        if (access.Check(call.Context, Verb.Read, key) is { } refused) return Task.FromResult<Fault?>(refused);
        var listeners = parked.Of(key)
            .SelectMany(poll => poll.Keys.Where(one => one.Setting == key).Select(one => (poll.Address, one.Hash)))
            .DistinctBy(one => one.Address, StringComparer.Ordinal)
            .Take(NacosConfigLimits.MaxPageSize);
        return Answered(call.JsonAsync(json =>
        {
            json.WriteStartObject();
            json.WriteNumber("collectStatus", StatusCodes.Status200OK);
            // Spelt as Nacos spells it.
            json.WriteStartObject("lisentersGroupkeyStatus");
            foreach (var (address, hash) in listeners) json.WriteString(address, hash);
            json.WriteEndObject();
            json.WriteEndObject();
        }));

        static async Task<Fault?> Answered(Task answer)
        {
            await answer;
            return null;
        }
    }

    /// <summary>The records of a poll: <c>dataId ␂ group ␂ md5 [␂ tenant] ␁</c> each.</summary>
    internal static Outcome<ListenedKey[]> ReadKeys(string? text)
    {
        if (string.IsNullOrEmpty(text)) return NacosSettings.Missing("Listening-Configs");
        var keys = new List<ListenedKey>();
        var rest = text.AsSpan();
        Span<Range> fields = stackalloc Range[5];
        while (!rest.IsEmpty)
        {
            var end = rest.IndexOf(RecordEnd);
            var record = end < 0 ? rest : rest[..end];
            rest = end < 0 ? [] : rest[(end + 1)..];
            if (record.IsEmpty) continue;
            if (keys.Count == NacosConfigLimits.MaxKeysPerPoll)
                return new Fault(
                    ErrorCodes.BadRequest, $"A poll names at most {NacosConfigLimits.MaxKeysPerPoll} configurations.");
            var count = record.Split(fields, FieldEnd);
            if (count is not (3 or 4))
                return new Fault(ErrorCodes.BadRequest, "A record of 'Listening-Configs' has three or four fields.");
            var (dataId, group) = (record[fields[0]].ToString(), record[fields[1]].ToString());
            var tenant = count == 4 ? record[fields[3]].ToString() : null;
            if (!NacosSettings.Key(tenant, group, dataId).TryGet(out var key, out var fault)) return fault;
            var echo = count == 4
                ? $"{dataId}{FieldEnd}{group}{FieldEnd}{tenant}{RecordEnd}"
                : $"{dataId}{FieldEnd}{group}{RecordEnd}";
            keys.Add(new ListenedKey(key, record[fields[2]].ToString(), echo));
        }
        return keys.Count == 0 ? NacosSettings.Missing("Listening-Configs") : keys.ToArray();
    }

    /// <summary>How long to wait; zero: answer at once, which who sends no header wants.</summary>
    internal static TimeSpan HoldOf(HttpRequest request)
    {
        if (request.Headers["Long-Pulling-Timeout-No-Hangup"].ToString()
            .Equals("true", StringComparison.OrdinalIgnoreCase)) return TimeSpan.Zero;
        if (!int.TryParse(
            request.Headers["Long-Pulling-Timeout"].ToString(), NumberStyles.None, CultureInfo.InvariantCulture,
            out var milliseconds)) return TimeSpan.Zero;
        var hold = TimeSpan.FromMilliseconds(milliseconds) - NacosConfigLimits.AnswerEarly;
        if (hold < NacosConfigLimits.MinHold) return NacosConfigLimits.MinHold;
        return hold > NacosConfigLimits.MaxHold ? NacosConfigLimits.MaxHold : hold;
    }

    private async Task<Outcome<List<ListenedKey>>> WaitAsync(
        HttpContext context, ParkedPoll poll, SettingCaller reader, TimeSpan hold)
    {
        var started = time.GetTimestamp();
        var isEnding = ending.IsCancellationRequested;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(
            context.RequestAborted, isEnding ? CancellationToken.None : ending);
        if (isEnding && hold > HoldAtEnd) hold = HoldAtEnd;
        using var atEnd = poll.Changed.EndWith(stop.Token);
        await using var alarm = time.CreateTimer(
            static wait => ((StreamWait?)wait)?.Remind(), poll.Changed, Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
        while (true)
        {
            var found = await FindChangedAsync(poll.Keys, reader, context.RequestAborted);
            if (!found.TryGet(out var changed, out var fault)) return fault;
            var left = hold - time.GetElapsedTime(started);
            if (changed.Count > 0 || left <= TimeSpan.Zero || stop.IsCancellationRequested) return changed;
            alarm.Change(left, AlarmAgain);
            await poll.Changed.WaitAsync();
        }
    }

    private async ValueTask<Outcome<List<ListenedKey>>> FindChangedAsync(
        IReadOnlyList<ListenedKey> keys, SettingCaller reader, CancellationToken cancellationToken)
    {
        var now = snapshots.Current;
        var found = await releases.AtAsync(now, cancellationToken);
        if (!found.TryGet(out var inForce, out var fault)) return fault;
        var changed = new List<ListenedKey>();
        foreach (var key in keys)
        {
            var hash = "";
            if (now.Find(key.Setting) is { } setting)
            {
                var read = await HashAsync(inForce.Choose(setting, reader.Reader), reader, cancellationToken);
                if (!read.TryGet(out var current, out fault)) return fault;
                if (current is null) continue; // A secret that is not the caller's, not even by its hash.
                hash = current;
            }
            if (hash != (key.Hash == EmptyHash ? "" : key.Hash)) changed.Add(key);
        }
        return changed;
    }

    /// <summary>
    /// The hash of a version; empty of an empty text, which clients take for none; null of a secret that the caller may
    /// not read.
    /// </summary>
    private async ValueTask<Outcome<string?>> HashAsync(
        SettingVersion version, SettingCaller reader, CancellationToken cancellationToken)
    {
        // Secrets are in no cache: what is known here is none.
        if (NacosSettings.KnownHashOf(version) is { } known) return known;
        var read = await contents.ReadAsync(version, cancellationToken);
        if (!read.TryGet(out var text, out var fault)) return fault;
        if (!text.Secret) return text.Content.Length == 0 ? "" : NacosSettings.HashOf(version, text.Content);
        return authorizer.Allows(reader.Principal, Verb.ReadSecret, version.Setting.Key)
            ? NacosSettings.HashOf(text.Content)
            : (string?)null;
    }

    /// <summary>The names as the client sent them, percent-encoded: its decoder takes no plus for a blank.</summary>
    private static Task AnswerAsync(HttpContext context, List<ListenedKey> changed)
    {
        var text = new StringBuilder();
        foreach (var key in changed) text.Append(Uri.EscapeDataString(key.Echo));
        return FormCall.AnswerAsync(
            context, StatusCodes.Status200OK, NacosReply.TextType, Encoding.ASCII.GetBytes(text.ToString()));
    }
}
