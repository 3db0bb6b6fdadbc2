using System.Text;
using System.Text.Json.Nodes;
using System.Text.Unicode;
using Groundwork.Communication.Gateway.OpenApi.Documents;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Kernel.Schemas;

namespace Groundwork.Communication.Gateway.OpenApi.Requests;

/// <summary>Holds a body, all of which is there, to its schema.</summary>
internal static class BodyCheck
{
    /// <summary>How faults call the place.</summary>
    public const string Root = "body";

    /// <summary>Some tens of milliseconds.</summary>
    private const int MaxSteps = 500_000;

    private static readonly SchemaCheckOptions Texts = new(IsUntyped: true, FaultList.Max, MaxSteps);

    private static readonly SchemaCheckOptions Values = new(IsUntyped: false, FaultList.Max, MaxSteps);

    public static void Check(ApiMedia media, ReadOnlySpan<byte> body, FaultList faults)
    {
        if (media.Shape == BodyShape.Json)
        {
            if (JsonBody.TryRead(body, Root, faults, out var value) && media.Schema is { } schema)
                faults.Add(Root, SchemaCheck.Run(schema, value, Values));
        }
        else if (media is { Shape: BodyShape.Form, Schema: { } fields } && ReadForm(media, body, faults) is { } form)
        {
            faults.Add(Root, SchemaCheck.Run(fields, form, Texts));
        }
    }

    private static JsonObject? ReadForm(ApiMedia media, ReadOnlySpan<byte> body, FaultList faults)
    {
        var form = new JsonObject();
        var count = 0;
        var room = new byte[body.Length];
        while (QueryText.TryTakeNext(ref body, out var name, out var value))
        {
            if (++count > ParameterCheck.MaxPairs)
            {
                faults.Add(Root, $"has more than {ParameterCheck.MaxPairs} fields");
                return null;
            }
            if (TextOf(name, room) is not { } member || TextOf(value, room) is not { } text)
            {
                faults.Add(Root, "must be UTF-8");
                return null;
            }
            if (media.Members.GetValueOrDefault(member))
            {
                if (form[member] is JsonArray list) list.Add(text);
                else form[member] = new JsonArray(text);
            }
            else if (!form.TryAdd(member, text))
            {
                faults.Add($"{Root}/{FaultList.Printable(member)}", "must be there once");
                return null;
            }
        }
        return form;
    }

    private static string? TextOf(ReadOnlySpan<byte> escaped, byte[] room)
    {
        var plain = room.AsSpan(0, QueryText.Decode(escaped, room));
        return Utf8.IsValid(plain) ? Encoding.UTF8.GetString(plain) : null;
    }
}
