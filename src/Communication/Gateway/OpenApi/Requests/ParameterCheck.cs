using System.Text;
using System.Text.Json.Nodes;
using System.Text.Unicode;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.OpenApi.Documents;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Kernel.Schemas;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.OpenApi.Requests;

/// <summary>Holds the parameters of a request to those of its operation.</summary>
internal static class ParameterCheck
{
    /// <summary>Parameters of a query, or fields of a form, that are looked at.</summary>
    public const int MaxPairs = 1_000;

    /// <summary>Some milliseconds for each parameter.</summary>
    private const int MaxSteps = 100_000;

    private static readonly SchemaCheckOptions Texts = new(IsUntyped: true, FaultList.Max, MaxSteps);

    private static readonly SchemaCheckOptions Values = new(IsUntyped: false, FaultList.Max, MaxSteps);

    /// <param name="path">What the captures are of.</param>
    public static void Check(
        Exchange exchange, ApiOperation operation, ReadOnlySpan<byte> path, ReadOnlySpan<Capture> captures,
        bool refusesUnknown, FaultList faults)
    {
        var query = exchange.Request.Query;
        if (!query.IsEmpty) query = query[1..];
        if (Count(query) > MaxPairs)
        {
            faults.Add("query", $"has more than {MaxPairs} parameters");
            return;
        }
        foreach (var parameter in operation.Parameters)
        {
            if (faults.IsFull) return;
            var found = new FoundTexts(parameter, faults);
            switch (parameter.Place)
            {
                case ParameterPlace.Path:
                    var (at, length) = captures[parameter.Capture];
                    found.Add(path.Slice(at, length), isForm: false);
                    break;
                case ParameterPlace.Query:
                    FindInQuery(parameter, query, ref found);
                    break;
                case ParameterPlace.Header:
                    var from = 0;
                    while (exchange.Fields.TryGetNext(parameter.Key, ref from, out var field)) found.AddPlain(field);
                    break;
                case ParameterPlace.Cookie:
                    FindInCookies(parameter, exchange, ref found);
                    break;
            }
            Check(parameter, found, faults);
        }
        if (refusesUnknown && !operation.TakesAnyQuery) CheckNames(operation, query, faults);
    }

    private static int Count(ReadOnlySpan<byte> query)
    {
        var count = 0;
        while (count <= MaxPairs && QueryText.TryTakeNext(ref query, out _, out _)) count++;
        return count;
    }

    private static void FindInQuery(ApiParameter parameter, ReadOnlySpan<byte> query, ref FoundTexts found)
    {
        while (QueryText.TryTakeNext(ref query, out var name, out var value))
        {
            if (parameter is { Shape: ParameterShape.Object, Explodes: true } or { IsDeep: true })
            {
                if (MemberOf(parameter, name) is { } member) found.AddMember(member, value);
            }
            else if (QueryText.Means(name, parameter.Key))
            {
                found.Add(value, isForm: true);
            }
        }
    }

    // The name of a member: name[member], or the member's own where it stands by itself.
    private static string? MemberOf(ApiParameter parameter, ReadOnlySpan<byte> name)
    {
        foreach (var (written, member) in parameter.MemberNames)
            if (QueryText.Means(name, written)) return member;
        if (!parameter.IsDeep) return null;
        // A member that the schema does not name: what becomes of it is the schema's to say.
        Span<byte> plain = stackalloc byte[Math.Min(name.Length, MaxMemberName)];
        if (name.Length > plain.Length) return null;
        plain = plain[..QueryText.Decode(name, plain)];
        return plain.StartsWith(parameter.Key) && plain[parameter.Key.Length..] is [(byte)'[', .., (byte)']'] rest
            && rest.Length > 2 && Utf8.IsValid(rest) ? Encoding.UTF8.GetString(rest[1..^1]) : null;
    }

    /// <summary>Bytes of the name of a member that no schema has named.</summary>
    private const int MaxMemberName = 256;

    private static void FindInCookies(ApiParameter parameter, Exchange exchange, ref FoundTexts found)
    {
        var from = 0;
        while (exchange.Fields.TryGetNext("cookie"u8, ref from, out var cookies))
            while (CookieText.TryTakeNext(ref cookies, out var name, out var value))
                if (name.SequenceEqual(parameter.Key)) found.Add(value, isForm: false);
    }

    private static void Check(ApiParameter parameter, FoundTexts found, FaultList faults)
    {
        if (found.IsWrong) return;
        if (found.Count == 0)
        {
            if (parameter.Required) faults.Add(parameter.Name, "must be there");
            return;
        }
        if (parameter.Schema is not { } schema) return;
        if (parameter.Shape == ParameterShape.Json)
        {
            if (JsonBody.TryRead(Encoding.UTF8.GetBytes(found.First), parameter.Name, faults, out var value))
                faults.Add(parameter.Name, SchemaCheck.Run(schema, value, Values));
            return;
        }
        if (parameter.AllowsEmpty && found is { Count: 1, First.Length: 0 }) return;
        if (found.ToNode() is var node && !found.IsWrong)
            faults.Add(parameter.Name, SchemaCheck.Run(schema, node, Texts));
    }

    private static void CheckNames(ApiOperation operation, ReadOnlySpan<byte> query, FaultList faults)
    {
        while (!faults.IsFull && QueryText.TryTakeNext(ref query, out var name, out _))
        {
            var isKnown = false;
            foreach (var parameter in operation.Parameters)
                if (parameter.Place == ParameterPlace.Query
                    && (parameter is { Shape: ParameterShape.Object, Explodes: true } or { IsDeep: true }
                        ? MemberOf(parameter, name) is not null
                        : QueryText.Means(name, parameter.Key))) isKnown = true;
            // Where there is no value the name may be one, and a secret; it is told to whoever sent it, and cut.
            if (!isKnown) faults.Add($"query.{NameOf(name)}", "is no parameter of this operation");
        }
    }

    private static string NameOf(ReadOnlySpan<byte> name)
    {
        var plain = new byte[name.Length];
        return FaultList.Printable(Encoding.UTF8.GetString(plain, 0, QueryText.Decode(name, plain)));
    }
}
