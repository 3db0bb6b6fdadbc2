using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway;

/// <summary>What a route's match must be, with the limits that keep one request's search short.</summary>
internal static class MatchRules
{
    /// <summary>Hosts of one route.</summary>
    public const int MaxHosts = 64;

    /// <summary>Methods of one route: there are about a dozen in use.</summary>
    public const int MaxMethods = 16;

    /// <summary>Characters of a method: the longest registered one has 17.</summary>
    public const int MaxMethodLength = 24;

    /// <summary>Conditions of one route on headers, and as many on the query and on cookies.</summary>
    public const int MaxFields = 16;

    /// <summary>Values of one condition.</summary>
    public const int MaxValues = 32;

    /// <summary>Characters of a name or a value in a condition.</summary>
    public const int MaxTextLength = 256;

    /// <summary>Networks of one route: they are gone through for each request.</summary>
    public const int MaxNetworks = 64;

    /// <summary>Days of the week as they are written, in the order of <see cref="DayOfWeek"/>.</summary>
    public static ImmutableArray<string> Days { get; } = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

    public static void Check(MatchSpec spec, ICollection<FieldFault> faults)
    {
        CheckHosts(spec.Hosts, faults);
        if (PathPattern.Explain(spec.Path) is { } wrong) faults.Add(new FieldFault("spec.match.path", wrong));
        CheckMethods(spec.Methods, faults);
        CheckFields("spec.match.headers", FieldPlace.Header, spec.Headers, faults);
        CheckFields("spec.match.query", FieldPlace.Query, spec.Query, faults);
        CheckFields("spec.match.cookies", FieldPlace.Cookie, spec.Cookies, faults);
        CheckClients(spec.Clients, faults);
        if (spec.Time is { } time) CheckTime(time, faults);
    }

    /// <summary>What is wrong with a condition on a field, and with which of its own fields; null when nothing
    /// is.</summary>
    public static (string Field, string Wrong)? Explain(FieldPlace place, FieldMatch spec)
    {
        if (!IsName(place, spec.Name))
            return (".name", place == FieldPlace.Query
                ? $"must have 1 to {MaxTextLength} characters"
                : $"must be a token of 1 to {MaxTextLength} characters");
        var said = (spec.Values is null ? 0 : 1) + (spec.Prefix is null ? 0 : 1) + (spec.Pattern is null ? 0 : 1)
            + (spec.Present is null ? 0 : 1);
        if (said != 1) return ("", "must have exactly one of values, prefix, pattern and present");
        if (spec.Values is { Count: 0 or > MaxValues }) return (".values", $"must have 1 to {MaxValues} values");
        if (spec.Values?.Any(value => value.Length > MaxTextLength) == true)
            return (".values", $"has one longer than {MaxTextLength} characters");
        if (spec.Prefix is { Length: 0 or > MaxTextLength })
            return (".prefix", $"must have 1 to {MaxTextLength} characters");
        return spec.Pattern is { } pattern && PathPattern.ExplainExpression(pattern) is { } wrong
            ? (".pattern", wrong)
            : null;
    }

