using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using Groundwork.Communication.Gateway.Routing;

namespace Groundwork.Communication.Gateway.Transforms;

/// <summary>
/// A text with places for what is known of a request: <c>{name}</c> of the route's path, <c>{host}</c>, <c>{path}</c>,
/// <c>{rest}</c>, <c>{client}</c>. All of it is ASCII without control characters, so that nothing a client sends can
/// end a line.
/// </summary>
internal sealed class TextTemplate
{
    private const int Literal = -1;
    private const int Host = -2;
    private const int Path = -3;
    private const int Rest = -4;
    private const int Client = -5;

    private readonly ImmutableArray<(int Place, byte[] Text)> parts;
    private readonly int depth; // Segments of the route's path, which {rest} goes on after.

    private TextTemplate(ImmutableArray<(int Place, byte[] Text)> parts, int depth)
    {
        this.parts = parts;
        this.depth = depth;
    }

    /// <summary>What is wrong with the text for a route of this path; null when nothing is.</summary>
    public static string? Explain(string text, PathPattern path)
    {
        foreach (var name in Names(text))
        {
            if (path.Parameters.Contains(name) || name is "host" or "path" or "client") continue;
            if (name == "rest" && path.Form == PathForm.Prefix) continue;
            return $"has {{{name}}}, which the route's path does not capture";
        }
        return null;
    }

    /// <summary>Reads a text that nothing is wrong with.</summary>
    public static TextTemplate Parse(string text, PathPattern path)
    {
        var places = ImmutableArray.CreateBuilder<(int, byte[])>();
        var literal = new StringBuilder();
        for (var at = 0; at < text.Length;)
        {
            if (NameAt(text, at) is not { } name)
            {
                literal.Append(text[at]);
                at += text.AsSpan(at).StartsWith("{{") ? 2 : 1;
                continue;
            }
            if (literal.Length > 0) places.Add((Literal, Encoding.ASCII.GetBytes(literal.ToString())));
            literal.Clear();
            places.Add((PlaceOf(name, path), []));
            at += name.Length + 2;
        }
        if (literal.Length > 0) places.Add((Literal, Encoding.ASCII.GetBytes(literal.ToString())));
        return new TextTemplate(places.ToImmutable(), path.Text.Split('/').Length - 2);
    }

    public byte[] Write(in RequestView view, PathParameters parameters)
    {
        if (parts is [(Literal, var only)]) return only;
        var output = new ArrayBufferWriter<byte>(64);
        foreach (var (place, text) in parts)
        {
            switch (place)
            {
                case Literal:
                    output.Write(text);
                    break;
                case Host:
                    output.Write(view.Host);
                    break;
                case Path:
                    output.Write(view.Path);
                    break;
                case Rest:
                    output.Write(RestOf(view.Path));
                    break;
                case Client:
                    output.Write(Encoding.ASCII.GetBytes(view.Client?.ToString() ?? "unknown"));
                    break;
                default:
                    output.Write(parameters.Of(view.Path, place));
                    break;
            }
        }
        return output.WrittenSpan.ToArray();
    }

    private static int PlaceOf(string name, PathPattern path) => path.Parameters.IndexOf(name) is >= 0 and var index
        ? index
        : name switch { "host" => Host, "path" => Path, "rest" => Rest, _ => Client };

    private ReadOnlySpan<byte> RestOf(ReadOnlySpan<byte> path)
    {
        for (var segment = 0; segment <= depth; segment++)
        {
            var slash = path.IndexOf((byte)'/');
            if (slash < 0) return [];
            path = path[(slash + 1)..];
        }
        return path;
    }

    private static IEnumerable<string> Names(string text)
    {
        for (var at = 0; at < text.Length;)
        {
            var name = NameAt(text, at);
            if (name is not null) yield return name;
            at += name is not null ? name.Length + 2 : text.AsSpan(at).StartsWith("{{") ? 2 : 1;
        }
    }

    private static string? NameAt(string text, int at)
    {
        if (text[at] != '{' || text.IndexOf('}', at) is not (> 0 and var end)) return null;
        var name = text[(at + 1)..end];
        return PathPattern.IsName(name) ? name : null;
    }
}
