using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Registry.Protocols.Consul;

/// <summary>Turns what clients register into what the registry takes, or says what is wrong with it.</summary>
internal static class ConsulRules
{
    /// <summary>Least time of being critical after which a service goes, as Consul has it.</summary>
    public static readonly TimeSpan MinDeregisterAfter = TimeSpan.FromMinutes(1);

    /// <summary>Least time between two looks: each is a connection.</summary>
    public static readonly TimeSpan MinInterval = TimeSpan.FromSeconds(1);

    /// <summary>Longest time between two looks, and longest TTL.</summary>
    private static readonly TimeSpan MaxInterval = TimeSpan.FromDays(1);

    /// <summary>For one look, when the check does not say.</summary>
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Longest time for one look.</summary>
    private static readonly TimeSpan MaxTimeout = TimeSpan.FromMinutes(1);

    /// <summary>A request line of 8 KiB is refused by many servers.</summary>
    private const int MaxUrlLength = 2048;

    /// <summary>Headers of one look.</summary>
    private const int MaxHeaders = 16;

    /// <summary>Looks in a row.</summary>
    private const int MaxInRow = 100;

    /// <summary>Highest share of the traffic, as the registry's weight has it.</summary>
    private const int MaxWeight = RegistryLimits.MaxWeight / 100;

    /// <summary>A service as the registry takes it.</summary>
    /// <param name="id">The instance's id in the registry.</param>
    /// <param name="address">Where the service is: as given, or where the call came from.</param>
    /// <param name="known">What is registered by that id, whose checks keep their states.</param>
    public static Outcome<InstanceDocument> Read(
        ServiceRequest asked, ServiceKey service, string id, string address, ConsulMachine? machine,
        Instance? known, DateTimeOffset now)
    {
        var (passing, warning) = (asked.Weights?.Passing ?? 1, asked.Weights?.Warning ?? 1);
        if (passing is < 0 or > MaxWeight || warning is < 0 or > MaxWeight)
            return Bad($"Weights are 0 to {MaxWeight}");
        var before = known is null ? null : ConsulExtension.Of(known);
        if (!ReadChecks(asked, before).TryGet(out var checks, out var fault)) return fault;
        var hasNoPort = asked.Port is null or 0;
        var kept = new ConsulExtension
        {
            Id = asked.Id ?? asked.Name ?? "",
            HasNoPort = hasNoPort,
            PassingWeight = passing,
            WarningWeight = warning,
            EnableTagOverride = asked.EnableTagOverride ?? false,
            Maintenance = before?.Maintenance,
            Checks = [.. checks.Select(check => check.Definition)],
            Machine = machine,
            TaggedAddresses = Given(asked.TaggedAddresses),
            Kind = string.IsNullOrEmpty(asked.Kind) ? null : asked.Kind,
            Proxy = Given(asked.Proxy),
            Connect = Given(asked.Connect),
        };
        var metadata = asked.Meta?.ToDictionary(entry => entry.Key, entry => entry.Value ?? "", StringComparer.Ordinal);
        return new InstanceDocument(
            service.Service, address, hasNoPort ? 1 : asked.Port ?? 1, service.Namespace, service.Group, id)
        {
            // Without a port nobody can call it: it is shown, and takes no traffic.
            Weight = hasNoPort ? 0 : passing * 100,
            Tags = asked.Tags is { Count: > 0 } tags ? [.. tags.Select(tag => tag ?? "").Distinct()] : null,
            Metadata = metadata,
            Version = Label(metadata, "version"),
            Zone = Label(metadata, "zone"),
            Status = kept.Maintenance is null ? null : InstanceWords.Of(InstanceStatus.OutOfService),
            Ephemeral = false, // It stays until it is deregistered, whatever its checks say.
            // Told to drain it stays so, since it may have been going all the while.
            Incarnation = known is { Status: InstanceStatus.Draining } ? known.Incarnation : null,
            Checks = [.. checks.Select(check => StateOf(check.Definition, check.Status, check.Output, known, now))],
            Extensions = new Dictionary<string, JsonElement>(StringComparer.Ordinal)
            {
                [ConsulExtension.Name] = kept.ToJson(),
            },
        };
    }

