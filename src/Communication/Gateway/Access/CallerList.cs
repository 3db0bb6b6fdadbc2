using System.Collections.Frozen;
using System.Net;
using Groundwork.Kernel.Resources;

namespace Groundwork.Communication.Gateway.Access;

/// <summary>One list of callers, compiled. What it does not mention is null; what it mentions may be empty.</summary>
internal sealed record CallerList(
    AddressRanges? Clients, FrozenSet<string>? Users, FrozenSet<string>? Keys, FrozenSet<string>? Tokens)
{
    /// <summary>Null for one that this version does not understand.</summary>
    public static CallerList? Compile(Resource resource)
    {
        var spec = resource.As<AccessListSpec>();
        return Compile(spec.Clients, spec.Users, spec.Keys, spec.Tokens);
    }

    public static CallerList? Compile(
        IReadOnlyList<string>? clients, IReadOnlyList<string>? users, IReadOnlyList<string>? keys,
        IReadOnlyList<string>? tokens)
    {
        var ranges = clients is null ? null : AddressRanges.Compile(clients);
        return clients is not null && ranges is null
            ? null
            : new CallerList(ranges, Set(users), Set(keys), Set(tokens));
    }

    private static FrozenSet<string>? Set(IReadOnlyList<string>? texts) =>
        texts?.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>True when an entry names the address.</summary>
    public bool Names(IPAddress address) => Clients?.Contains(address) == true;

    /// <summary>True when an entry names the caller.</summary>
    public bool Names(Caller caller, string? token) =>
        (caller.User is { } user && Users?.Contains(user) == true)
        || (caller.Key is { } key && Keys?.Contains(key) == true)
        || (token is not null && Tokens?.Contains(token) == true);
}

/// <summary>The lists of one rule: its own and those it names, as they are now.</summary>
internal sealed class CallerListRule
{
    private readonly CallerList? own;
    private readonly ResourceKey[] named;
    private readonly ResourceTable<CallerList> table;
    private Resolved? resolved; // Of the table as it was when somebody last looked.

    private CallerListRule(CallerList? own, ResourceKey[] named, ResourceTable<CallerList> table)
    {
        this.own = own;
        this.named = named;
        this.table = table;
    }

    public static CallerListRule? Make(CallerLists? spec, string ns, ResourceTable<CallerList> table)
    {
        if (spec is null) return null;
        var keys = new List<ResourceKey>();
        foreach (var text in spec.Lists ?? [])
            // One that cannot be read is one that is never there: nobody passes.
            keys.Add(FieldRules.TryReadName(text, ns, AccessListKind.Name, out var key) ? key : default);
        return new CallerListRule(
            CallerList.Compile(spec.Clients, spec.Users, spec.Keys, spec.Tokens), [.. keys], table);
    }

    /// <summary>Null when one of them is not there, so that nothing can be decided.</summary>
    public CallerList[]? Current()
    {
        var now = table.Current;
        var known = Volatile.Read(ref resolved);
        if (known is null || !ReferenceEquals(known.From, now))
        {
            known = new Resolved(now, Resolve());
            Volatile.Write(ref resolved, known);
        }
        return known.Lists;

        CallerList[]? Resolve()
        {
            if (own is null) return null;
            var lists = new CallerList[named.Length + 1];
            lists[0] = own;
            for (var index = 0; index < named.Length; index++)
            {
                if (now.GetValueOrDefault(named[index]) is not { } list) return null;
                lists[index + 1] = list;
            }
            return lists;
        }
    }

    private sealed record Resolved(object From, CallerList[]? Lists);
}
