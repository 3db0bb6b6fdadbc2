using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Groundwork.Communication.Gateway.Routing;

/// <summary>What a route asks of a request besides host, path and method: all of it must hold.</summary>
internal sealed class RouteConditions
{
    private readonly ImmutableArray<FieldCondition> fields;
    private readonly ImmutableArray<IPNetwork> clients; // Empty: anybody.
    private readonly TimeWindow? time;

    private RouteConditions(
        ImmutableArray<FieldCondition> fields, ImmutableArray<IPNetwork> clients, TimeWindow? time, string text)
    {
        this.fields = fields;
        this.clients = clients;
        this.time = time;
        Text = text;
        Count = fields.Length + (clients.IsEmpty ? 0 : 1) + (time is null ? 0 : 1);
    }

    public static RouteConditions None { get; } = new([], [], null, "");

    /// <summary>How many there are; all networks together are one.</summary>
    public int Count { get; }

    /// <summary>For people, and the same for conditions that say the same.</summary>
    public string Text { get; }

    /// <summary>False for conditions that this version does not understand.</summary>
    public static bool TryCompile(MatchSpec spec, [NotNullWhen(true)] out RouteConditions? conditions)
    {
        conditions = null;
        var about = ImmutableArray.CreateBuilder<FieldCondition>();
        if (!TryAdd(about, FieldPlace.Header, spec.Headers) || !TryAdd(about, FieldPlace.Query, spec.Query)
            || !TryAdd(about, FieldPlace.Cookie, spec.Cookies)) return false;
        var networks = ImmutableArray.CreateBuilder<IPNetwork>();
        foreach (var text in spec.Clients ?? [])
        {
            if (!MatchRules.TryReadNetwork(text, out var network)) return false;
            networks.Add(network);
        }
        TimeWindow? window = null;
        if (spec.Time is { } when && !TimeWindow.TryCompile(when, out window)) return false;
        var words = about.Select(field => field.Text).Order(StringComparer.Ordinal)
            .Concat(networks.Count == 0
                ? []
                : [$"client in {string.Join(' ', networks.Select(one => $"{one}").Order(StringComparer.Ordinal))}"])
            .Concat(window is null ? [] : [window.Text]);
        conditions = new RouteConditions(about.ToImmutable(), networks.ToImmutable(), window, string.Join(", ", words));
        return true;
    }

    public bool Hold(in RequestView view)
    {
        foreach (var field in fields)
            if (!field.Holds(view)) return false;
        return (clients.IsEmpty || IsClient(view.Client)) && (time is null || time.Holds(view.Time));
    }

    /// <summary>Those that do not hold, in words.</summary>
    public IEnumerable<string> Unmet(RequestView view)
    {
        var unmet = new List<string>();
        foreach (var field in fields)
            if (!field.Holds(view)) unmet.Add(field.Text);
        if (!clients.IsEmpty && !IsClient(view.Client)) unmet.Add($"client in {string.Join(' ', clients)}");
        if (time is not null && !time.Holds(view.Time)) unmet.Add(time.Text);
        return unmet;
    }

    /// <summary>True when these hold wherever the others do: they are some of them.</summary>
    public bool Cover(RouteConditions others) =>
        fields.All(field => others.fields.Any(other => other.Text == field.Text))
        && (clients.IsEmpty || clients.ToHashSet().SetEquals(others.clients))
        && (time is null || time.Text == others.time?.Text);

    private bool IsClient(IPAddress? client)
    {
        if (client is null) return false;
        foreach (var network in clients)
            if (network.Contains(client)) return true;
        return false;
    }

    private static bool TryAdd(
        ImmutableArray<FieldCondition>.Builder fields, FieldPlace place, IReadOnlyList<FieldMatch>? specs)
    {
        foreach (var spec in specs ?? [])
        {
            if (!FieldCondition.TryCompile(place, spec, out var field)) return false;
            fields.Add(field);
        }
        return true;
    }
}