    /// <summary>How a check is made, with the state it begins in.</summary>
    /// <param name="id">Its id, unless it has one of its own.</param>
    /// <param name="name">Its name, unless it has one of its own.</param>
    /// <param name="mayRest">True where a check may be one that only others report on, as in the catalog.</param>
    public static Outcome<(ConsulCheck Definition, string? Status, string? Output)> Read(
        CheckRequest asked, string id, string name, bool mayRest = false)
    {
        if (FindUnsupported(asked) is { } unsupported) return unsupported;
        if (asked.Status is { Length: > 0 } status && InstanceWords.Check(status) is null)
            return Bad($"Status must be passing, warning or critical, not '{status}'");
        var own = First(asked.CheckId, asked.Id) ?? id;
        var check = new ConsulCheck(own, First(asked.Name) ?? name)
        {
            Notes = asked.Notes ?? "",
            Successes = Math.Clamp(asked.SuccessBeforePassing ?? 0, 0, MaxInRow),
            Failures = Math.Clamp(asked.FailuresBeforeCritical ?? 0, 0, MaxInRow),
        };
        if (!ReadSpan(asked.DeregisterCriticalServiceAfter, "DeregisterCriticalServiceAfter").TryGet(
            out var after, out var fault)) return fault;
        if (after is { } gone && gone > TimeSpan.Zero)
            check = check with
            {
                DeregisterAfter = Milliseconds(gone < MinDeregisterAfter ? MinDeregisterAfter : gone),
            };
        if (!ReadKind(asked, check).TryGet(out check, out fault)) return fault;
        if (check.Type.Length == 0 && !mayRest) return Bad("Invalid check: TTL must be > 0 or Interval must be > 0");
        return (check, First(asked.Status), asked.Output);
    }

    /// <summary>The state of a check: that which stands, else the one asked for, else critical.</summary>
    public static InstanceCheck StateOf(
        ConsulCheck check, string? status, string? output, Instance? known, DateTimeOffset now)
    {
        var standing = known?.Checks.FirstOrDefault(state => state.Name == check.Id);
        return standing is not null && output is null
            ? new InstanceCheck(
                check.Id, InstanceWords.Of(standing.State), standing.Since, ConsulExtension.Name, standing.Reason)
            : new InstanceCheck(check.Id, status ?? "critical", now, ConsulExtension.Name, Clean(output ?? ""));
    }

    /// <summary>Output as a check's reason: a sentence of text, not a page.</summary>
    public static string Clean(string output) => string.Concat(output.Take(RegistryLimits.MaxReasonLength)
        .Select(c => c == '\0' || char.IsSurrogate(c) ? '?' : c));

    public static Fault Bad(string what) => new(ErrorCodes.BadRequest, what);

    private static Outcome<List<(ConsulCheck Definition, string? Status, string? Output)>> ReadChecks(
        ServiceRequest asked, ConsulExtension? before)
    {
        var wanted = (asked.Checks ?? []).Prepend(asked.Check).OfType<CheckRequest>().ToArray();
        if (wanted.Length > RegistryLimits.MaxChecks)
            return Bad($"A service has at most {RegistryLimits.MaxChecks} checks");
        var id = asked.Id ?? asked.Name;
        var read = new List<(ConsulCheck Definition, string? Status, string? Output)>();
        for (var at = 0; at < wanted.Length; at++)
        {
            var place = wanted.Length == 1
                ? $"service:{id}"
                : string.Create(CultureInfo.InvariantCulture, $"service:{id}:{at + 1}");
            if (!Read(wanted[at], place, $"Service '{asked.Name}' check")
                .TryGet(out var check, out var fault)) return fault;
            if (read.Any(known => known.Definition.Id == check.Definition.Id))
                return Bad($"The check {check.Definition.Id} is there twice");
            read.Add(check);
        }
        // Those that were added beside the service stay with it.
        foreach (var other in before?.Checks ?? [])
            if (read.TrueForAll(known => known.Definition.Id != other.Id)
                && !other.Id.StartsWith($"service:{id}", StringComparison.Ordinal)
                && read.Count < RegistryLimits.MaxChecks) read.Add((other, null, null));
        return read;
    }

    private static Outcome<ConsulCheck> ReadKind(CheckRequest asked, ConsulCheck check)
    {
        if (!ReadSpan(asked.Ttl, "TTL").TryGet(out var ttl, out var fault)) return fault;
        if (!ReadSpan(asked.Interval, "Interval").TryGet(out var interval, out fault)) return fault;
        if (!ReadSpan(asked.Timeout, "Timeout").TryGet(out var timeout, out fault)) return fault;
        var (http, tcp) = (First(asked.Http), First(asked.Tcp));
        if ((ttl is null ? 0 : 1) + (http is null ? 0 : 1) + (tcp is null ? 0 : 1) > 1)
            return Bad("A check has one of TTL, HTTP and TCP");
        if (ttl is { } live)
            return live > TimeSpan.Zero && live <= MaxInterval
                ? check with { Ttl = Milliseconds(live) }
                : Bad("TTL must be above 0 and at most a day");
        if (http is null && tcp is null) return check;
        if (interval is not { } every || every <= TimeSpan.Zero || every > MaxInterval)
            return Bad("Interval must be above 0 and at most a day");
        every = every < MinInterval ? MinInterval : every;
        var patience = timeout is { } given && given > TimeSpan.Zero ? given : DefaultTimeout;
        patience = TimeSpan.FromTicks(Math.Min(patience.Ticks, Math.Min(every.Ticks, MaxTimeout.Ticks)));
        check = check with { Interval = Milliseconds(every), Timeout = (int)Milliseconds(patience) };
        if (tcp is not null)
            return ConsulProbe.ReadTarget(tcp) is null ? Bad($"TCP must be host:port, not '{tcp}'")
                : check with { Tcp = tcp };
        return ReadHttp(asked, check, http!); // Not null: it is either.
    }

