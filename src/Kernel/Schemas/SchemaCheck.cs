using System.Text.Json;
using System.Text.Json.Nodes;

namespace Groundwork.Kernel.Schemas;

/// <summary>What a text breaks.</summary>
/// <param name="Keyword">Of the schema; stable, as the code of the fault.</param>
/// <param name="Pointer">Where the schema says so.</param>
public sealed record SchemaFault(ValuePlace Place, string Keyword, string Pointer, string Message);

/// <summary>A place in a value: written out only for a fault.</summary>
public sealed record ValuePlace(ValuePlace? Above, string? Name, int Index)
{
    public static ValuePlace Root { get; } = new(null, null, 0);

    public ValuePlace Member(string name) => new(this, name, 0);

    public ValuePlace Item(int index) => new(this, null, index);

    /// <summary>As the readers of documents write it, such as <c>routes[0].path</c>; empty for the root.</summary>
    public override string ToString() => Above is null ? ""
        : Name is null ? $"{Above}[{Index}]"
        : Above.Above is null ? Name
        : $"{Above}.{Name}";
}

/// <summary>Holds one value to a schema, within bounds of steps and depth.</summary>
public sealed partial class SchemaCheck
{
    /// <summary>Schemas that lead into each other; a text has 64 levels at most.</summary>
    public const int MaxDepth = 300;

    private readonly JsonSchema schema;
    private readonly SchemaCheckOptions options;

    // The resources that lead to where we are, outermost first: what dynamic references look through.
    private readonly List<SchemaResource> scope = [];
    private long steps;
    private int depth;

    private SchemaCheck(JsonSchema schema, SchemaCheckOptions options)
    {
        this.schema = schema;
        this.options = options;
    }

    /// <summary>Everything that the value breaks, in the order of the schema.</summary>
    public static IReadOnlyList<SchemaFault> Run(JsonSchema schema, JsonNode? value, SchemaCheckOptions options)
    {
        var faults = new List<SchemaFault>();
        try
        {
            new SchemaCheck(schema, options).Evaluate(schema.Root, value, ValuePlace.Root, null, faults);
        }
        catch (TooCostlyException fault)
        {
            faults.Add(new SchemaFault(ValuePlace.Root, fault.Keyword, "", fault.Message));
        }
        catch (System.Text.RegularExpressions.RegexMatchTimeoutException)
        {
            faults.Add(new SchemaFault(ValuePlace.Root, "cost", "", "takes too long to match a pattern"));
        }
        return faults;
    }

    /// <param name="into">Where to note what was evaluated, for the schema around this one; null: nobody asks.</param>
    /// <param name="faults">Null: only the answer counts, so the first fault ends it.</param>
    private bool Evaluate(
        SchemaNode node, JsonNode? value, ValuePlace place, EvaluatedParts? into, List<SchemaFault>? faults)
    {
        Spend(1);
        if (node.Always is { } always) return always || Fail(node, faults, place, "false", "is not allowed");
        if (++depth > MaxDepth)
            throw new TooCostlyException("depth", $"takes schemas more than {MaxDepth} deep to check");
        var enters = scope.Count == 0 || scope[^1] != node.Resource;
        if (enters) scope.Add(node.Resource);
        var own = schema.Tracks && value is JsonObject or JsonArray ? new EvaluatedParts() : null;
        var context = new Context(node, value, place, own, faults);
        var valid = !node.ReadOnly || place.Above is null
            || Fail(context, "readOnly", "must not be sent: it is read-only");
        valid &= References(context);
        // With nobody to tell, the first fault is enough.
        if (valid || faults is not null) valid &= Values(context);
        if (valid || faults is not null) valid &= Branches(context);
        if (valid || faults is not null) valid &= Parts(context);
        if (valid || faults is not null) valid &= Unevaluated(context);
        if (enters) scope.RemoveAt(scope.Count - 1);
        depth--;
        if (valid && own is not null) into?.Add(own);
        return valid;
    }

    private bool References(in Context at)
    {
        var valid = at.Node.Ref is not { } target || InPlace(target, at);
        if (at.Node.DynamicRef is not { } dynamic) return valid;
        if (at.Node.DynamicAnchor is { } anchor)
        {
            var outermost = scope.Find(resource => resource.DynamicAnchors.Contains(anchor));
            if (outermost is not null) dynamic = outermost.Anchors[anchor];
        }
        return InPlace(dynamic, at) && valid;
    }

    private bool InPlace(SchemaNode node, in Context at) => Evaluate(node, at.Value, at.Place, at.Own, at.Faults);

    /// <summary>The same without telling; what it evaluated counts when it holds.</summary>
    private bool Holds(SchemaNode node, in Context at) => Evaluate(node, at.Value, at.Place, at.Own, null);

    private bool Branches(in Context at)
    {
        var (node, valid) = (at.Node, true);
        foreach (var one in node.AllOf ?? []) valid &= InPlace(one, at);
        if (node.AnyOf is { } any)
        {
            var matching = 0;
            foreach (var one in any)
            {
                if (Holds(one, at)) matching++;
                if (matching > 0 && !schema.Tracks) break;
            }
            if (matching == 0) valid = Fail(at, "anyOf", $"matches none of {any.Count} schemas");
        }
        if (node.OneOf is { } alternatives)
        {
            var matching = 0;
            foreach (var one in alternatives)
                if (Holds(one, at)) matching++;
            if (matching != 1)
                valid = Fail(at, "oneOf", $"matches {matching} of {alternatives.Count} schemas, and must match one");
        }
        if (node.Not is { } not && Evaluate(not, at.Value, at.Place, null, null))
            valid = Fail(at, "not", "matches a schema that it must not");
        if (node.If is { } condition)
        {
            var next = Holds(condition, at) ? node.Then : node.Else;
            if (next is not null) valid &= InPlace(next, at);
        }
        if (node.DependentSchemas is { } dependent && at.Value is JsonObject members)
        {
            foreach (var (name, one) in dependent)
                if (members.ContainsKey(name)) valid &= InPlace(one, at);
        }
        return valid;
    }

