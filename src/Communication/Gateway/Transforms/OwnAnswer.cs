using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Groundwork.Communication.Gateway.Routing;

namespace Groundwork.Communication.Gateway.Transforms;

/// <summary>An answer that the gateway gives itself: a redirect, or one that stands in the route.</summary>
internal sealed class OwnAnswer
{
    private readonly TextTemplate? location;
    private readonly bool keepQuery;
    private readonly ImmutableArray<WrittenField> fields;

    private OwnAnswer(
        int status, byte[] body, ImmutableArray<WrittenField> fields, TextTemplate? location, bool keepQuery)
    {
        Status = status;
        Body = body;
        this.fields = fields;
        this.location = location;
        this.keepQuery = keepQuery;
    }

    public int Status { get; }

    public ReadOnlyMemory<byte> Body { get; }

    /// <summary>Null for a route that has a target.</summary>
    public static OwnAnswer? Compile(RouteSpec spec, PathPattern path)
    {
        if (spec.Redirect is { } redirect)
            return new OwnAnswer(redirect.Status, [], [], TextTemplate.Parse(redirect.To, path), redirect.KeepQuery);
        if (spec.Respond is not { } answer) return null;
        var body = Encoding.UTF8.GetBytes(answer.Body ?? "");
        var written = (answer.Headers ?? ImmutableDictionary<string, string>.Empty).Select(
            pair => new WrittenField(Encoding.ASCII.GetBytes(pair.Key), Encoding.ASCII.GetBytes(pair.Value)));
        if (body.Length > 0)
            written = written.Append(
                new WrittenField("Content-Type"u8.ToArray(), Encoding.ASCII.GetBytes(answer.MediaType)));
        return new OwnAnswer(answer.Status, body, [.. written], null, false);
    }

    /// <summary>The fields of the answer, without its length.</summary>
    public ImmutableArray<WrittenField> Fields(in RequestView view, PathParameters parameters)
    {
        if (location is null) return fields;
        var to = location.Write(view, parameters);
        if (keepQuery && !view.Query.IsEmpty)
            to = [.. to, (byte)(to.AsSpan().Contains((byte)'?') ? '&' : '?'), .. view.Query];
        return [new WrittenField("Location"u8.ToArray(), to)];
    }

    public override string ToString() => Status.ToString(CultureInfo.InvariantCulture);
}
