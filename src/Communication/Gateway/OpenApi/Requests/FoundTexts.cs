using System.Text;
using System.Text.Json.Nodes;
using System.Text.Unicode;
using Groundwork.Communication.Gateway.OpenApi.Documents;
using Groundwork.Communication.Gateway.Routing;

namespace Groundwork.Communication.Gateway.OpenApi.Requests;

/// <summary>The texts of one parameter, as they were found, and the value that they are together.</summary>
internal struct FoundTexts(ApiParameter parameter, FaultList faults)
{
    /// <summary>Parts of one value.</summary>
    private const int MaxParts = 1_000;

    private readonly ApiParameter parameter = parameter;
    private readonly FaultList faults = faults;
    private List<(string? Member, string Text)>? more; // All of them, where there may be several.

    /// <summary>How many were found.</summary>
    public int Count { get; private set; }

    /// <summary>The first; there is one.</summary>
    public string First { get; private set; } = "";

    /// <summary>True when a fault has been told.</summary>
    public bool IsWrong { get; private set; }

    private readonly bool IsSplit => parameter.Shape is ParameterShape.List or ParameterShape.Object;

    /// <summary>Takes a value with escapes.</summary>
    /// <param name="isForm">True where a plus is a space.</param>
    public void Add(scoped ReadOnlySpan<byte> escaped, bool isForm)
    {
        if (IsAgain()) return;
        if (IsSplit && !(isForm && parameter is { Shape: ParameterShape.List, Explodes: true }))
            Split(escaped, isForm, hasEscapes: true);
        else Keep(null, escaped, isForm, hasEscapes: true);
    }

    /// <summary>Takes the value of a header field, in which nothing is escaped.</summary>
    public void AddPlain(scoped ReadOnlySpan<byte> value)
    {
        // A field that stands there twice is a list (RFC 9110, 5.3).
        if (parameter.Shape != ParameterShape.List && IsAgain()) return;
        if (IsSplit) Split(value, isForm: false, hasEscapes: false);
        else Keep(null, value, isForm: false, hasEscapes: false);
    }

    /// <summary>Takes a member of an object that stands by itself.</summary>
    public void AddMember(string member, scoped ReadOnlySpan<byte> escaped) =>
        Keep(member, escaped, isForm: true, hasEscapes: true);

    /// <summary>The value; every text in it is one yet, whatever its type.</summary>
    public readonly JsonNode? ToNode()
    {
        if (parameter.Shape == ParameterShape.List)
        {
            var items = new JsonArray();
            foreach (var (_, text) in more ?? []) items.Add(text);
            return items;
        }
        if (parameter.Shape != ParameterShape.Object) return JsonValue.Create(First);
        var members = new JsonObject();
        foreach (var (member, text) in more ?? [])
        {
            if (member is null) continue;
            if (parameter.Members.GetValueOrDefault(member))
            {
                if (members[member] is JsonArray list) list.Add(text);
                else members[member] = new JsonArray(text);
            }
            else if (!members.TryAdd(member, text)) faults.Add($"{parameter.Name}/{member}", "must be there once");
        }
        return members;
    }

    private bool IsAgain()
    {
        if (Count == 0 || parameter is { Shape: ParameterShape.List, Place: ParameterPlace.Query, Explodes: true })
            return false;
        // We and the service might mean different ones.
        if (!IsWrong) faults.Add(parameter.Name, "must be there once");
        return IsWrong = true;
    }

    private void Split(scoped ReadOnlySpan<byte> value, bool isForm, bool hasEscapes)
    {
        Count++;
        more ??= [];
        string? member = null;
        var explodes = parameter is { Shape: ParameterShape.Object, Explodes: true };
        while (!value.IsEmpty)
        {
            var (end, width) = NextSeparator(value);
            var part = (end < 0 ? value : value[..end]).Trim(" \t"u8);
            value = end < 0 ? [] : value[(end + width)..];
            if (parameter.Shape == ParameterShape.List) Keep(null, part, isForm, hasEscapes);
            else if (explodes)
            {
                var equals = part.IndexOf((byte)'=');
                Keep(
                    TextOf(equals < 0 ? part : part[..equals], isForm, hasEscapes),
                    equals < 0 ? [] : part[(equals + 1)..], isForm, hasEscapes);
            }
            else if (member is null)
            {
                member = TextOf(part, isForm, hasEscapes);
                if (value.IsEmpty) Tell("must be names and values in turns");
            }
            else
            {
                Keep(member, part, isForm, hasEscapes);
                member = null;
            }
            if (IsWrong) return;
        }
    }

    // A space and a bar may come as escapes; a comma that does is no separator (RFC 6570, 3.2.1).
    private readonly (int At, int Width) NextSeparator(scoped ReadOnlySpan<byte> value)
    {
        var at = value.IndexOf((byte)(parameter.Separator == ' ' ? '+' : parameter.Separator));
        var escaped = parameter.Separator switch
        {
            ' ' => value.IndexOf("%20"u8),
            '|' => Math.Max(value.IndexOf("%7C"u8), value.IndexOf("%7c"u8)),
            _ => -1,
        };
        return escaped >= 0 && (at < 0 || escaped < at) ? (escaped, 3) : (at, 1);
    }

    private void Keep(string? member, scoped ReadOnlySpan<byte> value, bool isForm, bool hasEscapes)
    {
        if (IsWrong) return;
        if (!IsSplit || member is not null || parameter.Explodes) Count++;
        if (TextOf(value, isForm, hasEscapes) is not { } text) return;
        if (Count <= 1) First = text;
        if (!IsSplit) return;
        more ??= [];
        if (more.Count == MaxParts) Tell($"has more than {MaxParts} parts");
        else more.Add((member, text));
    }

    private string? TextOf(scoped ReadOnlySpan<byte> value, bool isForm, bool hasEscapes)
    {
        if (!hasEscapes || !QueryText.IsEscaped(value)) return PlainOf(value);
        Span<byte> room = value.Length <= 256 ? stackalloc byte[256] : new byte[value.Length];
        return PlainOf(room[..(isForm ? QueryText.Decode(value, room) : Percents.Decode(value, room))]);
    }

    private string? PlainOf(scoped ReadOnlySpan<byte> plain)
    {
        if (Utf8.IsValid(plain)) return Encoding.UTF8.GetString(plain);
        Tell("must be UTF-8");
        return null;
    }

    private void Tell(string message)
    {
        if (!IsWrong) faults.Add(parameter.Name, message);
        IsWrong = true;
    }
}