    private bool Parts(in Context at) => at.Value switch
    {
        JsonObject members => Members(at, members),
        JsonArray items => Items(at, items),
        _ => true,
    };

    private bool Members(in Context at, JsonObject members)
    {
        var (node, valid) = (at.Node, true);
        if (node.Properties is null && node.PatternProperties is null && node.AdditionalProperties is null
            && node.PropertyNames is null) return true;
        foreach (var (name, member) in members)
        {
            var place = at.Place.Member(name);
            var known = false;
            if (node.Properties?.TryGetValue(name, out var property) == true)
            {
                known = true;
                valid &= Evaluate(property, member, place, null, at.Faults);
            }
            foreach (var (pattern, one) in node.PatternProperties ?? [])
            {
                Spend(1 + (name.Length / 16));
                if (!pattern.IsMatch(name)) continue;
                known = true;
                valid &= Evaluate(one, member, place, null, at.Faults);
            }
            if (!known && node.AdditionalProperties is { } additional)
            {
                known = true;
                valid &= additional.Always == false
                    ? Fail(node, at.Faults, place, "additionalProperties", "is not a member that is known")
                    : Evaluate(additional, member, place, null, at.Faults);
            }
            if (node.PropertyNames is { } names && !Evaluate(names, JsonValue.Create(name), place, null, null))
                valid = Fail(node, at.Faults, place, "propertyNames", "has a name that is not allowed");
            if (known) at.Own?.Names.Add(name);
            if (!valid && at.Faults is null) return false;
        }
        return valid;
    }

    private bool Items(in Context at, JsonArray items)
    {
        var (node, valid) = (at.Node, true);
        var prefix = node.PrefixItems?.Count ?? 0;
        for (var index = 0; index < items.Count; index++)
        {
            var one = index < prefix ? node.PrefixItems![index] : node.Items; // Above 0 only when there are some.
            if (one is null) break;
            valid &= Evaluate(one, items[index], at.Place.Item(index), null, at.Faults);
            at.Own?.Items.Add(index);
            if (!valid && at.Faults is null) return false;
        }
        return node.Contains is null ? valid : Contains(at, items, node.Contains) && valid;
    }

    private bool Contains(in Context at, JsonArray items, SchemaNode wanted)
    {
        var count = 0;
        for (var index = 0; index < items.Count; index++)
        {
            if (!Evaluate(wanted, items[index], at.Place.Item(index), null, null)) continue;
            count++;
            at.Own?.Items.Add(index);
        }
        var least = at.Node.MinContains ?? 1;
        if (count < least)
            return Fail(
                at, at.Node.MinContains is null ? "contains" : "minContains",
                $"has {count} items that match, and must have {least}");
        return at.Node.MaxContains is not { } most || count <= most
            || Fail(at, "maxContains", $"has {count} items that match, and may have {most}");
    }

    private bool Unevaluated(in Context at)
    {
        var (node, valid) = (at.Node, true);
        if (node.UnevaluatedProperties is { } rest && at.Value is JsonObject members && at.Own is { } names)
        {
            foreach (var (name, member) in members)
            {
                if (!names.Names.Add(name)) continue;
                var place = at.Place.Member(name);
                valid &= rest.Always == false
                    ? Fail(node, at.Faults, place, "unevaluatedProperties", "is not a member that is known")
                    : Evaluate(rest, member, place, null, at.Faults);
            }
        }
        if (node.UnevaluatedItems is { } others && at.Value is JsonArray items && at.Own is { } seen)
        {
            for (var index = 0; index < items.Count; index++)
            {
                if (!seen.Items.Add(index)) continue;
                var place = at.Place.Item(index);
                valid &= others.Always == false
                    ? Fail(node, at.Faults, place, "unevaluatedItems", "is not an item that is known")
                    : Evaluate(others, items[index], place, null, at.Faults);
            }
        }
        return valid;
    }

    private void Spend(long more)
    {
        steps += more;
        if (steps > options.MaxSteps)
            throw new TooCostlyException("cost", $"takes more than {options.MaxSteps} steps to check");
    }

    private bool Fail(in Context at, string keyword, string message) =>
        Fail(at.Node, at.Faults, at.Place, keyword, message);

    private bool Fail(
        SchemaNode node, List<SchemaFault>? faults, ValuePlace place, string keyword, string message)
    {
        if (faults?.Count < options.MaxFaults)
            faults.Add(new SchemaFault(place, keyword, node.Pointer, message));
        return false;
    }

    /// <summary>One schema at one value.</summary>
    /// <param name="Own">What this schema has evaluated of the value; null when nobody asks.</param>
    private readonly record struct Context(
        SchemaNode Node, JsonNode? Value, ValuePlace Place, EvaluatedParts? Own, List<SchemaFault>? Faults);

    /// <summary>The members and items that some keyword has looked at.</summary>
    private sealed class EvaluatedParts
    {
        public HashSet<string> Names { get; } = new(StringComparer.Ordinal);

        public HashSet<int> Items { get; } = [];

        public void Add(EvaluatedParts other)
        {
            Names.UnionWith(other.Names);
            Items.UnionWith(other.Items);
        }
    }

    /// <summary>A bound was reached; checking stops. Never leaves this class.</summary>
    private sealed class TooCostlyException(string keyword, string message) : Exception(message)
    {
        public string Keyword { get; } = keyword;
    }
}
