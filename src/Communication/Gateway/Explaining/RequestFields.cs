using System.Text;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Wire.Contracts;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Explaining;

/// <summary>
/// What is told of a request's head. A value is shown where its field is known to hold no secret; everything else is
/// masked, be it only a name that somebody else has thought of.
/// </summary>
internal static class RequestFields
{
    private static readonly HashSet<string> Shown = new(StringComparer.OrdinalIgnoreCase)
    {
        "accept", "accept-encoding", "accept-language", "cache-control", "connection", "content-encoding",
        "content-length", "content-type", "expect", "host", "if-modified-since", "if-none-match", "origin", "range",
        "te", "traceparent", "transfer-encoding", "upgrade", "user-agent", "via", "x-forwarded-for",
        "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled",
    };

    /// <summary>True for a field whose value is never a secret.</summary>
    public static bool IsShown(string name) => Shown.Contains(name);

    public static IReadOnlyList<GatewayRequestField> Of(RequestHead head)
    {
        var fields = new List<GatewayRequestField>();
        foreach (ref readonly var field in head.Fields.Fields)
        {
            var name = Encoding.ASCII.GetString(head.Fields.NameOf(field));
            fields.Add(new GatewayRequestField(
                name, IsShown(name) ? Encoding.UTF8.GetString(head.Fields.ValueOf(field)) : null));
        }
        return fields;
    }

    public static IReadOnlyList<string> ParametersOf(RequestHead head)
    {
        var names = new List<string>();
        var query = head.Query.IsEmpty ? head.Query : head.Query[1..];
        while (QueryText.TryTakeNext(ref query, out var name, out var value))
        {
            // Without a value it may be one itself, such as ?TOKEN.
            if (!value.IsEmpty) names.Add(Encoding.ASCII.GetString(name));
        }
        return names;
    }
}
