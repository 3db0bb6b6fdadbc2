using System.Buffers;
using System.Text;
using System.Text.Json;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Inspection;

/// <summary>What is looked for in a body, by its media type.</summary>
internal enum BodyForm
{
    /// <summary>Pictures, archives, streams: nothing that this can read.</summary>
    Other,
    Form,
    Json,
    Multipart,
    Xml,

    /// <summary>Text, or without a type: what it looks like.</summary>
    Text,
}

/// <summary>Goes through the values of a body, or of the beginning of one.</summary>
internal static class BodyInspection
{
    /// <summary>Characters of what stands between the parts of a form (RFC 2046, 5.1.1).</summary>
    private const int MaxBoundary = 70;

    // Markup is what such a body is made of.
    private static readonly RuleSet OfXml = InspectionRules.Of(
        AttackClass.Sql | AttackClass.Traversal | AttackClass.Command, InspectRules.MaxLevel);

    public static BodyForm FormOf(ReadOnlySpan<byte> contentType)
    {
        var end = contentType.IndexOf((byte)';');
        var type = (end < 0 ? contentType : contentType[..end]).Trim(" \t"u8);
        if (type.IsEmpty) return BodyForm.Text;
        if (Ascii.EqualsIgnoreCase(type, "application/x-www-form-urlencoded"u8)) return BodyForm.Form;
        if (Ascii.EqualsIgnoreCase(type, "multipart/form-data"u8)) return BodyForm.Multipart;
        if (Ascii.EqualsIgnoreCase(type, "application/json"u8) || EndsWith(type, "+json"u8)) return BodyForm.Json;
        if (Ascii.EqualsIgnoreCase(type, "application/xml"u8) || Ascii.EqualsIgnoreCase(type, "text/xml"u8)
            || EndsWith(type, "+xml"u8)) return BodyForm.Xml;
        return type.Length >= 5 && Ascii.EqualsIgnoreCase(type[..5], "text/"u8) ? BodyForm.Text : BodyForm.Other;
    }

    /// <param name="whole">False for the beginning of a body.</param>
    public static void Inspect(
        ReadOnlySpan<byte> body, BodyForm form, ReadOnlySpan<byte> contentType, bool whole, ref InspectionRun run)
    {
        switch (form)
        {
            case BodyForm.Form:
                HeadInspection.Inspect(body, "form", ref run);
                break;
            case BodyForm.Json:
                if (!TryInspectJson(body, whole, ref run)) InspectText(body, ref run);
                break;
            case BodyForm.Multipart:
                InspectParts(body, contentType, ref run);
                break;
            case BodyForm.Xml:
                run.Look(body, Coding.Plain, OfXml, "body");
                break;
            case BodyForm.Text:
                var text = body.TrimStart(" \r\n\t"u8);
                if (!text.IsEmpty && text[0] is (byte)'{' or (byte)'[' && TryInspectJson(body, whole, ref run)) break;
                if (body.Contains((byte)'=') && body.IndexOfAny(" \n"u8) < 0)
                    HeadInspection.Inspect(body, "form", ref run);
                InspectText(body, ref run);
                break;
        }
    }

    private static void InspectText(ReadOnlySpan<byte> body, ref InspectionRun run) =>
        run.Look(body, Coding.Plain, ValuePlace.Parameter, "body", default);

    // False for what is no JSON: then nobody knows what the service makes of it.
    private static bool TryInspectJson(ReadOnlySpan<byte> body, bool whole, ref InspectionRun run)
    {
        var reader = new Utf8JsonReader(body, whole, default);
        var room = Array.Empty<byte>();
        ReadOnlySpan<byte> name = default;
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is not (JsonTokenType.PropertyName or JsonTokenType.String)) continue;
                var value = reader.ValueSpan;
                if (reader.ValueIsEscaped)
                {
                    if (room.Length < value.Length)
                    {
                        if (room.Length > 0) ArrayPool<byte>.Shared.Return(room);
                        room = ArrayPool<byte>.Shared.Rent(value.Length);
                    }
                    value = room.AsSpan(0, reader.CopyString(room));
                }
                if (reader.TokenType == JsonTokenType.PropertyName) name = reader.ValueSpan;
                run.Look(value, Coding.Plain, ValuePlace.Parameter, "json", name);
            }
            return true;
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return false; // The second: a string of bytes that are no text.
        }
        finally
        {
            if (room.Length > 0) ArrayPool<byte>.Shared.Return(room);
        }
    }

    private static void InspectParts(ReadOnlySpan<byte> body, ReadOnlySpan<byte> contentType, ref InspectionRun run)
    {
        var boundary = ParameterOf(contentType, "boundary="u8);
        if (boundary.Length is 0 or > MaxBoundary)
        {
            InspectText(body, ref run);
            return;
        }
        Span<byte> line = stackalloc byte[MaxBoundary + 2];
        "--"u8.CopyTo(line);
        boundary.CopyTo(line[2..]);
        line = line[..(boundary.Length + 2)];
        var next = body.IndexOf(line);
        while (next >= 0)
        {
            body = body[(next + line.Length)..];
            next = body.IndexOf(line);
            InspectPart(next < 0 ? body : body[..next], ref run);
        }
    }

    private static void InspectPart(ReadOnlySpan<byte> part, ref InspectionRun run)
    {
        var end = part.IndexOf("\r\n\r\n"u8);
        if (end < 0) return;
        var head = part[..end];
        var name = ParameterOf(head, " name="u8);
        var file = ParameterOf(head, "filename="u8);
        if (file.IsEmpty) file = ParameterOf(head, "filename*="u8);
        run.Look(name, Coding.Plain, ValuePlace.Parameter, "part", name);
        // What a file contains is the service's to know; its name is a value like any.
        if (file.IsEmpty)
            run.Look(part[(end + 4)..].TrimEnd("\r\n"u8), Coding.Plain, ValuePlace.Parameter, "part", name);
        else run.Look(file, Coding.Escaped, ValuePlace.Parameter, "filename", name);
    }

    private static ReadOnlySpan<byte> ParameterOf(ReadOnlySpan<byte> text, ReadOnlySpan<byte> name)
    {
        for (var at = 0; at + name.Length <= text.Length;)
        {
            var next = text[at..].IndexOf((byte)'=');
            if (next < 0) return default;
            at += next + 1;
            if (at < name.Length || !Ascii.EqualsIgnoreCase(text[(at - name.Length)..at], name)) continue;
            var value = text[at..];
            if (!value.IsEmpty && value[0] == '"')
            {
                var quote = value[1..].IndexOf((byte)'"');
                return quote < 0 ? value[1..] : value.Slice(1, quote);
            }
            var end = value.IndexOfAny("; \r\n"u8);
            return end < 0 ? value : value[..end];
        }
        return default;
    }

    private static bool EndsWith(ReadOnlySpan<byte> text, ReadOnlySpan<byte> end) =>
        text.Length > end.Length && Ascii.EqualsIgnoreCase(text[^end.Length..], end);
}