    /// <summary>Reads <c>10.0.0.0/8</c> or a single address. The address must be the network's first.</summary>
    public static bool TryReadNetwork(string text, out IPNetwork network)
    {
        network = default;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash >= 0)
            return IPNetwork.TryParse(text, out network) && IPAddress.TryParse(text.AsSpan(0, slash), out var first)
                && network.BaseAddress.Equals(first); // The framework would cut 10.1.2.3/8 down in silence.
        if (!IPAddress.TryParse(text, out var address) || address.IsIPv4MappedToIPv6) return false;
        network = new IPNetwork(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);
        return true;
    }

    /// <summary>True for the name of a header field (RFC 9110, 5.6.2).</summary>
    public static bool IsToken(string text) =>
        text.Length is > 0 and <= MaxTextLength
        && text.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal));

    private static bool IsName(FieldPlace place, string name) =>
        place == FieldPlace.Query ? name.Length is > 0 and <= MaxTextLength : IsToken(name);

    private static void CheckHosts(IReadOnlyList<string> hosts, ICollection<FieldFault> faults)
    {
        if (hosts.Count is 0 or > MaxHosts)
            faults.Add(
                new FieldFault("spec.match.hosts", $"must have 1 to {MaxHosts} hosts; write \"*\" to serve any"));
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var index = 0; index < hosts.Count; index++)
        {
            if (HostPattern.Explain(hosts[index]) is { } wrong)
                faults.Add(new FieldFault($"spec.match.hosts[{index}]", wrong));
            else if (!seen.Add(hosts[index]))
                faults.Add(new FieldFault($"spec.match.hosts[{index}]", $"'{hosts[index]}' stands here twice"));
        }
    }

    private static void CheckMethods(IReadOnlyList<string>? methods, ICollection<FieldFault> faults)
    {
        if (methods is null) return;
        if (methods.Count is 0 or > MaxMethods)
            faults.Add(new FieldFault(
                "spec.match.methods", $"must have 1 to {MaxMethods} methods; leave it out to serve all"));
        for (var index = 0; index < methods.Count; index++)
        {
            var method = methods[index];
            if (method is "CONNECT" or "TRACE")
                faults.Add(new FieldFault($"spec.match.methods[{index}]", $"{method} is never forwarded"));
            else if (method.Length is 0 or > MaxMethodLength
                || !method.All(c => char.IsAsciiLetterUpper(c) || c == '-'))
                faults.Add(new FieldFault($"spec.match.methods[{index}]", "must be a method in capitals, such as GET"));
        }
    }

    public static void CheckFields(
        string path, FieldPlace place, IReadOnlyList<FieldMatch>? fields, ICollection<FieldFault> faults)
    {
        if (fields is null) return;
        if (fields.Count is 0 or > MaxFields)
            faults.Add(new FieldFault(path, $"must have 1 to {MaxFields} conditions"));
        for (var index = 0; index < fields.Count; index++)
            if (Explain(place, fields[index]) is var (field, wrong))
                faults.Add(new FieldFault($"{path}[{index}]{field}", wrong));
    }

    private static void CheckClients(IReadOnlyList<string>? clients, ICollection<FieldFault> faults)
    {
        if (clients is null) return;
        if (clients.Count is 0 or > MaxNetworks)
            faults.Add(new FieldFault("spec.match.clients", $"must have 1 to {MaxNetworks} networks"));
        for (var index = 0; index < clients.Count; index++)
            if (!TryReadNetwork(clients[index], out _))
                faults.Add(new FieldFault(
                    $"spec.match.clients[{index}]", "must be a network, such as 10.0.0.0/8, or an address"));
    }

    private static void CheckTime(TimeMatch time, ICollection<FieldFault> faults)
    {
        const string at = "spec.match.time";
        if (!TimeWindow.TryReadZone(time.Zone, out _))
            faults.Add(new FieldFault($"{at}.zone", "must be a place as IANA names it, such as Europe/Berlin"));
        if (time.Days is { } days)
        {
            if (days.Count == 0 || days.Any(day => !Days.Contains(day)) || days.Distinct().Count() < days.Count)
                faults.Add(new FieldFault($"{at}.days", $"must be some of {string.Join(", ", Days)}, each once"));
        }
        if (!TimeWindow.TryReadMinute(time.From, 0, out var from))
            faults.Add(new FieldFault($"{at}.from", "must be a time of day, such as 08:30"));
        else if (TimeWindow.TryReadMinute(time.To, -1, out var to) && from == to)
            faults.Add(new FieldFault($"{at}.to", "must not be the same as from"));
        if (!TimeWindow.TryReadMinute(time.To, 0, out _))
            faults.Add(new FieldFault($"{at}.to", "must be a time of day, such as 18:00"));
        if (!TimeWindow.TryReadTime(time.Begins, DateTime.MinValue, out var begins))
            faults.Add(new FieldFault($"{at}.begins", "must be a time such as 2026-12-24T18:00"));
        if (!TimeWindow.TryReadTime(time.Ends, DateTime.MaxValue, out var ends))
            faults.Add(new FieldFault($"{at}.ends", "must be a time such as 2026-12-27T00:00"));
        else if (ends <= begins) faults.Add(new FieldFault($"{at}.ends", "must be after begins"));
        if (time is { Days: null, From: null, To: null, Begins: null, Ends: null })
            faults.Add(new FieldFault(at, "must have one of days, from, to, begins and ends"));
    }
}
