using System.Text;
using Groundwork.Communication.Gateway.Routing;

namespace Groundwork.Communication.Gateway.Transforms;

/// <summary>What a route does to the path: compiled.</summary>
internal sealed class PathEdit
{
    private readonly byte[] added;
    private readonly TextTemplate? template;

    private PathEdit(int strip, byte[] added, TextTemplate? template)
    {
        Strip = strip;
        this.added = added;
        this.template = template;
    }

    /// <summary>Bytes that are taken off the front.</summary>
    public int Strip { get; }

    /// <summary>Null when there is nothing to do.</summary>
    public static PathEdit? Compile(PathChange? spec, PathPattern path) => spec is null
        or { StripPrefix: null, AddPrefix: null, Template: null }
        ? null
        : new PathEdit(
            spec.StripPrefix?.Length ?? 0,
            Encoding.ASCII.GetBytes(spec.AddPrefix ?? ""),
            spec.Template is { } text ? TextTemplate.Parse(text, path) : null);

    public byte[] Write(in RequestView view, PathParameters parameters)
    {
        if (template is not null) return template.Write(view, parameters);
        byte[] whole = [.. added, .. view.Path[Strip..]];
        return whole.Length == 0 ? [(byte)'/'] : whole;
    }
}
