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
        var fields = ImmutableArray.CreateBuilder<FieldCondition>();
        if (!TryAdd(fields, FieldPlace.Header, spec.Headers) || !TryAdd(fields, FieldPlace.Query, spec.Query)
            || !TryAdd(fields, FieldPlace.Cookie, spec.Cookies)) return false;
        var clients = ImmutableArray.CreateBuilder<IPNetwork>();
        foreach (var text in spec.Clients ?? [])
        {
            if (!MatchRules.TryReadNetwork(text, out var network)) return false;
            clients.Add(network);
        }
        TimeWindow? time = null;
        if (spec.Time is { } when && !TimeWindow.TryCompile(when, out time)) return false;
        var words = fields.Select(field => field.Text).Order(StringComparer.Ordinal)
            .Concat(clients.Count == 0
                ? []
                : [$"client in {string.Join(' ', clients.Select(one => one.ToString()).Order(StringComparer.Ordinal))}"])
            .Concat(time is null ? [] : [time.Text]);
        conditions = new RouteConditions(fields.ToImmutable(), clients.ToImmutable(), time, string.Join(", ", words));
        return true;
    }

    public bool Hold(in RequestView view)
    {
        foreach (var field in fields)
            if (!field.Holds(view)) return false;
        return (clients.IsEmpty || IsClient(view.Client)) && (time is null || time.Holds(view.Time));
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