    private static Outcome<ConsulCheck> ReadHttp(CheckRequest asked, ConsulCheck check, string url)
    {
        if (url.Length > MaxUrlLength || !Uri.TryCreate(url, UriKind.Absolute, out var parsed)
            || parsed.Scheme is not ("http" or "https") || parsed.UserInfo.Length > 0)
            return Bad("HTTP must be an http or https URL without a user");
        var method = First(asked.Method)?.ToUpperInvariant() ?? "GET";
        // A look must not change what it looks at, least of all somebody else's service.
        if (method is not ("GET" or "HEAD")) return Bad($"Method must be GET or HEAD here, not '{method}'");
        if (asked.Body is { Length: > 0 }) return Bad("A check is made without a Body here");
        if (asked.TlsSkipVerify == true) return Bad("TLSSkipVerify is not supported: certificates are verified");
        var header = asked.Header?.ToDictionary(
            entry => entry.Key,
            IReadOnlyList<string> (entry) => [.. (entry.Value ?? []).Select(value => value ?? "")],
            StringComparer.OrdinalIgnoreCase);
        if (header?.Count > MaxHeaders || header?.Any(entry => !IsHeader(entry.Key, entry.Value)) == true)
            return Bad($"Header has at most {MaxHeaders} names with values of one line");
        return check with { Http = url, Method = method, Header = header is { Count: > 0 } ? header : null };
    }

    private static bool IsHeader(string name, IReadOnlyList<string> values) =>
        name.Length is > 0 and <= RegistryLimits.MaxLabelLength
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
        && !name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase)
        && !name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase)
        && values.All(value => value.Length <= MaxUrlLength && value.All(c => c is >= ' ' and <= '~'));

    private static Fault? FindUnsupported(CheckRequest asked)
    {
        (string Name, JsonElement? Value)[] kinds =
        [
            ("Script", asked.Script), ("Args", asked.Args), ("DockerContainerID", asked.DockerContainerId),
            ("DockerContainerID", asked.OldDockerContainerId), ("GRPC", asked.Grpc), ("H2PING", asked.H2Ping),
            ("UDP", asked.Udp), ("AliasNode", asked.AliasNode), ("AliasService", asked.AliasService),
        ];
        foreach (var (name, value) in kinds)
            if (value is { ValueKind: not (JsonValueKind.Null or JsonValueKind.Undefined) } given
                && !(given.ValueKind == JsonValueKind.String && given.GetString() is ""))
                return Bad($"Checks by {name} are not supported: use TTL, HTTP or TCP");
        return null;
    }

    // Text as Go writes it, or a number of nanoseconds.
    private static Outcome<TimeSpan?> ReadSpan(JsonElement? value, string name)
    {
        switch (value?.ValueKind)
        {
            case null or JsonValueKind.Null or JsonValueKind.Undefined:
                return (TimeSpan?)null;
            case JsonValueKind.String when value.Value.GetString() is "":
                return (TimeSpan?)null;
            case JsonValueKind.String when GoDuration.Parse(value.Value.GetString()) is { } span:
                return (TimeSpan?)span;
            case JsonValueKind.Number when value.Value.TryGetInt64(out var nanoseconds) && nanoseconds >= 0:
                return (TimeSpan?)TimeSpan.FromTicks(nanoseconds / TimeSpan.NanosecondsPerTick);
            default:
                return Bad($"{name} is no span of time such as 10s");
        }
    }

    private static JsonElement? Given(JsonElement? value) =>
        value is { ValueKind: not (JsonValueKind.Null or JsonValueKind.Undefined) } ? value : null;

    private static string? First(params ReadOnlySpan<string?> texts)
    {
        foreach (var text in texts)
            if (!string.IsNullOrEmpty(text)) return text;
        return null;
    }

    private static string? Label(Dictionary<string, string>? metadata, string name) =>
        metadata?.GetValueOrDefault(name) is { Length: > 0 and <= RegistryLimits.MaxLabelLength } label
            && !label.Any(char.IsControl) ? label : null;

    private static long Milliseconds(TimeSpan span) => Math.Max(1, (long)span.TotalMilliseconds);
}
